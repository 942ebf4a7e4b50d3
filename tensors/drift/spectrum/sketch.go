package spectrum

import (
	"gonum.org/v1/gonum/blas/blas64"

	"surgeon/tensors/kernel"
)

// sketch fills the rows of x, columns of a random test matrix, with numbers of
// mean 0, variance 1 and nearly the shape of a normal. Each is a function of
// seed, row and index only: sums of twelve uniforms less 6, cut from four words
// of a counter-based generator (SplitMix64; Steele, Lea and Flood, OOPSLA
// 2014). No function is used whose last bit differs between processors.
func sketch(x blas64.General, seed uint64) {
	kernel.Parallel(x.Rows, func(low, high int) {
		for j := low; j < high; j++ {
			key := mix(mix(seed+golden) + uint64(j+1)*golden)
			for i := range x.Cols {
				x.Data[j*x.Stride+i] = normal(key, uint64(i))
			}
		}
	})
}

const golden = 0x9e3779b97f4a7c15 // 2^64 over the golden ratio, odd

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// normal adds twelve uniforms of 21 bits, exactly.
func normal(key, i uint64) float64 {
	const bits = 21
	var sum uint64
	for word := range uint64(4) {
		z := mix(key + (4*i+word+1)*golden)
		sum += z>>43 + z>>22&(1<<bits-1) + z>>1&(1<<bits-1)
	}
	return float64(sum)/(1<<bits) - 6
}
