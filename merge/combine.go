package merge

import (
	"fmt"
	"math"
	"slices"

	"surgeon/tensors"
)

// combined is a Delta made of several, element by element. It implements
// tensors.Delta.
type combined struct {
	names []string
	terms []weighted
	// of is an element of the result, given the weighted elements of the terms and
	// their weights.
	of func(elements, weights []float64) float64
}

// weighted is a Delta and its weight in a combination.
type weighted struct {
	tensors.Delta
	weight float64
}

// Sum is the weighted sum of task vectors: of each tensor, over those that change
// it. There is one weight for each, or it panics. The error names a tensor that
// two of them have in different shapes.
func Sum(list []tensors.Delta, weights []float64) (tensors.Delta, error) {
	return combine(list, weights, func(elements, _ []float64) (sum float64) {
		for _, v := range elements {
			sum += v
		}
		return sum
	})
}

// Ties is the election and disjoint mean of TIES (Yadav et al., arXiv 2306.01708,
// algorithm 1, steps 2 and 3, with weights as mergekit has them): of each element
// the sign of the weighted sum is elected, plus for a sum of 0, and the elements of
// that sign are averaged, by the sizes of their weights. Its step 1 is Trim of each
// task vector. There is one weight for each, or it panics. The error names a tensor
// that two of them have in different shapes.
func Ties(list []tensors.Delta, weights []float64) (tensors.Delta, error) {
	return combine(list, weights, func(elements, weights []float64) float64 {
		elected, sum, total := 0.0, 0.0, 0.0
		for _, v := range elements {
			elected += v
		}
		for i, v := range elements {
			if v != 0 && (v > 0) == (elected >= 0) {
				sum += v
				total += math.Abs(weights[i])
			}
		}
		if total == 0 {
			return 0
		}
		return sum / total
	})
}

func combine(list []tensors.Delta, weights []float64, of func(elements, weights []float64) float64) (tensors.Delta, error) {
	if len(list) != len(weights) {
		panic(fmt.Sprintf("merge: %d task vectors and %d weights", len(list), len(weights)))
	}
	c := &combined{of: of}
	seen := map[string]tensors.Info{}
	for i, d := range list {
		c.terms = append(c.terms, weighted{d, weights[i]})
		for _, name := range d.Names() {
			info, _ := d.Info(name)
			before, ok := seen[name]
			if !ok {
				seen[name] = info
				c.names = append(c.names, name)
			} else if !slices.Equal(before.Shape, info.Shape) {
				return nil, fmt.Errorf("tensor %q is changed as %v by one task vector and as %v by another: they are not of one base", name, before.Shape, info.Shape)
			}
		}
	}
	slices.Sort(c.names)
	return c, nil
}

// Names implements tensors.Delta.
func (c *combined) Names() []string { return c.names }

// Info implements tensors.Delta: the widest type of the terms.
func (c *combined) Info(name string) (info tensors.Info, ok bool) {
	for _, t := range c.terms {
		if one, has := t.Info(name); has && (!ok || one.DType.Bits() > info.DType.Bits()) {
			info, ok = one, true
		}
	}
	return info, ok
}

// AddTo implements tensors.Delta.
func (c *combined) AddTo(dst []float32, name string, from int, alpha float32) error {
	return c.each(name, from, len(dst), func(i int, v float64) { dst[i] += float32(float64(alpha) * v) })
}

// AddTo64 implements tensors.Delta.
func (c *combined) AddTo64(dst []float64, name string, from int, alpha float64) error {
	return c.each(name, from, len(dst), func(i int, v float64) { dst[i] += float64(alpha * v) })
}

// each calls add with the elements that are not zero.
func (c *combined) each(name string, from, n int, add func(i int, v float64)) error {
	info, ok := c.Info(name)
	if !ok {
		return fmt.Errorf("no task vector changes tensor %q", name)
	}
	if from < 0 || n > info.Len()-from {
		return fmt.Errorf("tensor %q: elements %d to %d are outside shape %v", name, from, from+n-1, info.Shape)
	}
	var columns [][]float64
	var weights []float64
	for _, t := range c.terms {
		if _, ok := t.Info(name); !ok {
			continue
		}
		values := make([]float64, n)
		if err := t.AddTo64(values, name, from, t.weight); err != nil {
			return err
		}
		columns, weights = append(columns, values), append(weights, t.weight)
	}
	elements := make([]float64, len(columns))
	for i := range n {
		for k := range columns {
			elements[k] = columns[k][i]
		}
		if v := c.of(elements, weights); v != 0 {
			add(i, v)
		}
	}
	return nil
}

// Scaled is a task vector whose tensors are each multiplied by a factor.
func Scaled(d tensors.Delta, factor Alpha) tensors.Delta { return &scaled{d, factor} }

// scaled implements tensors.Delta.
type scaled struct {
	tensors.Delta
	factor Alpha
}

// AddTo implements tensors.Delta.
func (s *scaled) AddTo(dst []float32, name string, from int, alpha float32) error {
	f := s.factor(name)
	if f == 0 {
		return nil
	}
	return s.Delta.AddTo(dst, name, from, float32(float64(alpha)*f))
}

// AddTo64 implements tensors.Delta.
func (s *scaled) AddTo64(dst []float64, name string, from int, alpha float64) error {
	f := s.factor(name)
	if f == 0 {
		return nil
	}
	return s.Delta.AddTo64(dst, name, from, alpha*f)
}

// Cap is the factor of every tensor that keeps its change within a share of the
// base's Frobenius norm: min(1, limit * ||W|| / ||D||), as projected fine-tuning
// does it after the fact (Gouk et al., arXiv 2002.08253, whose constraint it is).
// It panics unless limit is above 0.
func Cap(limit float64, baseNorm, deltaNorm float64) float64 {
	if !(limit > 0) {
		panic("merge: a cap must lie above 0")
	}
	if deltaNorm <= limit*baseNorm {
		return 1
	}
	return math.Min(1, limit*baseNorm/deltaNorm)
}
