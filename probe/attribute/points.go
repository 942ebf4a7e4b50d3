package attribute

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"surgeon/merge"
)

// clamp keeps an alpha within its bounds and to six decimals, so that going
// there and back is the same point.
func (d *descent) clamp(alpha float64) float64 {
	return max(0, min(d.limit, math.Round(alpha*1e6)/1e6))
}

// key tells points apart.
func key(x []float64) string {
	text := make([]string, len(x))
	for i, alpha := range x {
		text[i] = strconv.FormatFloat(alpha, 'g', -1, 64)
	}
	return strings.Join(text, " ")
}

// at is the objective of a point; known is false, and it is +Inf, for one that
// was not asked for.
func (d *descent) at(x []float64) (objective float64, known bool) {
	if stop, ok := d.known[key(x)]; ok {
		return stop.Objective, true
	}
	return math.Inf(1), false
}

// better is the point with the lesser objective, a where they are equal.
func (d *descent) better(a, b []float64) []float64 {
	fa, _ := d.at(a)
	if fb, _ := d.at(b); fb < fa {
		return b
	}
	return a
}

// want asks for the points that are not known yet, as far as the budget goes,
// in one call.
func (d *descent) want(ctx context.Context, list [][]float64) error {
	var open [][]float64
	var points []merge.Alpha
	seen := map[string]bool{}
	for _, x := range list {
		if _, known := d.known[key(x)]; known || seen[key(x)] || len(open) == d.budget {
			continue
		}
		seen[key(x)] = true
		open = append(open, slices.Clone(x))
		points = append(points, Scale(d.groups, x, 1))
	}
	if len(open) == 0 {
		return nil
	}
	losses, err := ask(ctx, d.ask, points, func(i int) string { return "the model with the alphas " + key(open[i]) })
	if err != nil {
		return err
	}
	d.budget -= len(open)
	d.Evaluations += len(open)
	d.Waves++
	for i, x := range open {
		value := d.objective(losses[i])
		if math.IsNaN(value) {
			return fmt.Errorf("attribute: the objective at a general loss of %v and a domain loss of %v is NaN, and nothing can be less than that", losses[i].General, losses[i].Domain)
		}
		d.known[key(x)] = Stop{Alphas: x, Losses: losses[i], Objective: value}
	}
	return nil
}

// wave lists the points a step up and down from x, those of coordinates that
// mattered most first. It leaves a third of the last evaluations, but two at
// most, for joint moves.
func (d *descent) wave(matter []float64) [][]float64 {
	order := make([]int, len(d.x))
	for g := range order {
		order[g] = g
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(matter[b], matter[a]) })
	var list [][]float64
	room := d.budget - min(2, d.budget/3)
	for _, g := range order {
		for _, point := range [][]float64{d.shifted(g, -d.steps[g]), d.shifted(g, d.steps[g])} {
			if _, known := d.at(point); !known && len(list) < room {
				list = append(list, point)
			}
		}
	}
	return list
}

// shifted is x with one coordinate moved, within its bounds.
func (d *descent) shifted(g int, by float64) []float64 {
	x := slices.Clone(d.x)
	x[g] = d.clamp(x[g] + by)
	return x
}
