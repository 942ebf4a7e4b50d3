package spectrum_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"surgeon/tensors/drift/spectrum"
)

// measuredResidual is ||A - U diag(S) V'|| / ||A||, added up from the elements.
func measuredResidual(d dense, svd *spectrum.SVD) float64 {
	var sum float64
	for i, v := range d.values {
		rest := float64(v)
		for j, s := range svd.S {
			rest -= svd.U[j][i/d.columns] * s * svd.V[j][i%d.columns]
		}
		sum += rest * rest
	}
	return math.Sqrt(sum / d.norm2())
}

// sine is the sine of the greatest angle between the first k left vectors and
// those of the oracle: the spectral norm of (I - U U') U_oracle.
func sine(svd *spectrum.SVD, oracle *mat.Dense, k int) float64 {
	rest := mat.DenseCopyOf(oracle.Slice(0, svd.Rows, 0, k))
	for c := range k {
		column := mat.Col(nil, c, rest)
		for _, u := range svd.U[:k] {
			p := dot(u, column)
			for i, v := range u {
				column[i] -= p * v
			}
		}
		rest.SetCol(c, column)
	}
	return mat.Norm(rest, 2) // Frobenius, which is no less
}

// TestOracle compares with gonum's decomposition of the whole matrix. The
// relative error of values is that of the first `good` ones; a flat spectrum
// may be some percent low (the sketch's bound, not rounding).
func TestOracle(t *testing.T) {
	for _, c := range []struct {
		name            string
		matrix          dense
		good            int     // leading values
		relative, angle float64 // of them
		low             float64 // how far below the truth any value may be
		exact           bool
	}{
		{"falling, tall", planted(1, 700, 150, 0, powers(60, 0.8)...), 12, 1e-6, 1e-5, 0.02, false},
		{"falling, wide", planted(2, 150, 700, 0, powers(60, 0.8)...), 12, 1e-6, 1e-5, 0.02, false},
		{"head and noise", planted(3, 1100, 200, 0.002, 9, 8, 7, 6, 5, 4), 6, 1e-6, 1e-6, 0.1, false},
		{"noise alone", planted(4, 300, 300, 1), 1, 0.05, 1, 0.12, false},
		{"thin", planted(5, 900, 25, 0.1, powers(20, 0.5)...), 12, 1e-13, 1e-11, 1e-12, true},
		{"flat", planted(6, 30, 901, 0.1, powers(20, 0.5)...), 12, 1e-13, 1e-11, 1e-12, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			svd := decompose(t, c.matrix, spectrum.Options{Rank: 16})
			checkShape(t, svd, c.matrix.rows, c.matrix.columns, 16)
			if svd.Exact != c.exact {
				t.Errorf("exact: %v", svd.Exact)
			}
			u, want := c.matrix.oracle(t)
			worst := 0.0
			for j, s := range svd.S {
				if j < c.good {
					worst = max(worst, math.Abs(s-want[j])/want[j])
				}
				if s < want[j]*(1-c.low) || s > want[j]+1e-6*want[0] {
					t.Errorf("value %d is %v, want %v", j, s, want[j])
				}
			}
			angle, residual := sine(svd, u, c.good), measuredResidual(c.matrix, svd)
			t.Logf("values %.1e, angle %.1e, residual %.6e (reported %.6e)", worst, angle, residual, svd.Residual)
			if worst > c.relative || angle > c.angle {
				t.Errorf("values are off by %.2g, the subspace by %.2g; allowed are %.2g and %.2g", worst, angle, c.relative, c.angle)
			}
			near(t, "the norm", svd.Norm2, c.matrix.norm2(), 1e-13*svd.Norm2)
			near(t, "the residual", svd.Residual*svd.Residual, residual*residual, 1e-8)
		})
	}
}

// foreign is a line of testdata/numpy.json, which testdata/make.py made.
type foreign struct {
	Seed          uint64
	Rows, Columns int
	Norm2         float64
	S             []float64
	Residual      float64
	StableRank    float64 `json:"stable_rank"`
	Energy4       float64 `json:"energy4"`
	EffectiveRank float64 `json:"effective_rank"`
	Overlap       float64
	Half          int `json:"intruders_0.5"`
	Most          int `json:"intruders_0.9"`
}

// integers makes the matrices of testdata/make.py: base and tuned.
func (f foreign) integers() (base, tuned dense) {
	state := f.Seed
	draw := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			state = (1103515245*state + 12345) % (1 << 31)
			out[i] = float32(int(state>>16)%17 - 8)
		}
		return out
	}
	add := func(d dense, weight float64) {
		p, q := draw(d.rows), draw(d.columns)
		for i := range d.values {
			d.values[i] += float32(weight) * p[i/d.columns] * q[i%d.columns]
		}
	}
	base = dense{f.Rows, f.Columns, draw(f.Rows * f.Columns)}
	for t := range 12 {
		add(base, math.Ldexp(1, 12-t))
	}
	tuned, state = base.scaled(1), f.Seed+1000
	for t := range 3 {
		add(tuned, 3*math.Ldexp(1, 9-t))
	}
	return base, tuned
}

// TestNumpy compares with numbers that numpy computed from the same integers.
func TestNumpy(t *testing.T) {
	raw, err := os.ReadFile("testdata/numpy.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []foreign
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, f := range cases {
		t.Run(fmt.Sprintf("%dx%d", f.Rows, f.Columns), func(t *testing.T) {
			first, second := f.integers()
			base, tuned := decompose(t, first, spectrum.Options{Rank: 16}), decompose(t, second, spectrum.Options{Rank: 16})
			checkShape(t, base, f.Rows, f.Columns, len(f.S))
			near(t, "the norm", base.Norm2, f.Norm2, 0)
			for j, want := range f.S {
				tolerance := 1e-7*f.S[0] + 0.08*want // of the noise
				if j < 12 {
					tolerance = 1e-8*f.S[0] + 1e-7*want
				}
				if base.Exact {
					tolerance = 1e-13 * f.S[0]
				}
				near(t, fmt.Sprintf("value %d", j), base.S[j], want, tolerance)
			}
			near(t, "the squared residual", base.Residual*base.Residual, f.Residual*f.Residual, 5e-8)
			near(t, "the stable rank", base.StableRank(), f.StableRank, 1e-6)
			near(t, "the energy of 4", base.Energy(4), f.Energy4, 1e-7)
			rank, whole := base.EffectiveRank()
			near(t, "the effective rank", rank, f.EffectiveRank, 5e-5) // the noise is low
			if whole != (min(f.Rows, f.Columns) <= 16) {
				t.Errorf("the effective rank is exact: %v", whole)
			}
			near(t, "the overlap of 8", spectrum.Overlap(base, tuned, 8), f.Overlap, 1e-6)
			for epsilon, want := range map[float64]int{0.5: f.Half, 0.9: f.Most} {
				if got := spectrum.Intruders(base, tuned, 8, epsilon); got != want {
					t.Errorf("%d intruders below %v, want %d", got, epsilon, want)
				}
			}
		})
	}
}
