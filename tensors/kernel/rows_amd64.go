package kernel

// vectors is how many of n elements go in whole vectors of the instruction set
// in use.
func vectors(n int) int {
	switch {
	case active >= avx512:
		return n &^ 15
	case active == avx2:
		return n &^ 7
	}
	return 0
}

func add(dst, a, b []float32) {
	whole := vectors(len(dst))
	switch {
	case whole == 0:
	case active >= avx512:
		add512(whole, &dst[0], &a[0], &b[0])
	default:
		add256(whole, &dst[0], &a[0], &b[0])
	}
	addPlain(dst[whole:], a[whole:], b[whole:])
}

// squares is the sum of squares, in eight chains.
func squares(x []float32) float32 {
	var sums [8]float32
	whole := 0
	if active >= avx2 && len(x) >= 8 {
		whole = len(x) &^ 7
		squares256(whole, &x[0], &sums)
	}
	eightSquares(&sums, x[whole:])
	return eightTotal(&sums)
}

func scaled(dst, x, weight []float32, scale float32) {
	whole := vectors(len(x))
	switch {
	case whole == 0:
	case active >= avx512:
		scaled512(whole, &dst[0], &x[0], &weight[0], scale)
	default:
		scaled256(whole, &dst[0], &x[0], &weight[0], scale)
	}
	scaledPlain(dst[whole:], x[whole:], weight[whole:], scale)
}

func rotate(dst, x, cos, sin []float32) {
	half := len(cos)
	whole := vectors(half)
	switch {
	case whole == 0:
	case active >= avx512:
		rotate512(whole, &dst[0], &x[0], &cos[0], &sin[0], half)
	default:
		rotate256(whole, &dst[0], &x[0], &cos[0], &sin[0], half)
	}
	rotatePlain(dst, x, cos, sin, whole)
}

func divide(dst, x []float32, by float32) {
	whole := vectors(len(x))
	switch {
	case whole == 0:
	case active >= avx512:
		divide512(whole, &dst[0], &x[0], by)
	default:
		divide256(whole, &dst[0], &x[0], by)
	}
	dividePlain(dst[whole:], x[whole:], by)
}
