package lora_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"surgeon/lora"
	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// pair is a base and a whole fine-tune of it.
func pair(t *testing.T, d tensors.DType) (base tensors.Source, tuned tensors.Source, delta tensors.Delta) {
	t.Helper()
	base, tuned = tensorstest.Pico{Seed: 4, DType: d}.Weights(), tensorstest.Pico{Seed: 4, DType: d, Drift: 0.2}.Weights()
	difference, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	return base, tuned, difference
}

func decompose(t *testing.T, d tensors.Delta, opt lora.DecomposeOptions) *lora.Decomposition {
	t.Helper()
	x, err := lora.Decompose(t.Context(), d, opt)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// elements are all elements of a difference.
func elements(t *testing.T, d tensors.Delta, name string) []float64 {
	t.Helper()
	info, ok := d.Info(name)
	if !ok {
		t.Fatalf("no difference %s", name)
	}
	out := make([]float64, info.Len())
	if err := d.AddTo64(out, name, 0, 1); err != nil {
		t.Fatal(err)
	}
	return out
}

// near compares two Deltas, element by element, to a share of the largest.
func near(t *testing.T, what string, got, want tensors.Delta, tolerance float64) {
	t.Helper()
	if !slices.Equal(got.Names(), want.Names()) {
		t.Fatalf("%s: changes %v, want %v", what, got.Names(), want.Names())
	}
	for _, name := range want.Names() {
		g, w := elements(t, got, name), elements(t, want, name)
		largest := 0.0
		for _, v := range w {
			largest = max(largest, math.Abs(v))
		}
		for i := range w {
			if !(math.Abs(g[i]-w[i]) <= tolerance*largest) {
				t.Fatalf("%s: %s: element %d is %g, want %g", what, name, i, g[i], w[i])
			}
		}
	}
}

// TestFullRank: an extraction to full rank gives the fine-tune back: each weight is
// the one of the fine-tune or its neighbour, and nearly all are the same.
func TestFullRank(t *testing.T) {
	base, tuned, delta := pair(t, tensors.BF16)
	a := decompose(t, delta, lora.DecomposeOptions{Embedding: true}).Adapter(0, tuned)
	over, err := a.Over(base)
	if err != nil {
		t.Fatal(err)
	}
	m, err := merge.Apply(base, merge.Term{Label: "extracted", Delta: over, Alpha: merge.Number(1)})
	if err != nil {
		t.Fatal(err)
	}
	other, all := 0, 0
	for _, name := range tuned.Names() {
		info, _ := tuned.Info(name)
		got, want := make([]float32, info.Len()), make([]float32, info.Len())
		for into, from := range map[*[]float32]tensors.Source{&got: m, &want: tuned} {
			if err := from.Read(*into, name, 0); err != nil {
				t.Fatal(err)
			}
		}
		for i := range want {
			all++
			if got[i] != want[i] {
				other++
				if math.Abs(float64(got[i]-want[i])) > math.Abs(float64(want[i]))/128 {
					t.Fatalf("%s: element %d is %g, of the fine-tune %g: more than a rounding away", name, i, got[i], want[i])
				}
			}
		}
	}
	if other*1000 > all {
		t.Errorf("%d of %d weights are not the fine-tune's", other, all)
	}
}

// TestExtractionLaws: what is reported is what one measures, truncating the whole
// is extracting less, and a rule for the ranks keeps what it says.
func TestExtractionLaws(t *testing.T) {
	base, _, delta := pair(t, tensors.F32)
	whole := decompose(t, delta, lora.DecomposeOptions{Embedding: true})
	for _, rank := range []int{1, 4, 7} {
		cut := decompose(t, delta, lora.DecomposeOptions{Embedding: true, Ranks: lora.Ranks{Rank: rank}})
		less, _, err := whole.Adapter(0, nil).Truncated(t.Context(), rank, 0)
		if err != nil {
			t.Fatal(err)
		}
		sameErrors(t, base, delta, cut.Adapter(0, nil), less, 5e-3) // its sketch is smaller
		sameErrors(t, base, delta, whole.Adapter(rank, nil), less, 1e-6)
		for _, m := range cut.Matrices {
			if m.Rank != min(rank, m.In, m.Out) {
				t.Errorf("%s has rank %d, want %d", m.Tensor, m.Rank, rank)
			}
		}
	}
	for _, share := range []float64{0.3, 0.9, 1} {
		x := decompose(t, delta, lora.DecomposeOptions{Ranks: lora.Ranks{Energy: share}})
		for _, m := range x.Matrices {
			if got := 1 - math.Pow(m.Optimum(m.Rank), 2); got < share-1e-9 {
				t.Errorf("%s: %v of the energy in rank %d, want %v", m.Tensor, got, m.Rank, share)
			}
			if less := 1 - math.Pow(m.Optimum(m.Rank-1), 2); less >= share {
				t.Errorf("%s: rank %d would do for %v", m.Tensor, m.Rank-1, share)
			}
		}
	}
}

// sameErrors checks that two adapters leave as much of a task vector, tensor by
// tensor.
func sameErrors(t *testing.T, base tensors.Source, delta tensors.Delta, a, b *lora.Adapter, tolerance float64) {
	t.Helper()
	var left [2][]lora.Residual
	for i, one := range []*lora.Adapter{a, b} {
		over, err := one.Over(base)
		if err != nil {
			t.Fatal(err)
		}
		if left[i], err = lora.Residuals(context.Background(), delta, over, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range left[0] {
		if other := left[1][i]; math.Abs(r.Error()-other.Error()) > tolerance {
			t.Errorf("%s: relative errors %v and %v", r.Tensor, r.Error(), other.Error())
		}
	}
}

// TestBytes: the bytes are spent, and where they hold most: no direction that was
// not bought holds more for its bytes than one that was.
func TestBytes(t *testing.T) {
	_, _, delta := pair(t, tensors.F32)
	whole := decompose(t, delta, lora.DecomposeOptions{})
	for _, budget := range []int64{0, 1000, 20_000, 60_000, 1 << 40} {
		x := decompose(t, delta, lora.DecomposeOptions{Ranks: lora.Ranks{Bytes: max(budget, 1)}})
		bytes, worst, best := int64(0), math.Inf(1), 0.0
		for i, m := range x.Matrices {
			bytes += 4 * int64(m.Rank*(m.In+m.Out))
			per := float64(m.In + m.Out)
			if s := whole.Matrices[i].Singular; m.Rank > 0 {
				worst = min(worst, s[m.Rank-1]*s[m.Rank-1]/per)
			}
			if s := whole.Matrices[i].Singular; m.Rank < len(s) {
				best = max(best, s[m.Rank]*s[m.Rank]/per)
			}
		}
		if bytes > max(budget, 1) {
			t.Errorf("%d bytes are spent of %d", bytes, budget)
		}
		if best > worst*(1+1e-9) {
			t.Errorf("of %d bytes: a direction of %g was left and one of %g bought", budget, best, worst)
		}
		if budget == 1<<40 && x.Matrices[0].Rank != min(x.Matrices[0].In, x.Matrices[0].Out) {
			t.Errorf("with bytes for all, rank %d", x.Matrices[0].Rank)
		}
	}
}

// TestAlgebra: factors, sums and truncations change what they say.
func TestAlgebra(t *testing.T) {
	base, _, delta := pair(t, tensors.F32)
	a := decompose(t, delta, lora.DecomposeOptions{Embedding: true, Ranks: lora.Ranks{Rank: 5}}).Adapter(0, nil)
	b := decompose(t, delta, lora.DecomposeOptions{Embedding: true, Ranks: lora.Ranks{Rank: 3}}).Adapter(0, nil)
	factor := func(name string) float64 { return float64(1+tensors.KeyOf(name).Layer) / 4 }
	rescaled, err := a.Rescaled(factor, nil)
	if err != nil {
		t.Fatal(err)
	}
	products := func(a *lora.Adapter) tensors.Delta { t.Helper(); return over64(t, base, a) }
	scaled := merge.Scaled(products(a), factor)
	kept, err := merge.Sum([]tensors.Delta{scaled}, []float64{1})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range products(rescaled).Names() {
		if !slices.Equal(elements(t, products(rescaled), name), elements(t, kept, name)) {
			t.Errorf("%s: rescaled is not the product times the factor", name)
		}
	}
	near(t, "uniform", products(rescaled.Uniform()), products(rescaled), 1e-6)
	one, err := a.Rescaled(func(string) float64 { return 1 }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.LowRank {
		if !slices.Equal(one.LowRank[i].A, a.LowRank[i].A) || !slices.Equal(one.LowRank[i].B, a.LowRank[i].B) || one.LowRank[i].Scale != a.LowRank[i].Scale {
			t.Errorf("a factor of 1 changes %s", a.LowRank[i].Tensor)
		}
	}

	sum, err := lora.Concatenated([]*lora.Adapter{rescaled, b}, []float64{2, -0.5})
	if err != nil {
		t.Fatal(err)
	}
	want, err := merge.Sum([]tensors.Delta{products(rescaled), products(b)}, []float64{2, -0.5})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "sum", products(sum), want, 1e-6)
	cut, _, err := sum.Truncated(t.Context(), 8, 0) // no more than their ranks
	if err != nil {
		t.Fatal(err)
	}
	near(t, "truncated to its rank", products(cut), want, 1e-6)
	less, _, err := sum.Truncated(t.Context(), 0, 1-1e-12)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "with all of its energy", products(less), want, 1e-4)
	none, err := lora.Concatenated([]*lora.Adapter{a, a}, []float64{1, -1})
	if err != nil || len(none.LowRank) != 0 || !none.Zero() {
		t.Errorf("an adapter less itself has %d products: %v", len(none.LowRank), err)
	}
}

func over64(t *testing.T, base tensors.Source, a *lora.Adapter) tensors.Delta {
	t.Helper()
	d, err := a.Over(base)
	if err != nil {
		t.Fatal(err)
	}
	tensorstest.TestDelta(t, base, d)
	return d
}

// TestRemainder: single elements are those that the ranks leave, and make the error
// smaller.
func TestRemainder(t *testing.T) {
	base, _, delta := pair(t, tensors.F32)
	x := decompose(t, delta, lora.DecomposeOptions{Ranks: lora.Ranks{Rank: 2}})
	a := x.Adapter(0, nil)
	before := over64(t, base, a)
	var names []string
	for _, m := range x.Matrices {
		names = append(names, m.Tensor)
	}
	var err error
	if a.Sparse, err = lora.Remainder(t.Context(), delta, before, names, 0.1); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := a.Write(t.Context(), dir, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	b, err := lora.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	after := over64(t, base, b)
	for _, name := range names {
		d, l, s := elements(t, delta, name), elements(t, before, name), elements(t, after, name)
		changed, least, most := 0, math.Inf(1), 0.0
		for i := range d {
			if s[i] != l[i] {
				changed++
				least = min(least, math.Abs(d[i]-l[i]))
				if math.Abs(s[i]-d[i]) > 1e-6 {
					t.Fatalf("%s: element %d is %g with the remainder, want %g", name, i, s[i], d[i])
				}
			} else {
				most = max(most, math.Abs(d[i]-l[i]))
			}
		}
		if changed == 0 || changed > len(d)/10+1 || most > least+1e-7 {
			t.Errorf("%s: %d of %d elements are kept, one of %g is, one of %g is not", name, changed, len(d), least, most)
		}
	}
}
