package kernel

import "runtime"

// gradientRows is about the number of rows of a weight whose gradient is computed
// together: four of AVX-512's highest tiles.
const gradientRows = 4 * 14

// WeightGradient is the gradient of a product by its weight (Rumelhart, Hinton
// and Williams, Nature 323, 1986):
//
//	dst[o][i] = sum over r of gradient[r][o] * x[r][i]
//
// for y = Multiply of x by a weight [out, in] and the gradient of a loss by y. dst
// is [out, in], gradient [rows, out], x [rows, in]. The sums are in the chains of
// Multiply, over rows. The gradient by x is the product of gradient and the
// weight that PackTransposed(weight, in, out) packs.
func WeightGradient(dst, gradient, x []float32, rows, out, in int) {
	check("x of WeightGradient", len(x), rows*in)
	p := packs.Get().(*Panels)
	defer packs.Put(p)
	p.PackTransposed(x, in, rows)
	p.WeightGradient(dst, gradient, out)
}

// WeightGradient is the function of that name for the x [rows, in] that
// PackTransposed(x, in, rows) has packed.
func (p *Panels) WeightGradient(dst, gradient []float32, out int) {
	in, rows := p.out, p.in
	check("dst of WeightGradient", len(dst), out*in)
	check("gradient of WeightGradient", len(gradient), rows*out)
	if rows == 0 {
		clear(dst)
		return
	}
	inTurn(out, gradientStep(out), func(low, high int) {
		a := arrangements.Get().(*arranged)
		defer arrangements.Put(a)
		a.blocks = resize(a.blocks, blocksOf(high-low, rows))
		transposeBlocks(a.blocks, gradient[low:], out, rows, high-low)
		for n := 0; n < panels(in); n += mostPanels {
			p.columns(dst[low*in:high*in], in, a.blocks, high-low, n, min(n+mostPanels, panels(in)), rows, false)
		}
	})
}

// gradientStep is the number of rows of a weight of so many whose gradient is
// computed together: about as many for every worker, and whole groups for the
// transposition.
func gradientStep(out int) int {
	workers := runtime.GOMAXPROCS(0)
	pieces := ((out+gradientRows-1)/gradientRows + workers - 1) / workers * workers
	return max(8, ((out+pieces-1)/max(1, pieces)+7)&^7)
}
