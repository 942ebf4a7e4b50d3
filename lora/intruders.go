package lora

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/drift/spectrum"
)

// IntruderOptions are the choices of Intruders; the zero value is that of PEFT's
// reduce_intruder_dimension, but for Compared: it compares with all of them.
type IntruderOptions struct {
	Leading  int     // singular vectors of the tuned weight that are looked at; 0 means 10
	Compared int     // leading ones of the base that they are compared with; 0 means 64
	Limit    float64 // the cosine below which one is an intruder; 0 means 0.5
	Progress func(done, total int64)
}

// Intruder is a leading left singular vector of a tuned weight that is like none
// of its base's (Shuttleworth et al., arXiv 2410.21228, algorithm 1), with the
// direction that it belongs to, s u v'.
type Intruder struct {
	Tensor   string
	Shape    []int
	Index    int     // from 0, by descending singular value
	Singular float64 // s, of the tuned weight
	Cosine   float64 // the largest |cos| with a vector of the base

	u, v []float64
}

// Intruders finds the intruder dimensions of what a task vector makes of a base,
// matrix by matrix, by randomised decompositions of both weights. An error names
// the tensor.
func Intruders(ctx context.Context, base tensors.Source, delta tensors.Delta, opt IntruderOptions) ([]Intruder, error) {
	if err := tensors.Fit(base, delta); err != nil {
		return nil, err
	}
	opt.Leading, opt.Compared, opt.Limit = cmp.Or(opt.Leading, 10), cmp.Or(opt.Compared, 64), cmp.Or(opt.Limit, 0.5)
	var todo []Matrix
	total := int64(0)
	for _, name := range delta.Names() {
		info, _ := delta.Info(name)
		if _, ok := (DecomposeOptions{Embedding: true}).layout(name, info); ok {
			todo = append(todo, Matrix{LowRank: LowRank{Tensor: name, Out: info.Shape[0], In: info.Shape[1]}})
			total += int64(info.Len())
		}
	}
	found := make([][]Intruder, len(todo))
	err := eachMatrix(ctx, todo, total, opt.Progress, func(ctx context.Context, i int) (err error) {
		found[i], err = intrudersOf(ctx, base, delta, todo[i], opt)
		return err
	})
	var list []Intruder
	for _, part := range found {
		list = append(list, part...)
	}
	return list, err
}

// intrudersOf finds those of one matrix.
func intrudersOf(ctx context.Context, base tensors.Source, delta tensors.Delta, m Matrix, opt IntruderOptions) (list []Intruder, err error) {
	weight := func(rank int, tuned bool) (d *spectrum.SVD) {
		if err == nil {
			d, err = spectrum.Decompose(ctx, spectrum.Matrix{Rows: m.Out, Columns: m.In, Read: func(dst []float32, row, _ int) error {
				if err := base.Read(dst, m.Tensor, row*m.In); err != nil || !tuned {
					return err
				}
				return delta.AddTo(dst, m.Tensor, row*m.In, 1)
			}}, spectrum.Options{Rank: rank, Seed: sketchSeed})
		}
		return d
	}
	before, after := weight(opt.Compared, false), weight(opt.Leading, true)
	if err != nil {
		return nil, fmt.Errorf("tensor %q: %w", m.Tensor, err)
	}
	for j, s := range after.S {
		if s <= spectrum.ResolvedShare*after.S[0] {
			break // its vector is arbitrary
		}
		nearest := 0.0
		for _, u := range before.U {
			dot := 0.0
			for i, v := range u {
				dot += v * after.U[j][i]
			}
			nearest = max(nearest, math.Abs(dot))
		}
		if nearest < opt.Limit {
			list = append(list, Intruder{m.Tensor, []int{m.Out, m.In}, j, s, nearest, after.U[j], after.V[j]})
		}
	}
	return list, nil
}

// Shrink is a task vector in which the directions of some intruders are multiplied
// by keep, 0 to 1, in the tuned weight (the repair of arXiv 2410.21228, section 6):
//
//	D - (1 - keep) * sum over intruders of s u v'
//
// Beside it stands what is added to the task vector, as an adapter.
func Shrink(delta tensors.Delta, list []Intruder, keep float64) (tensors.Delta, *Adapter, error) {
	correction := &Adapter{Path: "the correction of intruders"}
	for _, in := range list {
		n := len(correction.LowRank)
		if n == 0 || correction.LowRank[n-1].Tensor != in.Tensor {
			correction.LowRank = append(correction.LowRank, LowRank{Tensor: in.Tensor, Out: in.Shape[0], In: in.Shape[1], Scale: 1, DType: tensors.F32})
			n++
		}
		l := &correction.LowRank[n-1]
		*l = l.with(in, (keep-1)*in.Singular)
	}
	sum, err := merge.Sum([]tensors.Delta{delta, correction.Products()}, []float64{1, 1})
	return sum, correction, err
}

// with is the product with one more direction.
func (l LowRank) with(in Intruder, size float64) LowRank {
	l = l.Padded(l.Rank + 1)
	for i, v := range in.v {
		l.A[(l.Rank-1)*l.In+i] = float32(v)
	}
	for o, u := range in.u {
		l.B[o*l.Rank+l.Rank-1] = float32(size * u)
	}
	return l
}
