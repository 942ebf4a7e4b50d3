package memo

import "strings"

// box is a part of a page that has been measured: draw puts it with its upper
// left corner at a point.
type box struct {
	height float64
	draw   func(c *canvas, x, y float64)
}

// setting is how large things are on one page.
type setting struct {
	body   float64 // the size of running text, in points
	figure float64 // the greatest height of a figure, in points
	limits limits  // how much of each block is shown
	pictures
}

// text returns type of a size relative to that of running text.
func (s setting) text(f face, relative float64) letters {
	return letters{face: f, size: relative * s.body}
}

// Greatest numbers of lines that parts of blocks take, before they lose their
// middle: enough for sentences, and too few for one name to fill a page.
const (
	textLines    = 150 // of a paragraph: more than a page holds
	itemLines    = 8
	boxLines     = 6
	captionLines = 4
	headLines    = 3
)

// set lays out lines of text below each other.
func set(l letters, ink colour, lines []string) box {
	if len(lines) == 1 && lines[0] == "" {
		return box{0, func(*canvas, float64, float64) {}}
	}
	return box{float64(len(lines)) * l.leading(), func(c *canvas, x, y float64) {
		for i, line := range lines {
			c.text(x, y+l.baseline(i), l, ink, line)
		}
	}}
}

// baseline is that of line i, measured from the top of the first.
func (l letters) baseline(i int) float64 { return float64(i)*l.leading() + 0.96*l.size }

// stack puts boxes below each other, with gaps between those that are not empty.
func stack(gap float64, boxes ...box) box {
	height, full := 0.0, []box{}
	for _, b := range boxes {
		if b.height > 0 {
			height, full = height+b.height+gap, append(full, b)
		}
	}
	return box{max(0, height-gap), func(c *canvas, x, y float64) {
		for _, b := range full {
			b.draw(c, x, y)
			y += b.height + gap
		}
	}}
}

// inset puts white around a box, given from the left and the right side.
func inset(b box, left, top, bottom float64) box {
	return box{b.height + top + bottom, func(c *canvas, x, y float64) { b.draw(c, x+left, y+top) }}
}

func (p Paragraph) lay(s setting, width float64) box {
	l := s.text(regular, 1)
	return set(l, ink, l.broken(l.words(p.Text), width, textLines))
}

// lay sets the heading in spaced capitals.
func (h Heading) lay(s setting, width float64) box { return capitals(s.text(bold, 0.9), h.Text, width) }

// capitals sets at most two lines in spaced capitals.
func capitals(l letters, text string, width float64) box {
	l.space = 0.07 * l.size
	return set(l, accent, l.lines(strings.ToUpper(clean(text)), width, 2))
}

// lay draws a box with a thick edge at the left: green with a tick, red on a
// tinted ground with a cross, or grey.
func (v Verdict) lay(s setting, width float64) box {
	const edge, pad = 5, 9
	word, sentence := s.text(bold, 1.7), s.text(regular, 1.05)
	indent := 0.0
	if v.mark() != None {
		indent = 0.95 * word.size
	}
	inner := width - edge - 2*pad
	words := set(word, v.ink(), word.lines(v.Word, inner-indent, 2))
	body := stack(2, inset(words, indent, 0, 0), set(sentence, ink, sentence.lines(v.Sentence, inner, boxLines)))
	height := body.height + 2*pad - 2
	return box{height, func(c *canvas, x, y float64) {
		if v.Bad {
			c.fill(x, y, width, height, colour{250, 244, 243})
		}
		c.frame(x, y, width, height, 0.7, v.ink())
		c.fill(x, y, edge, height, v.ink())
		c.sign(x+edge+pad, y+pad-1+word.baseline(0), 1.25*word.size, v.mark())
		body.draw(c, x+edge+pad, y+pad-1)
	}}
}

func (v Verdict) ink() colour {
	return map[Mark]colour{None: grey, Good: green, Bad: red}[v.mark()]
}

// perRow is the number of large figures side by side.
const perRow = 3

func (n Numbers) lay(s setting, width float64) box {
	var rows []box
	for from := 0; from < len(n); from += perRow {
		rows = append(rows, n[from:min(from+perRow, len(n))].row(s, width))
	}
	return stack(0.6*s.body, rows...)
}

// row sets large figures of one size, that at which the longest value fits.
func (n Numbers) row(s setting, width float64) box {
	const gap = 14
	column := (width - gap*(perRow-1)) / perRow
	value, label, detail := s.text(bold, 2), s.text(bold, 0.95), s.text(regular, 0.85)
	for _, number := range n {
		line := value.face.printable(clean(number.Value))
		value.size = max(1.1*s.body, min(value.size, value.size*column/max(1, value.width(line))))
	}
	parts, height := make([]box, len(n)), 0.0
	for i, number := range n {
		parts[i] = inset(stack(0,
			set(value, ink, []string{value.line(number.Value, column)}),
			set(label, ink, label.lines(number.Label, column, headLines)),
			set(detail, grey, detail.lines(number.Detail, column, captionLines))), 0, 4, 0)
		height = max(height, parts[i].height)
	}
	return box{height, func(c *canvas, x, y float64) {
		for i, part := range parts {
			at := x + float64(i)*(column+gap)
			c.rule(at, y, column, 1, accent)
			part.draw(c, at, y)
		}
	}}
}

func (l List) lay(s setting, width float64) box {
	body := s.text(regular, 1)
	indent, items := 1.1*s.body, make([]box, len(l.Items))
	for i, item := range l.Items {
		text := set(body, ink, body.lines(item, width-indent, itemLines))
		items[i] = box{text.height, func(c *canvas, x, y float64) {
			c.text(x+0.15*s.body, y+body.baseline(0), body, accent, "–")
			text.draw(c, x+indent, y)
		}}
	}
	return stack(0.2*s.body, items...)
}

// lay breaks lines at any letter, as type of one width is read by columns.
func (t Code) lay(s setting, width float64) box {
	const pad = 5
	l := s.text(mono, 0.84)
	across := max(1, int((width-2*pad)/l.width("0")))
	var lines []string
	for _, line := range cleanLines(t.Text) {
		letters := []rune(middle(l.face.printable(line), itemLines*across-1))
		for len(letters) > across {
			lines, letters = append(lines, string(letters[:across])), letters[across:]
		}
		lines = append(lines, string(letters))
	}
	body := inset(set(l, ink, lines), pad, pad-1, pad)
	return box{body.height, func(c *canvas, x, y float64) {
		c.fill(x, y, width, body.height, pale)
		body.draw(c, x, y)
	}}
}
