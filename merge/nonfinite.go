package merge

import (
	"context"
	"fmt"
	"sync/atomic"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// CountNonfinite reads every tensor of numbers and counts the elements that
// are NaN or infinite. progress, which may be nil, counts bytes.
func CountNonfinite(ctx context.Context, src tensors.Source, progress func(done, total int64)) (int64, error) {
	var n, done, total int64
	for _, name := range src.Names() {
		info, _ := src.Info(name)
		total += info.Bytes()
	}
	for _, name := range src.Names() {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		info, _ := src.Info(name)
		if info.DType.Float() {
			found, err := countNonfinite(src, name, info)
			if n += found; err != nil {
				return 0, err
			}
		}
		if done += info.Bytes(); progress != nil {
			progress(done, total)
		}
	}
	return n, nil
}

func countNonfinite(src tensors.Source, name string, info tensors.Info) (int64, error) {
	var n atomic.Int64
	size := info.DType.Size()
	err := eachBlock(0, info.Len(), func(at, length int) error {
		return tensors.View(src, name, int64(at*size), int64(length*size), func(raw []byte) error {
			b := buffers.Get().(*buffer)
			defer buffers.Put(b)
			if !finite(raw, info.DType, b) {
				n.Add(nonfinite(raw, info.DType))
			}
			return nil
		})
	})
	return n.Load(), err
}

// nonfinite counts the stored values that are no finite numbers.
func nonfinite(raw []byte, d tensors.DType) (n int64) {
	size := d.Size()
	for i := range len(raw) / size {
		if v := number(raw[i*size:(i+1)*size], d); v-v != 0 {
			n++
		}
	}
	return n
}

// NonfiniteError is a merged weight that is no finite number, and where that
// comes from.
type NonfiniteError struct {
	Tensor  string
	Element int // in row-major order
	Side    int // 0 is the base, k the k-th tuned model; negative if all are finite, and their sum is too large for the stored type
	DType   tensors.DType
	Value   float64 // of the base; where a tuned model is the reason, its change from the base
}

// Error implements error.
func (e *NonfiniteError) Error() string {
	why := fmt.Sprintf("the base has %v there and the sum is too large for %s: merge with smaller alphas or another type", e.Value, e.DType)
	switch {
	case e.Side == 0:
		why = fmt.Sprintf("the base has %v there: check it", e.Value)
	case e.Side > 0:
		why = fmt.Sprintf("tuned model %d changes it by %v: check that model", e.Side, e.Value)
	}
	return fmt.Sprintf("tensor %q: element %d would not be a finite number, since %s, or merge such weights as they are with --allow-nonfinite", e.Tensor, e.Element, why)
}

// nonfiniteError tells of the first broken element of a block.
func nonfiniteError(t tensor, raw []byte, from int) error {
	size := t.stored.DType.Size()
	for i := range len(raw) / size {
		if v := number(raw[i*size:(i+1)*size], t.stored.DType); v-v != 0 {
			return t.origins(from + i)
		}
	}
	return nil
}

// origins finds the first side whose value at an element is no finite number.
func (t tensor) origins(at int) error {
	e := &NonfiniteError{Tensor: t.name, Element: at, DType: t.stored.DType}
	value := []float64{0}
	if err := tensors.Read64(t.Model.base, value, t.name, at); err != nil {
		return err
	}
	if e.Value = value[0]; e.Value-e.Value != 0 {
		return e
	}
	for k, term := range t.terms {
		if !t.has[k][t.name] {
			continue
		}
		change := []float64{0}
		if err := term.Delta.AddTo64(change, t.name, at, 1); err != nil {
			return err
		}
		if change[0]-change[0] != 0 {
			e.Side, e.Value = k+1, change[0]
			return e
		}
	}
	e.Side = -1
	return e
}

// number is the value of one stored element.
func number(raw []byte, d tensors.DType) float64 {
	if d == tensors.F64 {
		value := []float64{0}
		kernel.DecodeF64(value, raw)
		return value[0]
	}
	value := []float32{0}
	tensors.Widen(value, raw, d)
	return float64(value[0])
}
