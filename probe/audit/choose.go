package audit

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Choice is the candidate picked on the select part of the items.
type Choice struct {
	// Index is the position of the chosen candidate, and Why the reason in one
	// sentence.
	Index int    `json:"index"`
	Why   string `json:"why"`
	// Best is the candidate that the one-standard-error rule started from.
	Best int `json:"best"`
	// Kept says that the chosen candidate keeps the retention that the rule asks
	// for, by its estimate.
	Kept bool `json:"kept"`
	// Mean is the mean over the protected tasks of the chosen candidate's
	// scores, SE the standard error of its difference to the base's mean, and
	// Retention the share of the domain gain it keeps, not defined without a
	// gain. All are flattered by having been chosen for.
	Mean      float64  `json:"mean"`
	SE        float64  `json:"se"`
	Retention Interval `json:"retention"`
	// BaseMean is the base's mean over the protected tasks.
	BaseMean float64 `json:"base_mean"`
	// Candidates is their number, and Expected how much too high the mean of
	// the best of so many would be, were they alike and independent: SE times
	// the expected maximum of as many standard normal numbers. Candidates that
	// resemble each other are less flattered.
	Candidates int     `json:"candidates"`
	Expected   float64 `json:"expected"`
	// Reported is the mean of the chosen candidate on the report part and
	// Optimism is Mean minus Reported. AgainstBase is the same of the differences
	// to the base, which leaves out that one part may have the easier items. All
	// are 0 until Meet is called, after which Met is true.
	Reported    float64 `json:"reported"`
	Optimism    float64 `json:"optimism"`
	AgainstBase float64 `json:"against_base"`
	Met         bool    `json:"met"`
}

// Choose picks one of several candidates on the select part of the items:
// among those that keep the retention of the rule, by their estimates, the one
// with the highest mean over the protected tasks. From there it goes towards
// the tuned model, to the candidate of the greatest known strength whose mean
// is no more than one standard error of their paired difference lower (the
// one-standard-error rule of Breiman, Friedman, Olshen and Stone,
// Classification and Regression Trees, 1984, section 3.4.3; that of the
// difference, since items are shared). A best candidate of unknown strength
// stays.
//
// If none keeps the retention, the candidates with the highest retention of all
// are those chosen from, and Why says so. If there is no gain to keep, all are.
//
// It is an error if there is no candidate or no protected task, or if
// [Regressions] would fail for any of the models.
func Choose(tasks []Task, base, tuned Model, candidates []Model, rule Rule) (*Choice, error) {
	if len(candidates) == 0 {
		return nil, fmt.Errorf("audit: there are no candidates to choose from: give at least one")
	}
	p, err := newPanel(tasks, rule, append([]Model{base, tuned}, candidates...)...)
	if err != nil {
		return nil, err
	}
	if len(p.protected) == 0 {
		return nil, fmt.Errorf("audit: the basket has no general and no safety task, so no candidate is better than another: add one")
	}
	eligible, kept, reason := p.eligible()
	best := p.best(eligible)
	chosen, err := p.strongest(best, eligible)
	if err != nil {
		return nil, err
	}
	choice := &Choice{
		Index: chosen - candidateAt, Best: best - candidateAt, Kept: kept, Candidates: len(candidates),
		Mean: p.mean(p.protected, chosen), BaseMean: p.mean(p.protected, baseAt),
	}
	if choice.SE, err = p.errorOf(baseAt, chosen); err != nil {
		return nil, err
	}
	choice.Expected = choice.SE * expectedMaximum(len(candidates))
	if choice.Retention, err = p.retention(chosen); err != nil {
		return nil, err
	}
	choice.Why = p.why(best, chosen, reason)
	return choice, nil
}

// kept returns the estimated share of the domain gain of a model, and whether
// there is a gain.
func (p panel) kept(model int) (share float64, gain bool) {
	from, to := p.mean(p.domain, baseAt), p.mean(p.domain, tunedAt)
	if !(to > from) {
		return 0, false
	}
	return (p.mean(p.domain, model) - from) / (to - from), true
}

// eligible returns the candidates that keep enough of the domain gain, whether
// they do, and the words for it.
func (p panel) eligible() (models []int, kept bool, reason string) {
	highest := math.Inf(-1)
	for m := candidateAt; m < len(p.models); m++ {
		share, gain := p.kept(m)
		if !gain || share >= p.rule.Retention-1e-12 {
			models = append(models, m)
		}
		highest = max(highest, share)
	}
	if _, gain := p.kept(tunedAt); !gain {
		return models, false, "there being no domain gain to keep"
	}
	if len(models) > 0 {
		return models, true, fmt.Sprintf("of %d that keep at least %s %% of the domain gain", len(models), percent(p.rule.Retention))
	}
	for m := candidateAt; m < len(p.models); m++ {
		if share, _ := p.kept(m); share >= highest-1e-12 {
			models = append(models, m)
		}
	}
	return models, false, fmt.Sprintf("none keeps %s %% of the domain gain, and this one keeps most, %s %%", percent(p.rule.Retention), percent(highest))
}

// best returns the model with the highest mean over the protected tasks; of
// equal ones the one that keeps more, and then the first.
func (p panel) best(models []int) int {
	best := models[0]
	for _, m := range models[1:] {
		lead := p.mean(p.protected, m) - p.mean(p.protected, best)
		if lead > 1e-12 || lead > -1e-12 && p.mean(p.domain, m) > p.mean(p.domain, best)+1e-12 {
			best = m
		}
	}
	return best
}

// strongest applies the one-standard-error rule.
func (p panel) strongest(best int, models []int) (int, error) {
	chosen := best
	for _, m := range models {
		if !(p.models[m].Strength > p.models[chosen].Strength) { // false also for NaN
			continue
		}
		se, err := p.errorOf(best, m)
		if err != nil {
			return 0, err
		}
		if p.mean(p.protected, best)-p.mean(p.protected, m) <= se+1e-12 {
			chosen = m
		}
	}
	return chosen, nil
}

// errorOf returns the standard error of the difference between two models'
// means over the T protected tasks, sqrt(sum SE_t²) / T, where the error of a
// task with a single item, which is unknown, counts as the whole scale.
func (p panel) errorOf(from, to int) (float64, error) {
	squares := 0.0
	for _, t := range p.protected {
		d, err := p.compare(t, from, to)
		if err != nil {
			return 0, err
		}
		if !(d.SE >= 0) {
			d.SE = 1
		}
		squares += float64(d.SE * d.SE)
	}
	return math.Sqrt(squares) / float64(len(p.protected)), nil
}

func (p panel) why(best, chosen int, reason string) string {
	name := func(m int) string {
		if p.models[m].Name != "" {
			return p.models[m].Name
		}
		return fmt.Sprintf("candidate %d", m-candidateAt+1)
	}
	if best == chosen {
		return fmt.Sprintf("%s has the highest mean over the protected tasks, %s %%: %s.", name(chosen), points(p.mean(p.protected, chosen)), reason)
	}
	return fmt.Sprintf("%s lies nearest to the tuned model within one standard error of %s, which has the highest mean over the protected tasks, %s %% against %s %%: %s.",
		name(chosen), name(best), points(p.mean(p.protected, best)), points(p.mean(p.protected, chosen)), reason)
}

// Meet scores the chosen candidate on the report part of the items and sets
// Reported, Optimism and AgainstBase. It is an error if [Regressions] would
// fail, or if no task is protected.
func (c *Choice) Meet(tasks []Task, base, chosen Model) error {
	p, err := newPanel(tasks, Rule{}, base, chosen)
	if err != nil {
		return err
	}
	if len(p.protected) == 0 {
		return fmt.Errorf("audit: the report part has no general and no safety task, so the choice cannot be checked on it: add one")
	}
	const chosenAt = 1
	c.Reported = p.mean(p.protected, chosenAt)
	c.Optimism = c.Mean - c.Reported
	c.AgainstBase = (c.Mean - c.BaseMean) - (c.Reported - p.mean(p.protected, baseAt))
	c.Met = true
	return nil
}

// expectedMaximum returns the expected largest of n independent standard normal
// numbers: the mean of the normal quantile at u^(1/n) over u from 0 to 1, by
// the midpoint rule in 10,000 steps.
func expectedMaximum(n int) float64 {
	if n < 2 {
		return 0
	}
	const steps = 10_000
	sum := 0.0
	for step := range steps {
		sum += distuv.UnitNormal.Quantile(math.Pow((float64(step)+0.5)/steps, 1/float64(n)))
	}
	return sum / steps
}
