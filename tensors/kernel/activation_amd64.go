package kernel

// swiglu is swigluPlain, by whole vectors first.
func swiglu(dst, gate, up []float32) {
	whole := vectors(len(dst))
	switch {
	case whole == 0:
	case active >= avx512:
		swiglu512(whole, &dst[0], &gate[0], &up[0])
	default:
		swiglu256(whole, &dst[0], &gate[0], &up[0])
	}
	swigluPlain(dst[whole:], gate[whole:], up[whole:])
}

// exponentials is exponentialsPlain, by vectors; what does not fill one goes in
// one of its own.
func exponentials(values []float32, shift float32) {
	if active < avx2 {
		exponentialsPlain(values, shift)
		return
	}
	whole := vectors(len(values))
	exponentialVectors(values[:whole], shift)
	if whole < len(values) {
		var rest [16]float32
		n := copy(rest[:], values[whole:])
		exponentialVectors(rest[:], shift)
		copy(values[whole:], rest[:n])
	}
}

// exponentialVectors takes a multiple of 16 values, or of 8 with AVX2.
func exponentialVectors(values []float32, shift float32) {
	switch {
	case len(values) == 0:
	case active >= avx512:
		exponentials512(len(values), &values[0], shift)
	default:
		exponentials256(len(values), &values[0], shift)
	}
}
