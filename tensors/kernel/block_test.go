package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"surgeon/tensors/kernel"
)

// normals draws values of mean 0 and variance 1.
func normals(seed uint64, n int) []float32 {
	random := rand.New(rand.NewPCG(seed, 0))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(random.NormFloat64())
	}
	return values
}

// processors runs a test with each number of threads.
func processors(t *testing.T, test func(t *testing.T)) {
	for _, n := range []int{1, 2, 3} {
		t.Run(fmt.Sprint("threads ", n), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
			test(t)
		})
	}
}

// near checks values against a computation in float64. Sums of at most 100
// terms near 1 carry an error of a few times 2^-24 each: 1e-5 is generous, and
// far below any mistake of a formula.
func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, v := range got {
		if !(math.Abs(float64(v)-want[i]) <= 1e-5*max(1, math.Abs(want[i]))) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, v, want[i])
		}
	}
}

// same checks values bit for bit.
func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v (%#x), want %v (%#x)", what, i, got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

// dirty is a dst that holds what must be overwritten.
func dirty(n int) []float32 { return slices.Repeat([]float32{float32(math.NaN())}, n) }

// TestLinear compares every small shape, around the edges of any tile, with
// the definition: the same bits, for any number of threads.
func TestLinear(t *testing.T) {
	processors(t, func(t *testing.T) {
		for _, rows := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13} {
			for _, in := range []int{0, 1, 2, 3, 5, 17, 64} {
				for _, out := range []int{1, 2, 3, 4, 5, 7, 13, 16, 17, 35} {
					x, weight, bias := normals(1, rows*in), normals(2, out*in), normals(3, out)
					plain := product(x, weight, rows, in, out)
					biased := slices.Clone(plain)
					for i := range biased {
						biased[i] += bias[i%out]
					}
					dst := dirty(rows * out)
					kernel.Linear(dst, x, weight, nil, rows, in, out)
					same(t, fmt.Sprintf("Linear of %d x %d by %d", rows, in, out), dst, plain)
					dst = dirty(rows * out)
					kernel.Linear(dst, x, weight, bias, rows, in, out)
					same(t, fmt.Sprintf("Linear of %d x %d by %d with bias", rows, in, out), dst, biased)
				}
			}
		}
	})
}

// TestLinearValues is a product one can do in the head.
func TestLinearValues(t *testing.T) {
	dst := dirty(4)
	kernel.Linear(dst, []float32{1, 2, 3, 4, 5, 6}, []float32{1, 0, -1, 2, 2, 2}, []float32{10, 20}, 2, 3, 2)
	same(t, "Linear", dst, []float32{8, 32, 8, 50})
}

// TestLinearRowsApart: a row has the same bits in any batch.
func TestLinearRowsApart(t *testing.T) {
	const rows, in, out = 9, 37, 10
	x, weight := normals(1, rows*in), normals(2, out*in)
	together, alone := dirty(rows*out), dirty(out)
	kernel.Linear(together, x, weight, nil, rows, in, out)
	for r := range rows {
		kernel.Linear(alone, x[r*in:(r+1)*in], weight, nil, 1, in, out)
		same(t, fmt.Sprint("row ", r), together[r*out:(r+1)*out], alone)
	}
}

func TestRMSNorm(t *testing.T) {
	// The mean square of 3 and 4 is 12.5; less than 1e-5 hangs on epsilon.
	dst := dirty(2)
	kernel.RMSNorm(dst, []float32{3, 4}, []float32{1, 2}, 0, 1)
	near(t, "RMSNorm by hand", dst, []float64{3 / math.Sqrt(12.5), 8 / math.Sqrt(12.5)})
	kernel.RMSNorm(dst, []float32{0, 0}, []float32{1, 1}, 1e-6, 1)
	same(t, "RMSNorm of zeros", dst, []float32{0, 0})
	kernel.RMSNorm(dst, []float32{1, 1}, []float32{1, 1}, 3, 1) // 1/sqrt(1+3)
	same(t, "RMSNorm with a large epsilon", dst, []float32{0.5, 0.5})
	processors(t, func(t *testing.T) {
		const rows, width, epsilon = 5, 33, 1e-5
		x, weight := normals(1, rows*width), normals(2, width)
		want := make([]float64, rows*width)
		for r := range rows {
			var sum float64
			for _, v := range x[r*width : (r+1)*width] {
				sum += float64(v) * float64(v)
			}
			for i := range width {
				want[r*width+i] = float64(weight[i]) * float64(x[r*width+i]) / math.Sqrt(sum/width+epsilon)
			}
		}
		dst := dirty(rows * width)
		kernel.RMSNorm(dst, x, weight, epsilon, rows)
		near(t, "RMSNorm", dst, want)
	})
}

func TestRoPE(t *testing.T) {
	// A quarter turn of channel 0 takes (1, 2) to (-2, 1); channel 1 stays.
	dst := dirty(4)
	kernel.RoPE(dst, []float32{1, 5, 2, 6}, []float32{0, 1}, []float32{1, 0}, 1, 1, 4, 2)
	same(t, "RoPE by hand", dst, []float32{-2, 5, 1, 6})
	// Of six channels only four are turned.
	dst = dirty(6)
	kernel.RoPE(dst, []float32{1, 5, 2, 6, 7, 8}, []float32{0, 1}, []float32{1, 0}, 1, 1, 6, 2)
	same(t, "RoPE of a part", dst, []float32{-2, 5, 1, 6, 7, 8})
	processors(t, func(t *testing.T) {
		const rows, heads, half = 4, 3, 5
		x, cos, sin := normals(1, rows*heads*2*half), make([]float32, rows*half), make([]float32, rows*half)
		want := make([]float64, len(x))
		for r := range rows {
			for i := range half {
				angle := float64(r) * math.Pow(100, -float64(i)/half)
				cos[r*half+i], sin[r*half+i] = float32(math.Cos(angle)), float32(math.Sin(angle))
				for h := range heads {
					at := (r*heads + h) * 2 * half
					rotated := complex(float64(x[at+i]), float64(x[at+i+half])) * complex(math.Cos(angle), math.Sin(angle))
					want[at+i], want[at+i+half] = real(rotated), imag(rotated)
				}
			}
		}
		dst := dirty(len(x))
		kernel.RoPE(dst, x, cos, sin, rows, heads, 2*half, half)
		near(t, "RoPE", dst, want)
	})
}

func TestSwiGLU(t *testing.T) {
	dst := dirty(4)
	// The sigmoid of 0 is 1/2; of -1000 it is 0 and of 1000 it is 1.
	kernel.SwiGLU(dst, []float32{0, 2, -1000, 1000}, []float32{7, 3, 5, 2})
	near(t, "SwiGLU by hand", dst, []float64{0, 6 / (1 + math.Exp(-2)), 0, 2000})
	processors(t, func(t *testing.T) {
		gate, up := normals(1, 101), normals(2, 101)
		want := make([]float64, len(gate))
		for i := range gate {
			want[i] = float64(gate[i]) * (1 + math.Tanh(float64(gate[i])/2)) / 2 * float64(up[i])
		}
		dst := dirty(len(gate))
		kernel.SwiGLU(dst, gate, up)
		near(t, "SwiGLU", dst, want)
	})
}

func TestAdd(t *testing.T) {
	dst := []float32{1, 2, 3}
	kernel.Add(dst, dst, []float32{10, 20, 30})
	same(t, "Add", dst, []float32{11, 22, 33})
}

func TestLogSumExp(t *testing.T) {
	check := func(want float64, values ...float32) {
		t.Helper()
		if got := kernel.LogSumExp(values); !(math.Abs(got-want) <= 1e-12*max(1, math.Abs(want)) || got == want) {
			t.Errorf("of %v: %v, want %v", values, got, want)
		}
	}
	infinity := float32(math.Inf(1))
	check(math.Inf(-1))
	check(2.5, 2.5)
	check(math.Log(2), 0, 0)
	check(math.Log(6), float32(0), 0, 0, 0, 0, 0)
	check(1000+math.Log(2), 1000, 1000)           // exp(1000) overflows
	check(-1000+math.Log(3), -1000, -1000, -1000) // and exp(-1000) vanishes
	check(5, 5, -infinity)
	check(math.MaxFloat32, math.MaxFloat32, -math.MaxFloat32)
	check(math.Log(math.E+math.E*math.E+math.Exp(3)), 1, 2, 3)
	nan := float32(math.NaN())
	for _, values := range [][]float32{{nan}, {1, nan, 2}, {nan, infinity}} {
		if got := kernel.LogSumExp(values); got == got {
			t.Errorf("of %v: %v, want NaN", values, got)
		}
	}
}

func TestArgMax(t *testing.T) {
	check := func(want int, values ...float32) {
		t.Helper()
		if got := kernel.ArgMax(values); got != want {
			t.Errorf("of %v: %d, want %d", values, got, want)
		}
	}
	nan, infinity := float32(math.NaN()), float32(math.Inf(1))
	check(-1)
	check(-1, nan, nan)
	check(0, 1)
	check(2, 1, 2, 3)
	check(0, 3, 2, 1)
	check(1, 1, 5, 5, 5)                       // the lowest among equals
	check(0, 0, float32(math.Copysign(0, -1))) // zeros are equal
	check(0, float32(math.Copysign(0, -1)), 0) // whatever their sign
	check(1, nan, 1, 0)                        // NaN is passed over, first
	check(0, 1, nan, 0)                        // and later
	check(2, nan, -infinity, 4, nan)
	check(1, 1, infinity, infinity)
	check(0, -infinity, -infinity)
}

// TestParallel covers 0..n once, in pieces of the order of the processors.
func TestParallel(t *testing.T) {
	processors(t, func(t *testing.T) {
		for n := range 20 {
			count := make([]int, n)
			kernel.Parallel(n, func(low, high int) {
				if low >= high {
					t.Errorf("the piece %d to %d of %d is empty", low, high, n)
				}
				for i := low; i < high; i++ {
					count[i]++
				}
			})
			if slices.ContainsFunc(count, func(c int) bool { return c != 1 }) {
				t.Errorf("0..%d was covered %v times", n, count)
			}
		}
	})
}

// TestLengths: wrong lengths are the caller's mistake, and every slice is
// looked at.
func TestLengths(t *testing.T) {
	f := func(n int) []float32 { return make([]float32, n) }
	for i, off := range [][4]int{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, -1, 0}, {0, 0, 0, -1}} {
		panics(t, fmt.Sprint("Linear ", i), func() { kernel.Linear(f(6+off[0]), f(8+off[1]), f(12+off[2]), f(3+off[3]), 2, 4, 3) })
		panics(t, fmt.Sprint("RoPE ", i), func() { kernel.RoPE(f(24+off[0]), f(24+off[1]), f(4+off[2]), f(4+off[3]), 2, 3, 4, 2) })
		panics(t, fmt.Sprint("Attention ", i), func() {
			kernel.Attention(f(16+off[0]), f(16+off[1]), f(8+off[2]), f(8+off[3]), []kernel.Segment{{Start: 0, End: 2, Parent: -1}}, nil, kernel.Heads{Query: 4, KV: 2, Dim: 2})
		})
		if off[3] == 0 && off[2] == 0 {
			panics(t, fmt.Sprint("RMSNorm ", i), func() { kernel.RMSNorm(f(6+off[0]), f(6+off[1]), f(3), 0, 2) })
		}
		if off[3] == 0 && off[0] == 0 {
			panics(t, fmt.Sprint("SwiGLU ", i), func() { kernel.SwiGLU(f(4), f(4+off[1]), f(4+off[2])) })
			panics(t, fmt.Sprint("Add ", i), func() { kernel.Add(f(4), f(4+off[1]), f(4+off[2])) })
		}
	}
}

// TestArgMaxLong: in long rows too the first of the largest values is found, whatever
// stands around it.
func TestArgMaxLong(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	odd := []float32{float32(math.NaN()), float32(math.Inf(-1)), float32(math.Inf(1)), 7, 7}
	for n := range 2200 {
		values := make([]float32, n)
		for i := range values {
			if values[i] = float32(random.NormFloat64()); random.IntN(100) == 0 {
				values[i] = odd[random.IntN(len(odd))]
			} else if n%3 == 0 {
				values[i] = odd[random.IntN(2)] // and nothing else, but now and then
			}
		}
		want := -1
		for i, v := range values {
			if v == v && (want < 0 || v > values[want]) {
				want = i
			}
		}
		if got := kernel.ArgMax(values); got != want {
			t.Fatalf("of %d values number %d is the largest, and not %d", n, want, got)
		}
	}
}
