package plot

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// okabeIto are the colours of Okabe and Ito but for yellow, which is too pale
// for a line on white; those most unlike each other come first.
var okabeIto = []color.Color{
	color.NRGBA{R: 0x00, G: 0x72, B: 0xB2, A: 0xFF}, // blue
	color.NRGBA{R: 0xD5, G: 0x5E, B: 0x00, A: 0xFF}, // vermillion
	color.NRGBA{R: 0x00, G: 0x9E, B: 0x73, A: 0xFF}, // bluish green
	color.NRGBA{R: 0xCC, G: 0x79, B: 0xA7, A: 0xFF}, // reddish purple
	color.NRGBA{R: 0xE6, G: 0x9F, B: 0x00, A: 0xFF}, // orange
	color.NRGBA{R: 0x56, G: 0xB4, B: 0xE9, A: 0xFF}, // sky blue
	color.NRGBA{A: 0xFF},                            // black
}

// shapes are the markers, one for each colour.
var shapes = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{},
}

// dashes are the patterns of the first seven lines, the next seven and so on.
var dashes = [][]vg.Length{nil, {5, 2}, {1.5, 1.5}}

// marks draws one line with its markers and error bars, or with a band.
type marks struct {
	band            bool
	x, y, low, high []float64
	stroke, bar     draw.LineStyle
	glyph           draw.GlyphStyle
}

// newMarks returns line i of a curve, moved to the right by shift in the unit
// of x, without the points whose y is NaN.
func newMarks(line Line, i int, shift float64) marks {
	hue := okabeIto[i%len(okabeIto)]
	m := marks{
		band:   line.Band,
		stroke: draw.LineStyle{Color: hue, Width: 1.6, Dashes: dashes[i/len(okabeIto)%len(dashes)]},
		bar:    draw.LineStyle{Color: hue, Width: 1},
		glyph:  draw.GlyphStyle{Color: hue, Radius: 3, Shape: shapes[i%len(shapes)]},
	}
	for k, y := range line.Y {
		if !math.IsNaN(y) {
			low, high := line.bar(k)
			m.x, m.y = append(m.x, line.X[k]+shift), append(m.y, y)
			m.low, m.high = append(m.low, low), append(m.high, high)
		}
	}
	return m
}

// shift returns by how much line i is moved to the right, in the unit of x, so
// that error bars at one x stand side by side: 6 points from line to line, but
// all together no more than a third of the way to the next x. Curves of which
// fewer than two lines have bars stay in place.
func (v Curve) shift(i int) float64 {
	bars, xs := 0, v.xs()
	for _, line := range v.Lines {
		if line.Low != nil && !line.Band {
			bars++
		}
	}
	if bars < 2 || len(xs) < 2 {
		return 0
	}
	closest := math.Inf(1)
	for k := range xs[1:] {
		closest = min(closest, xs[k+1]-xs[k])
	}
	gaps := float64(len(v.Lines) - 1)
	step := min(6/float64(areaWidth)*(xs[len(xs)-1]-xs[0]), closest/3/gaps)
	return (float64(i) - gaps/2) * step
}

// DataRange implements plot.DataRanger: points and bars.
func (m marks) DataRange() (left, right, bottom, top float64) {
	left, bottom = math.Inf(1), math.Inf(1)
	right, top = math.Inf(-1), math.Inf(-1)
	for i, x := range m.x {
		left, right = min(left, x), max(right, x)
		bottom, top = min(bottom, m.y[i]), max(top, m.y[i])
		if !math.IsNaN(m.low[i]) {
			bottom, top = min(bottom, m.low[i]), max(top, m.high[i])
		}
	}
	return left, right, bottom, top
}

// Plot implements plot.Plotter: the line, then bars and markers upon it.
func (m marks) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	points := make([]vg.Point, len(m.x))
	for i := range m.x {
		points[i] = vg.Point{X: x(m.x[i]), Y: y(m.y[i])}
	}
	if m.band {
		m.drawBand(c, points, y)
	}
	c.StrokeLines(m.stroke, points)
	for i, at := range points {
		m.drawGround(&c, at)
		if !m.band && !math.IsNaN(m.low[i]) {
			m.drawBar(&c, at.X, y(m.low[i]), y(m.high[i]))
		}
		c.DrawGlyphNoClip(m.glyph, at)
	}
}

// drawBand draws the intervals as a band.
func (m marks) drawBand(c draw.Canvas, points []vg.Point, y func(float64) vg.Length) {
	t := trace{points: points, band: true, hue: m.stroke.Color.(color.NRGBA)}
	for i, at := range points {
		t.low = append(t.low, vg.Point{X: at.X, Y: y(m.low[i])})
		t.high = append(t.high, vg.Point{X: at.X, Y: y(m.high[i])})
	}
	t.drawBand(c)
}

// drawBar draws an error bar with its caps.
func (m marks) drawBar(c *draw.Canvas, x, low, high vg.Length) {
	const half = 2.5 // the width of a cap on either side
	c.StrokeLine2(m.bar, x, low, x, high)
	c.StrokeLine2(m.bar, x-half, low, x+half, low)
	c.StrokeLine2(m.bar, x-half, high, x+half, high)
}

// drawGround clears the line where a marker comes, lest it cross hollow ones.
func (m marks) drawGround(c *draw.Canvas, at vg.Point) {
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: color.White, Radius: m.glyph.Radius + 0.5, Shape: draw.CircleGlyph{}}, at)
}

// Thumbnail implements plot.Thumbnailer for the legend.
func (m marks) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	c.StrokeLine2(m.stroke, c.Min.X, y, c.Max.X, y)
	at := vg.Point{X: c.Center().X, Y: y}
	m.drawGround(c, at)
	c.DrawGlyphNoClip(m.glyph, at)
}

// legendGap is the white between the axes and the legend, in points.
const legendGap vg.Length = 14

// legendWidth returns the room that the legend takes beside the axes: none if
// no line has a name.
func legendWidth(legend *plot.Legend, lines []Line) vg.Length {
	for _, line := range lines {
		if line.Name != "" {
			return legendGap + legend.Rectangle(draw.Canvas{}).Size().X + 6
		}
	}
	return 0
}
