package kernel

// swiglu is swigluPlain, by whole vectors first.
func swiglu(dst, gate, up []float32) {
	whole := 0
	switch n := len(dst); {
	case active >= avx512 && n >= 16:
		whole = n &^ 15
		swiglu512(whole, &dst[0], &gate[0], &up[0])
	case active == avx2 && n >= 8:
		whole = n &^ 7
		swiglu256(whole, &dst[0], &gate[0], &up[0])
	}
	swigluPlain(dst[whole:], gate[whole:], up[whole:])
}

// exponentials is exponentialsPlain, by whole vectors first.
func exponentials(values []float32, shift float32) {
	whole := 0
	switch n := len(values); {
	case active >= avx512 && n >= 16:
		whole = n &^ 15
		exponentials512(whole, &values[0], shift)
	case active == avx2 && n >= 8:
		whole = n &^ 7
		exponentials256(whole, &values[0], shift)
	}
	exponentialsPlain(values[whole:], shift)
}
