package train

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// Weights is a tensors.Source of float32 values in memory, which may be stored in
// a narrower type.
type Weights struct {
	names  []string
	values map[string][]float32
	shapes map[string][]int
	stored func(name string) tensors.DType // nil: all F32
}

var _ tensors.Source = (*Weights)(nil)

// NewWeights is a Source of no tensors, to which Put adds them.
func NewWeights() *Weights {
	return &Weights{values: map[string][]float32{}, shapes: map[string][]int{}}
}

// add adds a tensor, which shares the parameter's memory.
func (w *Weights) add(name string, p *parameter) { w.Put(name, p.shape, p.values) }

// Put adds a tensor, whose values it keeps and does not copy, or replaces it. It
// panics if they do not fill the shape.
func (w *Weights) Put(name string, shape []int, values []float32) {
	if n := tensor.Shape(shape).TotalSize(); len(values) != n {
		panic(fmt.Sprintf("train: %d values of tensor %q, whose shape %v has %d", len(values), name, shape, n))
	}
	if _, known := w.shapes[name]; !known {
		at, _ := slices.BinarySearch(w.names, name)
		w.names = slices.Insert(w.names, at, name)
	}
	w.values[name], w.shapes[name] = values, shape
}

// Names implements tensors.Source.
func (w *Weights) Names() []string { return w.names }

// Info implements tensors.Source.
func (w *Weights) Info(name string) (tensors.Info, bool) {
	shape, ok := w.shapes[name]
	if !ok {
		return tensors.Info{}, false
	}
	return tensors.Info{DType: w.dtype(name), Shape: shape}, true
}

func (w *Weights) dtype(name string) tensors.DType {
	if w.stored == nil {
		return tensors.F32
	}
	return w.stored(name)
}

// As is the same weights, each rounded to nearest into the type that stored says:
// F32, BF16 or F16.
func (w *Weights) As(stored func(name string) tensors.DType) *Weights {
	return &Weights{names: w.names, values: w.values, shapes: w.shapes, stored: stored}
}

// Clone is a copy, which no further step changes.
func (w *Weights) Clone() *Weights {
	c := &Weights{names: slices.Clone(w.names), values: map[string][]float32{}, shapes: maps.Clone(w.shapes), stored: w.stored}
	for name, values := range w.values {
		c.values[name] = slices.Clone(values)
	}
	return c
}

// Read implements tensors.Source.
func (w *Weights) Read(dst []float32, name string, from int) error {
	values, ok := w.values[name]
	if !ok {
		return fmt.Errorf("there is no tensor %q", name)
	}
	if from < 0 || from+len(dst) > len(values) {
		return fmt.Errorf("tensor %q has %d values: %d to %d were asked for", name, len(values), from, from+len(dst))
	}
	values = values[from : from+len(dst)]
	round, widen := kernel.RoundBF16, kernel.WidenBF16
	switch w.dtype(name) {
	case tensors.BF16:
	case tensors.F16:
		round, widen = kernel.RoundF16, kernel.WidenF16
	default:
		copy(dst, values)
		return nil
	}
	raw := make([]byte, 2*len(dst))
	round(raw, values)
	widen(dst, raw)
	return nil
}

// ReadRaw implements tensors.Source.
func (w *Weights) ReadRaw(dst []byte, name string, at int64) error {
	info, ok := w.Info(name)
	if !ok {
		return fmt.Errorf("there is no tensor %q", name)
	}
	size := int64(info.DType.Bits() / 8)
	if at < 0 || at%size != 0 || int64(len(dst))%size != 0 || at+int64(len(dst)) > info.Bytes() {
		return fmt.Errorf("tensor %q has %d bytes: %d to %d were asked for", name, info.Bytes(), at, at+int64(len(dst)))
	}
	values := w.values[name][at/size : (at+int64(len(dst)))/size]
	switch info.DType {
	case tensors.BF16:
		kernel.RoundBF16(dst, values)
	case tensors.F16:
		kernel.RoundF16(dst, values)
	default:
		kernel.EncodeF32(dst, values)
	}
	return nil
}

// Weights is the model as it is now, which further steps change.
func (r *Run) Weights() *Weights {
	w := NewWeights()
	for _, p := range r.parameters {
		if !p.adapts() {
			w.add(p.name, p)
		}
	}
	return w
}

// Initialise draws the weights of a new model: matrices normal with a standard
// deviation, those that write into the residual stream divided by the root of
// twice the number of layers (Radford et al., Language Models are Unsupervised
// Multitask Learners, 2019), norms 1 and biases 0. The same seed gives the same
// bits everywhere.
func Initialise(c decoder.Config, deviation float64, seed uint64) *Weights {
	w := NewWeights()
	for _, t := range c.Tensors() {
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		values := make([]float32, n)
		part := tensors.KeyOf(t.Name).Part
		size := deviation
		if part == "self_attn.o_proj" || part == "mlp.down_proj" {
			size /= math.Sqrt(2 * float64(c.Layers))
		}
		draw := newRandom(seed, t.Name)
		kernel.Parallel(n, func(low, high int) {
			for i := low; i < high; i++ {
				switch {
				case len(t.Shape) == 2:
					values[i] = float32(size * float64(draw.normal(i)))
				case !strings.HasSuffix(t.Name, ".bias"):
					values[i] = 1
				}
			}
		})
		w.Put(t.Name, t.Shape, values)
	}
	return w
}
