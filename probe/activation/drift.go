package activation

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"surgeon/tensors"
)

// Row is how far a tensor has moved as its inputs feel it.
type Row struct {
	Name            string
	Key             tensors.Key
	General, Domain Energy // on general prompts, and on those of the domain
}

// Energy is the mean square of outputs, summed over the channels and averaged over
// tokens. Energies of tensors add.
type Energy struct {
	Base  float64 // of the base: tr(W G W')
	Delta float64 // of the difference: tr(D G D')
}

// Relative is the drift of the outputs, sqrt(Delta/Base): 0 where nothing moved,
// +Inf where outputs that were all zero did.
func (e Energy) Relative() float64 {
	if e.Delta == 0 {
		return 0
	}
	return math.Sqrt(e.Delta / e.Base)
}

// Plus is the energy of two sets of outputs.
func (e Energy) Plus(other Energy) Energy {
	return Energy{e.Base + other.Base, e.Delta + other.Delta}
}

// Collateral is the relative drift on general prompts as a multiple of that on
// the domain's: what a fine-tune did to everybody for what it did to its domain. It
// is NaN where nothing moved, or both drifts are infinite, and +Inf where only
// general prompts feel it.
func (r Row) Collateral() float64 { return r.General.Relative() / r.Domain.Relative() }

// driftRows is the number of rows of a tensor that are read at a time.
const driftRows = 256

// Drift weighs the difference of every matrix by the inputs of both kinds: its
// activation-weighted drift is Relative of an Energy. Tensors that have no Gram
// matrix in both are left out. Rows stand in the order of the model, as in package
// drift. general is usually collected on the base and domain on the fine-tune. An
// error names the tensor that does not fit or is not finite.
func Drift(ctx context.Context, base tensors.Source, delta tensors.Delta, general, domain *Grams) ([]Row, error) {
	if err := tensors.Fit(base, delta); err != nil {
		return nil, err
	}
	var rows []Row
	for _, name := range delta.Names() {
		g, d := general.of[name], domain.of[name]
		if g == nil || d == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row := Row{Name: name, Key: tensors.KeyOf(name)}
		if err := row.measure(base, delta, g, d); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Or(a.Key.Compare(b.Key), cmp.Compare(a.Name, b.Name)) })
	return rows, nil
}

// measure adds up the energies of a tensor, some rows at a time.
func (r *Row) measure(base tensors.Source, delta tensors.Delta, general, domain *gram) error {
	info, _ := base.Info(r.Name)
	for _, g := range []*gram{general, domain} {
		if len(info.Shape) != 2 || info.Shape[1] != g.width {
			return fmt.Errorf("its shape is %v, but the Gram matrix of its inputs has a width of %d: it is that of another model", info.Shape, g.width)
		}
	}
	onGeneral, onDomain := general.panels(), domain.panels()
	n := min(info.Len(), driftRows*info.Shape[1])
	was, moved := make([]float32, n), make([]float32, n)
	for from := 0; from < info.Len(); from += n {
		n := min(n, info.Len()-from)
		clear(moved)
		if err := base.Read(was[:n], r.Name, from); err != nil {
			return err
		}
		if err := delta.AddTo(moved[:n], r.Name, from, 1); err != nil {
			return err
		}
		r.General = r.General.Plus(Energy{energy(onGeneral, was[:n]), energy(onGeneral, moved[:n])})
		r.Domain = r.Domain.Plus(Energy{energy(onDomain, was[:n]), energy(onDomain, moved[:n])})
	}
	if all := r.General.Base + r.General.Delta + r.Domain.Base + r.Domain.Delta; math.IsNaN(all) || math.IsInf(all, 0) {
		return fmt.Errorf("a weight of the base or of the difference is not finite, or too large to be squared in float32: look for it with diff")
	}
	return nil
}
