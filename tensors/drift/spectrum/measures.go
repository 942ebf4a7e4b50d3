package spectrum

import (
	"fmt"
	"math"
)

// ResolvedShare is the singular value, as a share of the largest, below which a
// direction is taken for rounding noise. Overlap and Intruders leave such
// directions out: their vectors are arbitrary. It stands well above what the
// float32 products of Decompose leave of a zero.
const ResolvedShare = 1e-5

// resolved is the number of the k leading directions that are not noise.
func (d *SVD) resolved(k int) int {
	n := 0
	for n < min(k, len(d.S)) && d.S[n] > ResolvedShare*d.S[0] {
		n++
	}
	return n
}

// StableRank is ||A||_F^2 / s_1^2 (Rudelson and Vershynin, J. ACM 54(4), 2007):
// at least 1, at most the rank, and hardly moved by small singular values. It
// is 0 for A = 0. Since s_1 is a lower bound unless Exact, this is an upper one.
func (d *SVD) StableRank() float64 {
	if d.Norm2 == 0 {
		return 0
	}
	return max(1, d.Norm2/d.S[0]/d.S[0])
}

// Energy is the share of the squared norm that the best approximation of rank
// r holds (Eckart and Young, Psychometrika 1, 1936):
//
//	sum over i <= r of s_i^2 / ||A||_F^2
//
// For r beyond the computed values it is that of the computed ones, which is
// 1 - Residual^2. It is 1 for A = 0.
func (d *SVD) Energy(r int) float64 {
	if d.Norm2 == 0 {
		return 1
	}
	var sum float64
	for _, v := range d.S[:max(0, min(r, len(d.S)))] {
		sum += float64(v * v)
	}
	return min(1, sum/d.Norm2)
}

// EffectiveRank is the exponential of the entropy of the normalised spectrum
// (Roy and Vetterli, EUSIPCO 2007, "The effective rank"), and 0 for A = 0:
//
//	exp(-sum of p_i ln p_i), p_i = s_i / sum of s
//
// The sums run over the computed values. exact says that these are all there
// are. Otherwise the value is a lower bound: the normalised head of a spectrum
// majorises the normalised whole, and entropy is Schur-concave.
func (d *SVD) EffectiveRank() (value float64, exact bool) {
	exact = d.Exact && len(d.S) == min(d.Rows, d.Columns)
	var sum, entropy float64
	for _, v := range d.S {
		sum += v
	}
	if sum == 0 {
		return 0, exact
	}
	for _, v := range d.S {
		if p := v / sum; p > 0 {
			entropy -= float64(p * math.Log(p))
		}
	}
	return math.Exp(entropy), exact
}

// Overlap is the share of a's leading left subspace that lies in b's:
//
//	||Ua' Ub||_F^2 / k, Ua and Ub the k leading left singular vectors
//
// It is 1 for equal subspaces, 0 for orthogonal ones and about k/Rows for
// random ones (phi of Hu et al., arXiv 2106.09685, section 7.2, with i = j = k).
// Where k is more than the resolved directions of a matrix, it is those that
// are compared, and the divisor is the number of a's; it is NaN if a has none.
func Overlap(a, b *SVD, k int) float64 {
	alike("Overlap", a, b)
	from, to := a.resolved(k), b.resolved(k)
	var sum float64
	for _, u := range a.U[:from] {
		for _, v := range b.U[:to] {
			c := dot(u, v)
			sum += float64(c * c)
		}
	}
	return sum / float64(from)
}

// Intruders counts the intruder dimensions of a fine-tuned weight (Shuttleworth
// et al., arXiv 2410.21228, algorithm 1): those of the k leading left singular
// vectors u_j of tuned that are like none of the base's,
//
//	max over i of |cos(u_i(base), u_j(tuned))| < epsilon
//
// Usual are k = 10 and epsilon = 0.5. The maximum runs over the computed
// vectors of base, so the count is an upper bound: decompose base to a rank
// well above k. Directions of either matrix that are not resolved do not count.
func Intruders(base, tuned *SVD, k int, epsilon float64) int {
	alike("Intruders", base, tuned)
	known := base.U[:base.resolved(len(base.S))]
	count := 0
	for _, u := range tuned.U[:tuned.resolved(k)] {
		nearest := 0.0
		for _, v := range known {
			nearest = max(nearest, math.Abs(dot(v, u)))
		}
		if nearest < epsilon {
			count++
		}
	}
	return count
}

// alike panics unless the left vectors of two matrices have the same length.
func alike(where string, a, b *SVD) {
	if a.Rows != b.Rows {
		panic(fmt.Sprintf("spectrum: %s of matrices of %d and %d rows", where, a.Rows, b.Rows))
	}
}

// dot is the inner product, which of unit vectors is the cosine.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var sum float64
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}
