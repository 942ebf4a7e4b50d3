package plot

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// filling is how the bars of a series are filled: a colour, and lines upon it
// that tell it apart in greyscale.
type filling struct {
	ground, line color.Color
	// Slants of the hatching lines: 1 rises to the right, -1 falls.
	slants []float64
}

// fillings go from dark to light and back, in colours of Okabe and Ito or paler
// ones.
var fillings = []filling{
	{ground: okabeIto[1], line: okabeIto[1]},
	{ground: color.NRGBA{R: 0xB9, G: 0xDF, B: 0xF5, A: 0xFF}, line: okabeIto[0], slants: []float64{1}},
	{ground: color.Gray{Y: 0x38}, line: color.Gray{Y: 0x38}},
	{ground: color.White, line: okabeIto[2], slants: []float64{1, -1}},
}

// barFill returns the function that draws a bar of series k.
func barFill(k int) func(draw.Canvas, vg.Rectangle) {
	f := fillings[k%len(fillings)]
	return func(c draw.Canvas, r vg.Rectangle) {
		fill(c, f.ground, r)
		for _, slant := range f.slants {
			hatch(c, r, slant, draw.LineStyle{Color: f.line, Width: 0.5})
		}
		c.StrokeLines(draw.LineStyle{Color: f.line, Width: 0.5}, []vg.Point{
			r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min})
	}
}

// hatch draws parallel lines at 45 degrees within a rectangle, always at the
// same places of a bar.
func hatch(c draw.Canvas, r vg.Rectangle, slant float64, style draw.LineStyle) {
	const apart = 2.6 // points from line to line, along the bar
	width, height := r.Size().X, r.Size().Y
	for from := vg.Length(apart)/2 - height; from < width; from += apart {
		// From (from, 0) to (from + height, height), cut at both ends of the bar.
		low, high := max(from, 0), min(from+height, width)
		if low >= high {
			continue
		}
		a, b := low-from, high-from
		if slant < 0 {
			a, b = height-a, height-b
		}
		c.StrokeLine2(style, r.Min.X+low, r.Min.Y+a, r.Min.X+high, r.Min.Y+b)
	}
}
