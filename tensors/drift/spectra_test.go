package drift_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// recurrence draws the integers from -8 to 8 of testdata/make.py.
type recurrence uint64

func (r *recurrence) draw(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		*r = (1103515245**r + 12345) % (1 << 31)
		out[i] = float32(int(*r>>16)%17 - 8)
	}
	return out
}

// plant adds weight times the outer product of two drawn vectors to a.
func (r *recurrence) plant(a []float32, rows, columns int, weights ...float32) {
	for _, w := range weights {
		p, q := r.draw(rows), r.draw(columns)
		for i := range a {
			a[i] += w * p[i/columns] * q[i%columns]
		}
	}
}

// planted are the two-layer models of testdata/make.py: four directions in
// q_proj, nothing in k_proj, one that is strong in o_proj, all in up_proj; and
// tensors besides that are no matrices.
func planted() (base, tuned *tensorstest.Memory) {
	base, tuned = tensorstest.NewMemory(), tensorstest.NewMemory()
	parts := []struct {
		name string
		rows int
	}{{"self_attn.q_proj", 72}, {"self_attn.k_proj", 72}, {"self_attn.o_proj", 72}, {"mlp.up_proj", 120}}
	const columns = 72
	for layer := range 2 {
		for i, part := range parts {
			r := recurrence(100*layer + i + 1)
			a := make([]float32, part.rows*columns)
			for t := range 12 {
				r.plant(a, part.rows, columns, float32(int(1)<<(14-t)))
			}
			add := func(more []float32) {
				for i, v := range more {
					a[i] += v
				}
			}
			add(r.draw(len(a)))
			name, shape := fmt.Sprintf("model.layers.%d.%s.weight", layer, part.name), []int{part.rows, columns}
			base.Add(name, tensors.F32, shape, a)
			switch part.name {
			case "self_attn.q_proj":
				r.plant(a, part.rows, columns, 8, 4, 2, 1)
			case "self_attn.o_proj":
				r.plant(a, part.rows, columns, 1500)
			case "mlp.up_proj":
				add(r.draw(len(a)))
			}
			tuned.Add(name, tensors.F32, shape, a)
		}
	}
	for name, shape := range map[string][]int{"model.norm.weight": {72}, "scale": {}, "row": {1, 72}, "column": {72, 1}, "experts": {2, 6, 6}, "empty": {0, 72}} {
		n := tensors.Info{Shape: shape}.Len()
		base.Add(name, tensors.F32, shape, make([]float32, n))
		tuned.Add(name, tensors.F32, shape, slices.Repeat([]float32{1}, n))
	}
	return base, tuned
}

func spectra(t *testing.T, base tensors.Source, delta tensors.Delta, k int) []drift.Spectrum {
	t.Helper()
	list, err := drift.Spectra(t.Context(), base, delta, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestSpectraNumpy: every figure of every matrix that changed is the one of
// numpy's whole decomposition. Of the flat spectrum of up_proj the sketch may
// give values some per cent low; directions that a matrix lacks are rounding.
func TestSpectraNumpy(t *testing.T) {
	var numpy []struct {
		Name          string
		SpectralRatio float64 `json:"spectral_ratio"`
		StableRank    float64 `json:"stable_rank"`
		EffectiveRank float64 `json:"effective_rank"`
		Energies      []float64
		Residual      float64
		Intruders     int
		Overlap       float64
	}
	golden(t, "spectra.json", &numpy)
	base, tuned := planted()
	difference := diff(t, base, tuned)
	for _, delta := range []tensors.Delta{difference, adapter{difference, difference.Names()}} {
		list := spectra(t, base, delta, 8)
		if len(list) != len(numpy) {
			t.Fatalf("%d spectra, numpy has %d: %+v", len(list), len(numpy), list)
		}
		for _, want := range numpy {
			i := slices.IndexFunc(list, func(s drift.Spectrum) bool { return s.Name == want.Name })
			if i < 0 {
				t.Errorf("%s is missing", want.Name)
				continue
			}
			got, tolerance := list[i], 1e-5
			if tensors.KeyOf(want.Name).Part == "mlp.up_proj" {
				tolerance = 0.05
			}
			check := func(figure string, got, want, relative, absolute float64) {
				t.Helper()
				if !(math.Abs(got-want) <= relative*math.Abs(want)+absolute) {
					t.Errorf("%v: %s is %v, numpy says %v", tensors.KeyOf(list[i].Name), figure, got, want)
				}
			}
			check("spectral ratio", got.SpectralRatio, want.SpectralRatio, tolerance, 0)
			check("stable rank", got.StableRank, want.StableRank, 2*tolerance, 0)
			check("effective rank", got.EffectiveRank, want.EffectiveRank, tolerance, 1e-4)
			check("residual", got.Residual, want.Residual, tolerance, 1e-3)
			check("overlap", got.Overlap, want.Overlap, 0, 1e-6)
			for j, e := range got.Energies {
				check(fmt.Sprint("energy of ", e.Rank), e.Share, want.Energies[j], 2*tolerance, 0)
			}
			info, _ := base.Info(got.Name)
			if got.Intruders != want.Intruders || got.Rank != 8 || got.Exact || len(got.Energies) != 3 || !slices.Equal(got.Shape, info.Shape) {
				t.Errorf("%s: %+v, numpy says %d intruders", want.Name, got, want.Intruders)
			}
		}
	}
}

// TestEnergies: the ranks are 1, 4, 8, 16 and so on below the last, which is
// K or the lesser side; shares rise and are at most 1.
func TestEnergies(t *testing.T) {
	base, tuned := planted()
	difference := diff(t, base, tuned)
	check := func(k int, exact bool, ranks ...int) {
		t.Helper()
		for _, s := range spectra(t, base, difference, k) {
			var got []int
			last := 0.0
			for _, e := range s.Energies {
				got = append(got, e.Rank)
				if e.Share < last || e.Share > 1 || e.Share <= 0 {
					t.Errorf("rank %d of %s: share %v after %v", e.Rank, s.Name, e.Share, last)
				}
				last = e.Share
			}
			if !slices.Equal(got, ranks) || s.Rank != ranks[len(ranks)-1] || s.Exact != exact {
				t.Errorf("k = %d: %s has the ranks %v of %d, exact %v; want %v, %v", k, s.Name, got, s.Rank, s.Exact, ranks, exact)
			}
			if math.Abs(1-last-s.Residual*s.Residual) > 1e-6 {
				t.Errorf("k = %d: %s has the residual %v beside %v", k, s.Name, s.Residual, last)
			}
		}
	}
	check(1, false, 1)
	check(3, false, 1, 3)
	check(8, false, 1, 4, 8)
	check(9, false, 1, 4, 8, 9)
	check(64, false, 1, 4, 8, 16, 32, 64)
	check(72, true, 1, 4, 8, 16, 32, 64, 72)
	check(1000, true, 1, 4, 8, 16, 32, 64, 72) // larger than the matrix
}

// TestWholeSpectrum: with all singular values the effective rank of a change
// of four equal directions is 4, and nothing is left.
func TestWholeSpectrum(t *testing.T) {
	const n = 12
	b, u := make([]float32, n*n), make([]float32, n*n)
	for i := range n {
		b[i*n+i] = float32(100 - i)
	}
	copy(u, b)
	for i := range 4 {
		u[i*n+i] += 2 // the base's own directions: no intruder, and all of it stays
	}
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	base.Add("x", tensors.F32, []int{n, n}, b)
	tuned.Add("x", tensors.F32, []int{n, n}, u)
	s := spectra(t, base, diff(t, base, tuned), 32)[0]
	near := func(figure string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %v, want %v", figure, got, want)
		}
	}
	near("effective rank", s.EffectiveRank, 4)
	near("stable rank", s.StableRank, 4)
	near("spectral ratio", s.SpectralRatio, 0.02)
	near("overlap", s.Overlap, 1)
	near("energy of 1", s.Energies[0].Share, 0.25)
	if s.Residual > 1e-7 || !s.Exact || s.Rank != n || s.Intruders != 0 {
		t.Errorf("%+v", s)
	}
}
