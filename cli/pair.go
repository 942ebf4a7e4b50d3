package cli

import (
	"fmt"

	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/merge"
	"surgeon/tensors"
)

// pair is a base and what was made of it: a tuned model, or an adapter.
type pair struct {
	base      *model
	tunedName string
	tuned     *model        // nil for an adapter
	adapter   *lora.Adapter // nil for a model
	delta     tensors.Delta
	unmatched []tensors.Unmatched
}

// openPair opens both sides and takes their difference.
func openPair(baseName, tunedName string) (*pair, error) {
	base, err := openModel(baseName)
	if err != nil {
		return nil, err
	}
	p := &pair{base: base, tunedName: tunedName}
	if lora.Is(tunedName) {
		err = p.openAdapter()
	} else {
		err = p.openTuned()
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pair) openAdapter() error {
	a, err := lora.Open(p.tunedName)
	if err != nil {
		return err
	}
	p.adapter, p.delta = a, a
	if err := tensors.Fit(p.base, a); err != nil {
		return fmt.Errorf("%s and %s: %w", p.base.name, p.tunedName, err)
	}
	return nil
}

func (p *pair) openTuned() error {
	tuned, err := openModel(p.tunedName)
	if err != nil {
		return err
	}
	p.tuned = tuned
	d, err := tensors.Diff(p.base, tuned)
	if err != nil {
		return err
	}
	p.delta, p.unmatched = d, d.Unmatched
	return nil
}

func (p *pair) close() {
	p.base.Close()
	if p.tuned != nil {
		p.tuned.Close()
	}
}

// cover decides every tensor of a merge.
func (p *pair) cover() (merge.Coverage, error) {
	d, ok := p.delta.(*tensors.Difference)
	if !ok {
		return merge.Coverage{Merged: len(p.delta.Names())}, nil // Fit has decided
	}
	c, err := merge.Cover(d)
	if err != nil {
		return c, fmt.Errorf("%s and %s: %w", p.base.name, p.tunedName, err)
	}
	return c, nil
}

// at is the base merged with one alpha.
func (p *pair) at(alpha float64) (*merge.Model, error) {
	return merge.Apply(p.base, merge.Term{Label: p.tunedName, Delta: p.delta, Alpha: merge.Number(alpha)})
}

// notes are what a reader must know of where the pair came from.
func (p *pair) notes() []string {
	return notes(p.base.embedded || p.tuned != nil && p.tuned.embedded)
}

// describe says in a few words what the tuned side is.
func (p *pair) describe() string {
	if p.adapter != nil {
		return fmt.Sprintf("LoRA adapter of rank %d, %s parameters", p.adapter.Rank, table.Count(p.adapter.Parameters()))
	}
	return table.Count(parameters(p.tuned)) + " parameters"
}
