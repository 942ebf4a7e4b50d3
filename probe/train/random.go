package train

// random is a counter-based generator: number i of a stream depends on the
// seed, the stream's name and i only (SplitMix64; Steele, Lea and Flood, OOPSLA
// 2014).
type random struct{ key uint64 }

// newRandom returns the stream of a name under a seed.
func newRandom(seed uint64, name string) random {
	key := mix(seed + 0x9e3779b97f4a7c15)
	for _, b := range []byte(name) {
		key = mix(key ^ uint64(b))
	}
	return random{key}
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r random) uint64(i int) uint64 { return mix(r.key + uint64(i+1)*0x9e3779b97f4a7c15) }

// float is number i, from 0 to below 1.
func (r random) float(i int) float64 { return float64(r.uint64(i)>>11) * 0x1p-53 }

// normal is number i as a sum of twelve uniforms less 6, which has mean 0,
// variance 1 and nearly the shape of a normal, and the same bits everywhere.
func (r random) normal(i int) float32 {
	sum := -6.0
	for k := range 12 {
		sum += r.float(12*i + k)
	}
	return float32(sum)
}

// permutation is an order of 0 to n-1 (Fisher and Yates).
func permutation(r random, n int) []int32 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	for i := n - 1; i > 0; i-- {
		j := int(r.uint64(i) % uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
	return order
}
