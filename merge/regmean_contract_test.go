package merge_test

import (
	"math"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestRegMeanContract: a Delta like any other, of strips and pieces of them.
func TestRegMeanContract(t *testing.T) {
	const rows, width = 700, 96
	x0, x1 := normals("general", 50*width), normals("domain", 50*width)
	for _, d := range everyType {
		base, tuned := matrix(d, rows, width, ""), matrix(d, rows, width, "tuned")
		delta := mean(diff(t, base, tuned), only(x0, width, "m", "n"), only(x1, width, "m", "n"), 0.4)
		tensorstest.TestDelta(t, base, delta)
		tensorstest.TestSource(t, apply(t, base, term(delta, 1)))
		if err := delta.AddTo(make([]float32, 2), "m", rows*width-1, 1); err == nil || !strings.Contains(err.Error(), "outside shape") {
			t.Errorf("past the end: %v", err)
		}
	}
}

// TestRegMeanThreads: the same bits for any number of threads, many readers and any
// order.
func TestRegMeanThreads(t *testing.T) {
	const rows, width = 600, 130
	base, tuned := matrix(tensors.BF16, rows, width, ""), matrix(tensors.BF16, rows, width, "tuned")
	made := func() tensors.Source {
		return apply(t, base, term(mean(diff(t, base, tuned), only(normals("general", 200*width), width, "m", "n"), only(normals("domain", 200*width), width, "m", "n"), 0.4), 1))
	}
	want := made()
	threads(1, func() { raw(t, want, "m"); raw(t, want, "n") })
	threads(5, func() {
		got, done := made(), make(chan error)
		for k := range 8 {
			go func() {
				name := []string{"m", "n"}[k%2]
				part := make([]float32, width*rows/4)
				done <- got.Read(part, name, k/2*len(part))
			}()
		}
		for range 8 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		sameBytes(t, "5 threads", got, want)
	})
}

// TestRegMeanRefuse: Gram matrices that cannot be, each with the tensor's name, and
// options that are a mistake.
func TestRegMeanRefuse(t *testing.T) {
	const rows, width = 3, 4
	base, tuned := matrix(tensors.F32, rows, width, ""), matrix(tensors.F32, rows, width, "tuned")
	good := only(normals("general", 10*width), width, "m")
	of := func(change func(g []float64)) merge.Gram {
		return func(tensor string) ([]float64, int, bool) {
			g, n, ok := good(tensor)
			if ok {
				change(g)
			}
			return g, n, ok
		}
	}
	check := func(general, domain merge.Gram, words string) {
		t.Helper()
		delta := mean(diff(t, base, tuned), general, domain, 0.5)
		for range 2 { // a failure is not kept
			err := delta.AddTo(make([]float32, 4), "m", 0, 1)
			if err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), `"m"`) {
				t.Errorf("error %v, want %q", err, words)
			}
		}
		if err := delta.AddTo(make([]float32, 4), "v", 0, 1); err != nil {
			t.Errorf("another tensor: %v", err)
		}
	}
	none := only(nil, 1)
	check(good, none, "only one of general and domain")
	check(none, good, "only one of general and domain")
	check(good, only(normals("x", 30), 3, "m"), "widths of 4 and 3")
	check(good, func(tensor string) ([]float64, int, bool) { return make([]float64, 7), 4, tensor == "m" }, "another model")
	check(only(make([]float64, 8), width, "m"), good, "positive and finite")
	check(good, of(func(g []float64) { g[5] = math.NaN() }), "positive and finite")
	check(good, of(func(g []float64) { g[5] = math.Inf(1) }), "positive and finite")
	check(of(func(g []float64) { g[0] = -300; g[5] = 600 }), good, "not positive definite")
	check(good, of(func(g []float64) { g[1], g[4] = 400, 400 }), "not positive definite")
	check(good, of(func(g []float64) { g[1], g[4] = math.NaN(), math.NaN() }), "not positive definite")

	// A little less than positive definite is what rounding does: the ridge grows.
	almost := of(func(g []float64) {
		copy(g, products([]float64{1, 1, 0, 0}, 4))
		g[0] -= 1e-5
	})
	delta := merge.RegMean(diff(t, base, tuned), almost, almost, merge.RegMeanOptions{Weight: 0.5, Shrink: 1})
	got := make([]float32, 4)
	if err := delta.AddTo(got, "m", 0, 1); err != nil {
		t.Errorf("rounding: %v", err)
	}
	for i, v := range less(exact(t, tuned, "m"), exact(t, base, "m"))[:4] {
		if math.Abs(float64(got[i])-v/2) > 1e-4 {
			t.Errorf("rounding: element %d is %g, want %g", i, got[i], v/2)
		}
	}

	for _, opt := range []merge.RegMeanOptions{{Weight: -0.1}, {Weight: 1.1}, {Weight: math.NaN()}, {Shrink: 1.1}, {Shrink: -1}, {Ridge: -1}, {Ridge: math.NaN()}, {Ridge: 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v does not panic", opt)
				}
			}()
			merge.RegMean(diff(t, base, tuned), good, good, opt)
		}()
	}
}
