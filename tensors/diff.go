package tensors

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
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
		same, err := sameBytes(d.Base, d.Tuned, name)
		if err != nil {
			return err
		}
		if !same {
			unlike(SideBoth, "type %s cannot be subtracted and the bytes differ", b.DType)
		}
	}
	return nil
}

func sameBytes(a, b Source, name string) (bool, error) {
	x, err := a.Raw(name)
	if err != nil {
		return false, err
	}
	y, err := b.Raw(name)
	if err != nil {
		return false, err
	}
	same := false
	err = guard(func() error {
		same = bytes.Equal(x, y)
		return nil
	})
	return same, err
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
	buffers := blocks.Get().(*[2][]float32)
	defer blocks.Put(buffers)
	base, tuned, err := d.read(buffers, len(dst), name, from)
	if err != nil {
		return err
	}
	for i, b := range base {
		if t := tuned[i]; t != b && !bothNaN(t, b) {
			dst[i] += float32(alpha * (t - b))
		}
	}
	return nil
}

// AddTo64 implements Delta. The difference is exact in float64 unless the
// exponents are more than 29 apart.
func (d *Difference) AddTo64(dst []float64, name string, from int, alpha float64) error {
	buffers := blocks.Get().(*[2][]float32)
	defer blocks.Put(buffers)
	base, tuned, err := d.read(buffers, len(dst), name, from)
	if err != nil {
		return err
	}
	for i, b := range base {
		if t := tuned[i]; t != b && !bothNaN(t, b) {
			dst[i] += float64(alpha * (float64(t) - float64(b)))
		}
	}
	return nil
}

// bothNaN reports whether neither value is a number: nothing moved there.
func bothNaN(a, b float32) bool { return a != a && b != b }

// blocks keeps the pairs of buffers that AddTo reads into.
var blocks = sync.Pool{New: func() any { return new([2][]float32) }}

func (d *Difference) read(buffers *[2][]float32, n int, name string, from int) (base, tuned []float32, err error) {
	for i, source := range []Source{d.Base, d.Tuned} {
		if cap(buffers[i]) < n {
			buffers[i] = make([]float32, n)
		}
		buffers[i] = buffers[i][:n]
		if err := source.Read(buffers[i], name, from); err != nil {
			return nil, nil, err
		}
	}
	return buffers[0], buffers[1], nil
}

// Reshaped reports whether both models have a tensor, in different shapes.
func (d *Difference) Reshaped(name string) bool {
	b, inBase := d.Base.Info(name)
	t, inTuned := d.Tuned.Info(name)
	return inBase && inTuned && !slices.Equal(b.Shape, t.Shape)
}
