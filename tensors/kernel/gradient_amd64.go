package kernel

// swigluGradient is swigluGradientPlain, by whole vectors first.
func swigluGradient(dgate, dup, gradient, gate, up []float32) {
	whole := vectors(len(gate))
	switch {
	case whole == 0:
	case active >= avx512:
		swigluGradient512(whole, &dgate[0], &dup[0], &gradient[0], &gate[0], &up[0])
	default:
		swigluGradient256(whole, &dgate[0], &dup[0], &gradient[0], &gate[0], &up[0])
	}
	swigluGradientPlain(dgate[whole:], dup[whole:], gradient[whole:], gate[whole:], up[whole:])
}

func addScaled(sum, slope, x []float32, scale float32) {
	whole := vectors(len(x))
	switch {
	case whole == 0:
	case active >= avx512:
		addScaled512(whole, &sum[0], &slope[0], &x[0], scale)
	default:
		addScaled256(whole, &sum[0], &slope[0], &x[0], scale)
	}
	addScaledPlain(sum[whole:], slope[whole:], x[whole:], scale)
}

func reject(dst, x []float32, along, scale float32) {
	whole := vectors(len(x))
	switch {
	case whole == 0:
	case active >= avx512:
		reject512(whole, &dst[0], &x[0], along, scale)
	default:
		reject256(whole, &dst[0], &x[0], along, scale)
	}
	rejectPlain(dst[whole:], x[whole:], along, scale)
}

func centre(dst, weight []float32, mean, scale float32) {
	whole := vectors(len(weight))
	switch {
	case whole == 0:
	case active >= avx512:
		centre512(whole, &dst[0], &weight[0], mean, scale)
	default:
		centre256(whole, &dst[0], &weight[0], mean, scale)
	}
	centrePlain(dst[whole:], weight[whole:], mean, scale)
}

func multiply(x []float32, factor float32) {
	whole := vectors(len(x))
	switch {
	case whole == 0:
	case active >= avx512:
		multiply512(whole, &x[0], factor)
	default:
		multiply256(whole, &x[0], factor)
	}
	multiplyPlain(x[whole:], factor)
}

func eightSums(sums *[8]float32, x []float32) {
	whole := 0
	if active >= avx2 && len(x) >= 8 {
		whole = len(x) &^ 7
		sums256(whole, &x[0], sums)
	}
	eightSumsPlain(sums, x[whole:])
}

func eightDots(sums *[8]float32, a, b []float32) {
	whole := 0
	if active >= avx2 && len(a) >= 8 {
		whole = len(a) &^ 7
		dots256(whole, &a[0], &b[0], sums)
	}
	eightDotsPlain(sums, a[whole:], b[whole:])
}

// largest is largestPlain; but which of equal zeros it gives may differ.
func largest(x []float32) float32 {
	if active < avx2 || len(x) < 16 {
		return largestPlain(x)
	}
	whole := len(x) &^ 15
	most := largest256(whole, &x[0])
	for _, v := range x[whole:] {
		if v > most {
			most = v
		}
	}
	return most
}

// transpose is transposePlain, by whole groups of 8 rows and columns first.
func transpose(dst []float32, dstStride int, src []float32, srcStride, rows, columns int) {
	if active < avx2 || rows < 8 || columns < 8 {
		transposePlain(dst, dstStride, src, srcStride, rows, columns)
		return
	}
	dst, src = dst[:(columns-1)*dstStride+rows], src[:(rows-1)*srcStride+columns]
	high, wide := rows&^7, columns&^7
	for r := 0; r < high; r += 8 {
		transpose256(wide, &dst[r], &src[r*srcStride], uintptr(4*dstStride), uintptr(4*srcStride))
	}
	if wide < columns {
		transposePlain(dst[wide*dstStride:], dstStride, src[wide:], srcStride, high, columns-wide)
	}
	if high < rows {
		transposePlain(dst[high:], dstStride, src[high*srcStride:], srcStride, rows-high, columns)
	}
}

// update is updatePlain, by whole vectors first.
func (a *AdamW) update(weight, first, second, gradient []float32) {
	whole := vectors(len(weight))
	step := [...]float32{a.Scale, a.Decay, a.Beta1, a.Rest1, a.Beta2, a.Rest2, a.Size, a.Root, a.Epsilon}
	switch {
	case whole == 0:
	case active >= avx512:
		adamw512(whole, &weight[0], &first[0], &second[0], &gradient[0], &step)
	default:
		adamw256(whole, &weight[0], &first[0], &second[0], &gradient[0], &step)
	}
	a.updatePlain(weight[whole:], first[whole:], second[whole:], gradient[whole:])
}
