package tensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/nlpodyssey/safetensors"
)

const (
	maxHeader = 100_000_000 // bytes; the format's own limit
	maxDepth  = 3           // file object, tensor object, shape array
	maxDims   = 64          // dimensions of one tensor; real ones have at most 5
)

// parseFile reads the header of a safetensors file that is wholly in data.
// nlpodyssey/safetensors parses and checks offsets, overlaps, holes and sizes;
// scanHeader runs before it and refuses what that library lets pass: repeated
// names, names that are not UTF-8, deep nesting.
func parseFile(data []byte) (safetensors.SafeTensors, map[string]string, error) {
	none := safetensors.SafeTensors{}
	if len(data) < 8 {
		return none, nil, fmt.Errorf("the file has %d bytes, less than the 8 of a header length", len(data))
	}
	length := binary.LittleEndian.Uint64(data)
	if length > maxHeader {
		return none, nil, fmt.Errorf("the header claims %d bytes, more than the %d the format allows", length, maxHeader)
	}
	if length > uint64(len(data)-8) {
		return none, nil, fmt.Errorf("the header claims %d bytes but the file ends after %d: it is truncated or not a safetensors file", length, len(data)-8)
	}
	header := data[8 : 8+length]
	if err := scanHeader(header); err != nil {
		return none, nil, err
	}
	parsed, err := safetensors.Deserialize(data)
	if err != nil {
		return none, nil, explain(err, header, len(data)-8-len(header))
	}
	var meta struct {
		Metadata map[string]string `json:"__metadata__"`
	}
	if err := json.Unmarshal(header, &meta); err != nil {
		return none, nil, shorten(err)
	}
	return parsed, meta.Metadata, nil
}

// explain says more of an error of the library where its words do not say what
// is wrong with the file. size is the number of bytes after the header.
func explain(err error, header []byte, size int) error {
	var m safetensors.Metadata
	if m.UnmarshalJSON(header) != nil {
		return shorten(err)
	}
	tensors := m.Tensors()
	var end uint64
	for _, name := range sortedKeys(tensors) {
		t := tensors[name]
		if t.DataOffsets[1] < t.DataOffsets[0] {
			return fmt.Errorf("tensor %q ends at byte %d, before it begins at byte %d", clip(name), t.DataOffsets[1], t.DataOffsets[0])
		}
		if bytes, ok := product(t.Shape, t.DType.Size()); !ok || bytes != t.DataOffsets[1]-t.DataOffsets[0] {
			return fmt.Errorf("tensor %q of shape %v in %s does not take the %d bytes that the header gives it", clip(name), t.Shape, t.DType, t.DataOffsets[1]-t.DataOffsets[0])
		}
		end = max(end, t.DataOffsets[1])
	}
	if end != uint64(size) {
		return fmt.Errorf("the tensors take %d bytes and the file holds %d: it is truncated or has bytes that belong to no tensor", end, size)
	}
	if name, ok := strings.CutPrefix(err.Error(), "invalid metadata offset for tensor "); ok {
		return fmt.Errorf("tensor %s overlaps another or leaves a hole before it", clip(name))
	}
	return shorten(err)
}

// product multiplies dimensions and an element size, or reports an overflow.
func product(shape []uint64, size uint64) (uint64, bool) {
	for _, d := range shape {
		high, low := bits.Mul64(size, d)
		if high != 0 {
			return 0, false
		}
		size = low
	}
	return size, true
}

// scanHeader walks the JSON tokens of a header without building a tree, so
// that a hostile one costs neither time nor memory.
func scanHeader(header []byte) error {
	if !utf8.Valid(header) {
		return fmt.Errorf("the header is not UTF-8")
	}
	if trimmed := bytes.TrimLeft(header, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return fmt.Errorf("the header is not a JSON object")
	}
	decoder := json.NewDecoder(bytes.NewReader(header))
	decoder.UseNumber()
	var open []*level // the objects and arrays around the current token
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return nil // the parser proper finds what is missing
		}
		if err != nil {
			return fmt.Errorf("the header is not valid JSON: %w", shorten(err))
		}
		if open, err = descend(open, token); err != nil {
			return err
		}
	}
}

// level is one open object or array of the header.
type level struct {
	object bool
	isKey  bool            // the next string of an object is a key
	keys   map[string]bool // of an object, seen so far
	values int             // of an array, seen so far
}

func descend(open []*level, token json.Token) ([]*level, error) {
	if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
		return open[:len(open)-1], nil
	}
	if len(open) > 0 {
		if err := open[len(open)-1].accept(token); err != nil {
			return nil, err
		}
	}
	if delim, ok := token.(json.Delim); ok {
		if len(open) == maxDepth {
			return nil, fmt.Errorf("the header is nested deeper than %d levels", maxDepth)
		}
		return append(open, &level{object: delim == '{', isKey: delim == '{', keys: map[string]bool{}}), nil
	}
	return open, nil
}

func (l *level) accept(token json.Token) error {
	if !l.object {
		if l.values++; l.values > maxDims {
			return fmt.Errorf("an array in the header has more than %d values", maxDims)
		}
		return nil
	}
	if !l.isKey {
		l.isKey = true
		return nil
	}
	l.isKey = false
	key := token.(string)
	if l.keys[key] {
		return fmt.Errorf("%q stands twice in the header", clip(key))
	}
	l.keys[key] = true
	return nil
}

// infoOf converts a parsed tensor's description.
func infoOf(view safetensors.TensorView) (Info, error) {
	info := Info{DType: DType(view.DType().String())}
	for _, d := range view.Shape() {
		if d > math.MaxInt {
			return Info{}, fmt.Errorf("dimension %d is too large", d)
		}
		info.Shape = append(info.Shape, int(d))
	}
	return info, nil
}

// shorten keeps an error that quotes its input to a readable length.
func shorten(err error) error {
	if text := err.Error(); len(text) > 300 {
		return fmt.Errorf("%s", clip(text))
	}
	return err
}

func clip(text string) string {
	if len(text) <= 200 {
		return text
	}
	return text[:200] + "..."
}
