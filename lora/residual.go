package lora

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// Residual is how one Delta stands for another in one tensor.
type Residual struct {
	Tensor string
	Shape  []int
	Norm2  float64 // ||D||_F^2
	Left2  float64 // ||D - E||_F^2
}

// Error is ||D - E||_F / ||D||_F; 0 where D is 0 and E too.
func (r Residual) Error() float64 { return relative(r.Left2, r.Norm2) }

// Energy is the share of ||D||_F^2 that E holds, 1 - Error^2.
func (r Residual) Energy() float64 { return 1 - r.Error()*r.Error() }

// relative is sqrt(left/norm) of two squared norms, of which rounding may have
// made left negative.
func relative(left, norm float64) float64 {
	if left <= 0 {
		return 0
	}
	return math.Sqrt(left / norm)
}

// residualBlock is the number of elements that are subtracted at a time.
const residualBlock = 1 << 18

// Residuals measures, tensor by tensor, what is left of a Delta d where another e
// stands for it. Where e has no tensor of a name it is 0 there. Differences of what
// is stored in 16 bits are in float32, others in float64; sums are in float64 over
// blocks, added up in order: the same for any number of threads. progress, which may
// be nil, counts elements.
func Residuals(ctx context.Context, d, e tensors.Delta, progress func(done, total int64)) ([]Residual, error) {
	var list []Residual
	var done, total int64
	for _, name := range d.Names() {
		info, _ := d.Info(name)
		total += int64(info.Len())
	}
	for _, name := range d.Names() {
		r, err := residual(ctx, d, e, name)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
		info, _ := d.Info(name)
		if done += int64(info.Len()); progress != nil {
			progress(done, total)
		}
	}
	return list, nil
}

// residual measures one tensor, as many blocks at once as there are processors.
func residual(ctx context.Context, d, e tensors.Delta, name string) (Residual, error) {
	info, _ := d.Info(name)
	other, has := e.Info(name)
	r := Residual{Tensor: name, Shape: info.Shape}
	if has && other.Len() != info.Len() {
		return r, fmt.Errorf("tensor %q has shape %v in one task vector and %v in the other", name, info.Shape, other.Shape)
	}
	blocks := (info.Len() + residualBlock - 1) / residualBlock
	norms, lefts, failed := make([]float64, blocks), make([]float64, blocks), make([]error, blocks)
	work := func(block int) (err error) {
		from := block * residualBlock
		n := min(residualBlock, info.Len()-from)
		if info.DType.Bits() <= 16 {
			add := func(of tensors.Delta, dst []float32, sign float32) error { return of.AddTo(dst, name, from, sign) }
			norms[block], lefts[block], err = subtracted(make([]float32, n), d, e, has, add)
		} else {
			add := func(of tensors.Delta, dst []float64, sign float64) error { return of.AddTo64(dst, name, from, sign) }
			norms[block], lefts[block], err = subtracted(make([]float64, n), d, e, has, add)
		}
		return err
	}
	for from := 0; from < blocks; from += 4 * runtime.GOMAXPROCS(0) {
		n := min(4*runtime.GOMAXPROCS(0), blocks-from)
		kernel.Parallel(n, func(low, high int) {
			for i := low; i < high; i++ {
				failed[from+i] = work(from + i)
			}
		})
		if err := ctx.Err(); err != nil {
			return r, err
		}
	}
	for i := range blocks {
		if failed[i] != nil {
			return r, failed[i]
		}
		r.Norm2 += norms[i]
		r.Left2 += lefts[i]
	}
	return r, nil
}

// subtracted gives the squared norms of a block of d, and of d - e if e has it.
func subtracted[T float32 | float64](values []T, d, e tensors.Delta, has bool, add func(of tensors.Delta, dst []T, sign T) error) (norm, left float64, err error) {
	if err := add(d, values, 1); err != nil {
		return 0, 0, err
	}
	norm = sumSquares(values)
	if !has {
		return norm, norm, nil
	}
	err = add(e, values, -1)
	return norm, sumSquares(values), err
}

// sumSquares adds squares up in four chains.
func sumSquares[T float32 | float64](values []T) float64 {
	var sums [4]float64
	for i, v := range values {
		sums[i%4] += float64(float64(v) * float64(v))
	}
	return sums[0] + sums[1] + (sums[2] + sums[3])
}
