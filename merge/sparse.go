package merge

import (
	"sync"

	"surgeon/tensors"
)

// sparse is a Delta of which only some elements are kept, multiplied by scale.
// It implements tensors.Delta.
type sparse struct {
	tensors.Delta
	scale float64
	// kept reports which of the elements of a tensor from an index on are kept,
	// given what they are.
	kept func(name string, from int, values []float64) ([]bool, error)
}

// AddTo implements tensors.Delta.
func (s *sparse) AddTo(dst []float32, name string, from int, alpha float32) error {
	values := make([]float32, len(dst))
	kept, err := s.mask(name, from, len(dst))
	if err == nil {
		err = s.Delta.AddTo(values, name, from, 1)
	}
	if err != nil {
		return err
	}
	factor := float32(float64(alpha) * s.scale)
	for i, keep := range kept {
		if keep && values[i] != 0 {
			dst[i] += float32(factor * values[i]) // the conversion forbids a fused multiply-add
		}
	}
	return nil
}

// AddTo64 implements tensors.Delta.
func (s *sparse) AddTo64(dst []float64, name string, from int, alpha float64) error {
	values := make([]float64, len(dst))
	if err := s.Delta.AddTo64(values, name, from, 1); err != nil {
		return err
	}
	kept, err := s.kept(name, from, values)
	if err != nil {
		return err
	}
	factor := alpha * s.scale
	for i, keep := range kept {
		if keep && values[i] != 0 {
			dst[i] += float64(factor * values[i])
		}
	}
	return nil
}

// mask reports which elements are kept; that is decided by their float64.
func (s *sparse) mask(name string, from, n int) ([]bool, error) {
	values := make([]float64, n)
	if err := s.Delta.AddTo64(values, name, from, 1); err != nil {
		return nil, err
	}
	return s.kept(name, from, values)
}

// Drop keeps every element with probability density and multiplies what it keeps
// by 1/density, so that the expectation of every element is its difference (DARE:
// Yu et al., arXiv 2311.03099). What is kept depends on the seed, the tensor's
// name and the element's index alone. It panics unless 0 < density <= 1.
func Drop(d tensors.Delta, density float64, seed uint64) tensors.Delta {
	checkDensity(density)
	return &sparse{Delta: d, scale: 1 / density, kept: func(name string, from int, values []float64) ([]bool, error) {
		random, kept := newStream(seed, name), make([]bool, len(values))
		for i := range kept {
			kept[i] = random.uniform(from+i) < density
		}
		return kept, nil
	}}
}

// Trim keeps the elements of largest magnitude: of every tensor of n elements
// the max(1, floor(density n)) largest, those with the lower index among equals
// (the trimming of TIES: Yadav et al., arXiv 2306.01708, tensor by tensor as
// mergekit has it; of one task vector its sign election changes nothing). What
// is kept is not rescaled. The first read of a tensor reads all of it, several
// times. It panics unless 0 < density <= 1.
func Trim(d tensors.Delta, density float64) tensors.Delta {
	checkDensity(density)
	var lock sync.Mutex
	cuts := map[string]*cut{}
	return &sparse{Delta: d, scale: 1, kept: func(name string, from int, values []float64) ([]bool, error) {
		lock.Lock()
		c := cuts[name]
		if c == nil {
			c = &cut{}
			cuts[name] = c
		}
		lock.Unlock()
		if err := c.find(d, name, density); err != nil {
			return nil, err
		}
		kept := make([]bool, len(values))
		for i, v := range values {
			m := magnitude(v)
			kept[i] = m > c.magnitude || m == c.magnitude && from+i <= c.last
		}
		return kept, nil
	}}
}

func checkDensity(density float64) {
	if !(density > 0 && density <= 1) {
		panic("merge: a density must lie above 0 and not above 1")
	}
}
