package plot

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Curve is one or more lines of shares against a common parameter. Its y axis
// is in per cent, and its x axis has a tick at each x of a point.
type Curve struct {
	// Title stands above the figure, broken into lines where it is too long.
	Title string
	// XLabel and YLabel say what the axes are; "" for none.
	XLabel, YLabel string
	// Lines holds the lines in the order of the legend, which stands to the
	// right of the axes. Colours repeat after seven lines, then with dashes.
	// In print their names stand at their ends.
	Lines []Line
	// Gates are lines across the figure.
	Gates []Gate
}

// Line is one line of a Curve: points joined in the order given, with error
// bars.
type Line struct {
	// Name stands in the legend; a curve of lines without names has none.
	Name string
	// X and Y hold the points. Y is a share, drawn in per cent: 0.25 as 25 %.
	// A point whose Y is NaN is left out.
	X, Y []float64
	// Low and High hold the ends of the error bars as shares, not as distances
	// from Y. Both are nil for a line without bars; a bar with an end of NaN is
	// left out.
	Low, High []float64
	// Band draws the intervals as one translucent band, not as bars.
	Band bool
}

// Size of the area between the axes, in points, unless their labels are longer.
const (
	areaWidth  vg.Length = 380
	areaHeight vg.Length = 240
)

// figure implements Drawing.
func (v Curve) figure() (figure, error) {
	if err := v.check(); err != nil {
		return figure{}, err
	}
	p, legend := v.plot()
	side := legendWidth(legend, append(v.Lines[:len(v.Lines):len(v.Lines)], gateNames(v.Gates)...))
	extraWidth, extraHeight := overhead(p)
	width := max(areaWidth, style(labelSize).Width(p.X.Label.Text)) + extraWidth
	height := max(areaHeight, style(labelSize).Width(p.Y.Label.Text)) + extraHeight
	return framed(v.Title, width+side, height, func(c draw.Canvas) {
		p.Draw(draw.Crop(c, 0, -side, 0, 0))
		if side > 0 {
			legend.Draw(draw.Crop(c, width+legendGap, 0, 0, 0))
		}
	}), nil
}

// check reports data that cannot be drawn, and panics unless they fit each
// other.
func (v Curve) check() error {
	for i, line := range v.Lines {
		line.checkShape(i)
		if err := line.check(); err != nil {
			return err
		}
	}
	if len(v.xs()) == 0 {
		return fmt.Errorf("plot: the curve %q has no points", v.Title)
	}
	return checkGates(v.Gates)
}

// checkShape panics unless the slices of a line are of one length.
func (l Line) checkShape(i int) {
	n := len(l.X)
	if len(l.Y) != n || len(l.Low) != len(l.High) || l.Low != nil && len(l.Low) != n {
		panic(fmt.Sprintf("plot: line %d of a curve has %d X, %d Y, %d Low and %d High", i, n, len(l.Y), len(l.Low), len(l.High)))
	}
}

// check reports data that cannot be drawn.
func (l Line) check() error {
	for i, x := range l.X {
		if !drawable(x) || !drawable(l.Y[i]) && !math.IsNaN(l.Y[i]) {
			return fmt.Errorf("plot: point %d of line %q is (%v, %v) and has no place", i, l.Name, x, l.Y[i])
		}
		if low, high := l.bar(i); low > high || low < -largest || high > largest {
			return fmt.Errorf("plot: the error bar of line %q at %v runs from %v to %v", l.Name, x, low, high)
		}
	}
	return nil
}

// bar returns the ends of the error bar of point i, NaN if there is none.
func (l Line) bar(i int) (low, high float64) {
	if l.Low == nil || math.IsNaN(l.Y[i]) || math.IsNaN(l.Low[i]) || math.IsNaN(l.High[i]) {
		return math.NaN(), math.NaN()
	}
	return l.Low[i], l.High[i]
}

// xs returns the x of all points that are drawn, ascending and once each.
func (v Curve) xs() []float64 {
	seen, result := map[float64]bool{}, []float64{}
	for _, line := range v.Lines {
		for i, x := range line.X {
			if !math.IsNaN(line.Y[i]) && !seen[x] {
				seen[x] = true
				result = append(result, x)
			}
		}
	}
	sort.Float64s(result)
	return result
}

// plot returns the lines between their axes, and their legend.
func (v Curve) plot() (*plot.Plot, *plot.Legend) {
	p := newPlot(v.XLabel, v.YLabel)
	legend := plot.NewLegend()
	legend.Top, legend.Left = true, true
	restyle(&legend.TextStyle, labelSize-1)
	legend.ThumbnailWidth, legend.Padding = 26, 5
	p.Add(levels{})
	for _, gate := range v.Gates {
		p.Add(gateLine{gate})
	}
	for i, line := range v.Lines {
		drawn := newMarks(line, i, v.shift(i))
		p.Add(drawn)
		legend.Add(label(line.Name), drawn)
	}
	for _, gate := range v.Gates {
		legend.Add(label(gate.Label), gateLine{gate})
	}
	p.X.Min, p.X.Max = spread(p.X.Min, p.X.Max, math.Inf(-1), math.Inf(1))
	p.Y.Min, p.Y.Max = spread(p.Y.Min, p.Y.Max, 0, 1)
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Tick.Marker = xTicks(v.xs())
	p.Y.Tick.Marker = percentTicks{}
	return p, &legend
}
