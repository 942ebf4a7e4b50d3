package merge_test

import (
	"math"
	"slices"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// solve minimises |y - sum of a[k]*columns[k]| by orthogonalising the columns
// (modified Gram-Schmidt, with y as one of them) and solving back: the normal
// equations are not formed. A column of zeros has NaN.
func solve(y []float64, columns ...[]float64) []float64 {
	k := len(columns)
	all, r := make([][]float64, k+1), make([][]float64, k)
	for j := range all {
		all[j] = slices.Clone(append(columns, y)[j])
	}
	dot := func(a, b []float64) (sum float64) {
		for i, v := range a {
			sum += v * b[i]
		}
		return sum
	}
	for j := range k {
		r[j] = make([]float64, k+1)
		if r[j][j] = math.Sqrt(dot(all[j], all[j])); r[j][j] == 0 {
			continue
		}
		for i := range all[j] {
			all[j][i] /= r[j][j]
		}
		for l := j + 1; l <= k; l++ {
			r[j][l] = dot(all[j], all[l])
			for i, v := range all[j] {
				all[l][i] -= r[j][l] * v
			}
		}
	}
	a := make([]float64, k)
	for j := k - 1; j >= 0; j-- {
		a[j] = r[j][k]
		for l := j + 1; l < k; l++ {
			if r[l][l] != 0 {
				a[j] -= r[j][l] * a[l]
			}
		}
		if a[j] /= r[j][j]; r[j][j] == 0 {
			a[j] = math.NaN()
		}
	}
	return a
}

// effectives are the effective alphas of a list.
func effectives(list []merge.TermEffect) []float64 {
	alphas := make([]float64, len(list))
	for k, e := range list {
		alphas[k] = e.Effective
	}
	return alphas
}

// closeTo checks numbers one by one; NaN must be NaN.
func closeTo(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	for k := range want {
		if !(math.Abs(got[k]-want[k]) <= tolerance) && !(math.IsNaN(got[k]) && math.IsNaN(want[k])) {
			t.Errorf("%s: %v, want %v", what, got, want)
			return
		}
	}
}

// TestThreeByHand: numbers from numpy.linalg.lstsq, of the changes as columns
// and of what bf16 made of b + 0.3*d1 - 0.7*d2 + 1.9*d3.
func TestThreeByHand(t *testing.T) {
	base := row(tensors.BF16, 1, 2, -3, 0.5, 4, -1, 0.25, 8)
	var terms []merge.Term
	for k, d := range [][]float64{{1, 0, 2, -1, 0.5, 3, -2, 0.25}, {0, 1, -1, 2, 4, 0, 1, -3}, {2, 2, 0, 0, -1, 1, 5, 1}} {
		tuned := wide(t, base, "x")
		for i := range tuned {
			tuned[i] += d[i]
		}
		terms = append(terms, term(diff(t, base, row(tensors.BF16, tuned...)), []float64{0.3, -0.7, 1.9}[k]))
	}
	m := apply(t, base, terms...)
	sameValues(t, "the merge", wide(t, m, "x"), []float64{5.09375, 5.09375, -1.703125, -1.203125, -0.55078125, 1.796875, 8.4375, 12.0625})
	e := effectOf(t, m.Record(false))
	closeTo(t, "effective", effectives(e.Terms), []float64{0.299420726144864, -0.6996953609628715, 1.897072640618347}, 1e-14)
}

// TestSquares compares the effective alphas of several terms with those of the
// independent solver, of each tensor and of all tensors as one.
func TestSquares(t *testing.T) {
	for _, d := range everyType {
		base := tensorstest.Pico{Seed: 6, DType: d}.Weights()
		var deltas []tensors.Delta
		var terms []merge.Term
		for k, drift := range []float32{0.03, 0.3, 0.01} {
			tuned := tensorstest.Pico{Seed: 6, DType: d, Drift: drift}.Weights()
			for _, name := range tuned.Names() { // all three drift the same way, so turn each by another one
				list, other := values(t, tuned, name), values(t, tensorstest.Pico{Seed: 9 + uint64(k), DType: d}.Weights(), name)
				for i := range list {
					list[i] += 0.05 * other[i]
				}
				tuned.Add(name, d, infoOf(tuned, name).Shape, list)
			}
			deltas = append(deltas, diff(t, base, tuned))
			terms = append(terms, term(deltas[k], []float64{0.3, -0.2, 1.1}[k]))
		}
		for n := 2; n <= 3; n++ {
			m := apply(t, base, terms[:n]...)
			e := effectOf(t, m.Record(false))
			var all []float64
			columns := make([][]float64, n)
			for i, name := range base.Names() {
				moved, own := wide(t, m, name), make([][]float64, n)
				for j, b := range wide(t, base, name) {
					moved[j] -= b
				}
				for k := range own {
					own[k] = make([]float64, len(moved))
					if err := deltas[k].AddTo64(own[k], name, 0, 1); err != nil {
						t.Fatal(err)
					}
					columns[k] = append(columns[k], own[k]...)
				}
				all = append(all, moved...)
				if d.Size() == 1 {
					continue // in 8 bits the terms may be the same in a small tensor
				}
				closeTo(t, string(d)+" "+name, effectives(e.Tensors[i].Terms), solve(moved, own...), 1e-9)
			}
			closeTo(t, string(d), effectives(e.Terms), solve(all, columns...), 1e-9)
		}
	}
}

// TestTwins: two terms that are the same cannot be told apart, and a term that
// changes nothing has no alpha; the others keep theirs where they can.
func TestTwins(t *testing.T) {
	for _, d := range everyType {
		base, tuned, other := long(d, 0, 0), long(d, 1, 0.1), long(d, 2, 0.1)
		one, two, none := diff(t, base, tuned), diff(t, base, other), diff(t, base, base)
		nan := math.NaN()
		check := func(what string, tolerance float64, want []float64, terms ...merge.Term) {
			t.Helper()
			closeTo(t, string(d)+" "+what, effectives(effectOf(t, apply(t, base, terms...).Record(false)).Terms), want, tolerance)
		}
		tolerance := map[tensors.DType]float64{tensors.F64: 1e-12, tensors.F32: 1e-6, tensors.F16: 1e-3, tensors.BF16: 0.01}[d]
		if tolerance == 0 {
			tolerance = 0.5 // 8 bits cannot say more
		}
		check("twins", 0, []float64{nan, nan}, term(one, 0.3), term(one, 0.2))
		check("twins of two models", 0, []float64{nan, nan}, term(one, 0.3), term(diff(t, base, long(d, 1, 0.1)), 0.2))
		check("nothing first", tolerance, []float64{nan, 0.3}, term(none, 0.5), term(one, 0.3))
		check("nothing between", tolerance, []float64{0.3, nan, -0.4}, term(one, 0.3), term(none, 0.5), term(two, -0.4))
		check("nothing at all", 0, []float64{nan, nan}, term(none, 0.5), term(none, 1))
		check("other tensors", tolerance, []float64{0.3, nan}, term(one, 0.3), term(diff(t, base, vector(d, 1)), 1))
	}
}

// TestOneOfTwo: a term with alpha 0 among two has the effective alphas of a
// merge of two, whichever path through the code the other takes.
func TestOneOfTwo(t *testing.T) {
	for _, d := range everyType {
		t.Run(string(d), func(t *testing.T) {
			oneOfTwo(t, d)
		})
	}
}

func oneOfTwo(t *testing.T, d tensors.DType) {
	t.Helper()
	base := long(d, 0, 0)
	one, two := diff(t, base, long(d, 1, 0.1)), diff(t, base, long(d, 2, 0.1))
	for _, terms := range [][]merge.Term{{term(one, 0.3), term(two, 0)}, {term(two, 0), term(one, 0.3)}} {
		shown, general := apply(t, base, terms...), apply(t, base, term(hidden{terms[0].Delta}, terms[0].Alpha("")), term(hidden{terms[1].Delta}, terms[1].Alpha("")))
		got, want := effectOf(t, shown.Record(false)), effectOf(t, general.Record(false))
		if bits(got) != bits(want) || math.IsNaN(got.Terms[0].Effective) {
			t.Errorf("%s: %+v, in general %+v", d, got, want)
		}
	}
}
