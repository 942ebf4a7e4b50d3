// Package drift measures how far the weights of a fine-tune have moved from
// its base.
//
// Measure makes one streaming pass and gives a Report with a Row for every
// tensor. Rows are rolled up by sums, so that the row of a layer, of a part or
// of the whole model is exactly what one would get from its tensors laid end
// to end:
//
//	relative drift   ||d|| / ||b||           Frobenius norms, d = tuned - base
//	1 - cosine       1 - <b,t> / (||b|| ||t||)   over the flattened tensor, t = b + d
//	largest change   max |d|
//	changed          share of elements whose value differs
//	sign flips       share of elements that changed from below to above zero or back
//
// The embedding, the head and the final norm are rows of their own and never
// part of a layer. All sums are in float64, over blocks of fixed size added in
// a fixed order: the result is the same for any number of threads.
package drift

import (
	"context"
	"fmt"
	"math"
	"sync"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// blockLen is the number of elements measured at a time: 64 Ki, so that the
// buffers of a block stay in a core's cache.
const blockLen = 1 << 16

// Sums are the raw accumulations of a set of elements; they add.
type Sums struct {
	N       int64   // elements
	Base2   float64 // sum of b^2
	Delta2  float64 // sum of d^2
	Dot     float64 // sum of b*d
	MaxAbs  float64 // largest |d|; NaN if any is
	Changed int64   // elements with d != 0
	Flipped int64   // elements with b < 0 < b+d or b+d < 0 < b
}

// Row is the drift of one tensor or of a set of tensors.
type Row struct {
	Name    string       // the tensor, the layer, the part, or "total"
	Key     tensors.Key  // of a tensor; of a layer its Layer, of a part its Part with a negative Layer
	Info    tensors.Info // of a tensor, as the base stores it
	Tensors int          // in the row
	Sums
}

// BaseNorm is the Frobenius norm of the base weights.
func (s Sums) BaseNorm() float64 { return math.Sqrt(s.Base2) }

// DeltaNorm is the Frobenius norm of the difference.
func (s Sums) DeltaNorm() float64 { return math.Sqrt(s.Delta2) }

// Relative is ||d|| / ||b||: 0 where nothing moved, +Inf where weights that
// were all zero moved.
func (s Sums) Relative() float64 {
	if s.Delta2 == 0 {
		return 0
	}
	return s.DeltaNorm() / s.BaseNorm()
}

// Cosine is <b,t> / (||b|| ||t||) for the flattened weights: 1 where nothing
// moved, NaN where only one of them is all zero.
func (s Sums) Cosine() float64 { return 1 - s.OneMinusCosine() }

// OneMinusCosine is 1 - Cosine, and 0 wherever nothing moved, computed from the difference so that small
// angles keep their digits: with c the component of d across b,
// 1 - cos = sin^2/(1 + cos), sin = ||c||/||t||.
func (s Sums) OneMinusCosine() float64 {
	if s.Delta2 == 0 {
		return 0
	}
	tuned2 := s.Base2 + 2*s.Dot + s.Delta2
	across2 := max(0, s.Delta2-s.Dot*s.Dot/s.Base2)
	cosine := (s.Base2 + s.Dot) / math.Sqrt(s.Base2*tuned2)
	if cosine < 0 {
		return 1 - cosine
	}
	return across2 / tuned2 / (1 + cosine)
}

// ChangedShare is the share of elements that changed, 0 to 1.
func (s Sums) ChangedShare() float64 { return share(s.Changed, s.N) }

// FlippedShare is the share of elements whose sign changed, 0 to 1.
func (s Sums) FlippedShare() float64 { return share(s.Flipped, s.N) }

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func (s *Sums) add(o Sums) {
	s.N += o.N
	s.Base2 += o.Base2
	s.Delta2 += o.Delta2
	s.Dot += o.Dot
	s.MaxAbs = max(s.MaxAbs, o.MaxAbs)
	s.Changed += o.Changed
	s.Flipped += o.Flipped
}

// Report is the drift of a whole model.
type Report struct {
	Tensors []Row // sorted by layer, outside ones by their place in the model; then by name
	Layers  []Row // embedding, layers in order, final norm, head, anything else
	Parts   []Row // each part over all layers, in alphabetical order; then those outside the layers
	Total   Row
}

// Options of Measure; the zero value is ready to use.
type Options struct {
	Progress func(done, total int64) // bytes of base weights measured; may be nil

	// Whole adds the tensors of the base that the delta does not name, as
	// moved nowhere: what a delta that is an adapter leaves alone counts in the
	// total then. What a Difference does not name is not known to be equal.
	Whole bool
}

// Measure reads base and delta once, in blocks, on all processors. Tensors of
// the base that the delta does not name are left out, unless opt says else.
func Measure(ctx context.Context, base tensors.Source, delta tensors.Delta, opt Options) (*Report, error) {
	if err := tensors.Fit(base, delta); err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	names := delta.Names()
	if opt.Whole {
		names = numbers(base)
	}
	rows := make([]Row, 0, len(names))
	var total int64
	for _, name := range names {
		info, _ := base.Info(name)
		total += info.Bytes()
		rows = append(rows, Row{Name: name, Key: tensors.KeyOf(name), Info: info, Tensors: 1})
	}
	var done int64
	for i := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sums, err := measure(ctx, base, delta, rows[i].Name, rows[i].Info.Len())
		if err != nil {
			return nil, err
		}
		rows[i].Sums = sums
		if done += rows[i].Info.Bytes(); opt.Progress != nil {
			opt.Progress(done, total)
		}
	}
	return rollUp(rows), nil
}

// measure sums one tensor. Each block is summed by itself, by whichever
// goroutine; then the blocks are added in their order.
func measure(ctx context.Context, base tensors.Source, delta tensors.Delta, name string, n int) (Sums, error) {
	blocks := make([]Sums, (n+blockLen-1)/blockLen)
	var once sync.Once
	var failed error
	kernel.Parallel(len(blocks), func(low, high int) {
		b, d := make([]float32, min(n, blockLen)), make([]float64, min(n, blockLen))
		for i := low; i < high; i++ {
			from := i * blockLen
			length := min(blockLen, n-from)
			err := ctx.Err()
			if err == nil {
				err = readBlock(base, delta, name, from, b[:length], d[:length])
			}
			if err != nil {
				once.Do(func() { failed = err })
				return
			}
			blocks[i] = sumBlock(b[:length], d[:length])
		}
	})
	var sums Sums
	for _, block := range blocks {
		sums.add(block)
	}
	return sums, failed
}

func readBlock(base tensors.Source, delta tensors.Delta, name string, from int, b []float32, d []float64) error {
	if err := base.Read(b, name, from); err != nil {
		return err
	}
	clear(d)
	if _, named := delta.Info(name); !named {
		return nil
	}
	return delta.AddTo64(d, name, from, 1)
}

// numbers lists the tensors of a Source that are stored as numbers.
func numbers(src tensors.Source) []string {
	var names []string
	for _, name := range src.Names() {
		if info, _ := src.Info(name); info.DType.Float() {
			names = append(names, name)
		}
	}
	return names
}

// sumBlock accumulates one block. Two chains of each sum, over even and odd
// elements, keep the adders busy; they are added at the end.
func sumBlock(b []float32, d []float64) Sums {
	s := Sums{N: int64(len(b))}
	d = d[:len(b)]
	var base2, delta2, dot [2]float64
	for i, v := range b {
		x, y := float64(v), d[i]
		k := i & 1
		base2[k] += float64(x * x)
		if y == 0 {
			continue
		}
		delta2[k] += float64(y * y)
		dot[k] += float64(x * y)
		s.MaxAbs = max(s.MaxAbs, math.Abs(y))
		s.Changed++
		if t := x + y; t < 0 && v > 0 || t > 0 && v < 0 {
			s.Flipped++
		}
	}
	s.Base2, s.Delta2, s.Dot = base2[0]+base2[1], delta2[0]+delta2[1], dot[0]+dot[1]
	return s
}
