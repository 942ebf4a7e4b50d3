package kernel

// transposePlain turns rows into columns:
//
//	dst[c][r] = src[r][c]
//
// src is [rows, columns] with its rows srcStride apart, dst [columns, rows] with
// its rows dstStride apart.
func transposePlain(dst []float32, dstStride int, src []float32, srcStride, rows, columns int) {
	for r := range rows {
		for c, v := range src[r*srcStride:][:columns] {
			dst[c*dstStride+r] = v
		}
	}
}

// transposeBlocks arranges the transpose [columns, rows] of src as the tiles
// read it: in blocks of 256 of its own columns.
func transposeBlocks(blocks, src []float32, stride, rows, columns int) {
	for start := 0; start < rows; start += innerBlock {
		transpose(blocks[start*columns/innerBlock*blockStride:], blockStride, src[start*stride:], stride, min(innerBlock, rows-start), columns)
	}
}

// blocksOf is the size of the blocks of so many rows and columns.
func blocksOf(rows, columns int) int {
	return (columns + innerBlock - 1) / innerBlock * rows * blockStride
}
