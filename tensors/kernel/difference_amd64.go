package kernel

// The functions in difference_amd64.s take a multiple of 16 elements, at least
// 16. addDifferenceGroups stops before the first group of 16 that has or gets
// a NaN, and returns the number of elements done. projectGroups computes as if
// all values were finite: where they are not, a sum is not finite either.

//go:noescape
func addDifferenceGroups(dst, base, tuned *float32, alpha float32, n int) int

//go:noescape
func projectGroups(p *projection, merged, base, tuned *float32, n int)

//go:noescape
func finiteGroups(values *float32, n int) bool

func addDifference(dst, base, tuned []float32, alpha float32) {
	byGroups(len(dst),
		func(from, n int) int { return addDifferenceGroups(&dst[from], &base[from], &tuned[from], alpha, n) },
		func(from, to int) { addDifferencePlain(dst[from:to], base[from:to], tuned[from:to], alpha) })
}

func project(merged, base, tuned []float32) (moved, full float64) {
	var p projection
	n := 0
	if vectors && len(merged) >= group {
		n = len(merged) / group * group
		projectGroups(&p, &merged[0], &base[0], &tuned[0], n)
		if !isFinite(p.moved.total()) || !isFinite(p.full.total()) {
			return projectPlain(merged, base, tuned)
		}
	}
	p.accumulate(merged[n:], base[n:], tuned[n:])
	return p.moved.total(), p.full.total()
}

func finite(values []float32) bool {
	n := 0
	if vectors && len(values) >= group {
		n = len(values) / group * group
		if !finiteGroups(&values[0], n) {
			return false
		}
	}
	return finitePlain(values[n:])
}
