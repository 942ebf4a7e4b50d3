package kernel_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"surgeon/tensors/kernel"
)

// mergeInSteps is MergeProjectBF16 made of the single functions.
func mergeInSteps(dst, base, tuned []byte, alpha float32) (moved, full float64, finite bool) {
	n := len(dst) / 2
	b, t := make([]float32, n), make([]float32, n)
	kernel.WidenBF16(b, base)
	kernel.WidenBF16(t, tuned)
	m := slices.Clone(b)
	kernel.AddDifference(m, b, t, alpha)
	for i := range m {
		if b[i] != b[i] { // what is no number stays what it is
			m[i] = b[i]
		}
	}
	kernel.RoundBF16(dst, m)
	kernel.WidenBF16(m, dst)
	moved, full = projections(m, b, t)
	return moved, full, kernel.Finite(m)
}

// projections are the sums of MergeProjectBF16 over the elements that changed.
func projections(merged, base, tuned []float32) (moved, full float64) {
	changed := func(i int) bool {
		return tuned[i] != base[i] && (tuned[i] == tuned[i] || base[i] == base[i])
	}
	sum := func(factor func(i int) float32) float64 {
		return eightChains(len(base), func(i int) float64 {
			if !changed(i) {
				return 0
			}
			return float64(factor(i)) * float64(tuned[i]-base[i])
		})
	}
	moved = sum(func(i int) float32 { return merged[i] - base[i] })
	full = sum(func(i int) float32 { return tuned[i] - base[i] })
	return moved, full
}

// words encodes float32 by their upper halves.
func words(values ...float32) []byte {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(math.Float32bits(v)>>16))
	}
	return raw
}

// TestMergeSteps merges every pattern with every kind of partner, and compares
// with the steps: the same bytes, sums and verdict, written anywhere.
func TestMergeSteps(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, alpha := range []float32{0, 0.5, 1, -1, 0.3, 1e-3, 1e38, inf, nan} {
		for _, near := range []bool{false, true} {
			for _, n := range []int{0, 1, 15, 16, 17, 40, 1000, 1 << 16} {
				base, tuned := make([]byte, 2*n), make([]byte, 2*n)
				for i := range n {
					b, other := uint16(i), uint16(random.Uint32())
					if n < 1<<16 {
						b = 0x3c00 + uint16(random.IntN(0x400)) // finite ones, around 1/64
					}
					if near {
						other = b + uint16(random.IntN(5)) - 2
					}
					binary.LittleEndian.PutUint16(base[2*i:], b)
					binary.LittleEndian.PutUint16(tuned[2*i:], other)
				}
				want := make([]byte, 2*n)
				moved, full, finite := mergeInSteps(want, base, tuned, alpha)
				check := func(what string, dst []byte, gotMoved, gotFull float64, gotFinite bool) {
					t.Helper()
					for i := range n {
						if got, want := binary.LittleEndian.Uint16(dst[2*i:]), binary.LittleEndian.Uint16(want[2*i:]); got != want && !(alpha != alpha && got&0x7fff > 0x7f80 && want&0x7fff > 0x7f80) { // two NaNs meet: either may stay
							t.Fatalf("%s at alpha %v, %d elements: %d is %#04x, want %#04x", what, alpha, n, i, got, want)
						}
					}
					equal := func(x, y float64) bool { return x == y || x != x && y != y }
					if !equal(gotMoved, moved) || !equal(gotFull, full) || gotFinite != finite {
						t.Fatalf("%s at alpha %v, %d elements: %v, %v, %v, want %v, %v, %v", what, alpha, n, gotMoved, gotFull, gotFinite, moved, full, finite)
					}
				}
				dst := make([]byte, 2*n)
				ok := kernel.MergeBF16(dst, base, tuned, alpha)
				check("MergeBF16", dst, moved, full, ok)
				dst = make([]byte, 2*n)
				m, f, ok := kernel.MergeProjectBF16(dst, base, tuned, alpha)
				check("MergeProjectBF16", dst, m, f, ok)
				dst = slices.Clone(base)
				m, f, ok = kernel.MergeProjectBF16(dst, dst, tuned, alpha)
				check("MergeProjectBF16 into base", dst, m, f, ok)
				dst = slices.Clone(tuned)
				m, f, ok = kernel.MergeProjectBF16(dst, base, dst, alpha)
				check("MergeProjectBF16 into tuned", dst, m, f, ok)
				dst = slices.Clone(base)
				check("MergeBF16 into base", dst, moved, full, kernel.MergeBF16(dst, dst, tuned, alpha))
			}
		}
	}
}

// TestMergeValues merges what can be computed in the head, among 40 zeros at
// every place.
func TestMergeValues(t *testing.T) {
	odd := math.Float32frombits(0x7f810000) // a signalling NaN
	for _, c := range []struct {
		base, tuned, alpha, want float32
		finite                   bool
	}{
		{1, 3, 0.5, 2, true},
		{1, 3, -1, -1, true},
		{neg, 0, 0.5, neg, true},
		{neg, neg, 0.5, neg, true},
		{inf, inf, 0.5, inf, false},
		{odd, odd, 0.5, odd, false},
		{odd, 1, 0.5, odd, false},
		{odd, -nan, 0.5, odd, false},
		{1, 1 + 0x1p-7, 0.5, 1, true},                   // a tie: to the even 1
		{1 + 0x1p-7, 1 + 0x1p-6, 0.5, 1 + 0x1p-6, true}, // a tie: to the even one
		{0x1p127, 0x1.8p127, 2, inf, false},             // overflows
		{0, 0x1p-133, 1, 0x1p-133, true},                // the smallest
	} {
		for at := range 41 {
			base, tuned, want := make([]float32, 41), make([]float32, 41), make([]float32, 41)
			base[at], tuned[at], want[at] = c.base, c.tuned, c.want
			dst := make([]byte, 82)
			finite := kernel.MergeBF16(dst, words(base...), words(tuned...), c.alpha)
			if !bytes.Equal(dst, words(want...)) || finite != c.finite {
				t.Errorf("%+v at %d: %x, finite %v", c, at, dst, finite)
			}
			moved, full, _ := kernel.MergeProjectBF16(dst, words(base...), words(tuned...), c.alpha)
			if d := float64(c.tuned) - float64(c.base); c.finite && (moved != d*(float64(c.want)-float64(c.base)) || full != d*d) {
				t.Errorf("%+v at %d: moved %v of %v", c, at, moved, full)
			}
		}
	}
	dst := make([]byte, 2)
	if finite := kernel.MergeBF16(dst, words(1), words(odd), 1); finite || dst[1]&0x7f != 0x7f || dst[0] == 0x80 {
		t.Errorf("towards NaN: %x, finite %v", dst, finite)
	}
}

func TestMergeLengths(t *testing.T) {
	b := func(n int) []byte { return make([]byte, n) }
	panics(t, "MergeBF16", func() { kernel.MergeBF16(b(4), b(6), b(4), 1) })
	panics(t, "MergeBF16", func() { kernel.MergeBF16(b(4), b(4), b(2), 1) })
	panics(t, "MergeBF16 of half a value", func() { kernel.MergeBF16(b(3), b(3), b(3), 1) })
	panics(t, "MergeProjectBF16", func() { kernel.MergeProjectBF16(b(4), b(2), b(4), 1) })
	panics(t, "MergeProjectBF16", func() { kernel.MergeProjectBF16(b(4), b(4), b(6), 1) })
	panics(t, "MergeProjectBF16 of half a value", func() { kernel.MergeProjectBF16(b(5), b(5), b(5), 1) })
}
