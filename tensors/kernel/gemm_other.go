//go:build !amd64 && !arm64

package kernel

const mostTileRows = 4

func tileRows() int { return mostTileRows }

func (p *Panels) tile(c []float32, stride int, block []float32, n, start, rows, k int, add bool) {
	p.tilePlain(c, stride, block, n, start, rows, k, add)
}
