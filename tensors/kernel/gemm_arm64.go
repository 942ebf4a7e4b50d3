package kernel

// mostTileRows is the height of the highest tile.
const mostTileRows = len(tilesNEON) - 1

func tileRows() int { return mostTileRows }

// Tiles by their number of rows, of 8 columns of each half.
var (
	tilesNEON     = [...]func(k int, x, panel, c *float32, stride uintptr, add bool){nil, tileNEONf32x1, tileNEONf32x2, tileNEONf32x3, tileNEONf32x4, tileNEONf32x5, tileNEONf32x6}
	tilesNEONBF16 = [...]func(pairs int, x *float32, panel *uint32, c *float32, stride uintptr, add bool){nil, tileNEONbf16x1, tileNEONbf16x2, tileNEONbf16x3, tileNEONbf16x4, tileNEONbf16x5, tileNEONbf16x6}
)

// tile is tilePlain in the instruction set in use.
func (p *Panels) tile(c []float32, stride int, block []float32, n, start, rows, k int, add bool) {
	c = c[:(rows-1)*stride+panelColumns]
	block = block[:(rows-1)*blockStride+k+k%2]
	bytes := uintptr(4 * stride)
	switch {
	case active == generic:
		p.tilePlain(c, stride, block, n, start, rows, k, add)
	case len(p.bf16) == 0:
		panel := p.single[(n*p.in+start)*panelColumns:][:k*panelColumns]
		tilesNEON[rows](k, &block[0], &panel[0], &c[0], bytes, add)
		tilesNEON[rows](k, &block[0], &panel[8], &c[8], bytes, add)
	default:
		k = (k + 1) / 2
		panel := p.bf16[(n*pairs(p.in)+start/2)*panelColumns:][:k*panelColumns]
		tilesNEONBF16[rows](k, &block[0], &panel[0], &c[0], bytes, add)
		tilesNEONBF16[rows](k, &block[0], &panel[8], &c[8], bytes, add)
	}
}
