package plot

import (
	"image/color"
	"strings"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes of type and the white around a figure, in points.
const (
	titleSize vg.Length = 13
	labelSize vg.Length = 11
	tickSize  vg.Length = 9
	margin    vg.Length = 12
)

var (
	ink  = color.Gray{Y: 0x26} // text and axes: softer than black
	pale = color.Gray{Y: 0xE0} // grid lines and absent cells
)

// style returns upright sans-serif text of the given size, centred on the
// point where it is drawn.
func style(size vg.Length) text.Style {
	return text.Style{
		Color:   ink,
		Font:    font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size),
		XAlign:  text.XCenter,
		YAlign:  text.YCenter,
		Handler: plot.DefaultTextHandler,
	}
}

// newPlot returns an empty plot in the style of this package, with the given
// labels at its axes.
func newPlot(xLabel, yLabel string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the figure has painted it
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = ink, ink
		axis.Width, axis.Tick.Width = 0.75, 0.75
		axis.Tick.Length = 4
		restyle(&axis.Label.TextStyle, labelSize)
		restyle(&axis.Tick.Label, tickSize)
		axis.Label.Padding = 6
	}
	p.X.Label.Text, p.Y.Label.Text = label(xLabel), label(yLabel)
	return p
}

// restyle changes font and colour, and keeps the alignment.
func restyle(s *text.Style, size vg.Length) {
	s.Font, s.Color = style(size).Font, ink
}

// overhead returns how much wider and higher than its data a plot is, by its
// axes and their labels.
func overhead(p *plot.Plot) (width, height vg.Length) {
	const ample = 10000
	all := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: ample, Y: ample}}}
	data := p.DataCanvas(all).Size()
	return ample - data.X, ample - data.Y
}

// framed returns a figure with a white ground, a margin, and a title above what
// body draws on a canvas of the given size.
func framed(title string, width, height vg.Length, body func(draw.Canvas)) figure {
	heading := style(titleSize)
	heading.YAlign = text.YTop
	title = wrap(heading, title, width)
	room := vg.Length(0)
	if title != "" {
		room = heading.Height(title) + 10
	}
	return figure{
		width:  width + 2*margin,
		height: height + room + 2*margin,
		draw: func(c draw.Canvas) {
			c.SetColor(color.White)
			c.Fill(c.Rectangle.Path())
			inner := draw.Crop(c, margin, -margin, margin, -margin)
			c.FillText(heading, vg.Point{X: inner.Center().X, Y: inner.Max.Y}, title)
			body(draw.Crop(inner, 0, 0, 0, -room))
		},
	}
}

// wrap breaks a text between words into lines of at most the given width, and
// shortens words that are wider by themselves as label does.
func wrap(s text.Style, words string, width vg.Length) string {
	lines := []string{}
	for word := range strings.FieldsSeq(words) {
		word = label(word)
		last := len(lines) - 1
		if last >= 0 && s.Width(lines[last]+" "+word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return strings.Join(lines, "\n")
}

// longest is the number of letters that a label keeps.
const longest = 48

// label makes a text fit to be drawn: without control characters, which SVG
// files cannot hold, and not so long that it makes the figure huge.
func label(words string) string {
	runes := []rune(words)
	if len(runes) > longest {
		runes = append(runes[:longest-1], '…')
	}
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = unicode.ReplacementChar
		}
	}
	return string(runes)
}

// labels returns the label of each text.
func labels(texts []string) []string {
	result := make([]string, len(texts))
	for i, t := range texts {
		result[i] = label(t)
	}
	return result
}
