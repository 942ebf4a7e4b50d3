package drift_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// golden reads a file that testdata/make.py made.
func golden(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestStored: every base type against every tuned type, 36 pairs, has the
// figures that numpy gives for the values that torch stored.
func TestStored(t *testing.T) {
	var numpy struct {
		Base, Tuned map[tensors.DType][]byte
		Pairs       []struct {
			Base, Tuned      tensors.DType
			BaseNorm         float64 `json:"base_norm"`
			DeltaNorm        float64 `json:"delta_norm"`
			Rel, Cosine      float64
			NormRatio        float64 `json:"norm_ratio"`
			MaxAbs           float64 `json:"max_abs"`
			Changed, Flipped int64
		}
	}
	golden(t, "stored.json", &numpy)
	if len(numpy.Pairs) != 36 {
		t.Fatalf("%d pairs of types", len(numpy.Pairs))
	}
	worst := 0.0
	for _, p := range numpy.Pairs {
		base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
		add := func(m *tensorstest.Memory, d tensors.DType, raw []byte) int {
			n := len(raw) / d.Size()
			m.AddRaw("x", tensors.Info{DType: d, Shape: []int{n}}, raw)
			return n
		}
		n := add(base, p.Base, numpy.Base[p.Base])
		if add(tuned, p.Tuned, numpy.Tuned[p.Tuned]) != n || n != 67 {
			t.Fatalf("%s has %d values", p.Base, n)
		}
		row := measure(t, base, tuned).Tensors[0]
		check := func(figure string, got, want float64) {
			t.Helper()
			worst = max(worst, math.Abs(got-want)/math.Abs(want))
			if !(math.Abs(got-want) <= 1e-14*math.Abs(want)) {
				t.Errorf("%s to %s: %s is %v, numpy says %v", p.Base, p.Tuned, figure, got, want)
			}
		}
		check("base norm", row.BaseNorm(), p.BaseNorm)
		check("delta norm", row.DeltaNorm(), p.DeltaNorm)
		check("relative drift", row.Relative(), p.Rel)
		check("cosine", row.Cosine(), p.Cosine)
		check("norm ratio", row.NormRatio(), p.NormRatio)
		check("largest change", row.MaxAbs, p.MaxAbs)
		if row.Changed != p.Changed || row.Flipped != p.Flipped || row.N != int64(n) || row.Info.DType != p.Base {
			t.Errorf("%s to %s: %d of %d changed, %d flipped, stored as %s; numpy says %d and %d", p.Base, p.Tuned, row.Changed, row.N, row.Flipped, row.Info.DType, p.Changed, p.Flipped)
		}
	}
	t.Logf("greatest relative difference %.1e", worst)
}

// wide is a Source of one float64 tensor "x".
func wide(values ...float64) tensors.Source {
	m, raw := tensorstest.NewMemory(), make([]byte, 8*len(values))
	tensors.Round64(raw, values, tensors.F64)
	m.AddRaw("x", tensors.Info{DType: tensors.F64, Shape: []int{len(values)}}, raw)
	return m
}

// TestWide: changes of 1e-12, which float32 cannot hold, are measured in F64;
// so are weights beyond its range.
func TestWide(t *testing.T) {
	const n = 1<<16 + 5
	base, tuned := make([]float64, n), make([]float64, n)
	for i := range base {
		base[i] = 1 + float64(i%7)
		tuned[i] = base[i] * (1 + 1e-12)
	}
	row := measure(t, wide(base...), wide(tuned...)).Tensors[0]
	// Each change is rounded to a place of 1 to 8, 2e-16 to 9e-16.
	if row.Changed != n || math.Abs(row.Relative()-1e-12) > 1e-15 || row.OneMinusCosine() > 1e-30 || math.Abs(row.NormRatio()-1-1e-12) > 1e-15 {
		t.Errorf("%d changed by %v, 1-cosine %v, norm ratio %v", row.Changed, row.Relative(), row.OneMinusCosine(), row.NormRatio())
	}
	row = measure(t, wide(3e60, 4e60), wide(3e60, -4e60)).Tensors[0]
	if row.BaseNorm() != 5e60 || row.MaxAbs != 8e60 || row.Flipped != 1 || row.NonfiniteBase+row.NonfiniteTuned != 0 {
		t.Errorf("beyond float32: %+v", row.Sums)
	}
}

// TestWideAngle: the cosine of weights whose squares are near the end of
// float64 is that of the same weights of ordinary size.
func TestWideAngle(t *testing.T) {
	for _, size := range []float64{1e100, 1, 1e-100} {
		row := measure(t, wide(size, 0), wide(size, size)).Tensors[0]
		if want := math.Sqrt2 / 2; math.Abs(row.Cosine()-want) > 1e-15 {
			t.Errorf("weights of %v: cosine %v, want %v", size, row.Cosine(), want)
		}
	}
}

// hidden is a Source whose type says nothing of what it holds.
type hidden struct{ tensors.Source }

// TestPaths: the same values give the same bits by whatever way they are read:
// bfloat16 on both sides, the same stored wider on one or both, from a mapped
// file, and behind another Source. The tensor has two blocks and a piece, with
// values that are no numbers in the second.
func TestPaths(t *testing.T) {
	const n = 2<<16 + 37
	draw := tensorstest.NewRandom(3, "paths")
	values := [2][]float32{make([]float32, n), make([]float32, n)}
	for i := range n {
		values[0][i] = draw.Normal(i)
		values[1][i] = values[0][i] + 0.01*draw.Normal(n+i)*float32(i%3)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	values[0][70000], values[1][70000] = inf, inf
	values[0][70001], values[1][70001] = nan, nan
	values[1][70002] = -inf
	raw := make([]byte, 2*n)
	for side := range values { // as bfloat16 holds them
		tensors.Round(raw, values[side], tensors.BF16)
		tensors.Widen(values[side], raw, tensors.BF16)
	}
	stored := func(side int, d tensors.DType) tensors.Source {
		m := tensorstest.NewMemory()
		m.Add("x", d, []int{n}, values[side])
		return m
	}
	file := func(side int) tensors.Source {
		path := filepath.Join(t.TempDir(), fmt.Sprint(side, ".safetensors"))
		if _, err := tensors.Write(t.Context(), path, stored(side, tensors.BF16), tensors.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		c, err := tensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	exactly := func(r *drift.Report) string {
		s := r.Total.Sums
		return fmt.Sprintf("%d %x %x %x %x %d %d %d %d", s.N, s.Base2, s.Delta2, s.Dot, s.MaxAbs, s.Changed, s.Flipped, s.NonfiniteBase, s.NonfiniteTuned)
	}
	want := exactly(measure(t, stored(0, tensors.F32), stored(1, tensors.F32)))
	check := func(way string, base, tuned tensors.Source) {
		t.Helper()
		if got := exactly(measure(t, base, tuned)); got != want {
			t.Errorf("%s: %s, float32 %s", way, got, want)
		}
	}
	check("bfloat16", stored(0, tensors.BF16), stored(1, tensors.BF16))
	check("mixed", stored(0, tensors.BF16), stored(1, tensors.F32))
	check("mixed the other way", stored(0, tensors.F32), stored(1, tensors.BF16))
	check("float64", stored(0, tensors.F64), stored(1, tensors.F64))
	check("files", file(0), file(1))
	check("one file", stored(0, tensors.BF16), file(1))
	check("hidden", hidden{stored(0, tensors.BF16)}, hidden{file(1)})
}
