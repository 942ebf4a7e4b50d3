package plot

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// scale is the range of values that the colours cover, with low < high.
type scale struct{ low, high float64 }

// color returns the colour of a value within the scale: from the cream of the
// black-body map at low to its darkest red at high. White and black themselves
// are left out, since the one is the paper and the other hides differences.
func (s scale) color(value float64) color.Color {
	const cream, dark = 0.96, 0.10
	share := (value - s.low) / (s.high - s.low)
	c, err := blackBody.At(cream + (dark-cream)*min(max(share, 0), 1))
	if err != nil {
		panic("plot: " + err.Error()) // the argument is always within the map
	}
	return c
}

// blackBody maps 0 to black and 1 to white by way of red and yellow.
var blackBody = func() palette.ColorMap {
	m := moreland.BlackBody()
	m.SetMin(0)
	m.SetMax(1)
	return m
}()

// cells draws one rectangle for each value around the points (column, row
// from below).
type cells struct {
	values [][]float64
	scale  scale
}

// DataRange implements plot.DataRanger: half a cell around the outer points.
func (g cells) DataRange() (left, right, bottom, top float64) {
	return -0.5, float64(len(g.values[0])) - 0.5, -0.5, float64(len(g.values)) - 0.5
}

// Plot implements plot.Plotter. Thin lines of paper between the cells keep
// neighbours of one colour apart.
func (g cells) Plot(c draw.Canvas, p *plot.Plot) {
	const gap = 0.5
	x, y := p.Transforms(&c)
	for row, values := range g.values {
		center := float64(len(g.values) - 1 - row)
		for column, value := range values {
			cell := vg.Rectangle{
				Min: vg.Point{X: x(float64(column)-0.5) + gap, Y: y(center-0.5) + gap},
				Max: vg.Point{X: x(float64(column)+0.5) - gap, Y: y(center+0.5) - gap},
			}
			if math.IsNaN(value) {
				drawAbsent(c, cell)
			} else {
				fill(c, g.scale.color(value), cell)
			}
		}
	}
}

// colorBar explains the colours of a scale.
type colorBar struct {
	scale  scale
	label  string
	absent bool // whether there are cells without a value
}

// Sizes of a colour bar, in points: the bar, its ticks, and the white on both
// sides of the numbers.
const (
	barWidth vg.Length = 12
	barTick  vg.Length = 4
	barSpace vg.Length = 4
)

// absent names the cells without a value below the bar.
const absent = "absent"

// width returns the width of the bar with its numbers and label.
func (b colorBar) width() vg.Length {
	widest := style(tickSize).Width(absent)
	for _, value := range round(b.scale.low, b.scale.high) {
		widest = max(widest, style(tickSize).Width(number(value)))
	}
	return barWidth + barTick + barSpace + widest + barSpace + style(labelSize).Height(b.label)
}

// longest returns the height above which the bar does not grow: beside many
// rows it would be out of all proportion.
func (b colorBar) longest() vg.Length {
	return max(260, style(labelSize).Width(b.label))
}

// draw draws the bar at the left of c, over its whole height, with numbers and
// label to the right of it, and the sample of an absent cell below.
func (b colorBar) draw(c draw.Canvas) {
	b.drawColors(c)
	right, mark := c.Min.X+barWidth, b.mark()
	for _, value := range round(b.scale.low, b.scale.high) {
		y := c.Min.Y + vg.Length((value-b.scale.low)/(b.scale.high-b.scale.low))*(c.Max.Y-c.Min.Y)
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.75}, right, y, right+barTick, y)
		c.FillText(mark, vg.Point{X: right + barTick + barSpace, Y: y + mark.FontExtents().Descent}, number(value))
	}
	upright := style(labelSize)
	upright.Rotation = math.Pi / 2
	c.FillText(upright, vg.Point{X: c.Max.X - upright.Height(b.label)/2, Y: c.Center().Y}, b.label)
	if b.absent {
		sample := vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: c.Min.Y - 24}, Max: vg.Point{X: right, Y: c.Min.Y - 15}}
		drawAbsent(c, sample)
		c.FillText(mark, vg.Point{X: right + barTick + barSpace, Y: c.Min.Y - 19.5 + mark.FontExtents().Descent}, absent)
	}
}

// mark returns the style of the numbers.
func (b colorBar) mark() text.Style {
	mark := style(tickSize)
	mark.XAlign = text.XLeft
	return mark
}

// drawColors paints each colour up to the top, where the next one covers it,
// as edges that merely touch show as pale lines.
func (b colorBar) drawColors(c draw.Canvas) {
	const steps = 128
	for i := range steps {
		share := float64(i) / steps
		bottom := c.Min.Y + vg.Length(share)*(c.Max.Y-c.Min.Y)
		value := b.scale.low + (share+0.5/steps)*(b.scale.high-b.scale.low)
		fill(c, b.scale.color(value), vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: bottom}, Max: vg.Point{X: c.Min.X + barWidth, Y: c.Max.Y}})
	}
}

// fill paints a rectangle.
func fill(c draw.Canvas, paint color.Color, r vg.Rectangle) {
	c.SetColor(paint)
	c.Fill(r.Path())
}

// drawAbsent draws a cell without a value: struck through, since grey alone
// might pass for a colour.
func drawAbsent(c draw.Canvas, r vg.Rectangle) {
	fill(c, pale, r)
	c.StrokeLine2(draw.LineStyle{Color: color.Gray{Y: 0xA8}, Width: 0.5}, r.Min.X, r.Min.Y, r.Max.X, r.Max.Y)
}
