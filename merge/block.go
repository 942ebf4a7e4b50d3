package merge

import (
	"slices"
	"sync"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// tensor is one tensor of a Model with everything that is decided of it.
type tensor struct {
	*Model
	name   string
	stored tensors.Info   // of the merged tensor
	from   tensors.Source // to which the differences are added: the base, or at alpha 1 the tuned model
	base   tensors.DType  // of from's
	list   []active
	origin tensors.Source // whose bytes it has, or nil
	wide   bool           // merged in float64: a side is stored in more than 16 bits, or rounding is stochastic
}

// block merges the elements from..from+n of a tensor and rounds them into raw,
// which holds n of them. Where the base is not a number it stays what it is,
// payload and all. sums, if not nil, takes the sums of a whole block.
func (t tensor) block(raw []byte, from int, sums *tensorSums) error {
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	n := len(raw) / t.stored.DType.Size()
	if d := t.brainFloats(); d != nil && (sums == nil || sums.terms == 1) { // it has the sums of one term
		return t.blockBF16(raw, d, from, n, sums)
	}
	if t.wide {
		return t.blockWide(raw, b, from, n, sums)
	}
	return t.blockNarrow(raw, b, from, n, sums)
}

// brainFloats returns the Difference of a merge of two bfloat16 tensors into a
// third, which has a kernel of its own; or nil.
func (t tensor) brainFloats() *tensors.Difference {
	if t.stored.DType != tensors.BF16 || t.base != tensors.BF16 || len(t.list) != 1 || t.options.Stochastic {
		return nil
	}
	d, ok := t.list[0].term.Delta.(*tensors.Difference)
	if !ok || !tensors.Same(d.Base, t.Model.base) {
		return nil
	}
	if tuned, _ := d.Tuned.Info(t.name); tuned.DType != tensors.BF16 {
		return nil
	}
	return d
}

func (t tensor) blockBF16(raw []byte, d *tensors.Difference, from, n int, sums *tensorSums) error {
	alpha := float32(t.list[0].alpha)
	return tensors.View(d.Base, t.name, 2*int64(from), 2*int64(n), func(base []byte) error {
		return tensors.View(d.Tuned, t.name, 2*int64(from), 2*int64(n), func(tuned []byte) error {
			if sums == nil {
				kernel.MergeBF16(raw, base, tuned, alpha)
				return nil
			}
			moved, full, finite := kernel.MergeProjectBF16(raw, base, tuned, alpha)
			sums.add(from, n, []float64{moved, full})
			if finite {
				return nil
			}
			return sums.broken(t, raw, from)
		})
	})
}

// blockNarrow merges in float32.
func (t tensor) blockNarrow(raw []byte, b *buffer, from, n int, sums *tensorSums) error {
	values := b.narrow(n)
	if err := t.from.Read(values, t.name, from); err != nil {
		return err
	}
	broken := notNumbers(values)
	for _, a := range t.list {
		if err := a.term.Delta.AddTo(values, t.name, from, float32(a.alpha)); err != nil {
			return err
		}
	}
	tensors.Round(raw, values, t.stored.DType)
	return t.settle(raw, broken, b, from, n, sums)
}

// blockWide merges in float64.
func (t tensor) blockWide(raw []byte, b *buffer, from, n int, sums *tensorSums) error {
	values := b.wide(n)
	if err := tensors.Read64(t.from, values, t.name, from); err != nil {
		return err
	}
	broken := notNumbers(values)
	for _, a := range t.list {
		if err := a.term.Delta.AddTo64(values, t.name, from, a.alpha); err != nil {
			return err
		}
	}
	if t.options.Stochastic {
		roundStochastic(raw, values, t.stored.DType, newStream(t.options.Seed, t.name), from)
	} else {
		tensors.Round64(raw, values, t.stored.DType)
	}
	return t.settle(raw, broken, b, from, n, sums)
}

// settle gives the elements that were not numbers in the base their bytes back,
// and takes the sums of a block.
func (t tensor) settle(raw []byte, broken []int, b *buffer, from, n int, sums *tensorSums) error {
	size := t.stored.DType.Size()
	for _, i := range broken {
		if err := t.keep(raw[i*size:(i+1)*size], from+i); err != nil {
			return err
		}
	}
	if sums == nil {
		return nil
	}
	if err := sums.project(t, raw, b, from, n); err != nil {
		return err
	}
	if finite(raw, t.stored.DType, b) {
		return nil
	}
	return sums.broken(t, raw, from)
}

// keep stores one element of the base as it is.
func (t tensor) keep(raw []byte, at int) error {
	if t.base == t.stored.DType {
		return t.from.ReadRaw(raw, t.name, int64(at*len(raw)))
	}
	value := []float32{0}
	if err := t.from.Read(value, t.name, at); err != nil {
		return err
	}
	tensors.Round(raw, value, t.stored.DType)
	return nil
}

// notNumbers finds the NaNs of a block; there are hardly ever any.
func notNumbers[T float32 | float64](values []T) []int {
	var found []int
	for i, v := range values {
		if v != v {
			found = append(found, i)
		}
	}
	return found
}

// finite reports whether all stored values are finite numbers.
func finite(raw []byte, d tensors.DType, b *buffer) bool {
	n := len(raw) / d.Size()
	if d == tensors.F64 {
		values := b.wide(n)
		kernel.DecodeF64(values, raw)
		return !slices.ContainsFunc(values, func(v float64) bool { return v-v != 0 })
	}
	values := b.narrow(n)
	tensors.Widen(values, raw, d)
	return kernel.Finite(values)
}

func widen(dst []float64, src []float32) {
	for i, v := range src {
		dst[i] = float64(v)
	}
}

// buffer is the scratch space of one block.
type buffer struct {
	raw []byte
	f32 []float32
	f64 []float64
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func (b *buffer) bytes(n int) []byte {
	b.raw = slices.Grow(b.raw[:0], n)[:n]
	return b.raw
}

func (b *buffer) narrow(n int) []float32 {
	b.f32 = slices.Grow(b.f32[:0], n)[:n]
	return b.f32
}

func (b *buffer) wide(n int) []float64 {
	b.f64 = slices.Grow(b.f64[:0], n)[:n]
	return b.f64
}
