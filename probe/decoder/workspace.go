package decoder

import (
	"slices"

	"gorgonia.org/tensor"

	"surgeon/probe/decoder/op"
)

// workspace is the memory that all graphs of a model share, since one runs at
// a time: the weights that are bound and the results of the operations, by
// name. However many graphs there are, for however many numbers of rows, there
// is one set of weights and one of activations.
type workspace struct {
	pass op.Pass // what the operations of the graphs look at beside their inputs
	see  seeing  // is shown what the projections of a block multiply; nil: nobody is

	buffers map[string][]float32
	packed  map[string]*panels
	raw     []byte // of a weight that is being packed
	final   *Model // whose weights behind the blocks are there
}

// take returns n values of a name's buffer, of any content; the buffer's next
// taker gets the same memory.
func (w *workspace) take(name string, n int) []float32 {
	if w.buffers == nil {
		w.buffers = map[string][]float32{}
	}
	if have := cap(w.buffers[name]); have < n {
		// Twice the size each time, so that smaller buffers which old graphs
		// still hold add up to no more than the newest.
		w.buffers[name] = make([]float32, max(n, min(2*have, 2*n)))
	}
	return w.buffers[name][:n]
}

// bytes returns n bytes of any content, the same ones every time.
func (w *workspace) bytes(n int) []byte {
	w.raw = slices.Grow(w.raw[:0], n)[:n]
	return w.raw
}

// panels returns the packed weight of a name, to be packed anew.
func (w *workspace) panels(name string) *panels {
	if w.packed == nil {
		w.packed = map[string]*panels{}
	}
	if w.packed[name] == nil {
		w.packed[name] = new(panels)
	}
	return w.packed[name]
}

// dense makes a tensor of values, without a copy.
func dense(values []float32, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))
}
