package lora

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"surgeon/tensors"
)

// writable says why PEFT could not have an adapter.
func (a *Adapter) writable() error {
	dora := 0
	for _, l := range a.LowRank {
		if l.Magnitude != nil {
			dora++
		}
	}
	if dora != 0 && dora != len(a.LowRank) {
		return fmt.Errorf("%d of %d products have DoRA's magnitudes: in PEFT all have or none", dora, len(a.LowRank))
	}
	for _, r := range a.Replaced {
		if !strings.HasSuffix(r.Tensor, ".weight") && !strings.HasSuffix(r.Tensor, ".bias") {
			return fmt.Errorf("tensor %q is no weight and no bias of a module: PEFT cannot save it", r.Tensor)
		}
	}
	if len(a.LowRank)+len(a.Replaced)+len(a.Rows) == 0 {
		return errors.New("an adapter of nothing")
	}
	return a.consistent()
}

// ranked is an adapter of which no product has rank 0, which PEFT does not know.
func (a *Adapter) ranked() *Adapter {
	r := *a
	r.LowRank = nil
	for _, l := range a.LowRank {
		if l.Rank > 0 || l.Bias != nil || l.Magnitude != nil {
			r.LowRank = append(r.LowRank, l.Padded(1))
		}
	}
	return &r
}

// saved is an adapter as PEFT names its tensors. It implements tensors.Source.
type saved struct {
	path    string
	tensors map[string]tensor
}

// tensor is one tensor of an adapter's file: values that are stored in a type, or a
// tensor of a Source.
type tensor struct {
	shape  []int
	values []float32
	dtype  tensors.DType
	whole  *Replaced
}

func newSaved(a *Adapter) saved {
	s := saved{a.Path, map[string]tensor{}}
	biased := slices.ContainsFunc(a.LowRank, func(l LowRank) bool { return l.Bias != nil })
	for _, l := range slices.Concat(a.LowRank, a.tiedProducts()) {
		s.product(l, biased)
	}
	adapted := a.adapted()
	for _, r := range a.Replaced {
		name := prefix + r.Tensor
		if module := r.module(); adapted[module] {
			name = prefix + module + baseLayer + r.Tensor[len(module):]
		} else {
			s.bias(r)
		}
		info, _ := r.Values.Info(r.Name)
		s.tensors[name] = tensor{shape: info.Shape, dtype: info.DType, whole: &r}
		if a.Config.tiedHead(r.Tensor) {
			s.tensors[strings.Replace(name, r.module(), headModule, 1)] = s.tensors[name]
		}
	}
	for _, r := range a.Rows {
		s.tensors[prefix+moduleOf(r.Tensor)+tokenRows] = tensor{shape: []int{len(r.Index), r.Width}, values: r.Values, dtype: r.DType}
	}
	return s
}

// product adds the tensors of a product. Where one has a bias, all have.
func (s saved) product(l LowRank, biased bool) {
	module := prefix + moduleOf(l.Tensor)
	a, b := suffixA, suffixB
	if l.Layout == Embedding {
		a, b = embeddingA, embeddingB
	}
	s.tensors[module+a] = tensor{shape: []int{l.Rank, l.In}, values: l.A, dtype: l.DType}
	s.tensors[module+b] = tensor{shape: []int{l.Out, l.Rank}, values: l.B, dtype: l.DType}
	if l.Magnitude != nil {
		s.tensors[module+magnitude] = tensor{shape: []int{l.Out}, values: l.Magnitude, dtype: l.DType}
	}
	if biased && l.Layout != Embedding {
		if l.Bias == nil {
			l.Bias = make([]float32, l.Out)
		}
		s.tensors[module+suffixBias] = tensor{shape: []int{l.Out}, values: l.Bias, dtype: l.DType}
	}
}

// bias adds the bias of a module that is saved whole, if it is only its weight that
// is to be: PEFT loads all tensors of such a module or fails.
func (s saved) bias(r Replaced) {
	module, ok := strings.CutSuffix(r.Name, ".weight")
	name := prefix + biasOf(r.module())
	if info, has := r.Values.Info(biasOf(module)); ok && has && s.tensors[name].whole == nil {
		s.tensors[name] = tensor{shape: info.Shape, dtype: info.DType, whole: &Replaced{Values: r.Values, Name: biasOf(module)}}
	}
}

// tiedProducts are the products of a head that is tied to an embedding with factors,
// which PEFT saves too.
func (a *Adapter) tiedProducts() (list []LowRank) {
	for _, l := range a.LowRank {
		if l.Layout == Embedding && a.Config.tiedHead(l.Tensor) {
			list = append(list, l.transposed(weightOf(headModule)))
		}
	}
	return list
}

// Names implements tensors.Source.
func (s saved) Names() []string { return slices.Sorted(maps.Keys(s.tensors)) }

// Info implements tensors.Source.
func (s saved) Info(name string) (tensors.Info, bool) {
	t, ok := s.tensors[name]
	return tensors.Info{DType: t.dtype, Shape: t.shape}, ok
}

// ReadRaw implements tensors.Source.
func (s saved) ReadRaw(dst []byte, name string, at int64) error {
	t, ok := s.tensors[name]
	if !ok {
		return fmt.Errorf("%s: no tensor %q", s.path, name)
	}
	if t.whole != nil {
		return t.whole.Values.ReadRaw(dst, t.whole.Name, at)
	}
	size := t.dtype.Size()
	from := int(at) / size
	tensors.Round(dst, t.values[from:from+len(dst)/size], t.dtype)
	return nil
}

// Read implements tensors.Source.
func (s saved) Read(dst []float32, name string, from int) error {
	t, ok := s.tensors[name]
	if !ok {
		return fmt.Errorf("%s: no tensor %q", s.path, name)
	}
	if t.whole != nil {
		return t.whole.Values.Read(dst, t.whole.Name, from)
	}
	copy(dst, t.values[from:])
	return nil
}
