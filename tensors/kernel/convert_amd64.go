package kernel

// Elements that one turn of the loops in assembly takes.
const group = 16

// The functions in convert_amd64.s take a multiple of 16 elements, at least
// 16. Those that return a number stop before the first group of 16 that has a
// NaN in it, and say how many elements they did.

//go:noescape
func widenBF16Groups(dst *float32, raw *byte, n int)

//go:noescape
func widenF16Groups(dst *float32, raw *byte, n int) int

//go:noescape
func roundBF16Groups(dst *byte, src *float32, n int) int

//go:noescape
func roundF16Groups(dst *byte, src *float32, n int) int

// byGroups splits 0..n between a function in assembly, which takes groups and
// may stop before one that it leaves to the plain loop, and the plain loop,
// which takes that group and what is left at the end.
func byGroups(n int, groups func(from, n int) (done int), plain func(from, to int)) {
	if active < avx2 {
		plain(0, n)
		return
	}
	for from := 0; from < n; {
		if whole := (n - from) / group * group; whole > 0 {
			from += groups(from, whole)
		}
		to := min(from+group, n)
		plain(from, to)
		from = to
	}
}

func widenBF16(dst []float32, raw []byte) {
	n := 0
	if active >= avx2 && len(dst) >= group {
		n = len(dst) / group * group
		widenBF16Groups(&dst[0], &raw[0], n)
	}
	widenBF16Plain(dst[n:], raw[2*n:])
}

func widenF16(dst []float32, raw []byte) {
	byGroups(len(dst),
		func(from, n int) int { return widenF16Groups(&dst[from], &raw[2*from], n) },
		func(from, to int) { widenF16Plain(dst[from:to], raw[2*from:2*to]) })
}

func roundBF16(dst []byte, src []float32) {
	byGroups(len(src),
		func(from, n int) int { return roundBF16Groups(&dst[2*from], &src[from], n) },
		func(from, to int) { roundBF16Plain(dst[2*from:2*to], src[from:to]) })
}

func roundF16(dst []byte, src []float32) {
	byGroups(len(src),
		func(from, n int) int { return roundF16Groups(&dst[2*from], &src[from], n) },
		func(from, to int) { roundF16Plain(dst[2*from:2*to], src[from:to]) })
}
