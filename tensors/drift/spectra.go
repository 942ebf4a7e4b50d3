package drift

import (
	"context"
	"fmt"
	"math"
	"slices"

	"surgeon/tensors"
	"surgeon/tensors/drift/spectrum"
)

// Spectrum says of one matrix how its change is spread over directions, and
// what it did to the leading directions of the base. W is the base, D the
// change, W+D the tuned matrix; s_1 is a largest singular value.
type Spectrum struct {
	Name  string
	Shape []int
	Rank  int // singular values that were computed: K, or the lesser side

	SpectralRatio float64  // s_1(D) / s_1(W): how strong the strongest new direction is
	StableRank    float64  // ||D||_F^2 / s_1(D)^2; 1 is one direction
	EffectiveRank float64  // exp of the entropy of D's spectrum; a lower bound unless Exact
	Exact         bool     // all singular values were computed
	Energies      []Energy // of D at some ranks
	Directions    int      // of D that stand above the noise that rounding to the stored type leaves; Rank if there may be more
	Residual      float64  // ||D - D_Rank||_F / ||D||_F, the share of the norm beyond Rank

	// Of the leading 10 left singular vectors of W+D (or Rank, if less):
	Intruders int     // those whose cosine with every one of W is below 0.5 (Shuttleworth et al., arXiv 2410.21228)
	Overlap   float64 // share of the leading subspace of W that is still in it
}

// Energy is the share of the squared norm ||D||_F^2 that the best
// approximation of a rank holds.
type Energy struct {
	Rank  int
	Share float64
}

const (
	leading       = 10   // singular vectors of the tuned matrix that are compared
	compared      = 32   // with these of the base, or with k if that is more: then fewer are new
	intruderLimit = 0.5  // cosine below which one is an intruder
	spectrumSeed  = 2410 // of the sketches: a constant, so that a diff has the same numbers every time
)

// energyRanks are the ranks whose energies are told, besides the last.
var energyRanks = []int{1, 4, 8, 16, 32, 64, 128, 256}

// Spectra decomposes every matrix that a delta changes, to rank k. It reads
// base and delta several times over, in blocks of rows. progress, which may be
// nil, counts bytes of base weights.
func Spectra(ctx context.Context, base tensors.Source, delta tensors.Delta, k int, progress func(done, total int64)) ([]Spectrum, error) {
	if err := tensors.Fit(base, delta); err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	var names []string
	var done, total int64
	for _, name := range delta.Names() {
		if info, ok := delta.Info(name); ok && len(info.Shape) == 2 && info.Shape[0] > 1 && info.Shape[1] > 1 {
			names = append(names, name)
			total += info.Bytes()
		}
	}
	list := []Spectrum{} // not nil: looked for, and none found
	for _, name := range names {
		s, moved, err := spectrumOf(ctx, base, delta, name, k)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if moved {
			list = append(list, s)
		}
		info, _ := delta.Info(name)
		if done += info.Bytes(); progress != nil {
			progress(done, total)
		}
	}
	return list, nil
}

// spectrumOf decomposes a matrix, its change and what it became; moved is false
// where nothing changed.
func spectrumOf(ctx context.Context, base tensors.Source, delta tensors.Delta, name string, k int) (_ Spectrum, moved bool, err error) {
	info, _ := delta.Info(name)
	decompose := func(k int, read func(dst []float32, from int) error) (d *spectrum.SVD) {
		if err == nil {
			d, err = spectrum.Decompose(ctx, spectrum.Matrix{Rows: info.Shape[0], Columns: info.Shape[1],
				Read: func(dst []float32, row, n int) error { return read(dst, row*info.Shape[1]) }}, spectrum.Options{Rank: k, Seed: spectrumSeed})
		}
		return d
	}
	change := decompose(k, func(dst []float32, from int) error {
		if info.DType != tensors.F64 {
			clear(dst)
			return delta.AddTo(dst, name, from, 1)
		}
		wide := make([]float64, len(dst))
		err := delta.AddTo64(wide, name, from, 1)
		for i, v := range wide {
			dst[i] = float32(v)
		}
		return err
	})
	if err != nil || change.Norm2 == 0 {
		return Spectrum{}, false, err
	}
	before := decompose(max(k, compared), func(dst []float32, from int) error { return base.Read(dst, name, from) })
	after := decompose(max(k, leading), func(dst []float32, from int) error {
		if err := base.Read(dst, name, from); err != nil {
			return err
		}
		return delta.AddTo(dst, name, from, 1)
	})
	if err != nil {
		return Spectrum{}, false, err
	}
	s := Spectrum{Name: name, Shape: info.Shape, Rank: len(change.S), StableRank: change.StableRank(), Residual: change.Residual,
		SpectralRatio: change.S[0] / before.S[0], Intruders: spectrum.Intruders(before, after, leading, intruderLimit),
		Overlap: min(1, spectrum.Overlap(before, after, leading))}
	s.Directions = directions(change, before.Norm2, coarser(base, delta, name))
	s.EffectiveRank, s.Exact = change.EffectiveRank()
	for _, r := range append(slices.DeleteFunc(slices.Clone(energyRanks), func(r int) bool { return r >= s.Rank }), s.Rank) {
		s.Energies = append(s.Energies, Energy{r, change.Energy(r)})
	}
	return s, true, nil
}

// coarser is the type whose rounding shows in a change: the tuned model's, or
// of a delta that was never rounded F32.
func coarser(base tensors.Source, delta tensors.Delta, name string) tensors.DType {
	d, ok := delta.(*tensors.Difference)
	if !ok {
		return tensors.F32
	}
	b, _ := d.Base.Info(name)
	t, _ := d.Tuned.Info(name)
	if fractions[b.DType] < fractions[t.DType] {
		return b.DType
	}
	return t.DType
}

// fractions are the bits of the fraction of each number type.
var fractions = map[tensors.DType]int{tensors.F64: 52, tensors.F32: 23, tensors.F16: 10, tensors.BF16: 7, tensors.F8E4M3: 3, tensors.F8E5M2: 2}

// directions counts the singular values of a change that stand above the noise
// of rounding. Rounding to nearest leaves errors of variance ulp^2/12; for
// weights spread evenly over their octaves that is 0.0385 * 4^-fraction of
// their mean square, and the largest singular value of a matrix of such errors
// is deviation * (sqrt(rows) + sqrt(columns)) (Vershynin, "High-dimensional
// probability", theorem 4.4.5). The margin allows for rows that are larger
// than others; it was set on a merged LoRA and a full fine-tune of one model.
func directions(change *spectrum.SVD, base2 float64, d tensors.DType) (n int) {
	const margin = 1.25
	rows, columns := float64(change.Rows), float64(change.Columns)
	deviation := math.Sqrt(0.0385*base2/rows/columns) * math.Ldexp(1, -fractions[d])
	edge := max(margin*deviation*(math.Sqrt(rows)+math.Sqrt(columns)), spectrum.ResolvedShare*change.S[0])
	for n < len(change.S) && change.S[n] > edge {
		n++
	}
	return n
}
