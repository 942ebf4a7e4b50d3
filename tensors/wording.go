package tensors

import (
	"errors"
	"fmt"
	"math/bits"
	"regexp"
	"strconv"
	"strings"

	"github.com/nlpodyssey/safetensors"
)

// explain says more of an error of the library where its words do not say what
// is wrong with the file. size is the number of bytes after the header.
func explain(err error, header []byte, size int) error {
	var m safetensors.Metadata
	if m.UnmarshalJSON(header) != nil {
		return inEntry(err)
	}
	tensors := m.Tensors()
	var end uint64
	for _, name := range sortedKeys(tensors) {
		t := tensors[name]
		if t.DataOffsets[1] < t.DataOffsets[0] {
			return fmt.Errorf("tensor %s ends at byte %d, before it begins at byte %d", quote(name), t.DataOffsets[1], t.DataOffsets[0])
		}
		if bytes, ok := product(t.Shape, t.DType.Size()); !ok || bytes != t.DataOffsets[1]-t.DataOffsets[0] {
			return fmt.Errorf("tensor %s of shape %s in %s does not take the %d bytes that the header gives it",
				quote(name), clip(fmt.Sprint(t.Shape)), t.DType, t.DataOffsets[1]-t.DataOffsets[0])
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

// entryError is how the library begins an error about the entry of a tensor.
var entryError = regexp.MustCompile(`failed to JSON-decode tensor ("(?:[^"\\]|\\.)*"): (.*)`)

// unknownType is how it says that it does not know an element type.
var unknownType = regexp.MustCompile(`invalid DType string value (".*")`)

// inEntry says an error about the entry of a tensor in the file's words.
func inEntry(err error) error {
	found := entryError.FindStringSubmatch(err.Error())
	if found == nil {
		return shorten(err)
	}
	name, rule := clip(found[1]), found[2]
	if unknown := unknownType.FindStringSubmatch(rule); unknown != nil {
		return fmt.Errorf("tensor %s has type %s, which is not supported: F64, F32, F16, BF16, BOOL and the integer types are", name, clip(unknown[1]))
	}
	for field, want := range map[string]string{"shape": "a list of whole numbers from 0", "data_offsets": "two whole numbers from 0", "dtype": "the name of a type"} {
		if strings.HasPrefix(rule, fmt.Sprintf("invalid %q value", field)) {
			return fmt.Errorf("tensor %s: invalid %q: it must be %s", name, field, want)
		}
	}
	return fmt.Errorf("tensor %s: %w", name, shorten(errors.New(rule)))
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

// quote prints a name of a file or from one: on one line, of a readable length.
func quote(name string) string { return strconv.Quote(clip(name)) }
