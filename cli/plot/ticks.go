package plot

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// largest is the largest magnitude that is drawn. It is far beyond any result,
// and keeps sums and differences of coordinates finite.
const largest = 1e100

// drawable reports whether a coordinate has a place on an axis.
func drawable(v float64) bool { return math.Abs(v) <= largest }

// round returns the multiples of 1, 2 or 5 times a power of ten that lie within
// the range, at least four of them where the range is wider than rounding.
func round(low, high float64) []float64 {
	power := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	step := power
	for _, factor := range []float64{2, 5} {
		if factor*power <= (high-low)/4 {
			step = factor * power
		}
	}
	first, last := math.Ceil(low/step), math.Floor(high/step)
	if !(last-first < 20) || math.Abs(first) > 1e12 {
		return nil
	}
	var result []float64
	for k := first; k <= last; k++ {
		result = append(result, k*step+0) // adding 0 turns -0 into 0
	}
	return result
}

// number prints the value of a tick without the noise of its last digits.
func number(v float64) string {
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// spread widens a range by a twentieth on both sides so that no marker sits on
// an axis, but not past the bounds unless the data are past them. A range
// without width gets one of a tenth of its value.
func spread(low, high, least, most float64) (float64, float64) {
	edge, magnitude := (high-low)/20, max(math.Abs(low), math.Abs(high))
	if edge <= 1e-6*magnitude {
		edge = magnitude / 10
	}
	if edge == 0 {
		edge = 0.05
	}
	return max(low-edge, min(low, least)), min(high+edge, max(high, most))
}

// xTicks puts a tick at each x, with a number unless it would touch the number
// before it.
func xTicks(xs []float64) plot.ConstantTicks {
	width := max(xs[len(xs)-1]-xs[0], math.SmallestNonzeroFloat64) * 1.1
	free := math.Inf(-1) // where the last number ends, in points
	result := make(plot.ConstantTicks, len(xs))
	for i, x := range xs {
		mark := number(x)
		center := (x - xs[0]) / width * float64(areaWidth)
		half := float64(style(tickSize).Width(mark)) / 2
		result[i].Value = x
		if center-half > free {
			result[i].Label, free = mark, center+half+4
		}
	}
	return result
}

// percentTicks marks shares in round per cent.
type percentTicks struct{}

// Ticks implements plot.Ticker.
func (percentTicks) Ticks(low, high float64) []plot.Tick {
	var result []plot.Tick
	for _, percent := range round(100*low, 100*high) {
		result = append(result, plot.Tick{Value: percent / 100, Label: number(percent) + " %"})
	}
	return result
}

// levels draws a pale line across the plot at each number of the y axis.
type levels struct{}

// Plot implements plot.Plotter.
func (levels) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for _, tick := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := y(tick.Value); c.ContainsY(at) {
			c.StrokeLine2(draw.LineStyle{Color: pale, Width: 0.75}, c.Min.X, at, c.Max.X, at)
		}
	}
}
