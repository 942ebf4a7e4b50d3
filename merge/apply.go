// Package merge makes new models out of a base and task vectors.
//
// Apply takes a base Source and Terms, each a Delta with an Alpha, and returns
// a *Model: the Source
//
//	y = b + sum over terms of alpha * delta
//
// (task arithmetic: Ilharco et al., arXiv 2212.04089; with one term and
// 0 <= alpha <= 1 it is WiSE-FT's interpolation: Wortsman et al., arXiv
// 2109.01903). Nothing is computed when it is made. Each range that is read is
// computed then, so a Model is scored, measured, written or merged again like
// a file, without ever being one.
//
// The numeric contract. Tensors that all sides store in 16 bits are merged in
// float32, others in float64, and the result is rounded once, to the base's
// stored type, to nearest with ties to even. What Read gives is that rounded
// value: what is scored is bit for bit what would be written. Where every
// alpha is 0 the base's bytes are returned; where the only term that is not 0
// is the Difference of this base with alpha 1, the tuned model's bytes are, if
// its stored type is the base's. Both hold for NaN payloads and -0.
package merge

import (
	"fmt"
	"reflect"
	"slices"
	"sync"

	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// Alpha is the coefficient of a task vector at a place in the model.
type Alpha func(tensors.Key) float64

// Number is the same alpha everywhere.
func Number(alpha float64) Alpha { return func(tensors.Key) float64 { return alpha } }

// Term is one summand of a merge.
type Term struct {
	Label string
	Delta tensors.Delta
	Alpha Alpha
}

// Model is a merged model that has not been written. It implements
// tensors.Source with the names, shapes and stored types of its base.
type Model struct {
	base  tensors.Source
	terms []Term
	has   []map[string]bool // per term: the tensors it changes
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

// Names implements tensors.Source.
func (m *Model) Names() []string { return m.base.Names() }

// Info implements tensors.Source: shapes and types are the base's.
func (m *Model) Info(name string) (tensors.Info, bool) { return m.base.Info(name) }

// active is a term with its alpha for one tensor.
type active struct {
	term  Term
	alpha float64
}

// at returns the terms that change a tensor.
func (m *Model) at(name string) []active {
	var list []active
	key := tensors.KeyOf(name)
	for i, term := range m.terms {
		if alpha := term.Alpha(key); alpha != 0 && m.has[i][name] {
			list = append(list, active{term, alpha})
		}
	}
	return list
}

// origin returns the Source whose bytes the merged tensor has without any
// arithmetic, or nil.
func (m *Model) origin(name string, list []active) tensors.Source {
	if len(list) == 0 {
		return m.base
	}
	if len(list) > 1 || list[0].alpha != 1 {
		return nil
	}
	d, ok := list[0].term.Delta.(*tensors.Difference)
	if !ok || !same(d.Base, m.base) {
		return nil
	}
	base, _ := m.base.Info(name)
	if tuned, _ := d.Tuned.Info(name); tuned.DType != base.DType {
		return nil
	}
	return d.Tuned
}

// same reports whether two Sources are one. Sources of a type that cannot be
// compared are not.
func same(a, b tensors.Source) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}

// Raw implements tensors.Source. It computes the whole tensor, on all
// processors.
func (m *Model) Raw(name string) ([]byte, error) {
	info, ok := m.base.Info(name)
	if !ok {
		return nil, fmt.Errorf("merge: no tensor %q", name)
	}
	list := m.at(name)
	if origin := m.origin(name, list); origin != nil {
		return origin.Raw(name)
	}
	raw, size := make([]byte, info.Bytes()), info.DType.Size()
	err := eachBlock(info.Len(), func(from, n int) error {
		return m.block(raw[from*size:(from+n)*size], name, info.DType, list, from, n)
	})
	return raw, err
}

// Read implements tensors.Source.
func (m *Model) Read(dst []float32, name string, from int) error {
	info, ok := m.base.Info(name)
	if !ok {
		return fmt.Errorf("merge: no tensor %q", name)
	}
	if from < 0 || len(dst) > info.Len()-from {
		return fmt.Errorf("merge: tensor %q: elements %d to %d are outside shape %v", name, from, from+len(dst)-1, info.Shape)
	}
	list := m.at(name)
	if origin := m.origin(name, list); origin != nil {
		return origin.Read(dst, name, from)
	}
	size := info.DType.Size()
	return eachBlock(len(dst), func(at, n int) error {
		raw := make([]byte, n*size)
		if err := m.block(raw, name, info.DType, list, from+at, n); err != nil {
			return err
		}
		tensors.Widen(dst[at:at+n], raw, info.DType)
		return nil
	})
}

// block merges the elements from..from+n of a tensor and rounds them into raw.
// Where the base is not a number it stays what it is, payload and all.
func (m *Model) block(raw []byte, name string, d tensors.DType, list []active, from, n int) error {
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	values := b.narrow(n)
	if err := m.base.Read(values, name, from); err != nil {
		return err
	}
	broken := notNumbers(values)
	if wide(name, d, list) {
		sums := b.wide(n)
		for i, v := range values {
			sums[i] = float64(v)
		}
		for _, a := range list {
			if err := a.term.Delta.AddTo64(sums, name, from, a.alpha); err != nil {
				return err
			}
		}
		tensors.Round64(raw, sums, d)
	} else {
		for _, a := range list {
			if err := a.term.Delta.AddTo(values, name, from, float32(a.alpha)); err != nil {
				return err
			}
		}
		tensors.Round(raw, values, d)
	}
	for i, v := range broken {
		tensors.Round(raw[i*d.Size():(i+1)*d.Size()], []float32{v}, d)
	}
	return nil
}

// notNumbers finds the NaNs of a block; there are hardly ever any.
func notNumbers(values []float32) map[int]float32 {
	var found map[int]float32
	for i, v := range values {
		if v != v {
			if found == nil {
				found = map[int]float32{}
			}
			found[i] = v
		}
	}
	return found
}

// wide reports whether a tensor is merged in float64: if any side of it is
// stored in 32 bits.
func wide(name string, d tensors.DType, list []active) bool {
	return d.Size() > 2 || slices.ContainsFunc(list, func(a active) bool {
		info, _ := a.term.Delta.Info(name)
		return info.DType.Size() > 2
	})
}

// buffer is the scratch space of one block.
type buffer struct {
	f32 []float32
	f64 []float64
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func (b *buffer) narrow(n int) []float32 {
	if cap(b.f32) < n {
		b.f32 = make([]float32, n)
	}
	return b.f32[:n]
}

func (b *buffer) wide(n int) []float64 {
	if cap(b.f64) < n {
		b.f64 = make([]float64, n)
	}
	return b.f64[:n]
}

// eachBlock runs work over 0..n in blocks, on all processors, and returns the
// error of the lowest piece that failed.
func eachBlock(n int, work func(from, n int) error) error {
	blocks := (n + blockLen - 1) / blockLen
	failed := make([]error, blocks)
	kernel.Parallel(blocks, func(low, high int) {
		for i := low; i < high; i++ {
			if failed[i] = work(i*blockLen, min(blockLen, n-i*blockLen)); failed[i] != nil {
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
