package tensors

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/nlpodyssey/safetensors"
)

// located is a tensor of a file.
type located struct {
	name string
	info Info
	data []byte
}

// parseFile reads the header of a safetensors file that is wholly in data:
// its tensors in the order of the header, and its metadata.
//
// nlpodyssey/safetensors parses, behind scanHeader, which refuses what that
// library lets pass, takes long over, or refuses without need: repeated names,
// names that are not UTF-8, deep nesting, trees of millions of values, and
// element types younger than the library.
func parseFile(data []byte) ([]located, map[string]string, error) {
	header, err := headerOf(data)
	var s *scan
	var body []byte
	if err == nil {
		body = data[8+len(header):]
		s, err = scanHeader(header, uint64(len(body)))
	}
	if other := foreign(data); err != nil && other != "" {
		err = fmt.Errorf("the file is %s", other)
	}
	if err != nil {
		return nil, nil, err
	}
	tensors, metadata, err := s.parse(body)
	if err != nil {
		return nil, nil, shorten(err)
	}
	return tensors, metadata, nil
}

// headerOf finds the header of a file.
func headerOf(data []byte) ([]byte, error) {
	if len(data) < 8 {
		return nil, fmt.Errorf("the file has %d bytes, less than the 8 of a header length", len(data))
	}
	length := binary.LittleEndian.Uint64(data)
	if length > maxHeader {
		return nil, fmt.Errorf("the header claims %d bytes, more than the %d the format allows", length, maxHeader)
	}
	if length > uint64(len(data)-8) {
		return nil, fmt.Errorf("the header claims %d bytes but the file ends after %d: it is truncated or not a safetensors file", length, len(data)-8)
	}
	return data[8 : 8+length], nil
}

// foreign recognises files of other formats that people have weights in, among
// those that are no safetensors files. What a pickle begins with is the length
// of a header too, if zeros follow.
func foreign(data []byte) string {
	switch {
	case len(data) < 8:
	case bytes.HasPrefix(data, []byte("version https://git-lfs")):
		return "a git-lfs pointer, not the weights: fetch them with git lfs pull"
	case bytes.HasPrefix(data, []byte("GGUF")):
		return "GGUF, whose weights are quantised for llama.cpp: use the safetensors checkpoint that it was converted from"
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("\x80\x02")) && binary.LittleEndian.Uint64(data) > maxHeader:
		return "a PyTorch pickle: load it in transformers and save_pretrained it, which writes safetensors"
	}
	return ""
}

// young reports whether the type came to the format after the library.
func (e entry) young() bool {
	_, err := safetensors.ParseDType(string(dtypes[e.dtype].name))
	return err != nil
}

// batch is how many tensors the library parses at once. It builds a tree of
// maps, which of a million tensors takes a gigabyte and three times as long as
// the same in pieces that fit in the caches.
const batch = 1024

// parse has the library parse the header, batch by batch.
func (s *scan) parse(body []byte) (tensors []located, metadata map[string]string, err error) {
	tensors = make([]located, 0, len(s.entries))
	for from := 0; from == 0 || from < len(s.entries); from += batch {
		to := min(from+batch, len(s.entries))
		var parsed safetensors.Metadata
		if err := parsed.UnmarshalJSON(s.piece(from, to)); err != nil {
			return nil, nil, err
		}
		if m := parsed.Metadata(); m != nil {
			metadata = m
		}
		infos := parsed.Tensors()
		for _, e := range s.entries[from:to] {
			name := s.decode(e.name)
			t := located{name, infoOf(infos[name]), body[e.begin:e.end]}
			if e.young() {
				t.info = s.info(e)
			}
			tensors = append(tensors, t)
		}
	}
	return tensors, metadata, nil
}

// piece returns a header of the entries from to to, and of the metadata if it
// stands among them. Tensors of types that the library does not know are put
// before it as the bytes that they are.
func (s *scan) piece(from, to int) []byte {
	header, at, end := []byte{}, 0, len(s.text)
	if from > 0 {
		header, at = append(header, '{'), s.start(from)
	}
	if to < len(s.entries) {
		end = s.start(to)
	}
	for _, e := range s.entries[from:to] {
		if e.young() {
			header = append(header, s.text[at:e.value.from]...)
			header = fmt.Appendf(header, `{"dtype":"U8","shape":[%d],"data_offsets":[%d,%d]}`, e.end-e.begin, e.begin, e.end)
			at = int(e.value.to)
		}
	}
	header = append(header, s.text[at:end]...)
	if to < len(s.entries) {
		header = append(bytes.TrimRight(header, ", \t\r\n"), '}')
	}
	return header
}

// start is where the entry i begins: at the quote before its name.
func (s *scan) start(i int) int { return int(s.entries[i].name.from) - 1 }

// infoOf converts a parsed tensor's description; scanHeader has bounded it.
func infoOf(parsed *safetensors.TensorInfo) Info {
	info := Info{DType: DType(parsed.DType.String())}
	for _, d := range parsed.Shape {
		info.Shape = append(info.Shape, int(d))
	}
	return info
}
