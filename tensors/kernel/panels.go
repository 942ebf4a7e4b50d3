package kernel

import (
	"encoding/binary"
	"fmt"
)

// A panel is 32 rows of a weight side by side: element [i][j] of panel p is
// weight[32p+j][i], and columns beyond the last row are zero.
const panelColumns = 32

// Panels is a weight [out, in] repacked for Multiply, in float32 or, with half
// the memory and, but for amx, the same results, in the bfloat16 that it is stored
// in. The
// zero value is ready to be packed; packing again reuses its memory.
type Panels struct {
	out, in int
	single  []float32 // [panels, in, 32]; empty if bf16
	// [panels, pairs, 32]: word [i][j] holds the elements [2i][j], in its low
	// half, and [2i+1][j]. Pairs beyond in are zero, up to whole steps.
	bf16 []uint32
}

// stepPairs is the number of pairs of a step: 32 elements of the inner
// dimension, which the tile instructions take at once.
const stepPairs = 16

// pairs is the number of pairs in a panel of bfloat16.
func pairs(in int) int { return (in + 2*stepPairs - 1) / (2 * stepPairs) * stepPairs }

// Shape returns the rows and columns of the weight that was packed.
func (p *Panels) Shape() (out, in int) { return p.out, p.in }

// Bytes is the memory that the packed weight takes.
func (p *Panels) Bytes() int64 { return 4 * int64(len(p.single)+len(p.bf16)) }

// PanelsBytes is the memory of a weight [out, in] once it is packed.
func PanelsBytes(out, in int, bf16 bool) int64 {
	depth := in
	if bf16 {
		depth = pairs(in)
	}
	return 4 * int64(panels(out)) * panelColumns * int64(depth)
}

// Pack packs a float32 weight [out, in].
func (p *Panels) Pack(weight []float32, out, in int) {
	check("weight of Pack", len(weight), out*in)
	p.Reset(out, in, false)
	p.Put(weight, 0)
}

// PackTransposed packs in float32 the weight [out, in] whose transpose is a matrix
// [in, out]: a row of a panel is 32 neighbours of a row of the matrix. By a weight
// [out, in] that Pack has packed, PackTransposed(weight, in, out) multiplies the
// other way, from the gradient of the product to that of its x.
func (p *Panels) PackTransposed(matrix []float32, out, in int) {
	check("matrix of PackTransposed", len(matrix), out*in)
	p.Reset(out, in, false)
	Parallel(in, func(low, high int) { p.putTransposed(matrix, out, low, high) })
}

// packTransposed is PackTransposed by one worker, of a matrix with rows stride
// apart.
func (p *Panels) packTransposed(matrix []float32, stride, out, in int) {
	p.Reset(out, in, false)
	p.putTransposed(matrix, stride, 0, in)
}

// putTransposed packs the rows low to high of the matrix whose transpose the
// weight is. They are stride apart.
func (p *Panels) putTransposed(matrix []float32, stride, low, high int) {
	for i := low; i < high; i++ {
		row := matrix[i*stride:][:p.out]
		for n := 0; n < p.out/panelColumns; n++ {
			*(*[panelColumns]float32)(p.single[(n*p.in+i)*panelColumns:]) = *(*[panelColumns]float32)(row[n*panelColumns:])
		}
		if p.out%panelColumns != 0 {
			line := p.single[(p.out/panelColumns*p.in+i)*panelColumns:][:panelColumns]
			clear(line[copy(line, row[p.out&^(panelColumns-1):]):])
		}
	}
}

// pack is Pack by one worker, of a weight with rows stride apart.
func (p *Panels) pack(weight []float32, stride, out, in int) {
	p.Reset(out, in, false)
	for n := range panels(out) {
		p.putPanel(n, weight[n*panelColumns*stride:], stride, min(panelColumns, out-n*panelColumns))
	}
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
		p.single, p.bf16 = p.single[:0], resize(p.bf16, panels(out)*pairs(in)*panelColumns)
		return
	}
	p.single, p.bf16 = resize(p.single, panels(out)*in*panelColumns), p.bf16[:0]
}

// PartRows is what the first row of a part is a multiple of.
const PartRows = panelColumns

// Put packs rows of a float32 weight from row first on, to the end of a panel or
// of the weight.
func (p *Panels) Put(rows []float32, first int) {
	low, count := p.part(len(rows), first)
	Parallel(panels(count), func(from, to int) {
		for n := from; n < to; n++ {
			p.putPanel(low+n, rows[n*panelColumns*p.in:], p.in, min(panelColumns, count-n*panelColumns))
		}
	})
}

// putPanel packs so many rows, which are stride apart, in panel n.
func (p *Panels) putPanel(n int, rows []float32, stride, count int) {
	panel := p.single[n*p.in*panelColumns : (n+1)*p.in*panelColumns]
	transpose(panel, panelColumns, rows, stride, count, p.in)
	for j := count; j < panelColumns; j++ {
		clearColumn(panel, j, 0)
	}
}

// PutBF16 packs rows of a weight of little-endian bfloat16 from row first on, to
// the end of a panel or of the weight.
func (p *Panels) PutBF16(raw []byte, first int) {
	in, depth := p.in, pairs(p.in)
	p.parts(len(raw)/2, first, func(n, j, row int) {
		panel := p.bf16[n*depth*panelColumns : (n+1)*depth*panelColumns]
		if row < 0 {
			clearColumn(panel, j, 0)
			return
		}
		line := raw[2*row*in : 2*(row+1)*in]
		for i := range in / 2 {
			panel[i*panelColumns+j] = binary.LittleEndian.Uint32(line[4*i:])
		}
		clearColumn(panel, j, in/2)
		if in%2 == 1 {
			panel[in/2*panelColumns+j] = uint32(binary.LittleEndian.Uint16(line[2*in-2:]))
		}
	})
}

// part is the first panel and the number of rows of a part of so many values.
func (p *Panels) part(values, first int) (low, rows int) {
	rows = values / max(1, p.in)
	if last := first + rows; first%panelColumns != 0 || last > p.out || last%panelColumns != 0 && last != p.out {
		panic(fmt.Sprintf("kernel: rows %d to %d are no part of a weight of %d", first, last, p.out))
	}
	return first / panelColumns, rows
}

// parts calls put for every column of the panels that a part of so many values
// fills, with the row of the part that goes there, or -1 for one beyond the
// weight.
func (p *Panels) parts(values, first int, put func(panel, column, row int)) {
	low, rows := p.part(values, first)
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

// clearColumn clears column j of a panel from row first on.
func clearColumn[T float32 | uint32](panel []T, j, first int) {
	for i := first*panelColumns + j; i < len(panel); i += panelColumns {
		panel[i] = 0
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
