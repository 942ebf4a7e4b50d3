package plot

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Gate is a horizontal line that a rule draws, such as the least score that is
// accepted: dashed, with its label beside it.
type Gate struct {
	// Y is a share, as those of the points.
	Y float64
	// Label stands at the line; "" for none.
	Label string
}

// gateStyle is the line of a gate: black as no line of data, with long dashes.
var gateStyle = draw.LineStyle{Color: color.Gray{Y: 0x10}, Width: 0.9, Dashes: []vg.Length{4.5, 2.5}}

// checkGates reports gates that cannot be drawn.
func checkGates(gates []Gate) error {
	for _, g := range gates {
		if !drawable(g.Y) {
			return fmt.Errorf("plot: the gate %q is at %v and has no place", g.Label, g.Y)
		}
	}
	return nil
}

// gateKey draws the sign of a gate.
func gateKey(c draw.Canvas, r vg.Rectangle) {
	y := (r.Min.Y + r.Max.Y) / 2
	c.StrokeLine2(gateStyle, r.Min.X, y, r.Max.X, y)
}

// gateLine draws a gate in a figure as large as its labels need.
type gateLine struct{ Gate }

// DataRange implements plot.DataRanger: only the height is of account.
func (g gateLine) DataRange() (left, right, bottom, top float64) {
	return math.Inf(1), math.Inf(-1), g.Y, g.Y
}

// Plot implements plot.Plotter.
func (g gateLine) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	c.StrokeLine2(gateStyle, c.Min.X, y(g.Y), c.Max.X, y(g.Y))
}

// Thumbnail implements plot.Thumbnailer for the legend.
func (g gateLine) Thumbnail(c *draw.Canvas) { gateKey(*c, c.Rectangle) }

// gateNames are lines of the same names, whose legend is as wide.
func gateNames(gates []Gate) (lines []Line) {
	for _, g := range gates {
		lines = append(lines, Line{Name: g.Label})
	}
	return lines
}
