package attribute

import (
	"fmt"
	"math"
	"testing"
)

func general(l Losses) float64 { return l.General }

func descendToy(t *testing.T, o *toy, objective func(Losses) float64, opt Options) *Descent {
	t.Helper()
	d, err := Descend(t.Context(), toyGroups(o.n), o.ask, objective, opt)
	if err != nil {
		t.Fatal(err)
	}
	o.checkCounts(t, d.Evaluations, d.Waves)
	if budget := max(1, opt.fill().Evaluations); d.Evaluations > budget {
		t.Errorf("%d evaluations, at most %d were allowed", d.Evaluations, budget)
	}
	for i, stop := range d.Path {
		if i > 0 && !(stop.Objective < d.Path[i-1].Objective && stop.Evaluations > d.Path[i-1].Evaluations) {
			t.Errorf("stop %d of the path is no better than the one before, or not later", i)
		}
	}
	last := d.Path[len(d.Path)-1]
	if last.Objective != d.Objective || last.Losses != d.Losses || d.Objective != objective(d.Losses) {
		t.Errorf("the path ends at %v, the result is %v", last, d.Losses)
	}
	for i, row := range d.Groups {
		if row.Alpha != math.Round(row.Alpha*1e6)/1e6 {
			t.Errorf("the alpha %v has more than six decimals", row.Alpha)
		}
		if row.Name != toyName(i) || row.Alpha != last.Alphas[i] || d.Alpha(row.Name) != row.Alpha {
			t.Errorf("row %d is %v, the alpha is %v, the path ends at %v", i, row, d.Alpha(row.Name), last.Alphas[i])
		}
	}
	return d
}

// bowl has its least general loss, 1, at the alphas of best; groups i and i+1
// interact with the given strength, between -1 and 1.
func bowl(best []float64, interaction float64) func(a []float64) Losses {
	return func(a []float64) Losses {
		l := Losses{1, 1}
		for i := range a {
			off := a[i] - best[i]
			l.General += off * off
			if i > 0 {
				l.General += interaction * off * (a[i-1] - best[i-1])
			}
		}
		return l
	}
}

// The design's own search: five groups, 30
// evaluations.
func TestDescendFindsBowl(t *testing.T) {
	best := []float64{0.45, 0.75, 0.68, 0.9, 0.98}
	for _, interaction := range []float64{0, 0.5, -0.8} {
		d := descendToy(t, newToy(5, bowl(best, interaction)), general, Options{})
		start := d.Path[0].Objective - 1
		if left := d.Objective - 1; left > 0.05*start {
			t.Errorf("interaction %v: %.4f of %.4f is left: %v", interaction, left, start, d.Groups)
		} else {
			t.Logf("interaction %v: %.2g of the way is left after %d evaluations in %d waves", interaction, left/start, d.Evaluations, d.Waves)
		}
	}
}

func TestDescendConverges(t *testing.T) {
	best := []float64{0.123, 0.456, 0.789}
	d := descendToy(t, newToy(3, bowl(best, 0.4)), general, Options{Evaluations: 1000})
	if !d.Converged || d.Evaluations > 200 {
		t.Errorf("converged %v after %d evaluations", d.Converged, d.Evaluations)
	}
	for i, row := range d.Groups {
		if !near(row.Alpha, best[i], 0.3/16) {
			t.Errorf("%s: %v, want %v", row.Name, row.Alpha, best[i])
		}
	}
	if d.Waves > 30 {
		t.Errorf("%d waves", d.Waves)
	}
}

// One alpha alone must be better than the path of the scalar grid: a poisoned
// group is set back, the others are left as they are.
func TestDescendPoisoned(t *testing.T) {
	harm, benefit := []float64{0, 2, 0.1, 0}, []float64{1, 0.1, 1, 0}
	objective := func(l Losses) float64 { return l.General + l.Domain }
	d := descendToy(t, newToy(4, linear(harm, benefit)), objective, Options{})
	want := []float64{1, 0, 1, 1}
	for i, row := range d.Groups {
		if row.Alpha != want[i] {
			t.Errorf("%s: %v, want %v", row.Name, row.Alpha, want[i])
		}
	}
	if d.Path[0].Evaluations != 1 {
		t.Errorf("the path starts after %d evaluations", d.Path[0].Evaluations)
	}
}

// Bounds, starts and odd objectives.
func TestDescendEdges(t *testing.T) {
	flat := descendToy(t, newToy(3, func([]float64) Losses { return Losses{1, 1} }), general, Options{Evaluations: 500})
	if !flat.Converged || len(flat.Path) != 1 {
		t.Errorf("a flat objective: converged %v, path %v", flat.Converged, flat.Path)
	}
	beyond := descendToy(t, newToy(2, bowl([]float64{1.5, -0.5}, 0)), general, Options{Limit: 1.2, Evaluations: 500})
	if a, b := beyond.Groups[0].Alpha, beyond.Groups[1].Alpha; a != 1.2 || b != 0 {
		t.Errorf("alphas %v and %v, want the bounds 1.2 and 0", a, b)
	}
	wall := func(l Losses) float64 { // nothing is allowed but in the corner
		if l.General > 1.1 {
			return math.Inf(1)
		}
		return l.General
	}
	if d := descendToy(t, newToy(2, bowl([]float64{0, 0}, 0)), wall, Options{Evaluations: 500}); !d.Converged || !math.IsInf(d.Objective, 1) {
		t.Errorf("an objective infinite all around: %v, converged %v", d.Objective, d.Converged)
	}
	start := []float64{0.2, 0.1}
	near := descendToy(t, newToy(2, bowl([]float64{0.2, 0.1}, 0)), general, Options{Start: start})
	if fmt.Sprint(near.Path[0].Alphas) != "[0.2 0.1]" || len(near.Path) != 1 {
		t.Errorf("from the best place the path is %v", near.Path)
	}
	for evaluations := 1; evaluations <= 40; evaluations++ {
		d := descendToy(t, newToy(6, bowl([]float64{0.1, 0.9, 0.5, 0.3, 0.7, 0.2}, 0.3)), general, Options{Evaluations: evaluations})
		if d.Evaluations != evaluations {
			t.Errorf("%d of %d evaluations are used", d.Evaluations, evaluations)
		}
	}
	if _, err := Descend(t.Context(), nil, nil, general, Options{}); err == nil {
		t.Error("no groups give no error")
	}
	undefined := func(Losses) float64 { return math.NaN() }
	if _, err := Descend(t.Context(), toyGroups(2), newToy(2, bowl(start, 0)).ask, undefined, Options{}); err == nil {
		t.Error("an objective NaN gives no error")
	}
}
