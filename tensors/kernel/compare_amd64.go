package kernel

// The functions in compare_amd64.s compute the sums of n elements, n a
// multiple of 16 and at least 16, as if all were finite: where they are not,
// delta2 is not finite either.

//go:noescape
func compareGroups(s *sums, base, tuned *float32, n int)

//go:noescape
func compareBF16Groups(s *sums, base, tuned *byte, n int)

func compare(base, tuned []float32) Moments {
	var s sums
	n := 0
	if active >= avx2 && len(base) >= group {
		n = len(base) / group * group
		compareGroups(&s, &base[0], &tuned[0], n)
		if !isFinite(s.delta2.total()) {
			return comparePlain(base, tuned)
		}
	}
	accumulate(&s, base[n:], tuned[n:])
	return s.moments()
}

func compareBF16(base, tuned []byte) Moments {
	var s sums
	n := 0
	if active >= avx2 && len(base) >= 2*group {
		n = len(base) / (2 * group) * group
		compareBF16Groups(&s, &base[0], &tuned[0], n)
		if !isFinite(s.delta2.total()) {
			return compareBF16Plain(base, tuned)
		}
	}
	accumulateBF16(&s, base[2*n:], tuned[2*n:])
	return s.moments()
}

// isFinite is false for NaN too, which is not equal to itself.
func isFinite(v float64) bool { return v-v == 0 }
