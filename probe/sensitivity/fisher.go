package sensitivity

import (
	"context"
	"fmt"
	"slices"

	"surgeon/probe/decoder"
	"surgeon/probe/train"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// Diagonal is one number for every weight of a model, as a tensors.Source of F64:
// so it is written to a file and read from one like a model, and
// merge.PrecisionOf makes of it what merge.Fisher takes.
type Diagonal struct {
	Examples int     // that it is the mean of
	Tokens   int     // of them that are learned
	Loss     float64 // of the model on them, nats a token

	names  []string
	values map[string][]float64
	shapes map[string][]int
}

var _ tensors.Source = (*Diagonal)(nil)

// Fisher is the empirical diagonal Fisher information of a model: for every weight
// the mean over examples of the squared gradient of the log-likelihood of the
// example's learned tokens together, in nats^2 per weight^2,
//
//	F_j = 1/N sum over examples i of (d log p(y_i | x_i) / d w_j)^2
//
// (Matena and Raffel, arXiv 2111.09832, equation 3, with the answers that examples
// have in the place of ones drawn from the model; Kunstner et al., arXiv
// 1905.12558, say how that differs: it is next to nothing of examples that the model
// knows by heart, so that the few others decide). Examples without a learned token
// count as zeros. It takes 8 bytes a weight, which GradientOptions.Memory counts. The
// errors are those of train.NewGradients and Gradients.Each.
func Fisher(ctx context.Context, c decoder.Config, src tensors.Source, examples []train.Example, opt train.GradientOptions) (*Diagonal, error) {
	g, err := train.NewGradients(c, src, opt)
	if err != nil {
		return nil, err
	}
	d := zeros(c)
	d.Examples, d.Tokens = len(examples), learned(examples)
	d.Loss, err = g.Each(ctx, examples, func(_ int, name string, gradient []float32) {
		sum := d.values[name]
		kernel.Parallel(len(sum), func(low, high int) {
			for i := low; i < high; i++ {
				sum[i] += float64(float64(gradient[i]) * float64(gradient[i]))
			}
		})
	})
	if err != nil {
		return nil, err
	}
	return d.divided(float64(len(examples))), nil
}

// zeros is a Diagonal of a model's tensors.
func zeros(c decoder.Config) *Diagonal {
	d := &Diagonal{values: map[string][]float64{}, shapes: map[string][]int{}}
	for _, t := range c.Tensors() {
		d.names, d.values[t.Name], d.shapes[t.Name] = append(d.names, t.Name), make([]float64, tensors.Info{Shape: t.Shape}.Len()), t.Shape
	}
	slices.Sort(d.names)
	return d
}

// learned is the number of tokens that examples teach; the first of an example has
// nothing before it to be told from.
func learned(examples []train.Example) (n int) {
	for _, e := range examples {
		for i, l := range e.Learned {
			if l && i > 0 {
				n++
			}
		}
	}
	return n
}

// divided divides all values.
func (d *Diagonal) divided(by float64) *Diagonal {
	for _, name := range d.names {
		for i := range d.values[name] {
			d.values[name][i] /= by
		}
	}
	return d
}

// Sum is that of all values: the squared length of an example's gradient, on
// average.
func (d *Diagonal) Sum() (sum float64) {
	for _, name := range d.names {
		sum += d.SumOf(name)
	}
	return sum
}

// SumOf is the sum of the values of a tensor, 0 if there is none.
func (d *Diagonal) SumOf(name string) (sum float64) {
	for _, v := range d.values[name] {
		sum += v
	}
	return sum
}

// Normalised is the same with the sum 1, so that it can be weighed against that of
// another model or other examples. One of zeros stays as it is.
func (d *Diagonal) Normalised() *Diagonal {
	n := *d
	n.values = map[string][]float64{}
	for name, values := range d.values {
		n.values[name] = slices.Clone(values)
	}
	if sum := d.Sum(); sum > 0 {
		n.divided(sum)
	}
	return &n
}

// Names implements tensors.Source.
func (d *Diagonal) Names() []string { return d.names }

// Info implements tensors.Source.
func (d *Diagonal) Info(name string) (tensors.Info, bool) {
	shape, ok := d.shapes[name]
	if !ok {
		return tensors.Info{}, false
	}
	return tensors.Info{DType: tensors.F64, Shape: shape}, true
}

// part are the values from, from+1, ... of a tensor, n of them.
func (d *Diagonal) part(name string, from, n int) ([]float64, error) {
	values, ok := d.values[name]
	if !ok {
		return nil, fmt.Errorf("there is no tensor %q", name)
	}
	if from < 0 || n > len(values)-from {
		return nil, fmt.Errorf("tensor %q has %d values: %d to %d were asked for", name, len(values), from, from+n-1)
	}
	return values[from : from+n], nil
}

// Read implements tensors.Source.
func (d *Diagonal) Read(dst []float32, name string, from int) error {
	values, err := d.part(name, from, len(dst))
	for i, v := range values {
		dst[i] = float32(v)
	}
	return err
}

// ReadRaw implements tensors.Source.
func (d *Diagonal) ReadRaw(dst []byte, name string, at int64) error {
	if at%8 != 0 || len(dst)%8 != 0 {
		return fmt.Errorf("tensor %q: bytes %d to %d are not whole elements of F64", name, at, at+int64(len(dst)))
	}
	values, err := d.part(name, int(at/8), len(dst)/8)
	if err != nil {
		return err
	}
	tensors.Round64(dst, values, tensors.F64)
	return nil
}
