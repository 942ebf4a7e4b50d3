package kernel_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"surgeon/tensors/kernel"
)

var (
	inf = float32(math.Inf(1))
	nan = float32(math.NaN())
	neg = float32(math.Copysign(0, -1)) // -0
)

// fineTune draws the weights of a base and of a fine-tune, whose sizes spread
// over many powers of two, so that every order of sums has its own bits.
func fineTune(seed uint64, n int) (base, tuned []float32) {
	random := rand.New(rand.NewPCG(seed, 0))
	for range n {
		b := float32(random.NormFloat64() * math.Exp2(float64(random.IntN(12))))
		t := b + float32(random.NormFloat64()*0.1)
		if random.IntN(8) == 0 {
			t = b
		}
		base, tuned = append(base, b), append(tuned, t)
	}
	return base, tuned
}

// eightChains adds terms as Compare and MergeProjectBF16 promise.
func eightChains(n int, term func(i int) float64) float64 {
	var c [8]float64
	for k := range c {
		for i := k; i < n; i += 8 {
			c[k] += term(i)
		}
	}
	return ((c[0] + c[1]) + (c[2] + c[3])) + ((c[4] + c[5]) + (c[6] + c[7]))
}

// equalMoments compares bit for bit; NaN equals NaN.
func equalMoments(a, b kernel.Moments) bool {
	equal := func(x, y float64) bool { return x == y || x != x && y != y }
	return equal(a.Base2, b.Base2) && equal(a.Delta2, b.Delta2) && equal(a.Dot, b.Dot) &&
		equal(a.MaxAbs, b.MaxAbs) && a.Changed == b.Changed && a.Flipped == b.Flipped
}

// everyCompare gives the same values to each function that compares. They must
// be bfloat16 values.
func everyCompare(base, tuned []float32) map[string]kernel.Moments {
	base64, tuned64 := make([]float64, len(base)), make([]float64, len(base))
	var rawBase, rawTuned []byte
	for i, b := range base {
		base64[i], tuned64[i] = float64(b), float64(tuned[i])
		rawBase = binary.LittleEndian.AppendUint16(rawBase, uint16(math.Float32bits(b)>>16))
		rawTuned = binary.LittleEndian.AppendUint16(rawTuned, uint16(math.Float32bits(tuned[i])>>16))
	}
	return map[string]kernel.Moments{
		"Compare":     kernel.Compare(base, tuned),
		"Compare64":   kernel.Compare64(base64, tuned64),
		"CompareBF16": kernel.CompareBF16(rawBase, rawTuned),
	}
}

// TestCompareValues compares single pairs, alone and among 40 zeros at every
// place: the sums are those of the pair.
func TestCompareValues(t *testing.T) {
	notNumber := math.NaN()
	infinite := math.Inf(1)
	for _, c := range []struct {
		b, t float32
		want kernel.Moments
	}{
		{1, 1, kernel.Moments{Base2: 1}},
		{2, 3.5, kernel.Moments{Base2: 4, Delta2: 2.25, Dot: 3, MaxAbs: 1.5, Changed: 1}},
		{2, -1, kernel.Moments{Base2: 4, Delta2: 9, Dot: -6, MaxAbs: 3, Changed: 1, Flipped: 1}},
		{-2, 1, kernel.Moments{Base2: 4, Delta2: 9, Dot: -6, MaxAbs: 3, Changed: 1, Flipped: 1}},
		{-2, 0, kernel.Moments{Base2: 4, Delta2: 4, Dot: -4, MaxAbs: 2, Changed: 1}},
		{-2, neg, kernel.Moments{Base2: 4, Delta2: 4, Dot: -4, MaxAbs: 2, Changed: 1}},
		{2, neg, kernel.Moments{Base2: 4, Delta2: 4, Dot: -4, MaxAbs: 2, Changed: 1}},
		{neg, 3, kernel.Moments{Delta2: 9, MaxAbs: 3, Changed: 1}},
		{0, -3, kernel.Moments{Delta2: 9, MaxAbs: 3, Changed: 1}},
		{0, neg, kernel.Moments{}},
		{neg, 0, kernel.Moments{}},
		{0x1p-133, -0x1p-133, kernel.Moments{Base2: 0x1p-266, Delta2: 0x1p-264, Dot: -0x1p-265, MaxAbs: 0x1p-132, Changed: 1, Flipped: 1}}, // the smallest bfloat16
		{0x1p127, -0x1p127, kernel.Moments{Base2: 0x1p254, Delta2: 0x1p256, Dot: -0x1p255, MaxAbs: 0x1p128, Changed: 1, Flipped: 1}},       // d is no float32
		{inf, inf, kernel.Moments{Base2: infinite}},
		{-inf, -inf, kernel.Moments{Base2: infinite}},
		{inf, 1, kernel.Moments{Base2: infinite, Delta2: infinite, Dot: -infinite, MaxAbs: infinite, Changed: 1}},
		{1, -inf, kernel.Moments{Base2: 1, Delta2: infinite, Dot: -infinite, MaxAbs: infinite, Changed: 1, Flipped: 1}},
		{inf, -inf, kernel.Moments{Base2: infinite, Delta2: infinite, Dot: -infinite, MaxAbs: infinite, Changed: 1, Flipped: 1}},
		{nan, nan, kernel.Moments{Base2: notNumber}},
		{nan, -1, kernel.Moments{Base2: notNumber, Delta2: notNumber, Dot: notNumber, MaxAbs: notNumber, Changed: 1}},
		{-2, nan, kernel.Moments{Base2: 4, Delta2: notNumber, Dot: notNumber, MaxAbs: notNumber, Changed: 1}},
	} {
		for at := range 41 {
			base, tuned := make([]float32, 41), make([]float32, 41)
			base[at], tuned[at] = c.b, c.t
			for name, got := range everyCompare(base, tuned) {
				if !equalMoments(got, c.want) {
					t.Errorf("%s of %v and %v at %d: %+v, want %+v", name, c.b, c.t, at, got, c.want)
				}
			}
		}
	}
	for name, got := range everyCompare(nil, nil) {
		if got != (kernel.Moments{}) {
			t.Errorf("%s of nothing: %+v", name, got)
		}
	}
}

// TestCompareNaN: a NaN among larger differences is not lost.
func TestCompareNaN(t *testing.T) {
	for name, got := range everyCompare([]float32{1, 1, 1}, []float32{2, nan, 9}) {
		if got.MaxAbs == got.MaxAbs || got.Changed != 3 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestCompareOrder checks the order of sums, bit by bit, and the sums
// themselves against exact ones. Each addition errs by at most 2^-53 of a sum
// that is nowhere larger than that of the absolute terms.
func TestCompareOrder(t *testing.T) {
	orders := 0
	for _, n := range []int{1, 7, 8, 9, 15, 16, 17, 64, 100, 1000} {
		base, tuned := fineTune(uint64(n), n)
		for i := range base { // to bfloat16, by cutting
			base[i] = math.Float32frombits(math.Float32bits(base[i]) &^ 0xffff)
			tuned[i] = math.Float32frombits(math.Float32bits(tuned[i]) &^ 0xffff)
		}
		b := func(i int) float64 { return float64(base[i]) }
		d := func(i int) float64 { return float64(tuned[i]) - b(i) }
		terms := []func(i int) float64{
			func(i int) float64 { return b(i) * b(i) },
			func(i int) float64 { return d(i) * d(i) },
			func(i int) float64 { return b(i) * d(i) },
		}
		for name, m := range everyCompare(base, tuned) {
			for j, got := range []float64{m.Base2, m.Delta2, m.Dot} {
				if want := eightChains(n, terms[j]); got != want {
					t.Errorf("%s of %d, sum %d: %v, want %v", name, n, j, got, want)
				}
				exact, size, inOrder := new(big.Float).SetPrec(500), 0.0, 0.0
				for i := range n {
					x, y := big.NewFloat(b(i)), big.NewFloat(b(i))
					difference := new(big.Float).SetPrec(500).Sub(big.NewFloat(float64(tuned[i])), x)
					if j > 0 {
						y = difference
					}
					if j == 1 {
						x = difference
					}
					exact.Add(exact, new(big.Float).SetPrec(500).Mul(x, y))
					size += math.Abs(terms[j](i))
					inOrder += terms[j](i)
				}
				want, _ := exact.Float64()
				if math.Abs(got-want) > float64(n+2)*0x1p-53*size {
					t.Errorf("%s of %d, sum %d: %v, exactly %v", name, n, j, got, want)
				}
				if inOrder != got {
					orders++
				}
			}
		}
	}
	if orders == 0 {
		t.Error("one chain gives the same bits: the test does not test the order")
	}
}

// TestCompareLargest finds the largest difference wherever it is, exactly,
// also where d*d is rounded.
func TestCompareLargest(t *testing.T) {
	for n := 1; n < 40; n++ {
		for at := range n {
			base, tuned := fineTune(uint64(n), n)
			base[at], tuned[at] = 1e9+64*float32(at), -0.1
			want := float64(base[at]) - float64(tuned[at])
			if got := kernel.Compare(base, tuned).MaxAbs; got != want {
				t.Fatalf("%d elements, largest at %d: %v, want %v", n, at, got, want)
			}
		}
	}
}

// TestCompare64Wide: what float32 cannot hold, Compare64 tells apart.
func TestCompare64Wide(t *testing.T) {
	got := kernel.Compare64([]float64{1, -1e-200, 1e100}, []float64{1 + 0x1p-52, 1e-200, 1e100})
	want := kernel.Moments{Base2: 1 + 1e200, Delta2: 0x1p-104, Dot: 0x1p-52, MaxAbs: 0x1p-52, Changed: 2, Flipped: 1}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestCompareLengths(t *testing.T) {
	panics(t, "Compare", func() { kernel.Compare(make([]float32, 3), make([]float32, 4)) })
	panics(t, "Compare64", func() { kernel.Compare64(make([]float64, 3), make([]float64, 2)) })
	panics(t, "CompareBF16", func() { kernel.CompareBF16(make([]byte, 4), make([]byte, 6)) })
	panics(t, "CompareBF16 of half a value", func() { kernel.CompareBF16(make([]byte, 3), make([]byte, 3)) })
}

func ExampleCompare() {
	m := kernel.Compare([]float32{3, -4, 0}, []float32{3, 1, 12})
	fmt.Println("norms", math.Sqrt(m.Base2), math.Sqrt(m.Delta2), "largest change", m.MaxAbs)
	fmt.Println(m.Changed, "changed,", m.Flipped, "flipped")
	// Output:
	// norms 5 13 largest change 12
	// 2 changed, 1 flipped
}
