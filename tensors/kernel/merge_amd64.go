package kernel

// The functions in merge_amd64.s take a multiple of 16 elements, at least 16.
// They stop before the first group of 16 that has or gets a NaN; they return
// the number of elements done and whether those written are finite.

//go:noescape
func mergeBF16Groups(dst, base, tuned *byte, alpha float32, n int) (done int, finite bool)

//go:noescape
func mergeProjectBF16Groups(p *projection, dst, base, tuned *byte, alpha float32, n int) (done int, finite bool)

func mergeBF16(dst, base, tuned []byte, alpha float32) (finite bool) {
	finite = true
	byGroups(len(dst)/2,
		func(from, n int) int {
			done, ok := mergeBF16Groups(&dst[2*from], &base[2*from], &tuned[2*from], alpha, n)
			finite = finite && ok
			return done
		},
		func(from, to int) {
			ok := mergeBF16Plain(dst[2*from:2*to], base[2*from:2*to], tuned[2*from:2*to], alpha)
			finite = finite && ok
		})
	return finite
}

func mergeProjectBF16(p *projection, dst, base, tuned []byte, alpha float32) (finite bool) {
	finite = true
	byGroups(len(dst)/2,
		func(from, n int) int {
			done, ok := mergeProjectBF16Groups(p, &dst[2*from], &base[2*from], &tuned[2*from], alpha, n)
			finite = finite && ok
			return done
		},
		func(from, to int) {
			ok := mergeProjectBF16Plain(p, dst[2*from:2*to], base[2*from:2*to], tuned[2*from:2*to], alpha)
			finite = finite && ok
		})
	return finite
}
