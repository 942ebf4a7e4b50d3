package kernel

import "math"

// fma is x*y + z rounded once to float32, as the instruction of that name
// computes it. The product of two float32 is exact in float64, and so is the
// sum's rounding to float32 after that to float64, but for two cases: the
// float64 lies half-way between two float32, or the float32 is subnormal.
func fma(x, y, z float32) float32 {
	sum := float64(x)*float64(y) + float64(z)
	if bits := math.Float64bits(sum); bits&(1<<29-1) != 1<<28 && bits<<1 >= 897<<53 {
		return float32(sum)
	}
	return fmaToOdd(float64(x)*float64(y), float64(z))
}

// fmaToOdd adds two float64 and rounds to odd first: an inexact sum gets an odd
// last bit, which keeps on which side of a half-way point it was (Boldo and
// Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
func fmaToOdd(product, z float64) float32 {
	sum := product + z
	if sum-sum != 0 {
		return float32(sum)
	}
	// What rounding took away, exactly (Knuth's TwoSum).
	part := sum - product
	rest := (product - (sum - part)) + (z - part)
	bits := math.Float64bits(sum)
	switch {
	case rest == 0 || bits&1 == 1:
	case (rest > 0) == (sum > 0):
		bits++
	default:
		bits--
	}
	return float32(math.Float64frombits(bits))
}
