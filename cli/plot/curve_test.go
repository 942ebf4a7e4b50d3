package plot

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/plot"
)

// TestLegend: the legend has room of its own. Left of it the picture is the
// same as without names, so it covers nothing.
func TestLegend(t *testing.T) {
	named, bare := sweep(4), sweep(4)
	named.Title, bare.Title = "", ""
	for i := range bare.Lines {
		bare.Lines[i].Name = ""
	}
	with, without := picture(t, named), picture(t, bare)
	right := without.Bounds().Dx() - int(margin*resolution/72)
	for x := range right {
		for y := range without.Bounds().Dy() {
			if with.At(x, y) != without.At(x, y) {
				t.Fatalf("the legend changes the picture at (%d, %d) of %d", x, y, right)
			}
		}
	}
	if with.Bounds().Dx() < right+100 {
		t.Error("the legend has no room")
	}
	shows(t, named, "task 0", "task 1", "task 2", "task 3")
}

// TestAxes: per cent on the y axis and the weights on the x axis.
func TestAxes(t *testing.T) {
	shows(t, sweep(2), "alpha", "accuracy", "0", "0.25", "0.5", "0.75", "1", "30 %", "40 %", "50 %")
	shows(t, Curve{Lines: []Line{{X: []float64{3}, Y: []float64{1}}}}, "3", "100 %")
}

// TestShift: error bars at one x stand apart, in the order of the lines and
// around their x, and keep clear of the next x.
func TestShift(t *testing.T) {
	for n := 2; n <= 30; n++ {
		v := sweep(n)
		sum, last := 0.0, math.Inf(-1)
		for i := range n {
			if v.shift(i) <= last {
				t.Fatalf("%d lines: line %d is not to the right of the line before", n, i)
			}
			last = v.shift(i)
			sum += last
		}
		if math.Abs(sum) > 1e-12 || last-v.shift(0) > 0.25/3+1e-12 {
			t.Errorf("%d lines: shifts from %v to %v", n, v.shift(0), last)
		}
	}
	bare := sweep(3)
	bare.Lines[0].Low, bare.Lines[0].High, bare.Lines[1].Low, bare.Lines[1].High = nil, nil, nil, nil
	if bare.shift(0) != 0 || sweep(1).shift(0) != 0 {
		t.Error("lines move though no two have bars")
	}
}

// TestAbsentPoints: a y of NaN leaves out the point, an end of NaN the bar.
func TestAbsentPoints(t *testing.T) {
	line := Line{X: []float64{0, 1, 2}, Y: []float64{0.1, none, 0.3}, Low: []float64{0.05, 0, none}, High: []float64{0.2, 1, 0.4}}
	m := newMarks(line, 0, 0.5)
	if !slices.Equal(m.x, []float64{0.5, 2.5}) || !slices.Equal(m.y, []float64{0.1, 0.3}) || m.high[0] != 0.2 || !math.IsNaN(m.low[1]) {
		t.Errorf("drawn are %+v", m)
	}
	left, right, bottom, top := m.DataRange()
	if left != 0.5 || right != 2.5 || bottom != 0.05 || top != 0.3 {
		t.Errorf("the range is %v to %v, %v to %v", left, right, bottom, top)
	}
	if got := texts(t, saved(t, "a.svg", Curve{Lines: []Line{line}})); slices.Contains(got, "1") {
		t.Errorf("the x axis of %q has a tick where there is no point", got)
	}
}

// TestStyles: no two of the first 21 lines look alike.
func TestStyles(t *testing.T) {
	seen := map[string]bool{}
	for i := range 21 {
		m := newMarks(Line{}, i, 0)
		look := fmt.Sprint(m.stroke)
		if seen[look] {
			t.Errorf("line %d looks like one before", i)
		}
		seen[look] = true
	}
}

func TestRound(t *testing.T) {
	check := func(low, high float64, want ...string) {
		t.Helper()
		var got []string
		for _, v := range round(low, high) {
			got = append(got, number(v))
		}
		if !slices.Equal(got, want) {
			t.Errorf("round(%v, %v) = %q, want %q", low, high, got, want)
		}
	}
	check(0, 1, "0", "0.2", "0.4", "0.6", "0.8", "1")
	check(17, 55, "20", "25", "30", "35", "40", "45", "50", "55")
	check(-0.05, 0.23, "-0.05", "0", "0.05", "0.1", "0.15", "0.2")
	check(0, 3e-7, "0", "5e-08", "1e-07", "1.5e-07", "2e-07", "2.5e-07", "3e-07")
	check(-0.9, 20, "0", "5", "10", "15", "20")
	check(1, 1)
	check(0, 5e-324)
	for high := 1.0; high < 100; high *= 1.01 {
		if n := len(round(0, high)); n < 5 || n > 11 {
			t.Errorf("%d round numbers from 0 to %v", n, high)
		}
	}
}

// TestXTicks: every x has its tick, and numbers that would touch are left out.
func TestXTicks(t *testing.T) {
	dense := make([]float64, 101)
	for i := range dense {
		dense[i] = float64(i) / 100
	}
	width := func(label string) float64 { return float64(style(tickSize).Width(label)) }
	got, last := xTicks(dense), plot.Tick{Value: -1}
	for i, tick := range got {
		if tick.Value != dense[i] {
			t.Fatalf("tick %d is at %v", i, tick.Value)
		}
		if tick.Label == "" {
			continue
		}
		apart := (tick.Value - last.Value) / 1.1 * float64(areaWidth)
		if apart < (width(tick.Label)+width(last.Label))/2 {
			t.Errorf("%q is only %v points from the number before", tick.Label, apart)
		}
		last = tick
	}
	if got[0].Label != "0" || len(got) != 101 {
		t.Errorf("%d ticks, the first %q", len(got), got[0].Label)
	}
}

func TestCurveErrors(t *testing.T) {
	check := func(line Line, want string) {
		t.Helper()
		line.Name = "GSM8K"
		refused(t, Curve{Title: "sweep", Lines: []Line{line}}, want)
	}
	one := []float64{1}
	refused(t, Curve{Title: "sweep"}, `"sweep" has no points`)
	check(Line{}, "no points")
	check(Line{X: one, Y: []float64{none}}, "no points")
	check(Line{X: []float64{none}, Y: one}, `point 0 of line "GSM8K" is (NaN, 1)`)
	check(Line{X: one, Y: []float64{math.Inf(-1)}}, "(1, -Inf)")
	check(Line{X: one, Y: one, Low: []float64{2}, High: one}, `"GSM8K" at 1 runs from 2 to 1`)
	check(Line{X: one, Y: one, Low: one, High: []float64{math.Inf(1)}}, "to +Inf")
	panics(t, "no Y", Curve{Lines: []Line{{X: one}}})
	panics(t, "no High", Curve{Lines: []Line{{X: one, Y: one, Low: one}}})
	panics(t, "long bars", Curve{Lines: []Line{{X: one, Y: one, Low: []float64{1, 1}, High: []float64{1, 1}}}})
}

// TestExtremePoints: any finite points have axes.
func TestExtremePoints(t *testing.T) {
	for _, v := range []float64{0, 1, -1, 5e-324, 1e-300, 1e99, -1e99} {
		for _, w := range []float64{v, 0, math.Nextafter(v, 9), -v} {
			saved(t, "a.svg", Curve{Lines: []Line{{X: []float64{v, w}, Y: []float64{w, v}}, {X: []float64{w}, Y: []float64{v}}}})
		}
	}
}
