package drift_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/drift/spectrum"
	"surgeon/tensors/tensorstest"
)

// matrix is a Source of one matrix "x".
func matrix(d tensors.DType, rows, columns int, values ...float32) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	m.Add("x", d, []int{rows, columns}, values)
	return m
}

// TestZeroBase: a change of weights that were all zero is infinitely strong
// beside them, keeps its own figures, and has no subspace to overlap with.
func TestZeroBase(t *testing.T) {
	base, tuned := matrix(tensors.F32, 2, 2, 0, 0, 0, 0), matrix(tensors.F32, 2, 2, 3, 0, 0, 4)
	s := spectra(t, base, diff(t, base, tuned), 2)[0]
	if !math.IsInf(s.SpectralRatio, 1) || !math.IsNaN(s.Overlap) || math.Abs(s.StableRank-25./16) > 1e-12 || s.Intruders != 2 {
		t.Errorf("out of nothing: %+v", s)
	}
	back := spectra(t, tuned, diff(t, tuned, base), 2)[0] // all weights gone
	if back.SpectralRatio != 1 || back.Overlap != 0 || back.Intruders != 0 {
		t.Errorf("into nothing: %+v", back)
	}
}

// TestSpectraErrors: what has no spectrum is an error that names the tensor.
func TestSpectraErrors(t *testing.T) {
	nan := float32(math.NaN())
	base, gone := matrix(tensors.F32, 2, 2, 1, 2, 3, 4), errors.New("the disk is gone")
	tuned := matrix(tensors.F32, 2, 2, 1, 2, 3, 5)
	check := func(base tensors.Source, delta tensors.Delta, k int, want error, words ...string) {
		t.Helper()
		list, err := drift.Spectra(t.Context(), base, delta, k, nil)
		if list != nil || err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%v, %v; want %v", list, err, want)
			return
		}
		for _, word := range append(words, `"x"`) {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%v does not say %s", err, word)
			}
		}
	}
	spoiled := matrix(tensors.F32, 2, 2, 1, 2, nan, 4)
	check(base, diff(t, base, spoiled), 1, spectrum.ErrNotFinite, "row 1, column 0 is NaN")
	check(spoiled, diff(t, spoiled, base), 1, spectrum.ErrNotFinite, "row 1, column 0 is NaN")
	check(base, diff(t, base, matrix(tensors.F32, 2, 2, 1, float32(math.Inf(-1)), 3, 4)), 1, spectrum.ErrNotFinite, "row 0, column 1 is -Inf")
	also := matrix(tensors.F32, 2, 2, 1, 2, nan, 5) // the change is finite, the weights are not
	check(spoiled, diff(t, spoiled, also), 1, spectrum.ErrNotFinite)
	check(base, diff(t, base, tuned), 0, nil, "rank 0")
	check(base, failing{diff(t, base, tuned)}, 1, errDelta)
	check(base, diff(t, base, broken{tuned, gone}), 1, gone)
	check(broken{base, gone}, adapter{diff(t, base, tuned), []string{"x"}}, 1, gone)
	if list := spectra(t, spoiled, diff(t, spoiled, spoiled), 1); len(list) != 0 {
		t.Errorf("what did not move has a spectrum: %+v", list)
	}
}

// TestSpectraFit: a base of another shape is refused, as Measure refuses it.
func TestSpectraFit(t *testing.T) {
	own, tuned := matrix(tensors.F32, 2, 2, 1, 2, 3, 4), matrix(tensors.F32, 2, 2, 1, 2, 3, 5)
	if list, err := drift.Spectra(t.Context(), matrix(tensors.F32, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9), diff(t, own, tuned), 1, nil); err == nil {
		t.Errorf("no error but %+v", list)
	}
}

// TestSpectraWide: a change in F64 that float32 weights could not show has a
// spectrum, as it has a row of Measure.
func TestSpectraWide(t *testing.T) {
	source := func(values ...float64) tensors.Source {
		m, raw := tensorstest.NewMemory(), make([]byte, 8*len(values))
		tensors.Round64(raw, values, tensors.F64)
		m.AddRaw("x", tensors.Info{DType: tensors.F64, Shape: []int{2, 2}}, raw)
		return m
	}
	base, tuned := source(1, 2, 3, 4), source(1, 2, 3, 4+0x1p-40)
	if list := spectra(t, base, diff(t, base, tuned), 1); len(list) != 1 || list[0].StableRank != 1 {
		t.Errorf("%+v", list)
	}
}

// TestIntruders: a direction of the base that grew is no intruder, also where
// it was not among the leading ones. How many there are should not depend on
// how many singular values are asked for.
func TestIntruders(t *testing.T) {
	const n = 96
	check := func(direction, k, want int) {
		t.Helper()
		b := make([]float32, n*n)
		for i := range n {
			b[i*n+i] = float32(math.Pow(0.9, float64(i)))
		}
		u := slices.Clone(b)
		u[direction*n+direction] = 2
		base, tuned := matrix(tensors.F32, n, n, b...), matrix(tensors.F32, n, n, u...)
		if s := spectra(t, base, diff(t, base, tuned), k)[0]; s.Intruders != want {
			t.Errorf("direction %d grew: %d intruders with k = %d, want %d", direction, s.Intruders, k, want)
		}
	}
	check(3, 8, 0)
	check(20, 8, 0)
	check(60, 8, 1)
	check(60, 64, 0) // compared with 64 directions of the base
}

// TestSpectraProgress ends at the bytes of all matrices of the delta, moved or
// not; a cancelled run ends with the context's own error.
func TestSpectraProgress(t *testing.T) {
	base, tuned := planted()
	difference := diff(t, base, tuned)
	var calls []int64
	const square, tall = 4 * 72 * 72, 4 * 120 * 72
	if _, err := drift.Spectra(t.Context(), base, difference, 2, func(done, total int64) {
		if calls = append(calls, done); total != 2*(3*square+tall) {
			t.Errorf("%d bytes in all", total)
		}
	}); err != nil {
		t.Fatal(err)
	}
	// By name: up_proj, k_proj, o_proj, q_proj in each layer.
	half := int64(3*square + tall)
	if want := []int64{tall, tall + square, tall + 2*square, half, half + tall, half + tall + square, half + tall + 2*square, 2 * half}; !slices.Equal(calls, want) {
		t.Errorf("%v, want %v", calls, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	count := 0
	list, err := drift.Spectra(ctx, base, difference, 2, func(done, total int64) {
		count++
		cancel()
	})
	if list != nil || !errors.Is(err, context.Canceled) || count != 1 {
		t.Errorf("%v, %v after %d matrices", list, err, count)
	}
}

// TestSpectraThreads: the same bits for any number of processors.
func TestSpectraThreads(t *testing.T) {
	base, tuned := planted()
	difference, want := diff(t, base, tuned), ""
	for _, processors := range []int{1, 2, 5} {
		threads(processors, func() {
			got := fmt.Sprintf("%v", spectra(t, base, difference, 8))
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%d processors:\n%s\none:\n%s", processors, got, want)
			}
		})
	}
}
