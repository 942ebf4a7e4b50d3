package cli

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

func TestSpectraGolden(t *testing.T) {
	golden(t, "svd.golden", done(t, "diff", "base", "chem", "--svd", "8"))
	golden(t, "svd.tensors.golden", done(t, "diff", "base", "chem", "--svd", "4", "--tensors"))
}

// TestSpectraExact: a change of rank 1, of which all is known: its stable and
// effective rank, its energy, and nothing left.
func TestSpectraExact(t *testing.T) {
	dir := t.TempDir()
	base := pico(t, dir, "base", tensorstest.Pico{Seed: 1, DType: tensors.F32})
	type spectra struct {
		Tensors []struct {
			Name string
			SVD  *spectrumJSON
		}
	}
	found := 0
	for _, row := range decoded[spectra](t, "diff", base, adapter(t, dir, 1, 2), "--svd", "3", "--json").Tensors {
		if row.SVD == nil || !strings.Contains(row.Name, "layers.1.self_attn.q_proj") {
			continue
		}
		found++
		s := row.SVD
		if math.Abs(float64(s.StableRank)-1) > 1e-5 || math.Abs(float64(s.EffectiveRank)-1) > 1e-3 || math.Abs(float64(s.Energy["1"])-1) > 1e-6 || s.Residual > 1e-3 {
			t.Errorf("%+v", s)
		}
	}
	if found != 1 {
		t.Errorf("%d spectra of the tensor", found)
	}
}

// TestCSV: the file and standard output are the same table, with the rows and
// values of --json.
func TestCSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "drift.csv")
	text := done(t, "diff", "base", "chem", "--svd", "4", "--csv", "-")
	if out := done(t, "diff", "base", "chem", "--svd", "4", "--csv", path); !strings.Contains(out, "total │") || read(t, path) != text {
		t.Error("the file is not what - prints, or the table is not printed beside it")
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	type report struct {
		Tensors, Layers, Parts []driftRow
		Gains                  driftRow `json:"norm_gains"`
		Total                  driftRow
	}
	r := decoded[report](t, "diff", "base", "chem", "--svd", "4", "--json")
	levels := map[string][]driftRow{"tensor": r.Tensors, "layer": r.Layers, "part": r.Parts, "norm_gains": {r.Gains}, "total": {r.Total}}
	at := map[string]int{}
	for i, name := range records[0] {
		at[name] = i
	}
	if len(at) != len(csvColumns) || len(records) != 1+20+4+11+1+1 {
		t.Fatalf("%d columns, %d records", len(at), len(records))
	}
	for _, record := range records[1:] {
		level := record[at["level"]]
		if len(levels[level]) == 0 {
			t.Fatalf("a row too many, or of the level %q", level)
		}
		row := levels[level][0]
		levels[level] = levels[level][1:]
		check := func(column string, want float64) {
			t.Helper()
			if got, err := strconv.ParseFloat(record[at[column]], 64); err != nil || got != want {
				t.Errorf("%s %s: %s is %q, want %v", level, row.Name, column, record[at[column]], want)
			}
		}
		for column, want := range map[string]number{"base_norm": row.BaseNorm, "delta_norm": row.DeltaNorm, "rel": row.Relative, "cosine": row.Cosine, "one_minus_cosine": row.Angle,
			"norm_ratio": row.NormRatio, "max_abs": row.MaxAbs, "changed": row.Changed, "sign_flips": row.Flips, "n": number(row.N), "tensors": number(row.Tensors)} {
			check(column, float64(want))
		}
		if record[at["name"]] != row.Name || record[at["part"]] != row.Part || record[at["dtype"]] != string(row.DType) {
			t.Errorf("%q is not %+v", record, row)
		}
		if s := row.Spectrum; s == nil {
			if record[at["svd_rank"]] != "" || record[at["overlap"]] != "" {
				t.Errorf("%q has a spectrum", record)
			}
		} else {
			check("svd_rank", float64(s.Rank))
			check("spectral_ratio", float64(s.SpectralRatio))
			check("stable_rank", float64(s.StableRank))
			check("effective_rank", float64(s.EffectiveRank))
			check("residual", float64(s.Residual))
			check("intruders", float64(s.Intruders))
			check("energy", float64(s.Energy[strconv.Itoa(s.Rank)]))
			check("overlap", float64(s.Overlap))
		}
	}
	if record := records[4]; record[at["shape"]] != "96x48" || record[at["layer"]] != "0" {
		t.Errorf("%q", record)
	}
	refused(t, ExitInput, []string{"its directory does not exist"}, "diff", "base", "chem", "--csv", filepath.Join(filepath.Dir(path), "none", "x.csv"))
}

// TestCSVOverAnInput: a report does not replace a model.
func TestCSVOverAnInput(t *testing.T) {
	dir := t.TempDir()
	file := save(t, filepath.Join(dir, "base.safetensors"), tensorstest.Pico{Seed: 7}.Weights())
	before := read(t, file)
	refused(t, ExitUsage, []string{file}, "diff", file, "chem", "--csv", file)
	if read(t, file) != before {
		t.Error("the base is lost")
	}
}

// TestPlotAndCSV are written beside any output, and only there.
func TestPlotAndCSV(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"map.png", "map.svg"} {
		if out := done(t, "diff", "base", "chem", "--plot", filepath.Join(dir, name), "--csv", "-"); !strings.HasPrefix(out, "level,") {
			t.Errorf("%s: prints %.50s", name, out)
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 2 {
		t.Errorf("%q", left)
	}
}

// TestTypesWithoutNumbers: tensors that are no numbers are compared as bytes,
// and stand in no row.
func TestTypesWithoutNumbers(t *testing.T) {
	dir := t.TempDir()
	model := func(name string, drift float32, f4, ids byte) string {
		return variant(t, dir, name, tensorstest.Pico{Seed: 1, Drift: drift}, func(m *tensorstest.Memory) {
			m.AddRaw("model.layers.0.packed.weight", tensors.Info{DType: "F4", Shape: []int{2, 2}}, []byte{f4, 2})
			m.AddRaw("model.position_ids", tensors.Info{DType: "I64", Shape: []int{1}}, []byte{ids, 0, 0, 0, 0, 0, 0, 0})
		})
	}
	base, other, same := model("base", 0, 1, 1), model("other", 0.1, 9, 1), model("same", 0.1, 1, 1)
	type report struct {
		Tensors   []driftRow
		Unmatched []tensors.Unmatched
	}
	check := func(tuned string, unmatched int) {
		t.Helper()
		r := decoded[report](t, "diff", base, tuned, "--json")
		if len(r.Tensors) != 20 || len(r.Unmatched) != unmatched {
			t.Errorf("%s: %d rows, unmatched %+v", tuned, len(r.Tensors), r.Unmatched)
		}
		for _, u := range r.Unmatched {
			if u.Name != "model.layers.0.packed.weight" || u.Reason == "" {
				t.Errorf("%+v", u)
			}
		}
	}
	check(same, 0)
	check(other, 1)
	out := done(t, "inspect", base)
	if !strings.Contains(out, "F4 (1 tensors, 4 parameters)") || !strings.Contains(out, "I64 (1 tensors") {
		t.Errorf("%s", out)
	}
	target := filepath.Join(dir, "out")
	done(t, "merge", base, same, "--alpha", "0.5", "-o", target)
	sameTensor(t, "copied", opened(t, target), "model.layers.0.packed.weight", opened(t, base), "model.layers.0.packed.weight")
	refused(t, ExitInput, []string{"model.layers.0.packed.weight", "--on-mismatch"}, "merge", base, other, "--alpha", "0.5", "-o", filepath.Join(dir, "none"))
}

// TestNothingInCommon cannot be compared.
func TestNothingInCommon(t *testing.T) {
	dir := t.TempDir()
	m := tensorstest.NewMemory()
	m.Add("other", tensors.F32, []int{1}, []float32{1})
	other := save(t, filepath.Join(dir, "other.safetensors"), m)
	refused(t, ExitInput, []string{"no tensor in common", other}, "diff", "base", other)
	for _, policy := range []string{"base", "tuned"} {
		refused(t, ExitInput, []string{other, "no tensor in common"}, "merge", "base", other, "--alpha", "1", "-o", filepath.Join(dir, "out"), "--on-mismatch", policy)
	}
}
