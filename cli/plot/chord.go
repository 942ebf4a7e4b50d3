package plot

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// chordStyle is the line of a chord: dotted, so that it is no gate.
var chordStyle = draw.LineStyle{Color: color.Gray{Y: 0x60}, Width: 0.9, Dashes: []vg.Length{1.2, 1.8}}

// chordLine draws a chord in a figure as large as its labels need.
type chordLine struct{ Chord }

// DataRange implements plot.DataRanger.
func (l chordLine) DataRange() (left, right, bottom, top float64) {
	return min(l.X0, l.X1), max(l.X0, l.X1), min(l.Y0, l.Y1), max(l.Y0, l.Y1)
}

// Plot implements plot.Plotter.
func (l chordLine) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.StrokeLine2(chordStyle, x(l.X0), y(l.Y0), x(l.X1), y(l.Y1))
}

// Thumbnail implements plot.Thumbnailer for the legend.
func (l chordLine) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	c.StrokeLine2(chordStyle, c.Min.X, y, c.Max.X, y)
}
