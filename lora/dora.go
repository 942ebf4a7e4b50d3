package lora

import (
	"math"

	"surgeon/tensors"
)

// along is the output that an element belongs to.
func (c *changes) along(i int) int {
	if c.products[0].Layout == Conv1D {
		return i % c.columns
	}
	return i / c.columns
}

// normalise computes the norms of the changed weight, once, over blocks of rows.
func (d *delta) normalise(c *changes, name string) error {
	c.once.Do(func() {
		c.norms = make([]float64, len(c.magnitude))
		step := max(1, residualBlock/c.columns) * c.columns
		for from := 0; from < c.rows*c.columns && c.err == nil; from += step {
			n := min(step, c.rows*c.columns-from)
			values, base := make([]float64, n), make([]float64, n)
			if c.err = tensors.Read64(d.base, base, name, from); c.err == nil {
				c.err = c.add(values, base, from)
			}
			for i, v := range values {
				c.norms[c.along(from+i)] += (base[i] + v) * (base[i] + v)
			}
		}
		for i, v := range c.norms {
			c.norms[i] = math.Sqrt(v)
		}
	})
	return c.err
}
