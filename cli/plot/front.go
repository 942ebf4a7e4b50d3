package plot

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Front is clouds of points with two shares each, such as a general and a domain
// score, and the line through those that no other beats in both. Both axes are
// in per cent; a share may be negative, such as a loss.
type Front struct {
	// Title stands above the figure, broken into lines where it is too long.
	Title string
	// XLabel and YLabel say what the axes are.
	XLabel, YLabel string
	// XUnit and YUnit stand at the numbers of the axes in print; "" for %.
	XUnit, YUnit string
	// Clouds holds the points in the order of the legend. In print, labels of
	// the first clouds are placed first, and those of others left out where
	// there is no room.
	Clouds []Cloud
	// X and Y hold the points of the line, in the order in which they are joined.
	X, Y []float64
	// Chord is a line of reference; nil for none.
	Chord *Chord
	// Gates are lines across the figure.
	Gates []Gate
}

// Chord is a straight line of reference, such as that from a model to its
// fine-tune: what is above it has been won.
type Chord struct {
	X0, Y0, X1, Y1 float64
	// Label stands at the line; "" for none.
	Label string
}

// Cloud is points of one kind, with error bars both ways.
type Cloud struct {
	// Name stands in the legend; "" for none.
	Name string
	// X and Y hold the points, shares drawn in per cent.
	X, Y []float64
	// XLow, XHigh, YLow and YHigh hold the ends of the error bars; NaN for none.
	XLow, XHigh, YLow, YHigh []float64
	// Labels stand beside the points; "" for none.
	Labels []string
	// Marked draws the points larger in print, with a black edge and bold
	// labels, which are never left out for those of others.
	Marked bool
}

// figure implements Drawing.
func (v Front) figure() (figure, error) {
	if err := v.check(); err != nil {
		return figure{}, err
	}
	p, legend := v.plot()
	side := legendWidth(legend, v.names())
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
func (v Front) check() error {
	points := 0
	for i, cloud := range v.Clouds {
		cloud.checkShape(i)
		if err := cloud.check(); err != nil {
			return err
		}
		points += len(cloud.X)
	}
	if points == 0 {
		return fmt.Errorf("plot: the front %q has no points", v.Title)
	}
	if c := v.Chord; c != nil && !(drawable(c.X0) && drawable(c.Y0) && drawable(c.X1) && drawable(c.Y1)) {
		return fmt.Errorf("plot: the chord %q from (%v, %v) to (%v, %v) has no place", c.Label, c.X0, c.Y0, c.X1, c.Y1)
	}
	return checkGates(v.Gates)
}

// names are lines of the same names, whose legend is as wide.
func (v Front) names() (lines []Line) {
	for _, cloud := range v.Clouds {
		lines = append(lines, Line{Name: cloud.Name})
	}
	if v.Chord != nil {
		lines = append(lines, Line{Name: v.Chord.Label})
	}
	return append(lines, gateNames(v.Gates)...)
}

// checkShape panics unless the slices of a cloud are of one length.
func (c Cloud) checkShape(i int) {
	for _, other := range [][]float64{c.Y, c.XLow, c.XHigh, c.YLow, c.YHigh} {
		if len(other) != len(c.X) {
			panic(fmt.Sprintf("plot: cloud %d of a front has %d X and another list of %d", i, len(c.X), len(other)))
		}
	}
	if len(c.Labels) != len(c.X) {
		panic(fmt.Sprintf("plot: cloud %d of a front has %d X and %d labels", i, len(c.X), len(c.Labels)))
	}
}

// check reports data that cannot be drawn.
func (c Cloud) check() error {
	for i, x := range c.X {
		if !drawable(x) || !drawable(c.Y[i]) {
			return fmt.Errorf("plot: point %d of %q is (%v, %v) and has no place", i, c.Name, x, c.Y[i])
		}
		for _, bar := range [][2]float64{{c.XLow[i], c.XHigh[i]}, {c.YLow[i], c.YHigh[i]}} {
			if bar[0] > bar[1] || math.Abs(bar[0]) > largest || math.Abs(bar[1]) > largest {
				return fmt.Errorf("plot: an error bar of point %d of %q runs from %v to %v", i, c.Name, bar[0], bar[1])
			}
		}
	}
	return nil
}

func (v Front) plot() (*plot.Plot, *plot.Legend) {
	p := newPlot(v.XLabel, v.YLabel)
	legend := plot.NewLegend()
	legend.Top, legend.Left = true, true
	restyle(&legend.TextStyle, labelSize-1)
	legend.ThumbnailWidth, legend.Padding = 14, 5
	p.Add(levels{}, path{v.X, v.Y})
	v.addReferences(p)
	for i, c := range v.Clouds {
		drawn := dots{c, draw.GlyphStyle{Color: okabeIto[i%len(okabeIto)], Radius: 3.2, Shape: shapes[i%len(shapes)]}}
		p.Add(drawn)
		legend.Add(label(c.Name), drawn)
	}
	if v.Chord != nil {
		legend.Add(label(v.Chord.Label), chordLine{*v.Chord})
	}
	for _, gate := range v.Gates {
		legend.Add(label(gate.Label), gateLine{gate})
	}
	p.X.Min, p.X.Max = spread(p.X.Min, p.X.Max, 0, 1)
	p.Y.Min, p.Y.Max = spread(p.Y.Min, p.Y.Max, 0, 1)
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Tick.Marker, p.Y.Tick.Marker = percentTicks{}, percentTicks{}
	return p, &legend
}

// addReferences adds the chord and the gates, below the points.
func (v Front) addReferences(p *plot.Plot) {
	if v.Chord != nil {
		p.Add(chordLine{*v.Chord})
	}
	for _, gate := range v.Gates {
		p.Add(gateLine{gate})
	}
}

// path is the line of the front.
type path struct{ x, y []float64 }

// Plot implements plot.Plotter.
func (l path) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var points []vg.Point
	for i := range l.x {
		points = append(points, vg.Point{X: x(l.x[i]), Y: y(l.y[i])})
	}
	c.StrokeLines(draw.LineStyle{Color: color.Gray{Y: 0x8C}, Width: 1.2, Dashes: []vg.Length{4, 3}}, points)
}

// dots draws a cloud.
type dots struct {
	Cloud
	glyph draw.GlyphStyle
}

// DataRange implements plot.DataRanger: points and bars.
func (d dots) DataRange() (left, right, bottom, top float64) {
	left, bottom = math.Inf(1), math.Inf(1)
	right, top = math.Inf(-1), math.Inf(-1)
	for i := range d.X {
		for _, x := range []float64{d.X[i], d.XLow[i], d.XHigh[i]} {
			if !math.IsNaN(x) {
				left, right = min(left, x), max(right, x)
			}
		}
		for _, y := range []float64{d.Y[i], d.YLow[i], d.YHigh[i]} {
			if !math.IsNaN(y) {
				bottom, top = min(bottom, y), max(top, y)
			}
		}
	}
	return left, right, bottom, top
}

// Plot implements plot.Plotter: bars first, then points, then their labels.
func (d dots) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	r, g, b, _ := d.glyph.Color.RGBA()
	bar := draw.LineStyle{Color: color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 0x60}, Width: 0.9}
	for i := range d.X {
		at := vg.Point{X: x(d.X[i]), Y: y(d.Y[i])}
		if !math.IsNaN(d.XLow[i]) && !math.IsNaN(d.XHigh[i]) {
			c.StrokeLine2(bar, x(d.XLow[i]), at.Y, x(d.XHigh[i]), at.Y)
		}
		if !math.IsNaN(d.YLow[i]) && !math.IsNaN(d.YHigh[i]) {
			c.StrokeLine2(bar, at.X, y(d.YLow[i]), at.X, y(d.YHigh[i]))
		}
	}
	for i := range d.X {
		c.DrawGlyphNoClip(d.glyph, vg.Point{X: x(d.X[i]), Y: y(d.Y[i])})
	}
	text := style(tickSize)
	text.XAlign, text.YAlign = draw.XLeft, draw.YBottom
	for i, name := range d.Labels {
		if name != "" {
			c.FillText(text, vg.Point{X: x(d.X[i]) + 4, Y: y(d.Y[i]) + 3}, label(name))
		}
	}
}

// Thumbnail implements plot.Thumbnailer for the legend.
func (d dots) Thumbnail(c *draw.Canvas) {
	c.DrawGlyphNoClip(d.glyph, vg.Point{X: c.Center().X, Y: c.Center().Y})
}
