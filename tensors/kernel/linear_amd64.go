package kernel

import "golang.org/x/sys/cpu"

// vectors says that the processor has what the assembly here needs. Every
// processor with AVX2 so far has the fused multiply-add and the half-precision
// conversions of F16C too.
var vectors = cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasF16C

// The width of a tile of columns, and the number of rows that share one read
// of it.
const (
	panelColumns = 16
	panelRows    = 6
)

//go:noescape
func tile6x16(dst *float32, dstStride uintptr, x *float32, xStride uintptr, panel *float32, in int)

//go:noescape
func tile1x16(dst *float32, x *float32, panel *float32, in int)

// linearColumns computes the columns low to high of Linear, without bias: 16
// at a time, their weights copied side by side first.
func linearColumns(dst, x, weight []float32, rows, in, out, low, high int) {
	if !vectors || in == 0 {
		linearColumnsPlain(dst, x, weight, rows, in, out, low, high)
		return
	}
	panel := make([]float32, in*panelColumns) // [in, 16]
	var tile [panelRows * panelColumns]float32
	for column := low; column < high; column += panelColumns {
		width := min(panelColumns, high-column)
		pack(panel, weight[column*in:(column+width)*in], in, width)
		row := 0
		for ; row+panelRows <= rows; row += panelRows {
			if width == panelColumns {
				tile6x16(&dst[row*out+column], uintptr(4*out), &x[row*in], uintptr(4*in), &panel[0], in)
				continue
			}
			tile6x16(&tile[0], 4*panelColumns, &x[row*in], uintptr(4*in), &panel[0], in)
			for r := range panelRows {
				copy(dst[(row+r)*out+column:(row+r)*out+column+width], tile[r*panelColumns:])
			}
		}
		for ; row < rows; row++ {
			tile1x16(&tile[0], &x[row*in], &panel[0], in)
			copy(dst[row*out+column:row*out+column+width], tile[:])
		}
	}
}

// pack transposes width rows of weights into the columns of a panel:
// panel[i][c] = weight[c][i]. Columns from width on keep what they hold, and
// nobody reads what is computed from them.
func pack(panel, weight []float32, in, width int) {
	for c := range width {
		w := weight[c*in : (c+1)*in]
		for i, v := range w {
			panel[i*panelColumns+c] = v
		}
	}
}
