package kernel

//go:generate sh -c "cd gen && go run . -out ../generated_amd64.s -stubs ../generated_amd64.go -pkg kernel -arm64 ../generated_arm64 -amx ../generated_amx_amd64"

// mostTileRows is the height of the highest tile.
const mostTileRows = 14

// tileRows is the height of the tiles of the instruction set in use.
func tileRows() int {
	if active >= avx512 {
		return len(tiles512) - 1
	}
	return len(tiles256) - 1
}

type (
	tileSingle func(k int, x, panel, c *float32, stride uintptr, add bool)
	tileBF16   func(pairs int, x *float32, panel *uint32, c *float32, stride uintptr, add bool)
)

// Tiles by their number of rows. Those of 512 bits have 32 columns, those of
// 256 bits 8 of each half.
var (
	tiles512 = [...]tileSingle{nil, tile512f32x1, tile512f32x2, tile512f32x3, tile512f32x4, tile512f32x5, tile512f32x6, tile512f32x7,
		tile512f32x8, tile512f32x9, tile512f32x10, tile512f32x11, tile512f32x12, tile512f32x13, tile512f32x14}
	tiles512BF16 = [...]tileBF16{nil, tile512bf16x1, tile512bf16x2, tile512bf16x3, tile512bf16x4, tile512bf16x5, tile512bf16x6, tile512bf16x7,
		tile512bf16x8, tile512bf16x9, tile512bf16x10, tile512bf16x11, tile512bf16x12, tile512bf16x13, tile512bf16x14}
	tiles256     = [...]tileSingle{nil, tile256f32x1, tile256f32x2, tile256f32x3, tile256f32x4, tile256f32x5, tile256f32x6}
	tiles256BF16 = [...]tileBF16{nil, tile256bf16x1, tile256bf16x2, tile256bf16x3, tile256bf16x4, tile256bf16x5, tile256bf16x6}
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
		if active >= avx512 {
			tiles512[rows](k, &block[0], &panel[0], &c[0], bytes, add)
			return
		}
		tiles256[rows](k, &block[0], &panel[0], &c[0], bytes, add)
		tiles256[rows](k, &block[0], &panel[8], &c[8], bytes, add)
	default:
		k = (k + 1) / 2
		panel := p.bf16[(n*pairs(p.in)+start/2)*panelColumns:][:k*panelColumns]
		if active >= avx512 {
			tiles512BF16[rows](k, &block[0], &panel[0], &c[0], bytes, add)
			return
		}
		tiles256BF16[rows](k, &block[0], &panel[0], &c[0], bytes, add)
		tiles256BF16[rows](k, &block[0], &panel[8], &c[8], bytes, add)
	}
}
