package merge

import (
	"context"
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
