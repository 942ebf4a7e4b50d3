package kernel

// The functions in difference_amd64.s take a multiple of 16 elements, at least
// 16. addDifferenceGroups stops before the first group of 16 that has or gets
// a NaN, and returns the number of elements done.

//go:noescape
func addDifferenceGroups(dst, base, tuned *float32, alpha float32, n int) int

//go:noescape
func finiteGroups(values *float32, n int) bool

func addDifference(dst, base, tuned []float32, alpha float32) {
	byGroups(len(dst),
		func(from, n int) int { return addDifferenceGroups(&dst[from], &base[from], &tuned[from], alpha, n) },
		func(from, to int) { addDifferencePlain(dst[from:to], base[from:to], tuned[from:to], alpha) })
}

func finite(values []float32) bool {
	n := 0
	if active >= avx2 && len(values) >= group {
		n = len(values) / group * group
		if !finiteGroups(&values[0], n) {
			return false
		}
	}
	return finitePlain(values[n:])
}
