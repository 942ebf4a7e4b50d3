package tensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/nlpodyssey/safetensors"
)

const (
	maxHeader = 100_000_000 // bytes; the format's own limit
	maxDepth  = 3           // file object, tensor object, shape array
	maxDims   = 64          // dimensions of one tensor; real ones have at most 5

	metadataKey = "__metadata__"
)

// parseFile reads the header of a safetensors file that is wholly in data and
// returns its description and the bytes behind it. nlpodyssey/safetensors
// parses and checks offsets, overlaps, holes and sizes; scanHeader runs before
// it and refuses what that library lets pass or takes long over: repeated
// names, names that are not UTF-8, deep nesting, entries of other fields.
func parseFile(data []byte) (safetensors.Metadata, []byte, error) {
	none := safetensors.Metadata{}
	if len(data) < 8 {
		return none, nil, fmt.Errorf("the file has %d bytes, less than the 8 of a header length", len(data))
	}
	length := binary.LittleEndian.Uint64(data)
	if bytes.HasPrefix(data, []byte("version https://git-lfs")) {
		return none, nil, fmt.Errorf("the file is a git-lfs pointer, not the weights: fetch them with git lfs pull")
	}
	if length > maxHeader {
		return none, nil, fmt.Errorf("the header claims %d bytes, more than the %d the format allows", length, maxHeader)
	}
	if length > uint64(len(data)-8) {
		return none, nil, fmt.Errorf("the header claims %d bytes but the file ends after %d: it is truncated or not a safetensors file", length, len(data)-8)
	}
	header, body := data[8:8+length], data[8+length:]
	if err := scanHeader(header); err != nil {
		return none, nil, err
	}
	_, metadata, err := safetensors.ReadMetadata(data)
	if err != nil {
		return none, nil, explain(err, header, len(body))
	}
	return metadata, body, nil
}

// scanHeader walks the JSON tokens of a header without building a tree, so
// that a hostile one costs neither time nor memory.
func scanHeader(header []byte) error {
	if !utf8.Valid(header) {
		return fmt.Errorf("the header is not UTF-8")
	}
	if loneSurrogate(header) {
		return fmt.Errorf("the header has half of a surrogate pair, which is no character")
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

// loneSurrogate finds an escape such as \ud800 without its other half.
// encoding/json would read it as U+FFFD.
func loneSurrogate(header []byte) bool {
	for i := 0; i < len(header); i++ {
		if header[i] != '\\' {
			continue
		}
		first, ok := escape(header[i:])
		if !ok {
			i++ // another escape, of one letter
			continue
		}
		i += 5
		if !utf16.IsSurrogate(first) {
			continue
		}
		second, _ := escape(header[i+1:])
		if utf16.DecodeRune(first, second) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// escape reads \u and its four hexadecimal digits.
func escape(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(v), err == nil
}

// level is one open object or array of the header.
type level struct {
	object bool
	tensor bool            // an entry of a tensor
	name   string          // the key it is the value of
	isKey  bool            // the next string of an object is a key
	keys   map[string]bool // of an object, seen so far
	last   string          // of an object, the last key
	values int             // of an array, seen so far
}

// entryFields are what the entry of a tensor has, no more and no less.
var entryFields = []string{"data_offsets", "dtype", "shape"}

func descend(open []*level, token json.Token) ([]*level, error) {
	if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
		closed := open[len(open)-1]
		if closed.tensor && len(closed.keys) != len(entryFields) {
			return nil, fmt.Errorf("the entry of tensor %s has %d fields: it needs dtype, shape and data_offsets", quote(closed.name), len(closed.keys))
		}
		return open[:len(open)-1], nil
	}
	inside := &level{}
	if len(open) > 0 {
		inside = open[len(open)-1]
		if err := inside.accept(token); err != nil {
			return nil, err
		}
	}
	delim, isDelim := token.(json.Delim)
	if len(open) == 1 && inside.isKey && delim != '{' { // a value of the file object
		if token == nil && inside.last == metadataKey {
			return open, nil // the reference reads null as none
		}
		return nil, fmt.Errorf("the entry of %s is not an object", quote(inside.last))
	}
	if !isDelim {
		return open, nil
	}
	if len(open) == maxDepth {
		return nil, fmt.Errorf("the header is nested deeper than %d levels", maxDepth)
	}
	next := &level{object: delim == '{', isKey: delim == '{', name: inside.last}
	next.tensor = next.object && len(open) == 1 && inside.last != metadataKey
	if next.object {
		next.keys = map[string]bool{}
	}
	return append(open, next), nil
}

// accept takes a token into an object or array.
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
	switch {
	case l.keys[key] && l.tensor:
		return fmt.Errorf("%s stands twice in the entry of tensor %s", quote(key), quote(l.name))
	case l.keys[key]:
		return fmt.Errorf("%s stands twice in the header", quote(key))
	case l.tensor && !slices.Contains(entryFields, key):
		return fmt.Errorf("the entry of tensor %s has a field %s: it may have dtype, shape and data_offsets", quote(l.name), quote(key))
	}
	l.keys[key], l.last = true, key
	return nil
}

// infoOf converts a parsed tensor's description.
func infoOf(parsed *safetensors.TensorInfo) (Info, error) {
	info := Info{DType: DType(parsed.DType.String())}
	for _, d := range parsed.Shape {
		if d > math.MaxInt {
			return Info{}, fmt.Errorf("dimension %d is too large", d)
		}
		info.Shape = append(info.Shape, int(d))
	}
	return info, nil
}
