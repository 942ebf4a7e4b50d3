package merge_test

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// precise are precisions of the tensor "x", drawn or given.
func precise(list ...float64) merge.Precision {
	return func(dst []float64, tensor string, from int) (bool, error) {
		return tensor == "x", func() error { copy(dst, list[from:]); return nil }()
	}
}

// drawn is n precisions over many orders of magnitude, one in eight of them 0.
func drawn(seed uint64, n int) []float64 {
	random, list := tensorstest.NewRandom(seed, "precision"), make([]float64, n)
	for i := range list {
		if random.Intn(2*i, 8) > 0 {
			list[i] = math.Exp(10 * float64(random.Normal(2*i+1)))
		}
	}
	return list
}

var none merge.Precision = func([]float64, string, int) (bool, error) { return false, nil }

// TestFisherFormula holds merged weights against the formula, in float64, with
// zeros on either side and both.
func TestFisherFormula(t *testing.T) {
	const n = 3*1<<16 + 17
	base, tuned := large(tensors.F32)
	f0, f1 := drawn(1, n), drawn(2, n)
	before, after := wide(t, base, "x"), wide(t, tuned, "x")
	zeros := 0
	for _, w := range []float64{0.1, 0.5, 0.75} {
		got := wide(t, apply(t, base, term(merge.Fisher(diff(t, base, tuned), precise(f0...), precise(f1...), w), 1)), "x")
		for i := range got {
			want := (1-w)*before[i] + w*after[i]
			if a, b := (1-w)*f0[i], w*f1[i]; a+b > 0 {
				want = (a*before[i] + b*after[i]) / (a + b)
			} else {
				zeros++
			}
			if most := 0.51 * quantum(tensors.F32, max(math.Abs(before[i]), math.Abs(after[i]))); !(math.Abs(got[i]-want) <= most) {
				t.Fatalf("weight %v: element %d is %v, want %v between %v and %v", w, i, got[i], want, before[i], after[i])
			}
		}
	}
	if zeros < n/30 {
		t.Errorf("both precisions are 0 in %d elements only: nothing is proved", zeros)
	}
}

// TestFisherEnds: weight 0 gives the base's bytes and weight 1 the tuned model's,
// in every type and for any bits; so do precisions of which one is 0 everywhere,
// for values.
func TestFisherEnds(t *testing.T) {
	for _, d := range everyType {
		base, tuned := anyBits(d, 1), anyBits(d, 2)
		f0, f1 := precise(drawn(1, 1<<16)...), precise(drawn(2, 1<<16)...)
		sameBytes(t, string(d)+" weight 0", apply(t, base, term(merge.Fisher(diff(t, base, tuned), f0, f1, 0), 1)), base)
		sameBytes(t, string(d)+" weight 1", apply(t, base, term(merge.Fisher(diff(t, base, tuned), f0, f1, 1), 1)), tuned)
	}
	base, tuned := large(tensors.F32)
	zero, one := make([]float64, 3*1<<16+17), make([]float64, 3*1<<16+17)
	for i := range one {
		one[i] = 1e-300 * float64(1+i%7)
	}
	sameBytes(t, "no domain precision", apply(t, base, term(merge.Fisher(diff(t, base, tuned), precise(one...), precise(zero...), 0.9), 1)), base)
	sameBytes(t, "no general precision", apply(t, base, term(merge.Fisher(hidden{diff(t, base, tuned)}, precise(zero...), precise(one...), 0.1), 1)), apply(t, base, term(hidden{diff(t, base, tuned)}, 1)))
}

// TestFisherLaws: equal precisions, none and none on one side interpolate; scale
// does not matter, also at the ends of float64; what is better known in one model
// stays nearer to it; from the other side it is the same.
func TestFisherLaws(t *testing.T) {
	const n = 3*1<<16 + 17
	base, tuned := large(tensors.F64)
	delta := diff(t, base, tuned)
	merged := func(f0, f1 merge.Precision, w float64) []float64 {
		return wide(t, apply(t, base, term(merge.Fisher(delta, f0, f1, w), 1)), "x")
	}
	same := func(what string, got, want []float64) {
		t.Helper()
		for i := range want {
			if !(math.Abs(got[i]-want[i]) <= 4*quantum(tensors.F64, max(math.Abs(want[i]), 1))) {
				t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], want[i])
			}
		}
	}
	scaled := func(list []float64, by float64) merge.Precision {
		other := make([]float64, len(list))
		for i, v := range list {
			other[i] = by * v
		}
		return precise(other...)
	}
	f0, f1 := drawn(1, n), drawn(2, n)
	half := wide(t, toward(t, base, tuned, 0.3), "x")
	same("equal precisions", merged(precise(f0...), precise(f0...), 0.3), half)
	same("no precisions", merged(none, none, 0.3), half)
	same("no general precisions", merged(none, precise(f1...), 0.3), half)
	same("no domain precisions", merged(precise(f0...), none, 0.3), half)
	want := merged(precise(f0...), precise(f1...), 0.3)
	same("small", merged(scaled(f0, 0x1p-900), scaled(f1, 0x1p-900), 0.3), want)
	same("large", merged(scaled(f0, 0x1p900), scaled(f1, 0x1p900), 0.3), want)
	same("from the other side", wide(t, apply(t, tuned, term(merge.Fisher(diff(t, tuned, base), precise(f1...), precise(f0...), 0.7), 1)), "x"), want)
	huge := []float64{math.MaxFloat64}
	one := apply(t, row(tensors.F64, 2), term(merge.Fisher(diff(t, row(tensors.F64, 2), row(tensors.F64, 4)), precise(huge...), precise(huge...), 0.5), 1))
	if v := wide(t, one, "x")[0]; v != 3 {
		t.Errorf("the largest precisions give %v between 2 and 4, want 3", v)
	}
	nearer := merged(precise(f0...), scaled(f1, 3), 0.3)
	before, after := wide(t, base, "x"), wide(t, tuned, "x")
	for i := range want {
		low, high := min(before[i], after[i])-1e-15, max(before[i], after[i])+1e-15
		if nearer[i] < low || nearer[i] > high || math.Abs(nearer[i]-after[i]) > math.Abs(want[i]-after[i])+1e-15 {
			t.Fatalf("element %d: %v with thrice the precision, %v without, between %v and %v", i, nearer[i], want[i], before[i], after[i])
		}
	}
}

// TestFisherContract: it is a Delta like any other, for any range and with any
// number of threads.
func TestFisherContract(t *testing.T) {
	const n = 3*1<<16 + 17
	for _, d := range []tensors.DType{tensors.BF16, tensors.F32, tensors.F64} {
		base, tuned := large(d)
		f0, f1 := tensorstest.NewMemory(), precise(drawn(2, n)...)
		narrow := make([]float32, n)
		for i, v := range drawn(1, n) {
			narrow[i] = float32(v)
		}
		f0.Add("x", tensors.F32, []int{n}, narrow)
		for _, w := range []float64{0, 0.3, 1} {
			delta := merge.Fisher(diff(t, base, tuned), merge.PrecisionOf(f0), f1, w)
			tensorstest.TestDelta(t, base, delta)
			m := apply(t, base, term(delta, 1))
			tensorstest.TestSource(t, m)
			var one, two *tensorstest.Memory
			threads(1, func() { one = written(t, m) })
			threads(runtime.NumCPU()+1, func() { two = written(t, m) })
			sameBytes(t, "threads", one, two)
		}
	}
}

// TestFisherErrors: precisions that are none are told by tensor and element, an
// error of theirs is passed on, a weight that is none panics.
func TestFisherErrors(t *testing.T) {
	base, tuned := vector(tensors.F32, 1, 2, 3), vector(tensors.F32, 4, 5, 6)
	good, failed := precise(1, 1, 1), errors.New("the disk is gone")
	check := func(f0, f1 merge.Precision, want string) {
		t.Helper()
		err := merge.Fisher(diff(t, base, tuned), f0, f1, 0.5).AddTo(make([]float32, 3), "x", 0, 1)
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	check(precise(1, -1, 1), good, `tensor "x": the general precision of element 1 is -1: want a finite number of at least 0`)
	check(good, precise(1, 1, math.NaN()), `tensor "x": the domain precision of element 2 is NaN: want a finite number of at least 0`)
	check(good, precise(math.Inf(1), 1, 1), `tensor "x": the domain precision of element 0 is +Inf: want a finite number of at least 0`)
	check(func([]float64, string, int) (bool, error) { return false, failed }, good, failed.Error())
	if ok, err := merge.PrecisionOf(base)(make([]float64, 1), "y", 0); ok || err != nil {
		t.Errorf("a tensor that is not there: %v, %v", ok, err)
	}
	if _, err := merge.PrecisionOf(base)(make([]float64, 4), "x", 0); err == nil || !strings.Contains(err.Error(), "x") {
		t.Errorf("more elements than there are: %v", err)
	}
	for _, weight := range []float64{-0.1, 1.1, math.NaN()} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a weight of %v is taken", weight)
				}
			}()
			merge.Fisher(diff(t, base, tuned), good, good, weight)
		}()
	}
}
