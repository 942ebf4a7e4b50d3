package behaviour_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"surgeon/probe/behaviour"
)

func TestDivergence(t *testing.T) {
	check := func(p, q []float32, want float64) {
		t.Helper()
		if got := behaviour.Divergence(p, q); math.Abs(got-want) > 1e-7 {
			t.Errorf("KL(%v || %v) is %v, want %v", p, q, got, want)
		}
	}
	check([]float32{1, 2, 3}, []float32{1, 2, 3}, 0)
	check([]float32{1, 2, 3}, []float32{101, 102, 103}, 0)
	check([]float32{0, 0}, []float32{float32(math.Log(3)), 0}, 0.5*math.Log(0.5/0.75)+0.5*math.Log(0.5/0.25))
	check([]float32{1000, 0}, []float32{0, 0}, math.Log(2))
}

// states are random ones of n prompts.
func states(seed uint64, n, width int) [][]float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	rows := make([][]float64, n)
	for i := range rows {
		for range width {
			rows[i] = append(rows[i], random.NormFloat64())
		}
	}
	return rows
}

// TestAlignment: rotations, scales and shifts change nothing, unrelated states are
// far, and a definition by columns says the same.
func TestAlignment(t *testing.T) {
	x, y := states(1, 40, 6), states(2, 40, 6)
	moved := make([][]float64, len(x))
	for i, row := range x {
		for c := range row {
			moved[i] = append(moved[i], 3*row[(c+1)%len(row)]+float64(c))
		}
		moved[i][0] = -moved[i][0]
	}
	if got := behaviour.Alignment(x, moved); math.Abs(got-1) > 1e-9 {
		t.Errorf("a rotation, a scale and a shift: %v", got)
	}
	if got := behaviour.Alignment(x, y); got > 0.5 {
		t.Errorf("unrelated states: %v", got)
	}
	if got, want := behaviour.Alignment(x, y), byColumns(x, y); math.Abs(got-want) > 1e-9 {
		t.Errorf("%v, by columns %v", got, want)
	}
	if got := behaviour.Alignment(x[:3], [][]float64{{1}, {1}, {1}}); !math.IsNaN(got) {
		t.Errorf("states that do not vary: %v", got)
	}
}

// byColumns is the definition: ||X'Y||^2 / (||X'X|| ||Y'Y||) of centred columns.
func byColumns(x, y [][]float64) float64 {
	centre := func(rows [][]float64) [][]float64 {
		out := make([][]float64, len(rows))
		for i := range rows {
			out[i] = append([]float64{}, rows[i]...)
		}
		for c := range rows[0] {
			mean := 0.0
			for i := range rows {
				mean += rows[i][c] / float64(len(rows))
			}
			for i := range out {
				out[i][c] -= mean
			}
		}
		return out
	}
	x, y = centre(x), centre(y)
	norm2 := func(a, b [][]float64) (sum float64) {
		for i := range a[0] {
			for j := range b[0] {
				d := 0.0
				for r := range a {
					d += a[r][i] * b[r][j]
				}
				sum += d * d
			}
		}
		return sum
	}
	return norm2(x, y) / math.Sqrt(norm2(x, x)*norm2(y, y))
}

func ExampleDivergence() {
	fmt.Printf("%.3f nats\n", behaviour.Divergence([]float32{2, 0, 0}, []float32{0, 0, 0}))
	// Output: 0.433 nats
}
