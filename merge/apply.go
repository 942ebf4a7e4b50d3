// Package merge makes new models out of a base and task vectors.
//
// Apply takes a base Source and Terms, each a Delta with an Alpha, and returns
// a *Model: the Source
//
//	y = b + sum over terms of alpha * delta
//
// (task arithmetic: Ilharco et al., arXiv 2212.04089; with one term and
// 0 <= alpha <= 1 it is WiSE-FT's interpolation: Wortsman et al., arXiv
// 2109.01903). Alphas are numbers or Rules by layer, part and name. Nothing is
// computed when a Model is made. Each range that is read is computed then, so
// a Model is scored, measured, written or merged again like a file, without
// ever being one.
//
// The numeric contract. Tensors that all sides store in 8 or 16 bits are
// merged in float32, others in float64, and the result is rounded once, to the
// base's stored type, to nearest with ties to even; Model.With asks for
// another type, or for stochastic rounding, which is always of float64. What Read gives is that rounded
// value: what is scored is bit for bit what would be written. Where every
// alpha is 0 the base's bytes are returned; where the only term that is not 0
// is the Difference of this base with alpha 1, the tuned model's bytes are, if
// its stored type is the one asked for. Both hold for NaN payloads and -0.
//
// Before a merge, Reconcile decides every tensor of the union of two models;
// during it, a Record notes what rounding left of each alpha, and stops at
// weights that are not finite numbers.
package merge

import (
	"fmt"
	"slices"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// Alpha is the coefficient of a task vector for the tensor of a name.
type Alpha func(name string) float64

// Number is the same alpha everywhere.
func Number(alpha float64) Alpha { return func(string) float64 { return alpha } }

// Term is one summand of a merge.
type Term struct {
	Label string
	Delta tensors.Delta
	Alpha Alpha
}

// Options are the choices of how merged values are stored. The zero value
// keeps the base's types and rounds to nearest.
type Options struct {
	DType      tensors.DType // of every tensor of numbers; "" keeps the base's
	Stochastic bool          // round up or down at random, so that the expectation is the exact value
	Seed       uint64        // of stochastic rounding
}

// Model is a merged model that has not been written. It implements
// tensors.Source with the names and shapes of its base.
type Model struct {
	base    tensors.Source
	terms   []Term
	has     []map[string]bool // per term: the tensors it changes
	options Options
}

// blockLen is the number of elements merged at a time.
const blockLen = 1 << 16

// Apply merges lazily. It refuses, naming the tensor, a term that changes a
// tensor the base does not have, has in another shape, or does not store as
// numbers.
func Apply(base tensors.Source, terms ...Term) (*Model, error) {
	m := &Model{base: base, terms: terms}
	for _, term := range terms {
		if err := tensors.Fit(base, term.Delta); err != nil {
			return nil, fmt.Errorf("%s: %w", term.Label, err)
		}
		has := map[string]bool{}
		for _, name := range term.Delta.Names() {
			has[name] = true
		}
		m.has = append(m.has, has)
	}
	return m, nil
}

// With returns the same merge, stored as the options say. It panics for a type
// that is no number type.
func (m *Model) With(options Options) *Model {
	if options.DType != "" && !options.DType.Float() {
		panic("merge: cannot store weights as " + string(options.DType))
	}
	other := *m
	other.options = options
	return &other
}

// Names implements tensors.Source.
func (m *Model) Names() []string { return m.base.Names() }

// Info implements tensors.Source: shapes are the base's.
func (m *Model) Info(name string) (tensors.Info, bool) {
	info, ok := m.base.Info(name)
	if ok && m.options.DType != "" && info.DType.Float() {
		info.DType = m.options.DType
	}
	return info, ok
}

// active is a term with its alpha for one tensor.
type active struct {
	term  Term
	alpha float64
}

// at returns the terms that change a tensor.
func (m *Model) at(name string) []active {
	var list []active
	for i, term := range m.terms {
		if !m.has[i][name] {
			continue
		}
		if alpha := term.Alpha(name); alpha != 0 {
			list = append(list, active{term, alpha})
		}
	}
	return list
}

// origin returns the Source whose bytes the merged tensor has without any
// arithmetic, or nil.
func (m *Model) origin(name string, list []active) tensors.Source {
	stored, _ := m.Info(name)
	base, _ := m.base.Info(name)
	switch {
	case len(list) == 0 && base.DType == stored.DType:
		return m.base
	case len(list) != 1 || list[0].alpha != 1:
		return nil
	}
	tuned := m.tuned(list)
	if tuned == nil {
		return nil
	}
	if info, _ := tuned.Info(name); info.DType != stored.DType {
		return nil
	}
	return tuned
}

// tuned returns the Source whose values the merge has, if its only term goes
// all the way to it; or nil.
func (m *Model) tuned(list []active) tensors.Source {
	if len(list) != 1 || list[0].alpha != 1 {
		return nil
	}
	if d, ok := list[0].term.Delta.(*tensors.Difference); ok && tensors.Same(d.Base, m.base) {
		return d.Tuned
	}
	return nil
}

// tensor returns what there is to know of a tensor before it is computed.
func (m *Model) tensor(name string) (tensor, error) {
	info, ok := m.Info(name)
	if !ok {
		return tensor{}, fmt.Errorf("merge: no tensor %q", name)
	}
	base, _ := m.base.Info(name)
	t := tensor{Model: m, name: name, stored: info, from: m.base, base: base.DType, list: m.at(name)}
	if t.origin = m.origin(name, t.list); t.origin == nil {
		if tuned := m.tuned(t.list); tuned != nil {
			base, _ = tuned.Info(name)
			t.from, t.base, t.list = tuned, base.DType, nil
		}
	}
	t.wide = m.options.Stochastic || info.DType.Bits() > 16 || base.DType.Bits() > 16 || slices.ContainsFunc(t.list, func(a active) bool {
		info, _ := a.term.Delta.Info(name)
		return info.DType.Size() > 2
	})
	return t, nil
}

// ReadRaw implements tensors.Source. It computes on all processors.
func (m *Model) ReadRaw(dst []byte, name string, at int64) error {
	t, err := m.tensor(name)
	if err != nil {
		return err
	}
	return t.readRaw(dst, at, nil)
}

// readRaw computes the bytes of a tensor from a place on; sums, if not nil,
// takes what a Record notes of each whole block.
func (t tensor) readRaw(dst []byte, at int64, sums *tensorSums) error {
	if t.origin != nil && !t.stored.DType.Float() {
		return t.origin.ReadRaw(dst, t.name, at)
	}
	size := t.stored.DType.Size()
	if at%int64(size) != 0 || len(dst)%size != 0 {
		return fmt.Errorf("merge: tensor %q: bytes %d to %d are not whole elements of %s", t.name, at, at+int64(len(dst))-1, t.stored.DType)
	}
	if t.origin != nil {
		return t.origin.ReadRaw(dst, t.name, at)
	}
	from, n := int(at/int64(size)), len(dst)/size
	if err := t.inside(from, n); err != nil {
		return err
	}
	return eachBlock(from, n, func(at, n int) error {
		return t.block(dst[(at-from)*size:(at-from+n)*size], at, sums)
	})
}

// Read implements tensors.Source.
func (m *Model) Read(dst []float32, name string, from int) error {
	t, err := m.tensor(name)
	if err != nil {
		return err
	}
	if err := t.inside(from, len(dst)); err != nil {
		return err
	}
	if t.origin != nil {
		return t.origin.Read(dst, name, from)
	}
	size := t.stored.DType.Size()
	return eachBlock(from, len(dst), func(at, n int) error {
		b := buffers.Get().(*buffer)
		defer buffers.Put(b)
		raw := b.bytes(n * size)
		if err := t.block(raw, at, nil); err != nil {
			return err
		}
		tensors.Widen(dst[at-from:at-from+n], raw, t.stored.DType)
		return nil
	})
}

func (t tensor) inside(from, n int) error {
	if from < 0 || n > t.stored.Len()-from {
		return fmt.Errorf("merge: tensor %q: elements %d to %d are outside shape %v", t.name, from, from+n-1, t.stored.Shape)
	}
	return nil
}

// eachBlock runs work over from..from+n, split where blocks of the tensor
// meet, on all processors, and returns the error of the lowest piece that
// failed.
func eachBlock(from, n int, work func(at, n int) error) error {
	first, end := from/blockLen, (from+n+blockLen-1)/blockLen
	failed := make([]error, end-first)
	kernel.Parallel(len(failed), func(low, high int) {
		for i := low; i < high; i++ {
			at, to := max(from, (first+i)*blockLen), min(from+n, (first+i+1)*blockLen)
			if failed[i] = work(at, to-at); failed[i] != nil {
				return
			}
		}
	})
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}
