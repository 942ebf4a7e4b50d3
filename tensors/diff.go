package tensors

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"surgeon/tensors/kernel"
)

// Difference is the Delta between a fine-tuned model and its base, tensor by
// tensor: tuned - base. It holds no values, it reads both Sources when asked.
type Difference struct {
	Base, Tuned Source

	// Unmatched lists, by name, the tensors of either Source that have no
	// difference. Those whose bytes are the same on both sides and whose type
	// is no number type are not listed: there is nothing to say of them.
	Unmatched []Unmatched

	names []string
}

// Unmatched is a tensor that cannot be subtracted, and why.
type Unmatched struct {
	Name   string `json:"name"`
	Side   string `json:"side"`   // "base" or "tuned": only there; "both": in both, but unlike
	Reason string `json:"reason"` // half a sentence
}

// The sides of an Unmatched tensor.
const (
	SideBase  = "base"
	SideTuned = "tuned"
	SideBoth  = "both"
)

// Diff pairs the tensors of two Sources by name. Tensors of the same shape and
// of number types have a difference, also where the types differ; everything
// else is Unmatched. An error means that bytes could not be read.
func Diff(base, tuned Source) (*Difference, error) {
	d := &Difference{Base: base, Tuned: tuned}
	for _, name := range base.Names() {
		if err := d.pair(name); err != nil {
			return nil, err
		}
	}
	for _, name := range tuned.Names() {
		if _, ok := base.Info(name); !ok {
			d.Unmatched = append(d.Unmatched, Unmatched{name, SideTuned, "the base has no such tensor"})
		}
	}
	slices.SortFunc(d.Unmatched, func(a, b Unmatched) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return d, nil
}

func (d *Difference) pair(name string) error {
	b, _ := d.Base.Info(name)
	t, ok := d.Tuned.Info(name)
	unlike := func(side, format string, args ...any) {
		d.Unmatched = append(d.Unmatched, Unmatched{name, side, fmt.Sprintf(format, args...)})
	}
	switch {
	case !ok:
		unlike(SideBase, "the tuned model has no such tensor")
	case !slices.Equal(b.Shape, t.Shape):
		unlike(SideBoth, "shape %v in the base, %v in the tuned model", b.Shape, t.Shape)
	case b.DType.Float() && t.DType.Float():
		d.names = append(d.names, name)
	case b.DType != t.DType:
		unlike(SideBoth, "type %s in the base, %s in the tuned model", b.DType, t.DType)
	default:
		same, err := SameBytes(d.Base, name, d.Tuned, name)
		if err != nil {
			return err
		}
		if !same {
			unlike(SideBoth, "type %s cannot be subtracted and the bytes differ", b.DType)
		}
	}
	return nil
}

// SameBytes reports whether two tensors have the same type, shape and bytes.
// It reads them a block at a time.
func SameBytes(a Source, nameA string, b Source, nameB string) (bool, error) {
	x, _ := a.Info(nameA)
	y, _ := b.Info(nameB)
	if x.DType != y.DType || !slices.Equal(x.Shape, y.Shape) {
		return false, nil
	}
	left, right := make([]byte, 1<<16), make([]byte, 1<<16)
	for at := int64(0); at < x.Bytes(); at += int64(len(left)) {
		n := min(int64(len(left)), x.Bytes()-at)
		if err := a.ReadRaw(left[:n], nameA, at); err != nil {
			return false, err
		}
		if err := b.ReadRaw(right[:n], nameB, at); err != nil {
			return false, err
		}
		if !bytes.Equal(left[:n], right[:n]) {
			return false, nil
		}
	}
	return true, nil
}

// Names implements Delta.
func (d *Difference) Names() []string { return d.names }

// Info implements Delta.
func (d *Difference) Info(name string) (Info, bool) {
	b, inBase := d.Base.Info(name)
	t, inTuned := d.Tuned.Info(name)
	if !inBase || !inTuned || !b.DType.Float() || !t.DType.Float() || !slices.Equal(b.Shape, t.Shape) {
		return Info{}, false
	}
	if t.DType.Size() > b.DType.Size() {
		return t, true
	}
	return b, true
}

// AddTo implements Delta. The difference of two 16-bit values is rounded to
// float32, which is exact unless their exponents are more than 13 apart.
func (d *Difference) AddTo(dst []float32, name string, from int, alpha float32) error {
	b := sides.Get().(*sideBuffers)
	defer sides.Put(b)
	base, tuned := b.narrow(len(dst))
	if err := d.Base.Read(base, name, from); err != nil {
		return err
	}
	if err := d.Tuned.Read(tuned, name, from); err != nil {
		return err
	}
	kernel.AddDifference(dst, base, tuned, alpha)
	return nil
}

// AddTo64 implements Delta. The difference is exact in float64 unless the
// exponents are more than 29 apart, or a side is stored in 64 bits.
func (d *Difference) AddTo64(dst []float64, name string, from int, alpha float64) error {
	b := sides.Get().(*sideBuffers)
	defer sides.Put(b)
	base, tuned := b.wide(len(dst))
	if err := Read64(d.Base, base, name, from); err != nil {
		return err
	}
	if err := Read64(d.Tuned, tuned, name, from); err != nil {
		return err
	}
	for i, b := range base {
		if t := tuned[i]; t != b && !bothNaN(t, b) {
			dst[i] += float64(alpha * (t - b))
		}
	}
	return nil
}

// bothNaN reports whether neither value is a number: nothing moved there.
func bothNaN(a, b float64) bool { return a != a && b != b }

// sides keeps the buffers that AddTo reads both sides into.
var sides = sync.Pool{New: func() any { return new(sideBuffers) }}

type sideBuffers struct {
	f32 [2][]float32
	f64 [2][]float64
}

func (s *sideBuffers) narrow(n int) (base, tuned []float32) {
	for i := range s.f32 {
		s.f32[i] = slices.Grow(s.f32[i][:0], n)[:n]
	}
	return s.f32[0], s.f32[1]
}

func (s *sideBuffers) wide(n int) (base, tuned []float64) {
	for i := range s.f64 {
		s.f64[i] = slices.Grow(s.f64[i][:0], n)[:n]
	}
	return s.f64[0], s.f64[1]
}
