package cli

import (
	"errors"
	"math"
	"slices"
	"strings"

	"surgeon/probe/audit"
)

// advise decides, and says what to do next.
func (r *auditResult) advise(tasks []audit.Task) (err error) {
	m := r.m
	var list, twins []audit.Model
	for _, c := range r.Candidates {
		if c.Judged && c.Class != classBase && c.Class != classTuned {
			one := m.part(c.Name, m.report)
			one.Class = c.Class
			list = append(list, one)
		}
	}
	base, tuned := m.part("base", m.report), m.part("tuned", m.report)
	if r.Ledger, err = audit.Forgotten(tasks, base, tuned, list); err != nil {
		return err
	}
	refusal, benign := "", ""
	for _, t := range tasks {
		switch {
		case strings.Contains(t.Name, "refusal"):
			refusal = t.Name
		case strings.Contains(t.Name, "benign"):
			benign = t.Name
		}
	}
	twins = append(twins, base, tuned)
	if r.Chosen != "tuned" {
		twins = append(twins, m.part(r.Chosen, m.report))
	}
	if refusal != "" && benign != "" {
		if r.Twins, err = audit.Twins(tasks, refusal, benign, twins...); err != nil {
			return err
		}
	}
	r.Replay, err = audit.PlanReplay(r.Lost, audit.ReplayOptions{LostID: "lost"})
	if errors.Is(err, audit.ErrNoSafety) { // all else can be said
		r.Notes = append(r.Notes, "no replay is planned, since no safety task was tested, and a plan without a safety slice loses refusals")
	} else if err != nil {
		return err
	}
	if err := r.compare(tasks); err != nil {
		return err
	}
	e := r.trials()
	chosen := audit.Trial{}
	for _, t := range e.Candidates {
		if t.Name == r.Chosen {
			chosen = t
		}
	}
	r.Decision, r.Advice, r.Gates = audit.Decide(e.Tuned, chosen, r.rule), audit.Advise(e), audit.Gates(e)
	return nil
}

// compare sets the chosen candidate against the best of every class, item by item.
func (r *auditResult) compare(tasks []audit.Task) error {
	r.Comparisons = []audit.Comparison{}
	for _, name := range r.Best {
		if name == r.Chosen || !r.m.has(name, r.m.report) {
			continue
		}
		list, err := audit.Against(tasks, r.m.part(r.Chosen, r.m.report), r.m.part(name, r.m.report), r.rule)
		if err != nil {
			return err
		}
		r.Comparisons = append(r.Comparisons, list...)
	}
	return nil
}

// trials are the evidence of the advice. IDs are paths of results.json, but that a
// candidate, group or task stands there by its name.
func (r *auditResult) trials() audit.Evidence {
	e := audit.Evidence{Rule: r.rule, Lost: r.Lost, LostID: "lost", Chosen: r.Chosen, Choice: r.Choice, ChoiceID: "choice", Comparisons: r.Comparisons, Replay: r.Replay, Seeds: 1}
	recipes := map[string]*trainedRecipe{}
	for _, c := range r.planned {
		recipes[c.Name] = c.Recipe
	}
	for _, c := range r.Candidates {
		t := audit.Trial{ID: "candidates/" + c.Name, Name: c.Name, Class: c.Class, Verdict: c.Verdict, Recipe: recipeOf(recipes[c.Name])}
		if c.Strength != nil {
			t.Strength = float64(*c.Strength)
		}
		if at := strings.LastIndex(c.Name, " x "); c.Class == classTrainedMerge && at > 0 {
			t.MergeOf = c.Name[:at]
		}
		if n := slices.Index(reverts, c.Name); n >= 0 && r.Where != nil && n < len(r.Where.Reverts) {
			t.Reverted = r.Where.Reverts[n]
		}
		if r.Where != nil {
			if effective, ok := r.Where.Effective[c.Name]; ok {
				t.Written = &audit.Written{ID: "where/effective_alpha/" + c.Name, Type: r.Where.Type, Asked: t.Strength, Effective: float64(effective)}
			}
		}
		switch {
		case c.Class == classTuned:
			for _, again := range r.Repeats {
				if again.Verdict != nil {
					t.Repeats = append(t.Repeats, again.Verdict)
				}
			}
			e.Tuned, e.Seeds = t, 1+len(t.Repeats)
		case c.Class != classBase && c.Verdict != nil:
			e.Candidates = append(e.Candidates, t)
		}
	}
	r.whereEvidence(&e)
	return e
}

// whereEvidence adds what was found of groups, routing and relearning.
func (r *auditResult) whereEvidence(e *audit.Evidence) {
	if w := r.Where; w != nil {
		for _, g := range w.Groups {
			e.Groups = append(e.Groups, audit.Group{ID: "where/groups/" + g.Group, Name: g.Group, Harm: float64(g.Harm), Benefit: float64(g.Benefit), Exchange: float64(g.Exchange),
				HarmError: float64(g.HarmError), BenefitError: float64(g.BenefitError), Drift: float64(g.Relative), Revert: float64(g.Revert.General), Insert: float64(g.Insert.General), N: w.References[0]})
		}
		if d := w.Drift; d.Rho == d.Rho {
			e.Drift = &audit.Measure{ID: "where/drift_against_harm", Interval: audit.Interval{Value: float64(d.Rho), Low: float64(d.Low), High: float64(d.High), Defined: true}, N: d.N}
		}
		if a := w.Additivity; a == a {
			e.Additivity = &audit.Measure{ID: "where/additivity", Interval: audit.Interval{Value: float64(a), Low: float64(a), High: float64(a), Defined: true}, N: w.References[0]}
		}
	}
	if r.Routing != nil {
		e.Router = &audit.Router{ID: "routing", Wrong: r.Routing.Wrong, Of: r.Routing.Of}
	}
	if p := r.Relearned; p != nil {
		l := &audit.Relearning{ID: "relearned", Steps: p.Steps}
		if slices.Equal(p.Steps[1:1+len(p.ControlSteps)], p.ControlSteps) {
			l.Control = append(l.Control, math.NaN()) // it was not asked before its first step
			for _, v := range p.ControlMean {
				l.Control = append(l.Control, float64(v))
			}
		}
		for _, t := range r.m.tasks {
			scores, ok := p.Scores[t.Name]
			if !ok {
				continue
			}
			var row []float64
			for _, s := range scores {
				row = append(row, float64(s))
			}
			l.Tasks, l.Scores, l.N = append(l.Tasks, t.Name), append(l.Scores, row), append(l.N, p.Items[t.Name])
		}
		e.Relearned = l
	}
}

// recipeOf is a recipe as the advice takes it.
func recipeOf(t *trainedRecipe) *audit.Recipe {
	if t == nil {
		return nil
	}
	o := t.Options
	r := &audit.Recipe{LearningRate: o.LearningRate, Steps: o.Steps, Replay: o.ReplayShare, Frozen: t.Frozen, Divergence: o.KL, Decay: o.L2SP}
	r.Slices, r.Pool = t.slices()
	if o.LowRank != nil {
		r.Rank, r.Targets = o.LowRank.Rank, o.LowRank.Projections()
	}
	return r
}
