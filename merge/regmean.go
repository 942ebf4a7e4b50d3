package merge

import (
	"fmt"
	"slices"
	"sync"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// Gram gives the Gram matrix [width, width] of the inputs of a tensor [rows,
// width] of a model, row by row, the same one every time; ok is false if there is
// none. Several goroutines may call it at once.
type Gram func(tensor string) (matrix []float64, width int, ok bool)

// RegMeanOptions are the choices of RegMean.
type RegMeanOptions struct {
	// Weight of the tuned model on its domain, w, 0 to 1: 0 is the base, 1 the
	// tuned model.
	Weight float64
	// Shrink multiplies what stands beside the diagonals, above 0 and up to 1, which
	// leaves it. 0 is DefaultShrink.
	Shrink float64
	// Ridge is added to both diagonals, as a multiple of the mean of the diagonal.
	// 0 is DefaultRidge.
	Ridge float64
}

const (
	// DefaultShrink is the value that the authors of RegMean use for most of their
	// models: a Gram matrix of few tokens says little of pairs of channels.
	DefaultShrink = 0.9
	// DefaultRidge is enough to solve for channels that are always 0.
	DefaultRidge = 1e-6
)

// What is kept of computed values, in bytes: they are asked for by ranges.
const (
	mixersBytes = 512 << 20
	stripsBytes = 64 << 20
	// stripRows is the number of rows that are computed together.
	stripRows = 256
)

// RegMean is the Delta, to be added with alpha 1, that leads from the base of tuned
// to the regression mean of base and tuned model (Jin et al., arXiv 2212.09849,
// equation 2, of two models with weights). For matrices W0 and W1 and inputs with
// the Gram matrices G0 (of the base on general prompts) and G1 (of the tuned model
// on those of its domain) that is the W with the least
//
//	(1-w) tr((W-W0) G0 (W-W0)') + w tr((W-W1) G1 (W-W1)')
//
// that is W' = ((1-w)G0 + wG1)^-1 ((1-w)G0 W0' + wG1 W1'), or, of D = W1-W0,
//
//	W - W0 = D K',  K = ((1-w)G0 + wG1)^-1 wG1
//
// G0 and G1 are divided by their traces, shrunk, and have the ridge added to their
// diagonals. With it in both, not in the inverse alone, a channel that no prompt
// uses is interpolated by w instead of being lost. If a mixture is not positive
// definite, which is no fault of rounding alone if it is shrunk, ten times the ridge
// is added, up to the mean of the diagonal; what needs more is an error of AddTo.
//
// Tensors for which neither Gram has a matrix, embedding, norms, biases and head,
// are interpolated: w times their difference. At w = 0 nothing has a difference, at
// w = 1 the result is tuned itself, so that Apply gives the base's bytes and the
// tuned model's.
//
// K is computed in float64 (with a shrink of up to 0.95 but for its last product)
// and D K' in float32, in a fixed order: good to about 1e-5 of the difference, with
// the same bits for any number of threads. Nothing is computed before it is asked
// for. The K of tensors that were read last, 4*width^2 bytes each, are kept, up to
// 512 MiB or the last one, for those that share it: K depends on the values of both
// matrices alone. So does one strip of differences. A value of tuned that is not
// finite spoils the row that it is in.
//
// RegMean panics for options out of their bounds.
func RegMean(tuned tensors.Delta, general, domain Gram, opt RegMeanOptions) tensors.Delta {
	if opt.Shrink == 0 {
		opt.Shrink = DefaultShrink
	}
	if opt.Ridge == 0 {
		opt.Ridge = DefaultRidge
	}
	switch {
	case !(opt.Weight >= 0 && opt.Weight <= 1):
		panic(fmt.Sprintf("merge: a weight of %v: it is 0 to 1", opt.Weight))
	case !(opt.Shrink > 0 && opt.Shrink <= 1):
		panic(fmt.Sprintf("merge: off-diagonals times %v: it is above 0 and up to 1", opt.Shrink))
	case !(opt.Ridge > 0 && opt.Ridge <= 1):
		panic(fmt.Sprintf("merge: a ridge of %v: it is above 0 and up to 1", opt.Ridge))
	}
	if opt.Weight == 1 {
		return tuned
	}
	r := &regMean{tuned: tuned, general: general, domain: domain, options: opt, pairs: map[string]pair{}}
	r.mixers.most, r.strips.most = mixersBytes, stripsBytes
	if opt.Weight > 0 {
		r.names = tuned.Names()
	}
	return r
}

// regMean implements tensors.Delta.
type regMean struct {
	tuned           tensors.Delta
	general, domain Gram
	options         RegMeanOptions
	names           []string

	mu     sync.Mutex
	pairs  map[string]pair // of the tensors that were asked for
	mixers recent[pair, *kernel.Panels]
	strips recent[strip, []float32]
}

// strip is some rows of a tensor.
type strip struct {
	tensor string
	number int
}

// Names implements tensors.Delta.
func (r *regMean) Names() []string { return r.names }

// Info implements tensors.Delta.
func (r *regMean) Info(name string) (tensors.Info, bool) {
	if !r.has(name) {
		return tensors.Info{}, false
	}
	return r.tuned.Info(name)
}

// has reports whether a tensor changes.
func (r *regMean) has(name string) bool {
	_, ok := slices.BinarySearch(r.names, name)
	return ok
}

// AddTo implements tensors.Delta.
func (r *regMean) AddTo(dst []float32, name string, from int, alpha float32) error {
	plain, err := r.visit(name, from, len(dst), func(at int, values []float32) {
		to := dst[at : at+len(values)]
		for i, v := range values {
			if v != 0 {
				to[i] += float32(alpha * v)
			}
		}
	})
	if err == nil && plain {
		return r.tuned.AddTo(dst, name, from, float32(float64(alpha)*r.options.Weight))
	}
	return err
}

// AddTo64 implements tensors.Delta.
func (r *regMean) AddTo64(dst []float64, name string, from int, alpha float64) error {
	plain, err := r.visit(name, from, len(dst), func(at int, values []float32) {
		to := dst[at : at+len(values)]
		for i, v := range values {
			if v != 0 {
				to[i] += float64(alpha * float64(v))
			}
		}
	})
	if err == nil && plain {
		return r.tuned.AddTo64(dst, name, from, alpha*r.options.Weight)
	}
	return err
}

// visit shows the differences from..from+n of a tensor, piece by piece; plain says
// that they are not known, but those of tuned times w.
func (r *regMean) visit(name string, from, n int, use func(at int, values []float32)) (plain bool, err error) {
	if !r.has(name) {
		return false, fmt.Errorf("merge: no tensor %q", name)
	}
	info, _ := r.tuned.Info(name)
	if from < 0 || n > info.Len()-from {
		return false, fmt.Errorf("merge: tensor %q: elements %d to %d are outside shape %v", name, from, from+n-1, info.Shape)
	}
	p, err := r.pair(name)
	if err != nil || p.width == 0 {
		return err == nil, err
	}
	length := stripRows * p.width
	for at := 0; at < n; {
		number, begin := (from+at)/length, (from+at)%length
		values, err := r.strip(name, info, p, number)
		if err != nil {
			return false, fmt.Errorf("merge: tensor %q: %w", name, err)
		}
		piece := values[begin:min(len(values), begin+n-at)]
		use(at, piece)
		at += len(piece)
	}
	return false, nil
}

// pair says what a tensor is mixed by; a width of 0 is by w.
func (r *regMean) pair(name string) (pair, error) {
	r.mu.Lock()
	p, ok := r.pairs[name]
	r.mu.Unlock()
	if ok {
		return p, nil
	}
	g0, g1, p, err := r.grams(name)
	if err != nil {
		return pair{}, fmt.Errorf("merge: tensor %q: %w", name, err)
	}
	if p.width > 0 {
		p.digest(g0, g1)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pairs[name] = p
	return p, nil
}

// grams are the matrices of a tensor; without any, the width of p is 0.
func (r *regMean) grams(name string) (g0, g1 []float64, p pair, err error) {
	g0, n0, in0 := r.general(name)
	g1, n1, in1 := r.domain(name)
	info, _ := r.tuned.Info(name)
	switch {
	case !in0 && !in1:
		return nil, nil, pair{}, nil
	case !in0 || !in1:
		return nil, nil, pair{}, fmt.Errorf("only one of general and domain has a Gram matrix of its inputs: collect both on the same kind of model")
	case len(info.Shape) != 2 || info.Shape[1] != n0 || n0 != n1 || len(g0) != n0*n0 || len(g1) != n1*n1:
		return nil, nil, pair{}, fmt.Errorf("its shape is %v, but the Gram matrices of its inputs have widths of %d and %d: they are of another model", info.Shape, n0, n1)
	}
	return g0, g1, pair{width: n0}, nil
}

// strip computes some rows of a difference, or has them.
func (r *regMean) strip(name string, info tensors.Info, p pair, number int) ([]float32, error) {
	return r.strips.get(strip{name, number}, func() ([]float32, int64, error) {
		mixer, err := r.mixers.get(p, func() (*kernel.Panels, int64, error) {
			g0, g1, _, err := r.grams(name)
			if err != nil {
				return nil, 0, err
			}
			k, err := mixer(g0, g1, p.width, r.options)
			if err != nil {
				return nil, 0, err
			}
			return k, k.Bytes(), nil
		})
		if err != nil {
			return nil, 0, err
		}
		from := number * stripRows * p.width
		n := min(stripRows*p.width, info.Len()-from)
		tuned, mixed := make([]float32, n), make([]float32, n)
		if err := r.tuned.AddTo(tuned, name, from, 1); err != nil {
			return nil, 0, err
		}
		mixer.Multiply(mixed, tuned, n/p.width)
		return mixed, 4 * int64(n), nil
	})
}
