package attribute

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Effect is what the tuned weights of one group do to the losses.
type Effect struct {
	Group Group
	// Revert is L(tuned) - L(tuned with the group as in the base): what the
	// group adds as the last one. Its negative is what setting it back brings.
	Revert Losses
	// Insert is L(base with the group tuned) - L(base): what the group adds as
	// the first one.
	Insert Losses
	// Harm is the rise of the general loss that the group is answerable for, in
	// nats a token: its Shapley value if those were computed, otherwise the mean
	// of Revert and Insert.
	Harm float64
	// Benefit is the fall of the domain loss, in the same way.
	Benefit float64
	// HarmError and BenefitError are the standard errors of Shapley values that
	// were sampled: 0 where nothing was, NaN where one pair of permutations
	// was drawn only. They are about permutations, not about prompts.
	HarmError, BenefitError float64
	// Exchange is Harm/Benefit, what is paid for a nat of domain loss in nats
	// of general loss. It is NaN where the Benefit is nothing.
	Exchange float64
	// Note says in words why Exchange is NaN.
	Note string
}

// Attribution is the harm and the benefit of a tuning by groups of tensors.
type Attribution struct {
	Base, Tuned Losses
	Effects     []Effect // one for each group, in their order
	// Harm is the rise of the general loss from base to tuned, and Benefit the
	// fall of the domain loss.
	Harm, Benefit float64
	// Additivity is the sum of Revert over the groups divided by the whole
	// difference: 1 where groups act each for themselves, near 0 where damage
	// is redundant, so that setting back one group leaves the rest to do it,
	// above 1 where groups do it only together. NaN where the whole is nothing.
	Additivity Losses
	// Residual is the completeness residual: L(tuned) - L(base) less what the
	// groups are answerable for. With Shapley values it is rounding only;
	// otherwise it is the part that three or more groups have in common.
	Residual Losses
	// Method is how harms and benefits were found.
	Method      Method
	Evaluations int // points that the oracle was asked for
	Waves       int // calls of the oracle
	Resolution  float64
	Warnings    []string
}

// Method is how the share of a group is found.
type Method string

// The methods of attribution.
const (
	// Sweep is the mean of setting back and of inserting. That is the Shapley
	// value wherever groups interact in pairs at most.
	Sweep Method = "sweep"
	// Exact is the Shapley value from all coalitions of groups.
	Exact Method = "exact Shapley"
	// Sampled is the Shapley value from permutations.
	Sampled Method = "sampled Shapley"
)

// Attribute finds the share of each group in the harm and the benefit of a
// tuning. The groups must hold every tensor that the tuning changed, each in
// one group; tensors of no group are tuned where more than half of the groups
// are: what they do shows in the Residual of a Sweep, and is lost among the
// groups in Shapley values.
//
// It first asks for 2n+2 points in one wave. Then, if the Additivity of the
// general loss is below Options.Additivity, it asks in a second wave for the
// coalitions that Shapley values need. Errors of the oracle are passed on as
// they are; that there are no groups and a loss that is no finite number are
// errors too.
func Attribute(ctx context.Context, groups []Group, ask Oracle, opt Options) (*Attribution, error) {
	if len(groups) == 0 {
		return nil, errors.New("attribute: there are no groups of tensors among which to look for the harm: the model has no tensors that both sides have")
	}
	opt = opt.fill()
	book := &ledger{groups: groups, ask: ask, losses: map[coalition]Losses{}}
	if err := book.want(ctx, sweep(len(groups))); err != nil {
		return nil, err
	}
	a := book.measure(opt.Resolution)
	if a.Additivity.General < opt.Additivity {
		if err := a.shapley(ctx, book, opt); err != nil {
			return nil, err
		}
	}
	a.finish()
	a.Evaluations, a.Waves = len(book.losses), book.waves
	return a, nil
}

// sweep lists the base, the tuned model, and for each of n groups the tuned
// model without it and the base with it.
func sweep(n int) []coalition {
	list := []coalition{none(n), whole(n)}
	for i := range n {
		list = append(list, whole(n).without(i))
	}
	for i := range n {
		list = append(list, none(n).with(i))
	}
	return list
}

// measure is the attribution by the sweep.
func (l *ledger) measure(resolution float64) *Attribution {
	n := len(l.groups)
	a := &Attribution{Base: l.losses[none(n)], Tuned: l.losses[whole(n)], Method: Sweep, Resolution: resolution}
	change := a.Tuned.minus(a.Base)
	a.Harm, a.Benefit = change.General, 0-change.Domain // and not -0
	var sum Losses
	for i, group := range l.groups {
		e := Effect{
			Group:  group,
			Revert: a.Tuned.minus(l.losses[whole(n).without(i)]),
			Insert: l.losses[none(n).with(i)].minus(a.Base),
		}
		mean := e.Revert.plus(e.Insert).times(0.5)
		e.Harm, e.Benefit = mean.General, 0-mean.Domain
		sum = sum.plus(e.Revert)
		a.Effects = append(a.Effects, e)
	}
	a.Additivity = Losses{ratio(sum.General, change.General, resolution), ratio(sum.Domain, change.Domain, resolution)}
	return a
}

// ratio is part/all, NaN where all is nothing.
func ratio(part, all, resolution float64) float64 {
	if math.Abs(all) <= resolution {
		return math.NaN()
	}
	return part / all
}

// finish computes what follows from harms and benefits, and warns.
func (a *Attribution) finish() {
	var sum Losses
	for i := range a.Effects {
		e := &a.Effects[i]
		sum = sum.plus(Losses{e.Harm, -e.Benefit})
		e.Exchange, e.Note = Exchange(e.Harm, e.Benefit, a.Resolution)
	}
	a.Residual = a.Tuned.minus(a.Base).minus(sum)
	warn := func(format string, values ...any) { a.Warnings = append(a.Warnings, fmt.Sprintf(format, values...)) }
	switch {
	case math.Abs(a.Harm) <= a.Resolution:
		warn("the general loss changed by %.2g nats a token, no more than the resolution of %.2g: there is no harm to find a place for", a.Harm, a.Resolution)
	case a.Harm < 0:
		warn("the general loss fell by %.3g nats a token: the tuning did no harm as a whole, and a harm below 0 is a gain", -a.Harm)
	}
	if a.Benefit <= a.Resolution {
		warn("the domain loss fell by %.2g nats a token, no more than the resolution of %.2g: the tuning brought nothing to weigh the harm against", a.Benefit, a.Resolution)
	}
	a.warnResidual(warn, "general", a.Residual.General, a.Harm)
	a.warnResidual(warn, "domain", a.Residual.Domain, a.Benefit)
}

// warnResidual warns where more than a quarter of a difference has no group
// that is answerable for it.
func (a *Attribution) warnResidual(warn func(string, ...any), kind string, residual, all float64) {
	if math.Abs(residual) > max(a.Resolution, math.Abs(all)/4) {
		warn("of the change of the %s loss, %.3g nats a token, %.3g belong to no group alone: the groups interact, and Shapley values would share that out", kind, math.Abs(all), math.Abs(residual))
	}
}

// Exchange is the exchange rate of a group, Harm/Benefit of the general and the domain
// loss in nats a token, or NaN and the words for why it has none: a benefit of no more
// than the resolution, in nats a token too, is none.
func Exchange(harm, benefit, resolution float64) (rate float64, note string) {
	switch {
	case benefit > resolution:
		return harm / benefit, ""
	case harm > resolution:
		return math.NaN(), "harm without a benefit for the domain"
	case benefit < -resolution:
		return math.NaN(), "worse for the domain, without harm"
	case harm < -resolution:
		return math.NaN(), "better in general, without a benefit for the domain"
	}
	return math.NaN(), "no effect"
}
