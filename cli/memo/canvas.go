package memo

import (
	"fmt"

	"codeberg.org/go-pdf/fpdf"
)

// colour is red, green and blue from 0 to 255.
type colour [3]int

var (
	ink    = colour{28, 28, 28} // softer than black
	grey   = colour{88, 88, 88}
	faint  = colour{205, 205, 205}
	pale   = colour{243, 243, 243}
	accent = colour{31, 56, 90}
	green  = colour{0, 98, 58}
	red    = colour{142, 27, 27}
)

// canvas is the document as blocks draw on it, in points from the upper left
// corner of the page.
type canvas struct{ pdf *fpdf.Fpdf }

// text writes one line with its baseline at y.
func (c *canvas) text(x, y float64, l letters, ink colour, line string) {
	if line == "" {
		return
	}
	cut := faces[l.face]
	c.pdf.SetFont(cut.family, cut.style, l.size)
	c.pdf.SetTextColor(ink[0], ink[1], ink[2])
	if l.space > 0 {
		c.pdf.RawWriteStr(fmt.Sprintf("%.2f Tc\n", l.space))
		defer c.pdf.RawWriteStr("0 Tc\n")
	}
	c.pdf.Text(x, y, line)
}

// rule draws a line from x to x+width at y.
func (c *canvas) rule(x, y, width, thickness float64, ink colour) {
	c.fill(x, y-thickness/2, width, thickness, ink)
}

// fill paints a rectangle.
func (c *canvas) fill(x, y, width, height float64, ink colour) {
	c.pdf.SetFillColor(ink[0], ink[1], ink[2])
	c.pdf.Rect(x, y, width, height, "F")
}

// frame draws the edges of a rectangle.
func (c *canvas) frame(x, y, width, height, thickness float64, ink colour) {
	c.pdf.SetDrawColor(ink[0], ink[1], ink[2])
	c.pdf.SetLineWidth(thickness)
	c.pdf.Rect(x, y, width, height, "D")
}

// sign draws a tick or a cross as wide and high as a small letter of the given
// size, standing on the baseline y. The type has neither.
func (c *canvas) sign(x, y, size float64, mark Mark) {
	if mark == None {
		return
	}
	ink, s := red, 0.5*size
	strokes := [][4]float64{{0.08, 0.04, 0.92, 1}, {0.08, 1, 0.92, 0.04}}
	if mark == Good {
		ink, strokes = green, [][4]float64{{0, 0.5, 0.38, 0.06}, {0.38, 0.06, 1.05, 1.1}}
	}
	c.pdf.SetDrawColor(ink[0], ink[1], ink[2])
	c.pdf.SetLineWidth(0.13 * size)
	c.pdf.SetLineCapStyle("round")
	for _, p := range strokes {
		c.pdf.Line(x+p[0]*s, y-p[1]*s, x+p[2]*s, y-p[3]*s)
	}
	c.pdf.SetLineCapStyle("butt")
}
