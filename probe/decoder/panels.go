package decoder

import (
	"fmt"
	"reflect"

	"gorgonia.org/tensor"

	"surgeon/probe/decoder/op"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// panels is a weight [out, in] as the linear operations take it: a matrix of
// float32 to gorgonia, packed for the kernel in fact, and kept in bfloat16 if
// that is how it is stored.
type panels struct{ kernel.Panels }

var _ op.Weight = (*panels)(nil)

// partBytes is what is read of a weight at a time.
const partBytes = 8 << 20

// pack reads a weight [out, in], the rows of a tensor from row on, into panels,
// part by part. A part is copied before it is packed: a mapped file that was
// truncated is an error in this goroutine and would be the end of the process in
// those that pack.
func (p *panels) pack(src tensors.Source, name string, row, out, in int, space *workspace) error {
	info, _ := src.Info(name)
	half := info.DType == tensors.BF16
	p.Reset(out, in, half)
	rows := max(1, partBytes/(4*in*kernel.PartRows)) * kernel.PartRows
	for first := 0; first < out; first += rows {
		n := min(rows, out-first)
		if half {
			raw := space.bytes(2 * n * in)
			if err := src.ReadRaw(raw, name, 2*int64(row+first)*int64(in)); err != nil {
				return err
			}
			p.PutBF16(raw, first)
			continue
		}
		values := space.take("unpacked", n*in)
		if err := src.Read(values, name, (row+first)*in); err != nil {
			return err
		}
		p.Put(values, first)
	}
	return nil
}

// Shape implements gorgonia.Value.
func (p *panels) Shape() tensor.Shape {
	out, in := p.Panels.Shape()
	return tensor.Shape{out, in}
}

// Size implements gorgonia.Value.
func (p *panels) Size() int { return p.Shape().TotalSize() }

// Data implements gorgonia.Value.
func (p *panels) Data() any { return &p.Panels }

// Dtype implements gorgonia.Value.
func (p *panels) Dtype() tensor.Dtype { return tensor.Float32 }

// Uintptr implements tensor.Memory.
func (p *panels) Uintptr() uintptr { return reflect.ValueOf(p).Pointer() }

// MemSize implements tensor.Memory.
func (p *panels) MemSize() uintptr { return uintptr(p.Bytes()) }

// Format implements fmt.Formatter.
func (p *panels) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "panels of %v", p.Shape()) }
