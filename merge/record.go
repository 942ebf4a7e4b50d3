package merge

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
)

// Record is a Model that takes notes while its bytes are read, so that writing
// a merge and measuring it are one pass. It implements tensors.Source.
type Record struct {
	*Model
	allowNonfinite bool

	mu   sync.Mutex
	sums map[string]*tensorSums
}

// Record returns the model as a Source that notes what rounding leaves of its
// alphas. Its ReadRaw stops, naming the tensor and the element, at a merged
// value that is no finite number, unless allowNonfinite is set; then such
// values are counted.
func (m *Model) Record(allowNonfinite bool) *Record {
	return &Record{Model: m, allowNonfinite: allowNonfinite, sums: map[string]*tensorSums{}}
}

// ReadRaw implements tensors.Source.
func (r *Record) ReadRaw(dst []byte, name string, at int64) error {
	t, err := r.tensor(name)
	if err != nil {
		return err
	}
	sums := r.sumsOf(t)
	if t.origin == nil {
		return t.readRaw(dst, at, sums)
	}
	if err := t.readRaw(dst, at, nil); err != nil || !t.stored.DType.Float() {
		return err
	}
	size := t.stored.DType.Size()
	from := int(at) / size
	return eachBlock(from, len(dst)/size, func(at, n int) error {
		b := buffers.Get().(*buffer)
		defer buffers.Put(b)
		raw := dst[(at-from)*size : (at-from+n)*size]
		if finite(raw, t.stored.DType, b) {
			return nil
		}
		return sums.broken(t, raw, at)
	})
}

func (r *Record) sumsOf(t tensor) *tensorSums {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.sums[t.name]
	if !ok {
		s = newSums(t, r.allowNonfinite)
		r.sums[t.name] = s
	}
	return s
}

// Effect is what became of the alphas of a merge when its values were rounded
// to their stored type. The effective alphas are the least-squares
// coefficients of what was changed on what the terms would change: those a
// that minimise
//
//	sum over elements of ((y-b) - sum over terms of a*d)^2
//
// with y as it is written, b the base and d the terms' deltas; of one term,
// sum (y-b)*d / sum d*d. Small changes vanish below the stored type's
// resolution, so an effective alpha can lie far from the requested one. It is
// NaN where a term changes nothing, or where the terms cannot be told apart.
type Effect struct {
	Terms     []TermEffect // in the order of the terms
	Tensors   []TensorEffect
	Nonfinite int64 // merged values that are no finite numbers
}

// TermEffect is the effect on one term.
type TermEffect struct {
	Requested float64 // the alpha; if it varies, its mean weighted by d*d
	Effective float64
}

// TensorEffect is the effect on one tensor that a term changes.
type TensorEffect struct {
	Name  string
	Terms []TermEffect
}

// Effect measures what has not been read yet and returns the sum of all.
// progress, which may be nil, counts bytes of the tensors that are computed.
func (r *Record) Effect(ctx context.Context, progress func(done, total int64)) (*Effect, error) {
	changed := r.changed()
	total := make([]float64, sumsLen(len(r.terms)))
	weighted := make([]float64, len(r.terms))
	e := &Effect{}
	var done, all int64
	for _, t := range changed {
		all += t.stored.Bytes()
	}
	for _, t := range changed {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := r.sumsOf(t)
		if err := s.complete(t); err != nil {
			return nil, err
		}
		sums, alphas := s.total(), r.alphas(t.name)
		e.Tensors = append(e.Tensors, TensorEffect{t.name, effects(alphas, sums)})
		for k := range weighted {
			weighted[k] += alphas[k] * gram(sums, len(alphas), k, k)
		}
		for i, v := range sums {
			total[i] += v
		}
		if done += t.stored.Bytes(); progress != nil {
			progress(done, all)
		}
	}
	for k := range weighted {
		weighted[k] /= gram(total, len(weighted), k, k)
	}
	e.Terms = effects(weighted, total)
	r.exact(e)
	for _, name := range r.Names() {
		n, err := r.nonfinite(name)
		if err != nil {
			return nil, err
		}
		e.Nonfinite += n
	}
	return e, nil
}

// nonfinite is the number of values of a tensor that are no finite numbers. A
// copy that was not read, as of a write that was resumed, is read here.
func (r *Record) nonfinite(name string) (n int64, err error) {
	r.mu.Lock()
	s, read := r.sums[name]
	r.mu.Unlock()
	if info, _ := r.Info(name); !read && r.allowNonfinite && info.DType.Float() {
		return countNonfinite(r.Model, name, info)
	}
	if read {
		for _, block := range s.nonfinite {
			n += block
		}
	}
	return n, nil
}

// exact says 0 and 1 where every tensor has them: a weighted mean of equal
// numbers may miss their last bit.
func (r *Record) exact(e *Effect) {
	for k := range e.Terms {
		if len(e.Tensors) == 0 {
			continue
		}
		first := e.Tensors[0].Terms[k].Requested
		if !slices.ContainsFunc(e.Tensors, func(t TensorEffect) bool { return t.Terms[k].Requested != first }) {
			e.Terms[k].Requested = first
		}
	}
}

// changed lists the tensors that any term has a difference for.
func (r *Record) changed() []tensor {
	var list []tensor
	for _, name := range r.Names() {
		for k := range r.terms {
			if r.has[k][name] {
				t, err := r.tensor(name)
				if err != nil {
					panic(err) // Fit has found it
				}
				list = append(list, t)
				break
			}
		}
	}
	return list
}

// alphas are the requested coefficients of all terms for one tensor.
func (m *Model) alphas(name string) []float64 {
	list := make([]float64, len(m.terms))
	for k, term := range m.terms {
		list[k] = term.Alpha(name)
	}
	return list
}

// EffectiveAlpha is the effective alpha of a model of one term; see Effect. It
// reads every tensor once; progress, which may be nil, counts bytes of merged
// weights.
func (m *Model) EffectiveAlpha(ctx context.Context, progress func(done, total int64)) (float64, error) {
	if len(m.terms) != 1 {
		panic(fmt.Sprintf("merge: EffectiveAlpha of a model of %d terms", len(m.terms)))
	}
	e, err := m.Record(true).Effect(ctx, progress)
	if err != nil {
		return math.NaN(), err
	}
	return e.Terms[0].Effective, nil
}
