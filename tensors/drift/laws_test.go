package drift_test

import (
	"math"
	"math/big"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// figures checks a pair against what is known of it without computing.
func figures(t *testing.T, what string, base, tuned []float32, relative, cosine, changed, flipped float64) {
	t.Helper()
	s := sums(t, base, tuned)
	check := func(figure string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-12 || got == want || got != got && want != want) {
			t.Errorf("%s: %s is %v, want %v", what, figure, got, want)
		}
	}
	check("relative drift", s.Relative(), relative)
	check("cosine", s.Cosine(), cosine)
	check("1 - cosine", s.OneMinusCosine(), 1-cosine)
	check("share changed", s.ChangedShare(), changed)
	check("share flipped", s.FlippedShare(), flipped)
}

// TestLaws are cases whose answer one knows beforehand.
func TestLaws(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	zero := float32(math.Copysign(0, -1))
	b := []float32{3, -4, 1, 2}
	scaled := func(factor float32) []float32 {
		list := make([]float32, len(b))
		for i, v := range b {
			list[i] = factor * v
		}
		return list
	}
	figures(t, "nothing moved", b, b, 0, 1, 0, 0)
	figures(t, "twice", b, scaled(2), 1, 1, 1, 0)
	figures(t, "half", b, scaled(0.5), 0.5, 1, 1, 0)
	figures(t, "sign flip", b, scaled(-1), 2, -1, 1, 1)
	figures(t, "away and back", b, scaled(-3), 4, -1, 1, 1)
	figures(t, "all gone", b, scaled(0), 1, math.NaN(), 1, 0)
	figures(t, "out of nothing", []float32{0, 0}, []float32{1, 0}, math.Inf(1), math.NaN(), 0.5, 0)
	figures(t, "nothing at all", []float32{0, zero}, []float32{zero, 0}, 0, 1, 0, 0)
	figures(t, "orthogonal change", []float32{3, 0}, []float32{3, 4}, 4./3, 3./5, 0.5, 0)
	figures(t, "quarter turn", []float32{5, 0}, []float32{0, 5}, math.Sqrt2, 0, 1, 0)
	figures(t, "one sign", []float32{1, 1, 1, 1}, []float32{1, 1, 1, -1}, 1, 0.5, 0.25, 0.25)
	figures(t, "infinity stays", []float32{inf, 1}, []float32{inf, 1}, 0, 1, 0, 0)
	figures(t, "NaN in the tuned model", []float32{1, 2}, []float32{1, nan}, math.NaN(), math.NaN(), 0.5, 0)
	figures(t, "NaN in the base", []float32{1, nan}, []float32{1, 2}, math.NaN(), math.NaN(), 0.5, 0)
	figures(t, "to infinity", []float32{1, 2}, []float32{1, inf}, inf64, math.NaN(), 0.5, 0)
	check := func(what string, got, want float64) {
		t.Helper()
		if got != want && (got == got || want == want) {
			t.Errorf("%s: largest change %v, want %v", what, got, want)
		}
	}
	check("moved down", sums(t, []float32{1, 2}, []float32{1.5, -1}).MaxAbs, 3)
	check("NaN first", sums(t, []float32{nan, 2}, []float32{1, 5}).MaxAbs, math.NaN())
	check("NaN last", sums(t, []float32{2, nan}, []float32{5, 1}).MaxAbs, math.NaN())
	check("nothing moved", sums(t, b, b).MaxAbs, 0)
}

var inf64 = math.Inf(1)

// TestFlips: a sign flips from one side of zero to the other, not from or to it.
func TestFlips(t *testing.T) {
	check := func(base, tuned float32, want int64) {
		t.Helper()
		if got := sums(t, []float32{base}, []float32{tuned}).Flipped; got != want {
			t.Errorf("%v to %v: %d flips", base, tuned, got)
		}
	}
	zero := float32(math.Copysign(0, -1))
	check(1, -1, 1)
	check(-1, 1, 1)
	check(1, -0.5, 1)
	check(1, 2, 0)
	check(1, 0, 0)
	check(1, zero, 0)
	check(0, -1, 0)
	check(zero, 1, 0)
	check(zero, 0, 0)
}

// TestSymmetry: what does not depend on which model is the base.
func TestSymmetry(t *testing.T) {
	base, tuned := tensorstest.Pico{Seed: 4}.Weights(), tensorstest.Pico{Seed: 4, Drift: 0.2}.Weights()
	there, back := measure(t, base, tuned), measure(t, tuned, base)
	for i, row := range there.Tensors {
		other := back.Tensors[i]
		if row.Delta2 != other.Delta2 || row.MaxAbs != other.MaxAbs || row.Changed != other.Changed || row.Flipped != other.Flipped || row.N != other.N {
			t.Errorf("%s: %v there, %v back", row.Name, row.Sums, other.Sums)
		}
		if a, b := row.OneMinusCosine(), other.OneMinusCosine(); !(math.Abs(a-b) <= 1e-10*a) || a <= 0 {
			t.Errorf("%s: 1-cosine %v there, %v back", row.Name, a, b)
		}
	}
}

// exact is 1 - cosine in 400 bits.
func exact(base, tuned []float32) float64 {
	number := func() *big.Float { return new(big.Float).SetPrec(400) }
	b2, t2, dot := number(), number(), number()
	for i, v := range base {
		b, u := number().SetFloat64(float64(v)), number().SetFloat64(float64(tuned[i]))
		b2.Add(b2, number().Mul(b, b))
		t2.Add(t2, number().Mul(u, u))
		dot.Add(dot, number().Mul(b, u))
	}
	cosine := number().Quo(dot, number().Sqrt(number().Mul(b2, t2)))
	value, _ := number().Sub(number().SetInt64(1), cosine).Float64()
	return value
}

// TestSmallAngles keeps nine digits of angles whose 1-cosine the plain formula
// would lose in the last bits of 1.
func TestSmallAngles(t *testing.T) {
	const n = 1000
	draw := tensorstest.NewRandom(9, "angles")
	for _, size := range []float32{1, 0.1, 1e-2, 1e-3, 1e-4} {
		base, tuned := make([]float32, n), make([]float32, n)
		for i := range base {
			// Multiples of 2^-20 below 16 have exact differences in float32.
			base[i] = float32(math.Round(float64(draw.Normal(i))*0x1p20) * 0x1p-20)
			tuned[i] = base[i] + float32(math.Round(float64(draw.Normal(n+i)*size)*0x1p20)*0x1p-20)
		}
		got, want := sums(t, base, tuned).OneMinusCosine(), exact(base, tuned)
		if !(math.Abs(got-want) <= 1e-9*want) {
			t.Errorf("change of %v: 1-cosine %v, exactly %v", size, got, want)
		}
	}
	// One unit in the last place of one weight: 1-cosine is near 1e-17, which
	// 1 - cosine cannot show at all.
	base := make([]float32, n)
	for i := range base {
		base[i] = 1
	}
	tuned := append([]float32{1 + 0x1p-23}, base[1:]...)
	got, want := sums(t, base, tuned).OneMinusCosine(), exact(base, tuned)
	if !(math.Abs(got-want) <= 1e-9*want) || want > 1e-16 {
		t.Errorf("one unit: 1-cosine %v, exactly %v", got, want)
	}
}

// TestEmpty: no elements and no tensors are no drift, and no division by zero.
func TestEmpty(t *testing.T) {
	base := tensorstest.NewMemory()
	report := measure(t, base, base)
	if len(report.Tensors)+len(report.Layers)+len(report.Parts) != 0 || report.Total.Relative() != 0 || report.Total.ChangedShare() != 0 || report.Total.FlippedShare() != 0 {
		t.Errorf("an empty model drifts: %+v", report)
	}
	base.Add("empty", tensors.F32, []int{0, 4}, nil)
	base.Add("scalar", tensors.F32, nil, []float32{2})
	tuned := tensorstest.NewMemory()
	tuned.Add("empty", tensors.F32, []int{0, 4}, nil)
	tuned.Add("scalar", tensors.F32, nil, []float32{3})
	report = measure(t, base, tuned)
	check := func(row drift.Row, n int64, relative float64) {
		t.Helper()
		if row.N != n || row.Relative() != relative {
			t.Errorf("%s: %d elements, drift %v; want %d, %v", row.Name, row.N, row.Relative(), n, relative)
		}
	}
	check(report.Tensors[0], 0, 0)
	check(report.Tensors[1], 1, 0.5)
	check(report.Total, 1, 0.5)
}
