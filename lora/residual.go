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
// stands for it. Where e has no tensor of a name it is 0 there. Differences are in
// float64, and sums over blocks of them, added up in order: the same for any number
// of threads. progress, which may be nil, counts elements.
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
	work := func(block int) error {
		values := make([]float64, min(residualBlock, info.Len()-block*residualBlock))
		if err := d.AddTo64(values, name, block*residualBlock, 1); err != nil {
			return err
		}
		norms[block] = sumSquares(values)
		lefts[block] = norms[block]
		if !has {
			return nil
		}
		if err := e.AddTo64(values, name, block*residualBlock, -1); err != nil {
			return err
		}
		lefts[block] = sumSquares(values)
		return nil
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

func sumSquares(values []float64) (sum float64) {
	for _, v := range values {
		sum += float64(v * v)
	}
	return sum
}
