package kernel

import "fmt"

// A panel is 32 rows of a weight side by side: element [i][j] of panel p is
// weight[32p+j][i], and columns beyond the last row are zero.
const (
	panelColumns = 32
	panelHalf    = panelColumns / 2
)

// Panels is a weight [out, in] repacked for Multiply, in float32 or, with half
// the memory and the same results, in the bfloat16 that it is stored in. The
// zero value is ready to be packed; packing again reuses its memory.
type Panels struct {
	out, in int
	single  []float32 // [panels, in, 32]; empty if bf16
	// [panels, in, 32]; of each 32 the columns j and 16+j stand together, so
	// that one load of 32-bit words holds two vectors of neighbours.
	bf16 []uint16
}

// Shape returns the rows and columns of the weight that was packed.
func (p *Panels) Shape() (out, in int) { return p.out, p.in }

// Bytes is the memory that the packed weight takes.
func (p *Panels) Bytes() int64 { return 4*int64(len(p.single)) + 2*int64(len(p.bf16)) }

// PanelsBytes is the memory of a weight [out, in] once it is packed.
func PanelsBytes(out, in int, bf16 bool) int64 {
	size := int64(4)
	if bf16 {
		size = 2
	}
	return size * int64(panels(out)) * panelColumns * int64(in)
}

// Pack packs a float32 weight [out, in].
func (p *Panels) Pack(weight []float32, out, in int) {
	check("weight of Pack", len(weight), out*in)
	p.Reset(out, in, false)
	p.Put(weight, 0)
}

// PackBF16 packs a weight [out, in] of little-endian bfloat16.
func (p *Panels) PackBF16(raw []byte, out, in int) {
	check("raw of PackBF16", len(raw), 2*out*in)
	p.Reset(out, in, true)
	p.PutBF16(raw, 0)
}

// Reset makes room for a weight [out, in], to be packed in parts by Put, or by
// PutBF16 if it is of bfloat16.
func (p *Panels) Reset(out, in int, bf16 bool) {
	p.out, p.in = out, in
	if bf16 {
		p.single, p.bf16 = p.single[:0], resize(p.bf16, panels(out)*in*panelColumns)
		return
	}
	p.single, p.bf16 = resize(p.single, panels(out)*in*panelColumns), p.bf16[:0]
}

// PartRows is what the first row of a part is a multiple of.
const PartRows = panelColumns

// Put packs rows of a float32 weight from row first on, to the end of a panel or
// of the weight.
func (p *Panels) Put(rows []float32, first int) {
	in := p.in
	p.parts(len(rows), first, func(n, j, row int) {
		panel := p.single[n*in*panelColumns : (n+1)*in*panelColumns]
		if row < 0 {
			fillColumn(panel, j, 0)
			return
		}
		for i, v := range rows[row*in : (row+1)*in] {
			panel[i*panelColumns+j] = v
		}
	})
}

// PutBF16 packs rows of a weight of little-endian bfloat16 from row first on, to
// the end of a panel or of the weight.
func (p *Panels) PutBF16(raw []byte, first int) {
	in := p.in
	p.parts(len(raw)/2, first, func(n, j, row int) {
		panel, place := p.bf16[n*in*panelColumns:(n+1)*in*panelColumns], 2*(j%panelHalf)+j/panelHalf
		if row < 0 {
			fillColumn(panel, place, 0)
			return
		}
		line := raw[2*row*in : 2*(row+1)*in]
		for i := range in {
			panel[i*panelColumns+place] = uint16(line[2*i]) | uint16(line[2*i+1])<<8
		}
	})
}

// parts calls put for every column of the panels that a part of so many values
// fills, with the row of the part that goes there, or -1 for one beyond the
// weight.
func (p *Panels) parts(values, first int, put func(panel, column, row int)) {
	rows := values / max(1, p.in)
	if last := first + rows; first%panelColumns != 0 || last > p.out || last%panelColumns != 0 && last != p.out {
		panic(fmt.Sprintf("kernel: rows %d to %d are no part of a weight of %d", first, last, p.out))
	}
	low := first / panelColumns
	Parallel(panels(rows), func(from, to int) {
		for n := from; n < to; n++ {
			for j := range panelColumns {
				row := n*panelColumns + j
				if row >= rows {
					row = -1
				}
				put(low+n, j, row)
			}
		}
	})
}

// panels is the number of panels that hold out rows of a weight.
func panels(out int) int { return (out + panelColumns - 1) / panelColumns }

func fillColumn[T any](panel []T, j int, value T) {
	for i := j; i < len(panel); i += panelColumns {
		panel[i] = value
	}
}

// resize returns n elements of any content, in the memory of s if that is
// enough.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// zeros is resize with every element 0.
func zeros(s []float32, n int) []float32 {
	s = resize(s, n)
	clear(s)
	return s
}
