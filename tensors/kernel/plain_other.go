//go:build !amd64

package kernel

// On other processors than amd64 these are the plain loops.

func widenBF16(dst []float32, raw []byte) { widenBF16Plain(dst, raw) }
func widenF16(dst []float32, raw []byte)  { widenF16Plain(dst, raw) }
func roundBF16(dst []byte, src []float32) { roundBF16Plain(dst, src) }
func roundF16(dst []byte, src []float32)  { roundF16Plain(dst, src) }

func compare(base, tuned []float32) Moments  { return comparePlain(base, tuned) }
func compareBF16(base, tuned []byte) Moments { return compareBF16Plain(base, tuned) }

func addDifference(dst, base, tuned []float32, alpha float32) {
	addDifferencePlain(dst, base, tuned, alpha)
}

func finite(values []float32) bool { return finitePlain(values) }

func mergeBF16(dst, base, tuned []byte, alpha float32) bool {
	return mergeBF16Plain(dst, base, tuned, alpha)
}

func mergeProjectBF16(p *projection, dst, base, tuned []byte, alpha float32) bool {
	return mergeProjectBF16Plain(p, dst, base, tuned, alpha)
}

func swiglu(dst, gate, up []float32) { swigluPlain(dst, gate, up) }

func add(dst, a, b []float32) { addPlain(dst, a, b) }

// squares is the sum of squares, in eight chains.
func squares(x []float32) float32 {
	var sums [8]float32
	eightSquares(&sums, x)
	return eightTotal(&sums)
}

func scaled(dst, x, weight []float32, scale float32) { scaledPlain(dst, x, weight, scale) }

func rotate(dst, x, cos, sin []float32) { rotatePlain(dst, x, cos, sin, 0) }

func exponentials(values []float32, shift float32) { exponentialsPlain(values, shift) }

func swigluGradient(dgate, dup, gradient, gate, up []float32) {
	swigluGradientPlain(dgate, dup, gradient, gate, up)
}

func addScaled(sum, slope, x []float32, scale float32) { addScaledPlain(sum, slope, x, scale) }

func reject(dst, x []float32, along, scale float32) { rejectPlain(dst, x, along, scale) }

func centre(dst, weight []float32, mean, scale float32) { centrePlain(dst, weight, mean, scale) }

func multiply(x []float32, factor float32) { multiplyPlain(x, factor) }

func divide(dst, x []float32, by float32) { dividePlain(dst, x, by) }

func eightSums(sums *[8]float32, x []float32) { eightSumsPlain(sums, x) }

func eightDots(sums *[8]float32, a, b []float32) { eightDotsPlain(sums, a, b) }

func largest(x []float32) float32 { return largestPlain(x) }

func transpose(dst []float32, dstStride int, src []float32, srcStride, rows, columns int) {
	transposePlain(dst, dstStride, src, srcStride, rows, columns)
}

func (a *AdamW) update(weight, first, second, gradient []float32) {
	a.updatePlain(weight, first, second, gradient)
}
