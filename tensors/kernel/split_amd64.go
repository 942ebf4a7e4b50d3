package kernel

// split cuts 32 values of x for each of so many steps, which are next words
// apart.
func split(dst []uint16, x []float32, steps, next int) {
	if steps > 0 {
		_, _ = dst[(steps-1)*next+2*partWords+2*stepPairs-1], x[steps*2*stepPairs-1]
		split512(steps, &dst[0], &x[0], uintptr(2*next))
	}
}

// multiplyTiles multiplies 16 or 32 rows of x by k steps of n panels, which are
// depth words apart, and writes them to c, or adds them. The rows of c are stride
// apart.
func multiplyTiles(c []float32, stride int, x []uint16, rows int, panels []uint32, depth, n, k int, add bool) {
	_, _ = c[(rows-1)*stride+n*panelColumns-1], panels[(n-1)*depth+k*stepPairs*panelColumns-1]
	_ = x[rows/tileRowsAMX*k*stepWords-1]
	if rows == tileRowsAMX {
		tilesAMXx16(n, k, &x[0], &panels[0], uintptr(4*depth), &c[0], uintptr(4*stride), add)
		return
	}
	tilesAMXx32(n, k, &x[0], &panels[0], uintptr(4*depth), &c[0], uintptr(4*stride), add)
}
