package plot

import (
	"image/color"
	"math"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// sheet is a figure of a given size while it is drawn, from the edges inward:
// what is drawn along an edge takes its room from free.
type sheet struct {
	c    draw.Canvas
	em   vg.Length    // the size of all type
	free vg.Rectangle // where nothing stands yet
}

// newSheet returns an empty white sheet.
func newSheet(c draw.Canvas, em vg.Length) *sheet {
	fill(c, color.White, c.Rectangle)
	edge := 0.25 * em
	return &sheet{c: c, em: em, free: vg.Rectangle{
		Min: vg.Point{X: c.Min.X + edge, Y: c.Min.Y + edge}, Max: vg.Point{X: c.Max.X - edge, Y: c.Max.Y - edge}}}
}

// Sizes in units of the size of type.
const (
	leading   = 1.2   // from line to line of one text
	capitals  = 0.69  // how high capitals and digits of Liberation Sans are
	descender = 0.22  // how far letters reach below the baseline
	ascender  = 0.74  // and above it
	room      = 0.96  // the height of a line by itself: both together
	middle    = 0.344 // the middle of capitals above the baseline
)

// regular returns text of the size of the sheet, and bold the same in bold.
func (s *sheet) regular() text.Style { return style(s.em) }

func (s *sheet) bold() text.Style {
	t := style(s.em)
	t.Font.Weight = xfont.WeightBold
	return t
}

// write draws one line whose capitals have their middle at y, and whose left
// end, centre or right end, as the style says, is at x.
func (s *sheet) write(t text.Style, x, y vg.Length, words string) {
	if words == "" {
		return
	}
	face := t.Handler.Cache().Lookup(t.Font, t.Font.Size)
	s.c.SetColor(t.Color)
	if t.Rotation == 0 {
		s.c.FillString(face, vg.Point{X: x + vg.Length(t.XAlign)*face.Width(words), Y: y - middle*t.Font.Size}, words)
		return
	}
	s.c.Push()
	s.c.Translate(vg.Point{X: x, Y: y})
	s.c.Rotate(t.Rotation)
	s.c.FillString(face, vg.Point{X: vg.Length(t.XAlign) * face.Width(words), Y: -middle * t.Font.Size}, words)
	s.c.Pop()
}

// cut shortens a text to a width with an ellipsis; it is empty where not even
// one letter has room.
func cut(t text.Style, words string, width vg.Length) string {
	if t.Width(words) <= width {
		return words
	}
	letters := []rune(words)
	for n := len(letters) - 1; n > 0; n-- {
		short := strings.TrimRight(string(letters[:n]), " ") + "…"
		if t.Width(short) <= width {
			return short
		}
	}
	return ""
}

// fold breaks a text between words into at most so many lines of a width. What
// does not fit ends in an ellipsis.
func fold(t text.Style, words string, width vg.Length, most int) []string {
	const enough = 600 // more letters than a figure has room for
	if letters := []rune(words); len(letters) > enough {
		words = string(letters[:enough])
	}
	words = wrap(t, words, width)
	if words == "" || width <= 0 || most <= 0 {
		return nil
	}
	lines := strings.Split(words, "\n")
	if len(lines) > most {
		lines[most-1] += " " + lines[most]
		if t.Width(lines[most-1]) <= width {
			lines[most-1] += "…"
		}
		lines = lines[:most]
	}
	for i := range lines {
		lines[i] = cut(t, lines[i], width)
	}
	return lines
}

// most returns how many lines of so many a text at an edge may have: fewer on a
// low sheet.
func (s *sheet) most(lines int) int {
	return min(lines, int((s.c.Max.Y-s.c.Min.Y)/(6*s.em)))
}

// heading draws the title at the upper edge, in at most two lines.
func (s *sheet) heading(title string) {
	t := s.bold()
	t.XAlign = text.XLeft
	lines := fold(t, title, s.free.Size().X, s.most(2))
	for _, line := range lines {
		s.write(t, s.free.Min.X, s.free.Max.Y-0.5*leading*s.em, line)
		s.free.Max.Y -= leading * s.em
	}
	if len(lines) > 0 {
		s.free.Max.Y -= 0.3 * s.em
	}
}

// key is an entry of a legend: a sign within a rectangle, and its name.
type key struct {
	name string
	draw func(c draw.Canvas, r vg.Rectangle)
}

// keyWidth is the width of the sign of a key, in units of the size of type.
const keyWidth = 1.7

// legend draws keys side by side below the upper edge, in as many rows as they
// need but at most three; the last then says how many have no room. It stays
// within the given width.
func (s *sheet) legend(keys []key, width vg.Length) {
	t := s.regular()
	t.XAlign = text.XLeft
	signs, gap := vg.Length(keyWidth+0.4)*s.em, 1.2*s.em
	rows, most, at := 0, s.most(3), vg.Length(0)
	for i, k := range keys {
		name := cut(t, label(k.name), width-signs)
		need := signs + t.Width(name)
		left := more(len(keys) - i - 1)
		last := rows == most && i+1 < len(keys)
		if rows == 0 || at+need > width || last && at+need+gap+t.Width(left) > width {
			if rows == most {
				s.write(t, s.free.Min.X+at, s.free.Max.Y+0.5*leading*s.em, cut(t, more(len(keys)-i), width-at))
				break
			}
			rows, at = rows+1, 0
			s.free.Max.Y -= leading * s.em
		}
		y := s.free.Max.Y + 0.5*leading*s.em
		x := s.free.Min.X + at
		k.draw(s.c, vg.Rectangle{Min: vg.Point{X: x, Y: y - 0.5*s.em}, Max: vg.Point{X: x + keyWidth*s.em, Y: y + 0.5*s.em}})
		s.write(t, x+signs, y, name)
		at += need + gap
	}
	if rows > 0 {
		s.free.Max.Y -= 0.35 * s.em
	}
}

// more says how many things have no room.
func more(n int) string { return "… " + number(float64(n)) + " more" }

// xName draws the label of the x axis at the lower edge, centred below the
// given part of it, in at most two lines.
func (s *sheet) xName(name string, from, to vg.Length) {
	t := s.regular()
	for i, line := range s.xLines(name) {
		reach := t.Width(line)/2 + 0.25*s.em
		x := max(min((from+to)/2, s.c.Max.X-reach), s.c.Min.X+reach)
		s.write(t, x, s.free.Min.Y+(vg.Length(len(s.xLines(name))-i)-0.5)*leading*s.em, line)
	}
}

// xLines breaks the label of the x axis.
func (s *sheet) xLines(name string) []string {
	return fold(s.regular(), name, s.c.Size().X-0.5*s.em, s.most(2))
}

// yName draws the label of the y axis upright at the left edge, between two
// heights, in at most two lines, and takes its room.
func (s *sheet) yName(name string, from, to vg.Length) {
	t := s.regular()
	t.Rotation = math.Pi / 2
	for _, line := range fold(s.regular(), name, to-from, 2) {
		s.write(t, s.free.Min.X+0.5*leading*s.em, (from+to)/2, line)
		s.free.Min.X += leading * s.em
	}
	s.free.Min.X += 0.2 * s.em
}
