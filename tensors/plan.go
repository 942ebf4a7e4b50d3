package tensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// shard is one file of a planned checkpoint.
type shard struct {
	file   string
	names  []string // in the order of their bytes
	header []byte   // with its length before it
	bytes  int64    // of the whole file
}

// checkpointPlan is everything about a checkpoint but its values: known before
// the first byte is written.
type checkpointPlan struct {
	shards []shard
	index  []byte // of the shard index; nil for a single file
	total  int64  // bytes of all tensors
	bytes  int64  // of all files of weights and the index
}

// maxBytes bounds a checkpoint, so that sums of sizes do not overflow.
const maxBytes = 1 << 60

// planShards puts the tensors of a Source, in the order of the model's blocks,
// into as few files as hold at most limit bytes of tensors each; a tensor that
// is larger has a file of its own. A limit of 0 is none.
func planShards(src Source, limit int64, metadata map[string]string) (*checkpointPlan, error) {
	groups := [][]string{nil}
	var size int64
	p := &checkpointPlan{}
	for _, name := range modelOrder(src.Names()) {
		info, err := writable(src, name)
		if err != nil {
			return nil, err
		}
		if p.total += info.Bytes(); p.total > maxBytes {
			return nil, fmt.Errorf("tensor %s: the tensors up to it take more than %s, which no file system holds", quote(name), amount(maxBytes))
		}
		last := len(groups) - 1
		if limit > 0 && size+info.Bytes() > limit && len(groups[last]) > 0 {
			groups, size = append(groups, nil), 0
			last++
		}
		groups[last] = append(groups[last], name)
		size += info.Bytes()
	}
	for i, names := range groups {
		file := singleFile
		if len(groups) > 1 {
			file = fmt.Sprintf("model-%05d-of-%05d%s", i+1, len(groups), suffix)
		}
		s, err := planFile(file, src, names, metadata)
		if err != nil {
			return nil, err
		}
		p.shards = append(p.shards, s)
		p.bytes += s.bytes
	}
	if len(groups) > 1 {
		p.index = p.indexOf()
		p.bytes += int64(len(p.index))
	}
	return p, nil
}

// writable describes a tensor that the format can hold.
func writable(src Source, name string) (Info, error) {
	info, ok := src.Info(name)
	switch {
	case !ok:
		return info, fmt.Errorf("tensor %s is named but not described", quote(name))
	case name == metadataKey || !utf8.ValidString(name):
		return info, fmt.Errorf("a tensor cannot be called %s", quote(name))
	case !info.DType.Known():
		return info, fmt.Errorf("tensor %s has type %q, which the format does not have", quote(name), info.DType)
	}
	size, fits := uint64(info.DType.Bits()), true
	for _, d := range info.Shape {
		if fits {
			size, fits = product(size, uint64(d))
		}
	}
	if !fits || size > 8*maxBytes {
		return info, fmt.Errorf("tensor %s of shape %v takes more than %s, which no file system holds", quote(name), info.Shape, amount(maxBytes))
	}
	return info, nil
}

// modelOrder sorts names as the model runs: the embedding, the blocks in the
// order of their numbers, what stands behind them.
func modelOrder(names []string) []string {
	keys := make(map[string]Key, len(names))
	for _, name := range names {
		keys[name] = KeyOf(name)
	}
	sorted := slices.Clone(names)
	slices.SortFunc(sorted, func(a, b string) int { return cmp.Or(keys[a].Compare(keys[b]), strings.Compare(a, b)) })
	return sorted
}

// planFile lays out one file as the reference does: tensors by falling rank of
// their type, then by name; the header in that order, without blanks but those
// behind it that make the data begin at a multiple of 8.
func planFile(file string, src Source, names []string, metadata map[string]string) (shard, error) {
	s := shard{file: file, names: slices.Clone(names)}
	infos := make(map[string]Info, len(names))
	for _, name := range names {
		infos[name], _ = src.Info(name)
	}
	slices.SortFunc(s.names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank[infos[b].DType], rank[infos[a].DType]), strings.Compare(a, b))
	})
	head := bytes.NewBufferString(`{"` + metadataKey + `":{`)
	for i, key := range sortedKeys(metadata) {
		if i > 0 {
			head.WriteByte(',')
		}
		writeString(head, key)
		head.WriteByte(':')
		writeString(head, metadata[key])
	}
	head.WriteByte('}')
	var at int64
	for _, name := range s.names {
		info := infos[name]
		head.WriteByte(',')
		writeString(head, name)
		shape := strings.ReplaceAll(fmt.Sprint(info.Shape), " ", ",")
		fmt.Fprintf(head, `:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, info.DType, shape, at, at+info.Bytes())
		at += info.Bytes()
	}
	head.WriteByte('}')
	for head.Len()%8 != 0 {
		head.WriteByte(' ')
	}
	if head.Len() > maxHeader {
		return s, fmt.Errorf("%s: its header would have %d bytes, more than the %d that the format allows: choose smaller shards", file, head.Len(), maxHeader)
	}
	s.header = append(binary.LittleEndian.AppendUint64(nil, uint64(head.Len())), head.Bytes()...)
	s.bytes = int64(len(s.header)) + at
	return s, nil
}

// escapes are the letters that JSON has for control characters.
var escapes = map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

// writeString appends a JSON string in which nothing is escaped that need not
// be, as the reference writes it.
func writeString(to *bytes.Buffer, s string) {
	to.WriteByte('"')
	for _, r := range s {
		switch escaped, ok := escapes[r]; {
		case ok:
			to.WriteString(escaped)
		case r < ' ':
			fmt.Fprintf(to, `\u%04x`, r)
		default:
			to.WriteRune(r)
		}
	}
	to.WriteByte('"')
}

// indexOf writes the shard index as transformers does.
func (p *checkpointPlan) indexOf() []byte {
	weightMap := map[string]string{}
	for _, s := range p.shards {
		for _, name := range s.names {
			weightMap[name] = s.file
		}
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(map[string]any{"metadata": map[string]int64{"total_size": p.total}, "weight_map": weightMap})
	if err != nil {
		panic(err)
	}
	return buffer.Bytes()
}
