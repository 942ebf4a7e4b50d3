package lora

import (
	"fmt"
	"slices"
	"sync"

	"surgeon/tensors"
)

// Over is what an adapter adds to a base, as a Delta that computes what is asked
// for: products in float32 chains of package kernel, scaled and added in float64.
// The base is read only where something takes its place: DoRA, whole tensors, rows.
// It is an error, which names tensor and shapes, if the base is not the one that the
// adapter is for.
func (a *Adapter) Over(base tensors.Source) (tensors.Delta, error) {
	d := a.laid(base).delta(base)
	for _, name := range d.names {
		if err := missing(base, name); err != nil {
			return nil, fmt.Errorf("%s: %w", a.Path, err)
		}
	}
	if err := tensors.Fit(base, d); err != nil {
		return nil, fmt.Errorf("%s: %w", a.Path, err)
	}
	for _, r := range a.Rows {
		info, _ := base.Info(r.Tensor)
		for _, i := range r.Index {
			if i < 0 || i >= info.Shape[0] {
				return nil, fmt.Errorf("%s: trains row %d of tensor %q, which has %d rows in the base", a.Path, i, r.Tensor, info.Shape[0])
			}
		}
	}
	return d, nil
}

// Products are the products of an adapter as a Delta that needs no base. It panics
// if there is a product with DoRA.
func (a *Adapter) Products() tensors.Delta {
	for _, l := range a.LowRank {
		if l.Magnitude != nil {
			panic("lora: DoRA is no product")
		}
	}
	return (&Adapter{Path: a.Path, LowRank: a.LowRank}).delta(nil)
}

// delta is an adapter over a base. It implements tensors.Delta.
type delta struct {
	path  string
	base  tensors.Source
	names []string
	parts map[string]*changes
}

// changes are what an adapter does to one tensor: what takes the base's place comes
// first, then what is added, then DoRA's norms, then rows.
type changes struct {
	rows, columns int // of the tensor
	shape         []int
	replaced      *Replaced
	products      []*product
	bias          []float32 // to be added, scaled
	sparse        []Sparse
	magnitude     []float32
	tokens        *Rows

	once  sync.Once // of norms
	norms []float64 // of the rows (of a Conv1D the columns) of the changed weight
	err   error
}

func (a *Adapter) delta(base tensors.Source) *delta {
	d := &delta{path: a.Path, base: base, parts: map[string]*changes{}}
	at := func(tensor string, shape ...int) *changes {
		c := d.parts[tensor]
		if c == nil {
			c = &changes{shape: slices.Clone(shape), rows: 1, columns: shape[len(shape)-1]}
			for _, n := range shape[:len(shape)-1] {
				c.rows *= n
			}
			d.parts[tensor] = c
			d.names = append(d.names, tensor)
		}
		return c
	}
	for _, r := range a.Replaced {
		info, _ := r.Values.Info(r.Name)
		if shape := info.Shape; len(shape) > 0 {
			at(r.Tensor, shape...).replaced = &r
		} else {
			at(r.Tensor, 1).replaced = &r
		}
	}
	for _, l := range a.LowRank {
		rows, columns := l.shape()
		c := at(l.Tensor, rows, columns)
		c.products = append(c.products, &product{LowRank: l})
		c.magnitude = l.Magnitude
		if l.Bias != nil {
			scaled := make([]float32, l.Out)
			for i, v := range l.Bias {
				scaled[i] = float32(l.Scale * float64(v))
			}
			at(biasOf(moduleOf(l.Tensor)), l.Out).bias = scaled
		}
	}
	for _, s := range a.Sparse {
		if info, ok := base.Info(s.Tensor); s.Shape == nil && ok && len(info.Shape) > 0 {
			s.Shape = info.Shape
		}
		if s.Shape == nil {
			s.Shape = []int{0}
		}
		c := at(s.Tensor, s.Shape...)
		c.sparse = append(c.sparse, s)
	}
	for _, r := range a.Rows {
		if d.parts[r.Tensor] == nil {
			info, _ := base.Info(r.Tensor)
			shape := []int{0, r.Width}
			if len(info.Shape) == 2 {
				shape[0] = info.Shape[0]
			}
			at(r.Tensor, shape...)
		}
		d.parts[r.Tensor].tokens = &r
	}
	slices.Sort(d.names)
	return d
}

// Names implements tensors.Delta.
func (d *delta) Names() []string { return d.names }

// Info implements tensors.Delta: differences count as 32-bit values, so that what
// they are added to is merged in float64.
func (d *delta) Info(name string) (tensors.Info, bool) {
	c, ok := d.parts[name]
	if !ok {
		return tensors.Info{}, false
	}
	return tensors.Info{DType: tensors.F32, Shape: c.shape}, true
}

// AddTo implements tensors.Delta. The difference is rounded to float32 before alpha
// is applied.
func (d *delta) AddTo(dst []float32, name string, from int, alpha float32) error {
	values, err := d.values(name, from, len(dst))
	for i, v := range values {
		if v != 0 {
			dst[i] += float32(alpha * float32(v))
		}
	}
	return err
}

// AddTo64 implements tensors.Delta, without that rounding.
func (d *delta) AddTo64(dst []float64, name string, from int, alpha float64) error {
	values, err := d.values(name, from, len(dst))
	for i, v := range values {
		if v != 0 {
			dst[i] += float64(alpha * v)
		}
	}
	return err
}

// values are n elements of the difference of a tensor.
func (d *delta) values(name string, from, n int) ([]float64, error) {
	c, ok := d.parts[name]
	if !ok {
		return nil, fmt.Errorf("%s: does not adapt tensor %q", d.path, name)
	}
	if from < 0 || n > c.rows*c.columns-from {
		return nil, fmt.Errorf("%s: tensor %q: elements %d to %d are outside shape %v", d.path, name, from, from+n-1, c.shape)
	}
	values := make([]float64, n)
	var base []float64
	if c.replaced != nil || c.magnitude != nil || c.tokens != nil {
		base = make([]float64, n)
		if err := tensors.Read64(d.base, base, name, from); err != nil {
			return nil, err
		}
	}
	if err := c.add(values, base, from); err != nil {
		return nil, err
	}
	if c.magnitude != nil {
		if err := d.normalise(c, name); err != nil {
			return nil, err
		}
		for i := range values {
			along := c.along(from + i)
			values[i] = float64(c.magnitude[along])*(base[i]+values[i])/c.norms[along] - base[i]
		}
	}
	if c.tokens != nil {
		c.setRows(values, base, from)
	}
	return values, nil
}

// add adds what takes the base's place, products, biases and single elements.
func (c *changes) add(values, base []float64, from int) error {
	if c.replaced != nil {
		if err := tensors.Read64(c.replaced.Values, values, c.replaced.Name, from); err != nil {
			return err
		}
		for i := range values {
			values[i] -= base[i]
		}
	}
	for _, p := range c.products {
		p.addTo(values, from)
	}
	for i := range values {
		if c.bias != nil {
			values[i] += float64(c.bias[from+i])
		}
	}
	for _, s := range c.sparse {
		s.each(from, len(values), func(i int, v float32) { values[i] += float64(v) })
	}
	return nil
}

// setRows puts rows in the base's place.
func (c *changes) setRows(values, base []float64, from int) {
	for k, row := range c.tokens.Index {
		low, high := max(from, row*c.columns), min(from+len(values), (row+1)*c.columns)
		for i := low; i < high; i++ {
			values[i-from] = float64(c.tokens.Values[k*c.columns+i-row*c.columns]) - base[i-from]
		}
	}
}
