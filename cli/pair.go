package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"

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
	coverage  merge.Coverage // of a pair that openMerge opened
}

// openMerge opens a pair and decides every tensor of a merge of it.
func openMerge(baseName, tunedName string) (*pair, error) {
	p, err := openPair(baseName, tunedName)
	if err != nil {
		return nil, err
	}
	if p.coverage, err = p.cover(); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
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

// metadata is the base's own, with what was done to it. Models are called by
// their last name, so that the bytes do not depend on where they lie.
func (p *pair) metadata(alpha float64) map[string]string {
	m := map[string]string{}
	for k, v := range p.base.Metadata() {
		m[k] = v
	}
	base, tuned := filepath.Base(p.base.name), filepath.Base(p.tunedName)
	m["surgeon"] = fmt.Sprintf("%s + %v * (%s - %s)", base, alpha, tuned, base)
	return m
}

// mergeNotes are what a reader must know of a merge of the pair.
func (p *pair) mergeNotes() []string {
	list := append(p.notes(), p.differences()...)
	for _, u := range p.coverage.Copied {
		list = append(list, fmt.Sprintf("%s is copied from the base: %s", u.Name, u.Reason))
	}
	return list
}

// sameArchitecture refuses a pair whose configurations would compute
// different things from the same weights: a merge is scored with the base's.
func (p *pair) sameArchitecture() error {
	field, base, tuned := p.configs()
	if field == "" {
		return nil
	}
	return fmt.Errorf("%s and %s disagree on %s, %s and %s: a merge of them cannot be scored",
		p.base.File("config.json"), p.tuned.File("config.json"), field, base, tuned)
}

// differences notes what the tuned model has beside its weights that a merge
// does not take over.
func (p *pair) differences() []string {
	var list []string
	if field, base, tuned := p.configs(); field != "" {
		list = append(list, fmt.Sprintf("config.json is the base's: %s is %s there and %s in the tuned model", field, base, tuned))
	}
	if p.tuned != nil {
		base, errBase := fs.ReadFile(p.base.Dir(), "tokenizer.json")
		tuned, errTuned := fs.ReadFile(p.tuned.Dir(), "tokenizer.json")
		if errBase == nil && errTuned == nil && !bytes.Equal(base, tuned) {
			list = append(list, "tokenizer.json is the base's: the tuned model has another")
		}
	}
	return list
}

// configs compares the architectures of both sides and returns the first field
// that differs, but for the length of the context; "" if none does or a side
// has none that can be read.
func (p *pair) configs() (field, base, tuned string) {
	if p.tuned == nil {
		return "", "", ""
	}
	b, errBase := p.base.config()
	t, errTuned := p.tuned.config()
	if errBase != nil || errTuned != nil {
		return "", "", ""
	}
	x, y := reflect.ValueOf(b), reflect.ValueOf(t)
	for i := range x.NumField() {
		name := x.Type().Field(i).Name
		if name != "Context" && x.Field(i).Interface() != y.Field(i).Interface() {
			return name, fmt.Sprint(x.Field(i)), fmt.Sprint(y.Field(i))
		}
	}
	return "", "", ""
}

// describe says in a few words what the tuned side is.
func (p *pair) describe() string {
	if p.adapter != nil {
		return fmt.Sprintf("LoRA adapter of rank %d, %s parameters", p.adapter.Rank, table.Count(p.adapter.Parameters()))
	}
	return table.Count(parameters(p.tuned)) + " parameters"
}
