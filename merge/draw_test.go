package merge_test

import (
	"bytes"
	"math"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// stochastically is a merge that is rounded at random.
func stochastically(m *merge.Model, d tensors.DType, seed uint64) *merge.Model {
	return m.With(merge.Options{DType: d, Stochastic: true, Seed: seed})
}

// TestDrawnBits: what is drawn depends on seed, tensor and place only: not on
// the ranges that are read, their order or the threads.
func TestDrawnBits(t *testing.T) {
	for _, d := range everyType[1:] {
		base, tuned := long(d, 0, 0), long(d, 1, 0.1)
		m := stochastically(toward(t, base, tuned, 0.3), "", 7)
		whole, size := raw(t, m, "x"), d.Size()
		for _, n := range []int{1, 2, 5} {
			threads(n, func() {
				if !bytes.Equal(raw(t, m, "x"), whole) {
					t.Errorf("%s: other bytes with %d processors", d, n)
				}
			})
		}
		pieces, length := make([]byte, len(whole)), 10_007*size
		for at := len(whole) / length * length; at >= 0; at -= length { // from the end
			if err := m.ReadRaw(pieces[at:min(at+length, len(whole))], "x", int64(at)); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(pieces, whole) {
			t.Errorf("%s: other bytes in pieces", d)
		}
		if !bytes.Equal(raw(t, stochastically(toward(t, base, tuned, 0.3), "", 7), "x"), whole) {
			t.Errorf("%s: other bytes of another model", d)
		}
		if bytes.Equal(raw(t, stochastically(m, "", 8), "x"), whole) || bytes.Equal(raw(t, m.With(merge.Options{}), "x"), whole) {
			t.Errorf("%s: the same bytes with another seed, or none", d)
		}
	}
}

// TestDrawnNeighbours: every element is one of the two neighbours of what
// float64 arithmetic gives.
func TestDrawnNeighbours(t *testing.T) {
	for _, d := range everyType[1:] {
		base, tuned := long(d, 0, 0), long(d, 1, 0.1)
		b, u, got := wide(t, base, "x"), wide(t, tuned, "x"), wide(t, stochastically(toward(t, base, tuned, 0.3), "", 1), "x")
		for i := range got {
			v := b[i] + float64(0.3*(u[i]-b[i]))
			if q := quantum(d, math.Abs(v)); !(math.Abs(got[i]-v) < q) {
				t.Fatalf("%s: element %d is %v, which is no neighbour of %v", d, i, got[i], v)
			}
		}
	}
}

// tiny is a bf16 model and one whose weights drifted by 0.2 % of their size.
func tiny() (base, tuned *tensorstest.Memory) {
	list := make([]float64, longLen)
	for i, v := range draws()[0] {
		list[i] = nearest(tensors.BF16, v) + 0.002*draws()[1][i]
	}
	return row(tensors.BF16, draws()[0]...), row(tensors.BF16, list...)
}

// TestTrap measures the bf16 trap: of a drift of 0.2 % nearest rounding leaves
// an effective 0.14 of alpha 0.4 and makes 0.86 of 0.6 (to
// its two digits); random rounding leaves alpha itself. Its standard error
// follows from the shares by which each element lies between its neighbours.
func TestTrap(t *testing.T) {
	base, tuned := tiny()
	b, u := wide(t, base, "x"), wide(t, tuned, "x")
	for alpha, want := range map[float64]float64{0.1: 0.01, 0.3: 0.12, 0.4: 0.14, 0.5: 0.5, 0.6: 0.86, 0.9: 0.99} {
		m := toward(t, base, tuned, alpha)
		if got := effective(t, m); math.Abs(got-want) > 0.02 {
			t.Errorf("to nearest, alpha %v: effective %v, want %v", alpha, got, want)
		}
		var variance, full float64
		for i := range b {
			d := u[i] - b[i]
			v := math.Abs(b[i] + alpha*d)
			q := quantum(tensors.BF16, v)
			share := v/q - math.Floor(v/q)
			variance += share * (1 - share) * q * q * d * d
			full += d * d
		}
		deviation := math.Sqrt(variance) / full
		const seeds = 10
		var sum float64
		for seed := range uint64(seeds) {
			got := effective(t, stochastically(m, "", seed))
			if math.Abs(got-alpha) > 5*deviation {
				t.Errorf("at random, alpha %v: effective %v, %v standard errors off", alpha, got, (got-alpha)/deviation)
			}
			sum += got
		}
		if mean := sum / seeds; math.Abs(mean-alpha) > 4*deviation/math.Sqrt(seeds) || deviation > 0.01 {
			t.Errorf("at random, alpha %v: effective %v in the mean of %d seeds, standard error %v", alpha, mean, seeds, deviation)
		}
	}
}

// TestDrawnEnds: nothing is drawn where nothing is computed; tensors that no
// term changes are drawn too where they are stored in another type; integers
// stay.
func TestDrawnEnds(t *testing.T) {
	base, tuned := long(tensors.F32, 0, 0), long(tensors.F32, 1, 0.1)
	sameBytes(t, "alpha 0", stochastically(toward(t, base, tuned, 0), "", 1), base)
	sameBytes(t, "alpha 1", stochastically(toward(t, base, tuned, 1), tensors.F32, 1), tuned)
	m, before := toward(t, base, tuned, 0), wide(t, base, "x")
	for _, d := range []tensors.DType{tensors.F16, tensors.BF16, tensors.F8E4M3, tensors.F8E5M2} {
		one := stochastically(m, d, 1)
		for _, name := range []string{"x", "still"} {
			if infoOf(one, name).DType != d {
				t.Errorf("%s is stored as %s, want %s", name, infoOf(one, name).DType, d)
			}
		}
		if !bytes.Equal(raw(t, one, "ids"), raw(t, base, "ids")) || infoOf(one, "ids").DType != "I64" {
			t.Error("integers were touched")
		}
		up, off, limit := 0, 0., 0.
		for i, got := range wide(t, one, "x") {
			v := before[i]
			q := quantum(d, math.Abs(v))
			if got != nearest(d, v) {
				up++
			}
			if !(math.Abs(got-v) < q) {
				t.Fatalf("%s: element %d is %v, which is no neighbour of %v", d, i, got, v)
			}
			off, limit = off+(got-v), limit+q*q/4
		}
		if math.Abs(off) > 5*math.Sqrt(limit) || up < longLen/8 {
			t.Errorf("%s: the sum is %v off, at most %v; %d elements are not the nearest", d, off, 5*math.Sqrt(limit), up)
		}
		if plain := m.With(merge.Options{DType: d}); bytes.Equal(raw(t, plain, "x"), raw(t, one, "x")) {
			t.Errorf("%s: nothing was drawn", d)
		}
	}
	sameBytes(t, "F64", stochastically(toward(t, base, tuned, 0.3), tensors.F64, 1), toward(t, base, tuned, 0.3).With(merge.Options{DType: tensors.F64}))
}
