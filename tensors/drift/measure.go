package drift

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// blockLen is the number of elements measured at a time: 64 Ki, so that the
// buffers of a block stay in a core's cache.
const blockLen = 1 << 16

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
	work := &work{progress: opt.Progress}
	rows := make([]Row, 0, len(names))
	for _, name := range names {
		info, _ := base.Info(name)
		p := newPair(base, delta, name)
		rows = append(rows, Row{Name: name, Key: tensors.KeyOf(name), Info: info, Tuned: p.types[1], Tensors: 1})
		work.add(p, info)
	}
	if err := work.run(ctx); err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].Sums = work.sums(i)
	}
	return rollUp(rows), nil
}

// work are the blocks of all tensors, in the order in which they are measured.
type work struct {
	pairs    []pair
	first    []int // block of each pair
	blocks   []Sums
	total    int64 // bytes of base weights
	progress func(done, total int64)
}

func (w *work) add(p pair, info tensors.Info) {
	p.len = info.Len()
	w.pairs, w.first = append(w.pairs, p), append(w.first, len(w.blocks))
	w.blocks = append(w.blocks, make([]Sums, (p.len+blockLen-1)/blockLen)...)
	w.total += info.Bytes()
}

// run measures the blocks: each by itself, by whichever goroutine is free, so
// that small tensors do not keep one waiting for another.
func (w *work) run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err // also where there is no block
	}
	var next, done atomic.Int64
	var mu sync.Mutex
	var failed error
	kernel.Parallel(runtime.GOMAXPROCS(0), func(int, int) {
		b := buffers.Get().(*buffer)
		defer buffers.Put(b)
		for at := 0; ; {
			i := int(next.Add(1)) - 1
			if i >= len(w.blocks) {
				return
			}
			for at+1 < len(w.first) && w.first[at+1] <= i {
				at++
			}
			bytes, err := w.block(ctx, b, at, i)
			mu.Lock()
			sum := done.Add(bytes)
			if err != nil && failed == nil {
				failed = err
				next.Store(int64(len(w.blocks))) // nobody takes more
			}
			if err == nil && w.progress != nil {
				w.progress(sum, w.total)
			}
			mu.Unlock()
		}
	})
	return failed
}

// block measures block i, which is one of the pair at.
func (w *work) block(ctx context.Context, b *buffer, at, i int) (bytes int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	p := w.pairs[at]
	from := (i - w.first[at]) * blockLen
	n := min(blockLen, p.len-from)
	w.blocks[i], err = p.block(b, from, n)
	return int64(n * p.types[0].Size()), err
}

// sums adds the blocks of a pair in their order.
func (w *work) sums(i int) (sums Sums) {
	end := len(w.blocks)
	if i+1 < len(w.first) {
		end = w.first[i+1]
	}
	for _, block := range w.blocks[w.first[i]:end] {
		sums.add(block)
	}
	return sums
}

// pair is a tensor of the base and what became of it.
type pair struct {
	name  string
	base  tensors.Source
	tuned tensors.Source // nil where only a delta is known
	delta tensors.Delta  // nil where nothing moved
	types [2]tensors.DType
	len   int // elements
}

func newPair(base tensors.Source, delta tensors.Delta, name string) pair {
	p := pair{name: name, base: base, delta: delta}
	info, _ := base.Info(name)
	p.types[0] = info.DType
	if _, named := delta.Info(name); !named {
		p.tuned, p.delta, p.types[1] = base, nil, info.DType
	} else if d, ok := delta.(*tensors.Difference); ok && tensors.Same(d.Base, base) {
		info, _ := d.Tuned.Info(name)
		p.tuned, p.types[1] = d.Tuned, info.DType
	}
	return p
}

// block sums the elements from..from+n.
func (p pair) block(b *buffer, from, n int) (Sums, error) {
	switch {
	case p.tuned == nil || p.types[0] == tensors.F64 || p.types[1] == tensors.F64:
		return p.block64(b, from, n)
	case p.types[0] == tensors.BF16 && p.types[1] == tensors.BF16:
		return p.blockBF16(b, from, n)
	}
	base, tuned := b.narrow(n)
	if err := p.base.Read(base, p.name, from); err != nil {
		return Sums{}, err
	}
	if err := p.tuned.Read(tuned, p.name, from); err != nil {
		return Sums{}, err
	}
	return sumsOf(kernel.Compare(base, tuned), base, tuned), nil
}

// blockBF16 sums what both sides store as bfloat16, without widening it first.
func (p pair) blockBF16(b *buffer, from, n int) (s Sums, err error) {
	err = tensors.View(p.base, p.name, 2*int64(from), 2*int64(n), func(base []byte) error {
		return tensors.View(p.tuned, p.name, 2*int64(from), 2*int64(n), func(tuned []byte) error {
			s = Sums{N: int64(n), Moments: kernel.CompareBF16(base, tuned)}
			if !s.finite() {
				x, y := b.narrow(n)
				kernel.WidenBF16(x, base)
				kernel.WidenBF16(y, tuned)
				s = sumsOf(s.Moments, x, y)
			}
			return nil
		})
	})
	return s, err
}

// block64 sums in float64 what is stored so, and deltas that have no tuned
// model.
func (p pair) block64(b *buffer, from, n int) (Sums, error) {
	base, tuned := b.wide(n)
	if err := tensors.Read64(p.base, base, p.name, from); err != nil {
		return Sums{}, err
	}
	var err error
	if p.tuned != nil {
		err = tensors.Read64(p.tuned, tuned, p.name, from)
	} else {
		copy(tuned, base)
		err = p.delta.AddTo64(tuned, p.name, from, 1)
	}
	if err != nil {
		return Sums{}, err
	}
	return sumsOf(kernel.Compare64(base, tuned), base, tuned), nil
}

// sumsOf counts what is not finite, where the moments say that something is
// not.
func sumsOf[T float32 | float64](m kernel.Moments, base, tuned []T) Sums {
	s := Sums{N: int64(len(base)), Moments: m}
	if !s.finite() {
		s.NonfiniteBase, s.NonfiniteTuned = nonfinite(base), nonfinite(tuned)
	}
	return s
}

// finite reports whether the moments are: they are not where any element of
// either side is not.
func (s Sums) finite() bool { v := s.Base2 + s.Delta2; return v-v == 0 }

func nonfinite[T float32 | float64](values []T) (n int64) {
	for _, v := range values {
		if v-v != 0 {
			n++
		}
	}
	return n
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

// buffer is the space that both sides of a block are read into.
type buffer struct {
	f32 [2][]float32
	f64 [2][]float64
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func (b *buffer) narrow(n int) (base, tuned []float32) { return grow(&b.f32, n) }
func (b *buffer) wide(n int) (base, tuned []float64)   { return grow(&b.f64, n) }

func grow[T any](both *[2][]T, n int) (base, tuned []T) {
	for i := range both {
		both[i] = slices.Grow(both[i][:0], n)[:n]
	}
	return both[0], both[1]
}
