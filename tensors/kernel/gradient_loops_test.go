//go:build linux || darwin

package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// gradientLoops are the loops of gradients and losses that have assembly, with
// what they write in the first operands. They return the numbers that are not
// there.
var gradientLoops = []struct {
	name string
	run  func(o [][]float32) any
}{
	{"swigluGradient", func(o [][]float32) any { swigluGradient(o[0], o[1], o[2], o[3], o[4]); return nil }},
	{"addScaled", func(o [][]float32) any { addScaled(o[0], o[1], o[2], 0.3); return nil }},
	{"reject", func(o [][]float32) any { reject(o[0], o[1], 0.3, 1.7); return nil }},
	{"centre", func(o [][]float32) any { centre(o[0], o[1], 0.3, 1.7); return nil }},
	{"multiply", func(o [][]float32) any { multiply(o[0], 0.3); return nil }},
	{"divide", func(o [][]float32) any { divide(o[0], o[1], 0.3); return nil }},
	{"AdamW", func(o [][]float32) any {
		step := AdamW{Scale: 0.7, Decay: 0.9, Beta1: 0.8, Rest1: 0.2, Beta2: 0.95, Rest2: 0.05, Size: 0.3, Root: 0.6, Epsilon: 1e-3}
		step.update(o[0], o[1], o[2], o[3])
		return nil
	}},
	{"eightSum", func(o [][]float32) any { return eightSum(o[0]) }},
	{"eightDot", func(o [][]float32) any { return eightDot(o[0], o[1]) }},
	{"largest", func(o [][]float32) any { return largest(o[0]) + 0 }}, // either zero
}

// TestGradientLoops gives every loop operands at either end of their own pages,
// of any length around those of vectors: the bits of plain Go, and nothing read
// or written outside.
func TestGradientLoops(t *testing.T) {
	pages, _ := guarded(t, 5)
	random := rand.New(rand.NewPCG(7, 8))
	best := active
	defer func() { active = best }()
	for _, loop := range gradientLoops {
		for n := range 71 {
			drawn := make([][]float32, len(pages))
			for i := range drawn {
				for range n {
					drawn[i] = append(drawn[i], float32(random.NormFloat64()*math.Exp2(float64(random.IntN(8)))))
				}
			}
			for _, odd := range []float32{1, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
				if n > 0 && odd != 1 {
					drawn[random.IntN(len(drawn))][random.IntN(n)] = odd
				}
				var want string
				for _, active = range []instructions{generic, best, min(best, 1)} {
					for _, end := range []bool{false, true} {
						if got := placed(pages, drawn, end, loop.run); want == "" {
							want = got
						} else if got != want {
							t.Fatalf("%s of %d by %s: %s, want %s", loop.name, n, Instructions(), got, want)
						}
					}
				}
			}
		}
	}
}

// placed runs a loop with copies of operands at one end of their pages, and prints
// the bits of what it gives and writes.
func placed(pages [][]byte, operands [][]float32, end bool, run func(o [][]float32) any) string {
	var o [][]float32
	for i, values := range operands {
		whole := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(pages[i]))), len(pages[i])/4)
		place := whole[:len(values):len(values)]
		if end {
			place = whole[len(whole)-len(values):]
		}
		copy(place, values)
		o = append(o, place)
	}
	return digits(run(o), o)
}

// TestTranspose: every matrix around the groups of 8, with rows apart, and nothing
// written between them.
func TestTranspose(t *testing.T) {
	for rows := range 20 {
		for columns := range 20 {
			srcStride, dstStride := columns+3, rows+rows%3
			src, got := make([]float32, rows*srcStride), make([]float32, columns*dstStride)
			for i := range src {
				src[i] = float32(i + 1)
			}
			for i := range got {
				got[i] = -1
			}
			want := slices.Clone(got)
			for r := range rows {
				for c := range columns {
					want[c*dstStride+r] = src[r*srcStride+c]
				}
			}
			if rows == 0 || columns == 0 {
				continue
			}
			what := fmt.Sprintf("%d x %d", rows, columns)
			plain := slices.Clone(got)
			plainly(func() { transpose(plain, dstStride, src, srcStride, rows, columns) })
			transpose(got, dstStride, src[:(rows-1)*srcStride+columns], srcStride, rows, columns)
			if !slices.Equal(got, want) || !slices.Equal(plain, want) {
				t.Fatalf("%s is turned to %v, plainly to %v, want %v", what, got, plain, want)
			}
		}
	}
}
