package attribute

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"surgeon/merge"
)

// Descent is a search for the alphas of groups.
type Descent struct {
	Groups []GroupAlpha // the best alphas that were found
	Alpha  merge.Alpha  // the same; tensors of no group are as tuned
	Losses Losses
	// Objective at the best alphas.
	Objective float64
	// Path is the start and every place that was moved to, the last one being
	// the best.
	Path        []Stop
	Evaluations int // points that the oracle was asked for
	Waves       int // calls of the oracle
	// Converged tells that no alpha can be improved by the smallest step, a
	// sixteenth of Options.Step; otherwise the evaluations ran out.
	Converged bool
}

// GroupAlpha is the alpha of a group.
type GroupAlpha struct {
	Name  string
	Alpha float64
}

// Stop is a place on the path of a Descent.
type Stop struct {
	Alphas      []float64 // one for each group
	Losses      Losses
	Objective   float64
	Evaluations int // that were spent when it had been found
}

// descent is the state of a search: the place x it has come to and the step of
// each coordinate, one of each for every group.
type descent struct {
	groups    []Group
	ask       Oracle
	objective func(Losses) float64
	limit     float64
	budget    int // evaluations left

	x     []float64
	fx    float64
	steps []float64
	known map[string]Stop // all points that were asked for, by their key
	Descent
}

// Descend looks for the alphas, one for each group, with the least objective,
// by coordinate descent in waves (a pattern search: Hooke and Jeeves, Journal
// of the ACM 8, 1961, with a step for each coordinate):
//
//  1. Ask for x with each coordinate moved a step down and a step up, all in
//     one wave.
//  2. Each coordinate proposes a move: to the vertex of the parabola through
//     its three points where that is a minimum, or else to the better point
//     where that is an improvement.
//  3. Ask, in one wave, for all proposed moves together and for half of them,
//     since groups that repair the same damage overshoot together.
//  4. Go to the best point of all. A coordinate whose own points were no
//     improvement halves its step.
//
// It ends when all steps are below a sixteenth of Options.Step or
// Options.Evaluations points were asked for. A wave that does not fit into
// what is left of them begins with the coordinates that have mattered most.
//
// The objective is less for better losses. It ought to be a loss and not an
// accuracy, which is too coarse for steps this small, and on items that no
// report uses. Errors are those of Attribute, and an objective that is NaN.
func Descend(ctx context.Context, groups []Group, ask Oracle, objective func(Losses) float64, opt Options) (*Descent, error) {
	if len(groups) == 0 {
		return nil, errors.New("attribute: there are no groups of tensors to find alphas for: the model has no tensors that both sides have")
	}
	opt = opt.fill()
	d := newDescent(groups, ask, objective, opt)
	if err := d.want(ctx, [][]float64{d.x}); err != nil {
		return nil, err
	}
	d.move(d.x)
	matter := make([]float64, len(groups)) // the largest change of the objective that each coordinate has made
	for d.budget > 0 && !d.Converged {
		if err := d.want(ctx, d.wave(matter)); err != nil {
			return nil, err
		}
		best, joint, half := d.x, slices.Clone(d.x), slices.Clone(d.x)
		for g := range groups {
			own, moved := d.propose(g, matter)
			best = d.better(best, own)
			joint[g] = moved
			half[g] = d.clamp(d.x[g] + (moved-d.x[g])/2)
		}
		if err := d.want(ctx, [][]float64{joint, half}); err != nil {
			return nil, err
		}
		d.move(d.better(d.better(best, joint), half))
		d.Converged = slices.Max(d.steps) < opt.Step/16
	}
	d.finish()
	return &d.Descent, nil
}

func newDescent(groups []Group, ask Oracle, objective func(Losses) float64, opt Options) *descent {
	d := &descent{
		groups: groups, ask: ask, objective: objective, limit: opt.Limit, budget: opt.Evaluations,
		x: slices.Clone(opt.Start), fx: math.Inf(1), steps: slices.Repeat([]float64{opt.Step}, len(groups)),
		known: map[string]Stop{},
	}
	if opt.Start == nil {
		d.x = slices.Repeat([]float64{1}, len(groups))
	}
	if len(d.x) != len(groups) {
		panic(fmt.Sprintf("attribute: %d alphas to start from for %d groups", len(d.x), len(groups)))
	}
	for g := range d.x {
		if math.IsNaN(d.x[g]) {
			panic("attribute: an alpha to start from is NaN")
		}
		d.x[g] = d.clamp(d.x[g])
	}
	return d
}

// propose finds the better of the two points of coordinate g, or x, and the
// value to which the coordinate is to move together with the others. Where
// neither point is an improvement it halves the step.
func (d *descent) propose(g int, matter []float64) (own []float64, moved float64) {
	down, up := d.shifted(g, -d.steps[g]), d.shifted(g, d.steps[g])
	fDown, knowDown := d.at(down)
	fUp, knowUp := d.at(up)
	if knowDown {
		matter[g] = max(matter[g], math.Abs(fDown-d.fx))
	}
	if knowUp {
		matter[g] = max(matter[g], math.Abs(fUp-d.fx))
	}
	own = d.better(d.better(d.x, down), up)
	if min(fDown, fUp) >= d.fx && (knowDown || knowUp) {
		d.steps[g] /= 2
	}
	moved = own[g]
	if vertex, ok := parabola(down[g], d.x[g], up[g], fDown, d.fx, fUp); ok {
		moved = d.clamp(max(down[g], min(up[g], vertex)))
	}
	return own, moved
}

// parabola finds the minimum of the parabola through three points, a < b < c.
// ok is false where there is none.
func parabola(a, b, c, fa, fb, fc float64) (vertex float64, ok bool) {
	if !(a < b && b < c) || math.IsInf(fa, 0) || math.IsInf(fb, 0) || math.IsInf(fc, 0) {
		return 0, false
	}
	left, right := (fb-fa)/(b-a), (fc-fb)/(c-b)
	curvature := (right - left) / (c - a)
	if !(curvature > 0) {
		return 0, false
	}
	return (a+b)/2 - left/(2*curvature), true
}

// move goes to a point that was asked for.
func (d *descent) move(x []float64) {
	stop := d.known[key(x)]
	if stop.Objective < d.fx || len(d.Path) == 0 {
		d.x, d.fx = stop.Alphas, stop.Objective
		stop.Evaluations = d.Evaluations
		d.Path = append(d.Path, stop)
	}
}

// finish tells where the search has come to.
func (d *descent) finish() {
	last := d.Path[len(d.Path)-1]
	d.Losses, d.Objective = last.Losses, last.Objective
	d.Alpha = Scale(d.groups, d.x, 1)
	for g, group := range d.groups {
		d.Groups = append(d.Groups, GroupAlpha{group.Name, d.x[g]})
	}
}
