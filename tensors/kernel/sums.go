package kernel

import (
	"math"
	"sync"
)

// blockRows is the number of rows that are added up by themselves: their sum
// does not depend on who computes it, and long sums lose less.
const blockRows = 64

// ColumnSums adds up rows, as for the gradient of a bias:
//
//	dst[j] = sum over r of x[r][j]
//
// dst is [width], x [rows, width]. The rows of each 64 are added up one after the
// other, and then their sums.
func ColumnSums(dst, x []float32, rows int) {
	width := len(dst)
	check("x of ColumnSums", len(x), rows*width)
	byBlocks(dst, rows, func(sum []float32, low, high int) {
		for r := low; r < high; r++ {
			add(sum, sum, x[r*width:(r+1)*width])
		}
	})
}

// byBlocks runs work on blocks of 64 rows, each with a sum that is zero, and adds
// the sums up in dst in the blocks' order.
func byBlocks(dst []float32, rows int, work func(sum []float32, low, high int)) {
	width := len(dst)
	sums := partials.Get().(*[]float32)
	defer partials.Put(sums)
	*sums = zeros(*sums, (rows+blockRows-1)/blockRows*width)
	inTurn(rows, blockRows, func(low, high int) {
		work((*sums)[low/blockRows*width:][:width], low, high)
	})
	clear(dst)
	for at := 0; at+width <= len(*sums) && width > 0; at += width {
		add(dst, dst, (*sums)[at:at+width])
	}
}

// partials keeps the memory of the sums of blocks.
var partials = sync.Pool{New: func() any { return new([]float32) }}

// eightSum is the sum of values, in eight chains.
func eightSum(x []float32) float32 {
	var sums [8]float32
	eightSums(&sums, x)
	return eightTotal(&sums)
}

// eightDot is the sum of a[i]*b[i], each rounded, in eight chains.
func eightDot(a, b []float32) float32 {
	var sums [8]float32
	eightDots(&sums, a, b[:len(a)])
	return eightTotal(&sums)
}

// eightSumsPlain adds to each sum every eighth element.
func eightSumsPlain(sums *[8]float32, x []float32) {
	for i, v := range x {
		sums[i%8] += v
	}
}

// eightDotsPlain adds to each sum the product of every eighth pair.
func eightDotsPlain(sums *[8]float32, a, b []float32) {
	for i, v := range a {
		sums[i%8] += float32(v * b[i])
	}
}

// largestPlain is the largest value, or -Inf of none. A NaN counts for nothing.
func largestPlain(x []float32) float32 {
	most := float32(math.Inf(-1))
	for _, v := range x {
		if v > most {
			most = v
		}
	}
	return most
}

// multiplyPlain multiplies by a factor.
func multiplyPlain(x []float32, factor float32) {
	for i, v := range x {
		x[i] = v * factor
	}
}

// dividePlain writes x / by.
func dividePlain(dst, x []float32, by float32) {
	for i, v := range x {
		dst[i] = v / by
	}
}
