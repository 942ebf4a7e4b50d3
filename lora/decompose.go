package lora

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"surgeon/tensors"
	"surgeon/tensors/drift/spectrum"
)

// Decomposition is a task vector by the leading directions of its matrices.
type Decomposition struct {
	Matrices  []Matrix // sorted by Tensor
	Rest      []string // changed tensors that are no matrices, sorted: norms, biases; the embedding if it is not decomposed
	Unchanged []string // tensors of the task vector in which nothing changed, sorted
}

// Matrix is the singular value decomposition of one matrix D of a task vector, to
// a rank: D is near B A, with B = U sqrt(S) and A = sqrt(S) V', so that both
// factors are of one size.
type Matrix struct {
	LowRank
	Singular []float64 // descending, as many as were computed: Rank of them or more; from below unless Exact
	Norm2    float64   // ||D||_F^2
	Exact    bool      // Singular are all singular values there are
}

// Ranks are the rule by which every matrix gets its rank. Of Energy and Bytes at
// most one is set.
type Ranks struct {
	Rank   int     // of every matrix; with Energy or Bytes the most that one may have. At most the lesser side
	Energy float64 // the least rank that holds this share of ||D||_F^2, 0 to 1
	Bytes  int64   // of all factors together, spent where a byte holds most of the sum of all ||D||_F^2
}

// DecomposeOptions are the choices of Decompose.
type DecomposeOptions struct {
	Ranks     Ranks
	DType     tensors.DType            // that the factors will be stored in; F32 if empty
	Conv1D    bool                     // matrices are stored [in, out], as GPT-2's are
	Embedding bool                     // the input embedding is decomposed like a matrix
	Tied      bool                     // the head is the embedding: a file holds its products twice
	Include   func(tensor string) bool // nil for all; other matrices count as Rest
	Progress  func(done, total int64)  // elements; may be nil
}

// sketchSeed is that of the random sketches: a constant, so that an extraction
// gives the same bytes every time.
const sketchSeed = 9

// powerIterations sharpen the sketches: with three, errors on whole fine-tunes of
// flat spectra are within half a per cent of the optimum.
const powerIterations = 3

// Decompose decomposes what a task vector changes, by randomised subspace
// iteration (package spectrum) on the difference in float32. Matrices are
// decomposed side by side; the result is the same for any number of threads. An
// error names the tensor.
func Decompose(ctx context.Context, delta tensors.Delta, opt DecomposeOptions) (*Decomposition, error) {
	d := &Decomposition{}
	var todo []Matrix
	total := int64(0)
	for _, name := range delta.Names() {
		info, _ := delta.Info(name)
		if layout, ok := opt.layout(name, info); ok {
			m := Matrix{LowRank: LowRank{Tensor: name, Layout: layout, Out: info.Shape[0], In: info.Shape[1], Scale: 1, DType: opt.dtype()}}
			if layout != Linear {
				m.In, m.Out = m.Out, m.In
			}
			todo = append(todo, m)
			total += int64(info.Len())
			continue
		}
		changed, err := Changed(delta, name)
		if err != nil {
			return nil, err
		}
		if changed {
			d.Rest = append(d.Rest, name)
		} else {
			d.Unchanged = append(d.Unchanged, name)
		}
	}
	all := &allocation{ranks: opt.Ranks, tied: opt.Tied, matrices: todo}
	if err := eachMatrix(ctx, todo, total, opt.Progress, func(ctx context.Context, i int) error {
		if err := todo[i].decompose(ctx, delta, opt.Ranks); err != nil {
			return fmt.Errorf("tensor %q: %w", todo[i].Tensor, err)
		}
		all.prune(i)
		return nil
	}); err != nil {
		return nil, err
	}
	all.finish()
	for _, m := range todo {
		if m.Norm2 == 0 {
			d.Unchanged = append(d.Unchanged, m.Tensor)
			continue
		}
		d.Matrices = append(d.Matrices, m)
	}
	slices.Sort(d.Unchanged)
	return d, nil
}

func (o DecomposeOptions) dtype() tensors.DType {
	if o.DType == "" {
		return tensors.F32
	}
	return o.DType
}

// layout is how the factors of a tensor lie in it; ok is false for one that is not
// decomposed.
func (o DecomposeOptions) layout(name string, info tensors.Info) (_ Layout, ok bool) {
	key := tensors.KeyOf(name)
	switch {
	case len(info.Shape) != 2 || !strings.HasSuffix(name, ".weight") || o.Include != nil && !o.Include(name):
		return 0, false
	case key.Part == tensors.PartEmbed:
		return Embedding, o.Embedding
	case key.Part == tensors.PartHead:
		return Linear, true
	case key.Layer == tensors.NoLayer: // such as an embedding of positions
		return 0, false
	case o.Conv1D:
		return Conv1D, true
	}
	return Linear, true
}

// eachMatrix runs work on every matrix, as many at once as there are processors:
// what takes the time of a small one, its orthogonalisation, runs on one.
func eachMatrix(ctx context.Context, list []Matrix, total int64, progress func(done, total int64), work func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var lock sync.Mutex
	var group sync.WaitGroup
	next, done := 0, int64(0)
	take := func(before int) int {
		lock.Lock()
		defer lock.Unlock()
		if before >= 0 {
			if done += int64(list[before].In) * int64(list[before].Out); progress != nil {
				progress(done, total)
			}
		}
		next++
		return next - 1
	}
	for range min(runtime.GOMAXPROCS(0), len(list)) {
		group.Go(func() {
			for i := take(-1); i < len(list) && ctx.Err() == nil; i = take(i) {
				if err := work(ctx, i); err != nil {
					stop(err)
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// firstRank is where the search for the rank of an energy begins.
const firstRank = 32

// decompose computes the factors, to the rank that is asked for or, with Energy, to
// the least that holds it: the rank is doubled until it does.
func (m *Matrix) decompose(ctx context.Context, delta tensors.Delta, ranks Ranks) error {
	most := min(m.In, m.Out)
	if ranks.Rank > 0 {
		most = min(most, ranks.Rank)
	}
	rank := most
	if ranks.Energy > 0 {
		rank = min(most, firstRank)
	}
	for {
		svd, err := spectrum.Decompose(ctx, m.matrix(delta), spectrum.Options{Rank: rank, PowerIterations: powerIterations, Seed: sketchSeed})
		if err != nil {
			return err
		}
		if enough := leastRank(svd, ranks.Energy); enough <= rank || rank == most {
			m.take(svd, min(enough, rank))
			return nil
		}
		rank = min(2*rank, most)
	}
}

// leastRank is the least rank that holds a share of the squared norm, or more than
// svd has; without a share it is svd's.
func leastRank(svd *spectrum.SVD, share float64) int {
	if share == 0 {
		return len(svd.S)
	}
	for r := range len(svd.S) + 1 {
		if svd.Energy(r) >= share {
			return r
		}
	}
	return len(svd.S) + 1
}

// matrix reads a difference as it is stored: [Out, In] or, of the other layouts,
// [In, Out].
func (m *Matrix) matrix(delta tensors.Delta) spectrum.Matrix {
	rows, columns := m.shape()
	return spectrum.Matrix{Rows: rows, Columns: columns, Read: func(dst []float32, row, _ int) error {
		info, _ := delta.Info(m.Tensor)
		if info.DType != tensors.F64 {
			clear(dst)
			return delta.AddTo(dst, m.Tensor, row*columns, 1)
		}
		wide := make([]float64, len(dst))
		err := delta.AddTo64(wide, m.Tensor, row*columns, 1)
		for i, v := range wide {
			dst[i] = float32(v)
		}
		return err
	}}
}

// shape is that of the tensor.
func (l LowRank) shape() (rows, columns int) {
	if l.Layout == Linear {
		return l.Out, l.In
	}
	return l.In, l.Out
}

// take keeps the leading directions of a decomposition as factors.
func (m *Matrix) take(svd *spectrum.SVD, rank int) {
	m.Norm2, m.Exact, m.Singular = svd.Norm2, svd.Exact && len(svd.S) == min(m.In, m.Out), svd.S
	left, right := svd.U, svd.V
	if m.Layout != Linear { // the tensor is A'B'
		left, right = right, left
	}
	m.Rank = rank
	m.A, m.B = make([]float32, rank*m.In), make([]float32, m.Out*rank)
	for r := range rank {
		root := math.Sqrt(svd.S[r])
		for i, v := range right[r] {
			m.A[r*m.In+i] = float32(root * v)
		}
		for o, v := range left[r] {
			m.B[o*rank+r] = float32(root * v)
		}
	}
}

// Changed reports whether a difference is not zero everywhere.
func Changed(delta tensors.Delta, name string) (bool, error) {
	info, _ := delta.Info(name)
	buffer := make([]float64, min(info.Len(), 1<<16))
	for from := 0; from < info.Len(); from += len(buffer) {
		part := buffer[:min(len(buffer), info.Len()-from)]
		clear(part)
		if err := delta.AddTo64(part, name, from, 1); err != nil {
			return false, err
		}
		if slices.ContainsFunc(part, func(v float64) bool { return v != 0 }) {
			return true, nil
		}
	}
	return false, nil
}
