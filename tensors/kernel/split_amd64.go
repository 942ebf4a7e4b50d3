package kernel

// split cuts 32 values of x for each of so many steps.
func split(dst []uint16, x []float32, steps int) {
	if steps > 0 {
		_, _ = dst[(steps-1)*stepWords+2*partWords+2*stepPairs-1], x[steps*2*stepPairs-1]
		split512(steps, &dst[0], &x[0])
	}
}

// multiplyTiles multiplies rows of x, a multiple of 16, by k steps of a panel.
// c has rows of stride elements, of which 32 are written, or added to.
func multiplyTiles(c []float32, stride int, block []uint16, panel []uint32, rows, k int, add bool) {
	_, _ = c[(rows-1)*stride+panelColumns-1], panel[k*stepPairs*panelColumns-1]
	_ = block[rows/tileRowsAMX*k*stepWords-1]
	if rows == tileRowsAMX {
		tilesAMXx16(1, k, &block[0], &panel[0], &c[0], uintptr(4*stride), add)
		return
	}
	tilesAMXx32(rows/(2*tileRowsAMX), k, &block[0], &panel[0], &c[0], uintptr(4*stride), add)
}
