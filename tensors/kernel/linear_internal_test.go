package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// matrix draws values, some of them from the far ends of float32.
func matrix(random *rand.Rand, n int) []float32 {
	ends := []float32{0, float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, -0x1p-140, 0x1p100, -0x1p100, float32(math.Inf(1))}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(random.NormFloat64())
		if random.IntN(50) == 0 {
			values[i] = ends[random.IntN(len(ends))]
		}
	}
	return values
}

// TestLinearColumns runs both ways of computing Linear, the plain loop and
// what this processor has, on pieces of the columns, and compares every
// element with dot. Around the piece and behind the matrix nothing may change.
func TestLinearColumns(t *testing.T) {
	const guard = 12345
	random := rand.New(rand.NewPCG(7, 8))
	ways := map[string]func(dst, x, weight []float32, rows, in, out, low, high int){"plain": linearColumnsPlain, "this processor": linearColumns}
	for _, rows := range []int{0, 1, 3, 4, 5, 6, 7, 8, 11, 12, 13} { // tiles have 4 and 6 rows
		for _, in := range []int{0, 1, 2, 9, 40} {
			for _, piece := range [][3]int{{1, 0, 1}, {3, 0, 3}, {16, 0, 16}, {17, 0, 17}, {33, 0, 33}, {50, 1, 50}, {50, 7, 39}, {50, 16, 32}, {50, 20, 20}, {47, 15, 31}} { // 3 and 16 columns
				out, low, high := piece[0], piece[1], piece[2]
				x, weight := matrix(random, rows*in), matrix(random, out*in)
				for name, linear := range ways {
					whole := make([]float32, rows*out+64)
					for i := range whole {
						whole[i] = guard
					}
					linear(whole[:rows*out], x, weight, rows, in, out, low, high)
					what := fmt.Sprintf("%s: %d x %d by %d, columns %d to %d", name, rows, in, out, low, high)
					for i, got := range whole {
						r, o, want := i/out, i%out, float32(guard)
						if r < rows && o >= low && o < high {
							want = dot(x[r*in:(r+1)*in], weight[o*in:(o+1)*in])
						}
						if math.Float32bits(got) != math.Float32bits(want) && (got == got || want == want) {
							t.Fatalf("%s: row %d, column %d is %v (%#x), want %v (%#x)", what, r, o, got, math.Float32bits(got), want, math.Float32bits(want))
						}
					}
				}
			}
		}
	}
}
