package cli

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/attribute"
	"surgeon/tensors/drift"
)

// attribution is where the harm sits, and attribution.json of a run folder.
type attribution struct {
	References   [2]int            `json:"references"` // general and domain answers whose cross-entropy is measured
	Long         int               `json:"too_long"`   // answers that did not fit the context
	Base         losses            `json:"base"`
	Tuned        losses            `json:"tuned"`
	Path         []pathPoint       `json:"alpha_path"`
	Groups       []groupFound      `json:"groups"`
	Method       attribute.Method  `json:"method"`
	Additivity   number            `json:"additivity"` // of the general loss: sum of the reverts over the whole rise
	Residual     losses            `json:"residual"`   // that no group is answerable for
	Evaluations  int               `json:"evaluations"`
	Reverts      [][]string        `json:"reverts"` // groups of the candidates that set some back
	Alphas       []number          `json:"alphas"`  // by group, of the candidate by descent
	Searched     int               `json:"alphas_evaluations"`
	Effective    map[string]number `json:"effective_alpha"` // of merges by one alpha, as they would be written
	Type         string            `json:"stored_as"`
	Drift        correlation       `json:"drift_against_harm"`
	Map          driftTable        `json:"drift"`
	Behaviour    *behaved          `json:"behaviour"`
	Integrated   *integrated       `json:"path_integrated,omitempty"`
	Relearned    *relearned        `json:"relearned,omitempty"`
	NotTrainable string            `json:"not_trainable,omitempty"` // why there is neither
	Warnings     []string          `json:"warnings,omitempty"`
}

// losses are cross-entropies of reference answers, nats a token, or differences of
// such.
type losses struct {
	General number `json:"general"`
	Domain  number `json:"domain"`
}

func lossesOf(l attribute.Losses) losses { return losses{number(l.General), number(l.Domain)} }

// pathPoint is a merge on the way from the base to the fine-tune.
type pathPoint struct {
	Alpha number `json:"alpha"`
	losses
}

// groupFound is what a group of tensors is answerable for.
type groupFound struct {
	Group        string `json:"group"`
	Tensors      int    `json:"tensors"`
	Relative     number `json:"relative_drift"`
	Harm         number `json:"harm"`    // rise of the general loss, nats a token
	Benefit      number `json:"benefit"` // fall of the domain loss
	Exchange     number `json:"exchange"`
	Note         string `json:"note,omitempty"`
	HarmError    number `json:"harm_error,omitempty"` // standard error of sampled Shapley values
	BenefitError number `json:"benefit_error,omitempty"`
	Revert       losses `json:"revert"` // what it adds as the last one
	Insert       losses `json:"insert"` // what it adds as the first one
}

// correlation is Spearman's, with an interval.
type correlation struct {
	Rho  number `json:"rho"`
	Low  number `json:"low"`
	High number `json:"high"`
	N    int    `json:"n"`
}

// driftTable is the relative drift by layer and part; null where there is no such
// tensor.
type driftTable struct {
	Columns []string   `json:"columns"`
	Rows    []string   `json:"rows"`
	Values  [][]number `json:"values"`
	Total   number     `json:"total"` // of all weights
}

const attributionFile = "attribution.json"

// attribute finds where the harm sits, or reads what was found before, and makes the
// candidates that follow from it.
func (a *auditing) attribute(ctx context.Context, scores []probe.Scores) error {
	path := filepath.Join(a.opt.out, attributionFile)
	found, f := &attribution{}, &attribution{NotTrainable: a.frozen}
	var err error
	if a.general, a.domain, err = a.fitting(scores, f); err != nil {
		return err
	}
	there, err := readJSON(path, found)
	if err != nil {
		return err
	}
	if !there {
		if found, err = f, a.find(ctx, f); err != nil {
			return err
		}
		if err := writeJSON(path, found); err != nil {
			return err
		}
	}
	a.found = found
	return a.follow(ctx)
}

// find measures.
func (a *auditing) find(ctx context.Context, f *attribution) error {
	if f.References = [2]int{len(a.general), len(a.domain)}; len(a.general) == 0 || len(a.domain) == 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("there are %d general and %d domain answers to find the harm by, and both are needed: where it sits was not measured", len(a.general), len(a.domain)))
		return nil
	}
	p, err := a.newPoints(a.general, a.domain)
	if err != nil {
		return err
	}
	if err := a.alongAlpha(ctx, p, f); err != nil {
		return err
	}
	p.title = "where the harm sits"
	found, err := attribute.Attribute(ctx, a.groups, p.ask, a.searchOptions())
	if err != nil {
		return err
	}
	f.take(found, a.groups, 1-a.opt.retention)
	if a.tries(classGroups) {
		if err := a.descend(ctx, p, f, found); err != nil {
			return err
		}
	}
	if f.Behaviour, err = a.behave(ctx); err != nil {
		return err
	}
	if err := a.integrate(ctx, f); err != nil {
		return err
	}
	if err := a.effective(ctx, f); err != nil {
		return err
	}
	return a.drift(ctx, f)
}

// searchOptions bound the points that are asked for where a model is not small.
func (a *auditing) searchOptions() attribute.Options {
	if a.frozen == "" {
		return attribute.Options{}
	}
	return attribute.Options{Permutations: 4, Evaluations: 40}
}

// alongAlpha measures the way from the base to the fine-tune.
func (a *auditing) alongAlpha(ctx context.Context, p *points, f *attribution) error {
	p.title = "along alpha"
	strengths := slices.Concat([]float64{0}, usualAlphas, []float64{1})
	var alphas []merge.Alpha
	for _, s := range strengths {
		alphas = append(alphas, merge.Number(s))
	}
	path, err := p.ask(ctx, alphas)
	if err != nil {
		return err
	}
	for i, l := range path {
		f.Path = append(f.Path, pathPoint{number(strengths[i]), lossesOf(l)})
	}
	return nil
}

// take keeps what was found of the groups.
func (f *attribution) take(found *attribute.Attribution, groups []attribute.Group, budget float64) {
	f.Base, f.Tuned, f.Method, f.Warnings = lossesOf(found.Base), lossesOf(found.Tuned), found.Method, found.Warnings
	f.Additivity, f.Residual, f.Evaluations = number(found.Additivity.General), lossesOf(found.Residual), found.Evaluations
	for _, e := range found.Effects {
		f.Groups = append(f.Groups, groupFound{Group: e.Group.Name, Harm: number(e.Harm), Benefit: number(e.Benefit), Exchange: number(e.Exchange), Note: e.Note, HarmError: number(e.HarmError), BenefitError: number(e.BenefitError),
			Revert: lossesOf(e.Revert), Insert: lossesOf(e.Insert)})
	}
	for _, c := range attribute.SelectiveRevert(found, budget) {
		var names []string
		for _, i := range c.Reverted {
			names = append(names, groups[i].Name)
		}
		f.Reverts = append(f.Reverts, names)
	}
}

// missingWeight is what a nat a token of the domain's gain that is missing counts, beside
// one of general loss, in the search for alphas.
const missingWeight = 5

// descend searches the alphas of groups with the least general loss of those that
// keep what must be kept of the domain's gain.
func (a *auditing) descend(ctx context.Context, p *points, f *attribution, found *attribute.Attribution) error {
	objective := func(l attribute.Losses) float64 {
		return l.General + missingWeight*math.Max(0, l.Domain-found.Tuned.Domain-(1-a.opt.retention)*math.Max(found.Benefit, 0))
	}
	p.title = "alphas by group"
	descent, err := attribute.Descend(ctx, a.groups, p.ask, objective, a.searchOptions())
	if err != nil {
		return err
	}
	f.Searched = descent.Evaluations
	for _, g := range descent.Groups {
		f.Alphas = append(f.Alphas, number(g.Alpha))
	}
	return nil
}

// effective measures what becomes of alphas in files: 16-bit weights round them.
func (a *auditing) effective(ctx context.Context, f *attribution) error {
	f.Type, f.Effective = string(mainType(a.in.from)), map[string]number{}
	step, finish := a.opt.progress(stage(2, "effective alphas"), "elements")
	defer finish()
	for _, c := range a.candidates {
		if c.Class != classInterpolation {
			continue
		}
		v, err := c.source.(*merge.Model).EffectiveAlpha(ctx, step)
		if err != nil {
			return err
		}
		f.Effective[c.Name] = number(v)
	}
	return nil
}

// drift measures how far every group moved, and whether that tells its harm.
func (a *auditing) drift(ctx context.Context, f *attribution) error {
	step, finish := a.opt.progress(stage(2, "drift"), "bytes")
	report, err := drift.Measure(ctx, a.in.from, a.in.tuned[0].delta, drift.Options{Progress: step})
	finish()
	if err != nil {
		return err
	}
	var moved, harm []float64
	for i, g := range a.groups {
		found := &f.Groups[i]
		var base2, delta2 float64
		for _, row := range report.Tensors {
			if g.Has(row.Name) {
				base2, delta2, found.Tensors = base2+row.BaseNorm()*row.BaseNorm(), delta2+row.DeltaNorm()*row.DeltaNorm(), found.Tensors+1
			}
		}
		found.Relative = number(math.Sqrt(delta2 / base2))
		moved, harm = append(moved, float64(found.Relative)), append(harm, float64(found.Harm))
	}
	rho, low, high := attribute.RankCorrelation(moved, harm)
	f.Drift = correlation{number(rho), number(low), number(high), len(moved)}
	heat := driftMap(report, a.base, a.tuned)
	f.Map = driftTable{Columns: heat.Columns, Rows: heat.Rows, Total: number(report.Total.Relative())}
	for _, row := range heat.Values {
		values := make([]number, len(row))
		for i, v := range row {
			values[i] = number(v)
		}
		f.Map.Values = append(f.Map.Values, values)
	}
	return nil
}
