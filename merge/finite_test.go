package merge_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// brokenAt is a long model, tuned or not, with a value at an element of "x".
func brokenAt(t testing.TB, d tensors.DType, direction, at int, value float64) *tensorstest.Memory {
	m := long(d, direction, 0.1)
	data, size := slices.Clone(raw(t, m, "x")), d.Size()
	tensors.Round64(data[at*size:(at+1)*size], []float64{value}, d)
	m.AddRaw("x", tensors.Info{DType: d, Shape: longShape}, data)
	return m
}

// theBaseHas is what the error says of a base's value: its first digits.
func theBaseHas(value any) string {
	digits := fmt.Sprint(value)
	return "the base has " + digits[:min(len(digits), 5)]
}

// refused reads a Record and checks that the error names what a user needs, and
// says why.
func refused(t *testing.T, what string, m *merge.Model, element int, why string) {
	t.Helper()
	words := []string{`tensor "x"`, fmt.Sprintf("element %d would", element), why, "--allow-nonfinite"}
	for _, err := range []error{m.Record(false).ReadRaw(make([]byte, infoOf(m, "x").Bytes()), "x", 0), effectError(t, m.Record(false))} {
		if err == nil {
			t.Errorf("%s: not refused", what)
			continue
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v does not say %q", what, err, word)
			}
		}
	}
	r := m.Record(true)
	if err := r.ReadRaw(make([]byte, infoOf(m, "x").Bytes()), "x", 0); err != nil || effectOf(t, r).Nonfinite != 1 {
		t.Errorf("%s: allowed, and counted %d: %v", what, effectOf(t, r).Nonfinite, err)
	}
}

func effectError(t *testing.T, r *merge.Record) error {
	t.Helper()
	_, err := r.Effect(t.Context(), nil)
	return err
}

// passes checks that a Record reads and counts nothing.
func passes(t *testing.T, what string, m *merge.Model) {
	t.Helper()
	r := m.Record(false)
	if err := r.ReadRaw(make([]byte, infoOf(m, "x").Bytes()), "x", 0); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if e := effectOf(t, r); e.Nonfinite != 0 {
		t.Errorf("%s: %d are not finite", what, e.Nonfinite)
	}
}

// TestRefuseNonfinite puts one value that is no finite number into either
// model, in the first block and in the last. What has no part in the result
// does not matter.
func TestRefuseNonfinite(t *testing.T) {
	for _, d := range everyType {
		clean, other := long(d, 0, 0), long(d, 1, 0.1)
		for at, value := range map[int]float64{3: math.NaN(), longLen - 1: math.Inf(1), 1 << 16: math.Inf(-1)} {
			value = nearest(d, value) // NaN, where there is no infinity
			what := fmt.Sprint(d, " ", value, " at ", at)
			base, tuned := brokenAt(t, d, 0, at, value), brokenAt(t, d, 1, at, value)
			says, changes := theBaseHas(float32(value)), fmt.Sprintf("tuned model %%d changes it by %v", value)
			first, second := fmt.Sprintf(changes, 1), fmt.Sprintf(changes, 2)
			refused(t, what+" in the base", toward(t, base, other, 0.5), at, says)
			refused(t, what+" in the tuned", toward(t, clean, tuned, 0.5), at, first)
			refused(t, what+" in both", toward(t, base, tuned, 0.5), at, says)
			refused(t, what+" in one of two", apply(t, clean, term(diff(t, clean, other), 0.5), term(diff(t, clean, tuned), 0.5)), at, second)
			refused(t, what+" at random", stochastically(toward(t, clean, tuned, 0.5), "", 1), at, first)
			passes(t, what+" in the tuned at alpha 0", toward(t, clean, tuned, 0))
			passes(t, what+" in the base at alpha 1", toward(t, base, other, 1))
		}
	}
}

// TestRefuseCopies: what is not computed is refused all the same when it is
// read: in the base at alpha 0, in the tuned model at alpha 1, and in a tensor
// that no term changes.
func TestRefuseCopies(t *testing.T) {
	for _, d := range everyType {
		clean, base, tuned := long(d, 0, 0), brokenAt(t, d, 0, 70_000, math.NaN()), brokenAt(t, d, 1, 70_000, math.NaN())
		for what, m := range map[string]*merge.Model{"alpha 0": toward(t, base, clean, 0), "alpha 1": toward(t, clean, tuned, 1), "no term": apply(t, base)} {
			raw := make([]byte, infoOf(m, "x").Bytes())
			if err := m.Record(false).ReadRaw(raw, "x", 0); err == nil || !strings.Contains(err.Error(), "element 70000 would") {
				t.Errorf("%s, %s: %v", d, what, err)
			}
			r := m.Record(true)
			if err := r.ReadRaw(raw, "x", 0); err != nil || effectOf(t, r).Nonfinite != 1 {
				t.Errorf("%s, %s: counted %d: %v", d, what, effectOf(t, r).Nonfinite, err)
			}
			if err := m.Record(false).ReadRaw(raw[:70_000*d.Size()], "x", 0); err != nil { // all before it
				t.Errorf("%s, %s: %v", d, what, err)
			}
		}
	}
}

// TestRefuseOverflow: finite models whose merge a type cannot hold.
func TestRefuseOverflow(t *testing.T) {
	check := func(d tensors.DType, base, tuned, alpha float64, finite bool) {
		t.Helper()
		m := toward(t, row(d, 1, base), row(d, 1, tuned), alpha)
		if !finite {
			refused(t, string(d), m, 1, "the sum is too large for "+string(d))
			return
		}
		passes(t, string(d), m)
	}
	check("F16", 0, 65504, 1.0002, true) // rounds to 65504
	check("F16", 0, 65504, 1.0003, false)
	check("F16", 65504, 0, -1, false)
	check("F8_E4M3", 0, 448, 1.03, true)
	check("F8_E4M3", 0, 448, 1.04, false)
	check("F8_E5M2", 0, 57344, 1.05, true)
	check("F8_E5M2", 0, 57344, 1.08, false)
	check("BF16", 0, 0x1.fep127, 2, false)
	check("BF16", -0x1p127, 0x1p127, 0.5, false) // the difference overflows in float32
	check("F32", -0x1p127, 0x1p127, 0.75, true)  // and not in float64
	check("F32", 0, math.MaxFloat32, 2, false)
	check("F64", 0, 1e308, 1.5, true)
	check("F64", 0, 1e308, 2, false)
	m := toward(t, row("BF16", 1, 1000), row("BF16", 1, 1001), 0.5).With(merge.Options{DType: "F8_E4M3"})
	refused(t, "beyond the out type", m, 1, "the sum is too large for F8_E4M3")
}

// TestLargeFloat64: what float64 holds and float32 does not is finite, alone
// and beside something that is not.
func TestLargeFloat64(t *testing.T) {
	base, tuned := row("F64", 1e300, 1, -1e300), row("F64", 2e300, 2, 1e-300)
	passes(t, "large", toward(t, base, tuned, 0.5))
	passes(t, "alpha 1", toward(t, base, tuned, 1))
	if n, err := merge.CountNonfinite(t.Context(), base, nil); n != 0 || err != nil {
		t.Errorf("%d are not finite: %v", n, err)
	}
	t.Run("beside NaN", func(t *testing.T) {
		base := row("F64", 1e300, math.NaN(), -1e300)
		if n, err := merge.CountNonfinite(t.Context(), base, nil); n != 1 || err != nil {
			t.Errorf("%d are not finite, want 1: %v", n, err)
		}
		refused(t, "NaN among large", toward(t, base, tuned, 0.5), 1, "NaN")
		refused(t, "too large for the out type", toward(t, row("F64", 1, 1e300), row("F64", 1, 2e300), 0.5).With(merge.Options{DType: "F32"}), 1, "1e+300")
	})
}

// TestCountOnce: a broken value is counted once, however often and in what
// pieces it was read, and also where nothing was.
func TestCountOnce(t *testing.T) {
	for _, d := range everyType {
		base, tuned := brokenAt(t, d, 0, 3, math.NaN()), brokenAt(t, d, 1, 70_000, math.NaN())
		for alpha, want := range map[float64]int64{0: 1, 0.5: 2, 1: 1} {
			for what, read := range map[string]func(r *merge.Record){
				"twice":  func(r *merge.Record) { raw(t, r, "x"); raw(t, r, "x") },
				"pieces": func(r *merge.Record) { raw(t, r, "x"); _ = r.ReadRaw(make([]byte, 80), "x", 0) },
				"part":   func(r *merge.Record) { _ = r.ReadRaw(make([]byte, 80), "x", 0) },
				"never":  func(*merge.Record) {},
			} {
				r := toward(t, base, tuned, alpha).Record(true)
				read(r)
				if got := effectOf(t, r).Nonfinite; got != want {
					t.Errorf("%s at %v, read %s: %d, want %d", d, alpha, what, got, want)
				}
			}
		}
	}
}

// TestCountNonfinite counts in every type, in any block, and stops when told.
func TestCountNonfinite(t *testing.T) {
	for _, d := range everyType {
		src := brokenAt(t, d, 0, 3, math.NaN())
		src.Add("empty", d, []int{0}, nil)
		stored(src, "y", d, []int{4}, []float64{math.NaN(), 1, math.Inf(1), math.Inf(-1)})
		var last, total int64
		for _, name := range src.Names() {
			total += infoOf(src, name).Bytes()
		}
		n, err := merge.CountNonfinite(t.Context(), src, func(done, all int64) {
			if done < last || all != total {
				t.Errorf("%s: %d of %d after %d", d, done, all, last)
			}
			last = done
		})
		if n != 4 || err != nil || last != total {
			t.Errorf("%s: %d are not finite, want 4: %v (%d of %d bytes)", d, n, err, last, total)
		}
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		if _, err := merge.CountNonfinite(ctx, src, func(int64, int64) { calls++; cancel() }); !errors.Is(err, context.Canceled) || calls != 1 {
			t.Errorf("%s: %v after %d tensors", d, err, calls)
		}
	}
	if _, err := merge.CountNonfinite(t.Context(), unreadable(long("F32", 0, 0), "x", 100_000), nil); !errors.Is(err, errUnreadable) {
		t.Errorf("%v, want unreadable", err)
	}
	m := apply(t, brokenAt(t, "BF16", 0, 3, math.Inf(1)))
	if n, err := merge.CountNonfinite(t.Context(), m, nil); n != 1 || err != nil {
		t.Errorf("of a model: %d, %v", n, err)
	}
}
