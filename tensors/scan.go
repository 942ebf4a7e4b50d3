package tensors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"
)

const (
	maxHeader   = 100_000_000 // bytes; the format's own limit
	maxTensors  = 1 << 20     // of one file: bounds the memory that a header can ask for
	maxMetadata = 1 << 16     // entries of __metadata__, for the same reason
	maxEscaped  = 1 << 20     // bytes of names with escapes, each of which is decoded more than once
	maxDims     = 64          // dimensions of one tensor; real ones have at most 5

	metadataKey = "__metadata__"
)

// entry is what the header says of one tensor.
type entry struct {
	name       text
	value      text // its object, with braces
	begin, end uint64
	dtype      uint8 // place in dtypes
}

// scan reads a header and checks every rule of the format against the size of
// the data behind it: strictly, in one pass, without building a tree, so that
// a hostile header costs neither time nor memory.
type scan struct {
	reader
	size    uint64 // bytes of data behind the header
	entries []entry
	names   set // of the keys of the file object
	escaped int // bytes of keys that have escapes
}

// plain bounds the keys that have escapes; real ones hardly ever do.
func (s *scan) plain(key text) bool {
	if bytes.IndexByte(s.text[key.from:key.to], '\\') >= 0 {
		if s.escaped += int(key.to - key.from); s.escaped > maxEscaped {
			s.fail("the header has more than %d bytes of names that are spelled with escapes", maxEscaped)
		}
	}
	return s.err == nil
}

// scanHeader checks a header and lists its tensors.
func scanHeader(header []byte, size uint64) (*scan, error) {
	if !utf8.Valid(header) {
		return nil, fmt.Errorf("the header is not UTF-8")
	}
	s := &scan{reader: reader{text: header}, size: size}
	if s.peek() != '{' {
		return nil, fmt.Errorf("the header is not a JSON object")
	}
	const shortest = len(`"":{"dtype":"U8","shape":[],"data_offsets":[0,0]}`)
	room := min(bytes.Count(header, []byte{'{'}), len(header)/shortest+1, maxTensors)
	s.entries = make([]entry, 0, room)
	s.names = newSet(room + 1)
	s.object(s.fileEntry)
	if s.peek() != 0 || s.at < len(header) {
		s.fail("the header is not valid JSON: something stands behind its object, at byte %d", s.at)
	}
	if s.err != nil {
		return nil, s.err
	}
	return s, s.checkOffsets()
}

// fileEntry reads the value of a key of the file object.
func (s *scan) fileEntry(key text) {
	if !s.plain(key) {
		return
	}
	if !s.names.add(&s.reader, key) {
		s.fail("%s stands twice in the header", s.shown(key))
		return
	}
	if key.to-key.from < 6*uint32(len(metadataKey))+1 && s.decode(key) == metadataKey {
		s.metadata()
		return
	}
	if len(s.entries) == maxTensors {
		s.fail("the header names more than %d tensors", maxTensors)
	}
	if s.peek() != '{' && s.at < len(s.text) {
		s.fail("the entry of %s is not an object", s.shown(key))
	}
	if s.err == nil {
		s.tensor(key)
	}
}

// metadata reads __metadata__: strings by strings. The reference reads null as
// none.
func (s *scan) metadata() {
	if s.peek() == 'n' && bytes.HasPrefix(s.text[s.at:], []byte("null")) {
		s.at += len("null")
		return
	}
	if s.peek() != '{' {
		s.fail("the entry of %q is not an object", metadataKey)
	}
	keys, n := newSet(16), 0
	s.object(func(key text) {
		if n++; n > maxMetadata {
			s.fail("%s has more than %d entries", metadataKey, maxMetadata)
		}
		if !s.plain(key) {
			return
		}
		if !keys.add(&s.reader, key) {
			s.fail("%s stands twice in the header", s.shown(key))
		}
		if s.peek() != '"' {
			s.fail("the value of %s in %s is not a string", s.shown(key), metadataKey)
		}
		s.string()
	})
}

// The fields that the entry of a tensor has, no more and no less.
const (
	fieldType = 1 << iota
	fieldShape
	fieldOffsets
)

var fields = map[string]int{"dtype": fieldType, "shape": fieldShape, "data_offsets": fieldOffsets}

// tensor reads the entry of a tensor and checks its size.
func (s *scan) tensor(name text) {
	e := entry{name: name, value: text{from: uint32(s.at)}}
	seen, elements := 0, uint64(1)
	fits := true // the number of elements fits in 64 bits
	s.object(func(key text) {
		field := fields[string(s.text[key.from:key.to])]
		if !s.plain(key) {
			return
		}
		if field == 0 {
			field = fields[s.decode(key)]
		}
		switch {
		case field == 0:
			s.fail("the entry of tensor %s has a field %s: it may have dtype, shape and data_offsets", s.called(name), s.shown(key))
		case seen&field != 0:
			s.fail("%s stands twice in the entry of tensor %s", s.shown(key), s.called(name))
		case field == fieldType:
			e.dtype = s.dtype(name)
		case field == fieldShape:
			elements, fits = s.shape(name)
		case field == fieldOffsets:
			e.begin, e.end = s.offsets(name)
		}
		seen |= field
	})
	if s.err != nil {
		return
	}
	e.value.to = uint32(s.at)
	if all := fieldType | fieldShape | fieldOffsets; seen != all {
		s.fail("the entry of tensor %s has %d fields: it needs dtype, shape and data_offsets", s.called(name), bits.OnesCount(uint(seen)))
		return
	}
	s.checkSize(e, elements, fits)
	s.entries = append(s.entries, e)
}

// called is the name of a tensor as errors print it.
func (s *scan) called(name text) string { return s.shown(name) }

// shown is a string of the header as errors print it. A long one is not
// decoded: it may be as long as the header.
func (s *scan) shown(t text) string {
	const most = 256
	if t.to-t.from > most {
		return quote(string(s.text[t.from : t.from+most]))
	}
	return quote(s.decode(t))
}

func (s *scan) dtype(name text) uint8 {
	if s.peek() != '"' {
		s.fail(`tensor %s: invalid "dtype": it must be the name of a type`, s.called(name))
		return 0
	}
	d := s.decode(s.string())
	i, ok := rank[DType(d)]
	if !ok {
		s.fail("tensor %s has type %s, which the format does not have", s.called(name), quote(d))
	}
	return uint8(i)
}

// array reads whole numbers.
func (s *scan) array(name text, field, want string, most int, each func(uint64)) {
	invalid := func() { s.fail("tensor %s: invalid %q: it must be %s", s.called(name), field, want) }
	if !s.take('[') {
		invalid()
		return
	}
	for n := 0; s.err == nil && !s.take(']'); n++ {
		if n > 0 {
			s.expect(',')
		}
		if n == most {
			s.fail("tensor %s: %q has more than %d values", s.called(name), field, most)
			return
		}
		switch c := s.peek(); c {
		case '[', '{':
			s.fail("tensor %s: %q is nested deeper than a list", s.called(name), field)
			return
		}
		v, ok := s.whole()
		if !ok {
			invalid()
			return
		}
		each(v)
	}
}

// shape multiplies the dimensions from the left, as the reference does: what
// overflows before a zero is refused, what stands behind one does not count.
func (s *scan) shape(name text) (elements uint64, fits bool) {
	elements, fits = 1, true
	s.array(name, "shape", "a list of whole numbers from 0", maxDims, func(d uint64) {
		if d > math.MaxInt64 {
			s.fail("tensor %s: dimension %d is too large", s.called(name), d)
		}
		if fits {
			elements, fits = product(elements, d)
		}
	})
	return elements, fits
}

func (s *scan) offsets(name text) (begin, end uint64) {
	const want = "two whole numbers from 0"
	var both []uint64
	s.array(name, "data_offsets", want, maxDims, func(v uint64) { both = append(both, v) })
	if s.err == nil && len(both) != 2 {
		s.fail(`tensor %s: invalid "data_offsets": it must be %s`, s.called(name), want)
	}
	if s.err != nil {
		return 0, 0
	}
	return both[0], both[1]
}

// checkSize checks that shape and type take the bytes between the offsets.
func (s *scan) checkSize(e entry, elements uint64, fits bool) {
	d := dtypes[e.dtype]
	size, ok := product(elements, uint64(d.bits))
	ok = ok && fits
	switch {
	case e.end < e.begin:
		s.fail("tensor %s ends at byte %d, before it begins at byte %d", s.called(e.name), e.end, e.begin)
	case ok && size%8 != 0:
		s.fail("tensor %s has %d elements of %d bits, which do not end on a whole byte", s.called(e.name), elements, d.bits)
	case !ok || size/8 != e.end-e.begin:
		s.fail("tensor %s of shape %s in %s does not take the %d bytes that the header gives it", s.called(e.name), clip(s.shapeText(e)), d.name, e.end-e.begin)
	}
}

func (s *scan) shapeText(e entry) string { return fmt.Sprint(s.info(e).Shape) }

// info reads the description of a tensor that has been checked.
func (s *scan) info(e entry) Info {
	var described struct{ Shape []int }
	if err := json.Unmarshal(s.text[e.value.from:e.value.to], &described); err != nil {
		return Info{DType: dtypes[e.dtype].name} // only of an entry that is refused
	}
	return Info{DType: dtypes[e.dtype].name, Shape: described.Shape}
}

// checkOffsets checks that the tensors tile the data: with the beginnings and
// the ends of those that have any data in order, each must begin where the one
// before it ends. A tensor without data may stand at any seam.
func (s *scan) checkOffsets() error {
	begins, ends := make([]uint64, 0, len(s.entries)), make([]uint64, 1, len(s.entries)+1)
	for _, e := range s.entries {
		if e.begin < e.end {
			begins, ends = append(begins, e.begin), append(ends, e.end)
		}
	}
	slices.Sort(begins)
	slices.Sort(ends) // the first is 0, where the data begins
	if last := ends[len(ends)-1]; last != s.size {
		return fmt.Errorf("the tensors take %d bytes and the file holds %d: it is truncated or has bytes that belong to no tensor", last, s.size)
	}
	for i, begin := range begins {
		if begin != ends[i] {
			return s.misplaced(func(e entry) bool { return e.begin == begin && e.begin < e.end })
		}
	}
	return s.misplaced(func(e entry) bool {
		_, seam := slices.BinarySearch(ends, e.begin)
		return e.begin == e.end && !seam
	})
}

// misplaced names the first tensor that is, if any.
func (s *scan) misplaced(is func(entry) bool) error {
	for _, e := range s.entries {
		if is(e) {
			return fmt.Errorf("tensor %s overlaps another or leaves a hole before it", s.called(e.name))
		}
	}
	return nil
}
