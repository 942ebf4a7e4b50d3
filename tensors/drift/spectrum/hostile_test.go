package spectrum_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"surgeon/tensors/drift/spectrum"
)

// TestZero: no values but zeros, with vectors all the same.
func TestZero(t *testing.T) {
	for _, d := range []dense{newDense(600, 100), newDense(100, 600), newDense(40, 5), newDense(1, 1)} {
		svd := decompose(t, d, spectrum.Options{Rank: 8})
		checkShape(t, svd, d.rows, d.columns, min(8, d.columns))
		for _, s := range svd.S {
			near(t, "a value of zero", s, 0, 0)
		}
		rank, _ := svd.EffectiveRank()
		for what, got := range map[string]float64{"norm": svd.Norm2, "residual": svd.Residual, "stable rank": svd.StableRank(), "effective rank": rank, "energy less 1": svd.Energy(3) - 1} {
			near(t, what, got, 0, 0)
		}
		if overlap := spectrum.Overlap(svd, svd, 3); !math.IsNaN(overlap) {
			t.Errorf("nothing overlaps by %v", overlap)
		}
		if n := spectrum.Intruders(svd, svd, 3, 0.5); n != 0 {
			t.Errorf("%d intruders of nothing", n)
		}
	}
}

// TestRankOne: one value, and rounding noise below ResolvedShare; also where
// every row is the same, so that the sketch has exactly one direction.
func TestRankOne(t *testing.T) {
	constant := newDense(600, 100)
	for i := range constant.values {
		constant.values[i] = 3
	}
	for _, d := range []dense{planted(1, 900, 130, 0, 7), planted(1, 130, 900, 0, 7), planted(1, 900, 20, 0, 7), constant} {
		svd := decompose(t, d, spectrum.Options{Rank: 8})
		checkShape(t, svd, d.rows, d.columns, 8)
		near(t, "the value", svd.S[0], math.Sqrt(d.norm2()), 1e-6*svd.S[0])
		near(t, "the second value", svd.S[1]/svd.S[0], 0, spectrum.ResolvedShare/10)
		near(t, "the stable rank", svd.StableRank(), 1, 1e-6)
		near(t, "the overlap of 5", spectrum.Overlap(svd, svd, 5), 1, 1e-12)
		t.Logf("second value %.1e, residual %.1e", svd.S[1]/svd.S[0], svd.Residual)
	}
}

// TestThin: sides of 0 and 1.
func TestThin(t *testing.T) {
	for _, shape := range [][2]int{{0, 0}, {0, 5}, {5, 0}, {1, 1}, {1, 3000}, {3000, 1}, {2, 2}, {3, 1}} {
		d := newDense(shape[0], shape[1])
		for i := range d.values {
			d.values[i] = float32(i%7 - 2)
		}
		svd := decompose(t, d, spectrum.Options{Rank: 8})
		checkShape(t, svd, d.rows, d.columns, min(shape[0], shape[1]))
		if !svd.Exact {
			t.Errorf("%v: not exact", shape)
		}
		if len(svd.S) == 1 {
			near(t, "the only value", svd.S[0], math.Sqrt(d.norm2()), 1e-12*svd.S[0])
		}
		if rank, exact := svd.EffectiveRank(); !exact || len(svd.S) < 2 && rank != float64(len(svd.S)) {
			t.Errorf("%v: effective rank %v, exact %v", shape, rank, exact)
		}
		near(t, "the residual", svd.Residual, 0, 1e-7)
	}
}

// TestNotFinite names the place of the first value that is no number, in both
// ways to decompose and wherever the block is cut.
func TestNotFinite(t *testing.T) {
	for _, columns := range []int{90, 20} {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			d := planted(1, 1200, columns, 1)
			for _, at := range []int{1111*columns + 17, 1111*columns + 18, 1112 * columns} {
				d.values[at] = float32(bad)
			}
			_, err := spectrum.Decompose(t.Context(), d.matrix(), spectrum.Options{Rank: 4})
			if !errors.Is(err, spectrum.ErrNotFinite) || !strings.Contains(err.Error(), "row 1111, column 17 is ") {
				t.Errorf("%v: %v", bad, err)
			}
		}
	}
}

// TestRefused: what cannot be asked for.
func TestRefused(t *testing.T) {
	ask := func(rows, columns, rank int, want string) {
		t.Helper()
		m := spectrum.Matrix{Rows: rows, Columns: columns}
		if _, err := spectrum.Decompose(t.Context(), m, spectrum.Options{Rank: rank}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d x %d to rank %d: %v", rows, columns, rank, err)
		}
	}
	ask(-1, 3, 1, "-1 rows")
	ask(3, -1, 1, "-1 columns")
	ask(3, 3, 0, "at least 1")
	ask(3, 3, -4, "at least 1")
	a, b := decompose(t, newDense(3, 3), spectrum.Options{Rank: 1}), decompose(t, newDense(2, 3), spectrum.Options{Rank: 1})
	panics := func(want string, compare func()) {
		t.Helper()
		defer func() {
			if got := recover(); got != want {
				t.Errorf("vectors of different lengths: %v, want %q", got, want)
			}
		}()
		compare()
	}
	panics("spectrum: Overlap of matrices of 3 and 2 rows", func() { spectrum.Overlap(a, b, 1) })
	panics("spectrum: Intruders of matrices of 3 and 2 rows", func() { spectrum.Intruders(a, b, 1, 0.5) })
}

// TestReadError passes the reader's error on from each pass: of the failures of
// a block, that of the lowest row.
func TestReadError(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	for _, columns := range []int{3600, 90, 20} { // too large to be kept, kept, whole
		d := planted(1, 1200, columns, 1)
		for pass := range 6 {
			if columns < 3600 && pass > 0 {
				break
			}
			m := d.matrix()
			read, passes := m.Read, make(chan int, 100) // one token for each time row 0 was read
			m.Read = func(dst []float32, row, n int) error {
				if row == 0 {
					passes <- 1
				}
				switch {
				case len(passes) <= pass || row+n <= 1100:
				case row < 1112:
					return first
				default:
					return second
				}
				return read(dst, row, n)
			}
			svd, err := spectrum.Decompose(t.Context(), m, spectrum.Options{Rank: 4})
			if err != first || svd != nil {
				t.Errorf("%d columns, pass %d: %v", columns, pass, err)
			}
		}
	}
}

// TestCancelled stops before the next block.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := planted(1, 2000, 90, 1)
	m := d.matrix()
	read := m.Read
	m.Read = func(dst []float32, row, n int) error {
		if row+n > 1024 {
			t.Error("a block was read after the cancellation")
		}
		cancel()
		return read(dst, row, n)
	}
	if _, err := spectrum.Decompose(ctx, m, spectrum.Options{Rank: 4}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}
