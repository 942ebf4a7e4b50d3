package plot

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// barPanel is bars while they are drawn on a sheet.
type barPanel struct {
	Bars
	*sheet
	area    vg.Rectangle // of the rows, from the longest bar to the left to that to the right
	shown   int          // how many rows have room
	told    bool         // whether one more row says how many have not
	row     vg.Length    // the height of a row
	names   vg.Length    // the width of the names
	x       reach
	column  vg.Length // the width of a column of values, 0 for none
	atEnds  bool      // whether values stand at the ends of the bars
	decimal int       // digits behind the point
}

// drawSized draws the bars on a sheet.
func (b Bars) drawSized(s *sheet) {
	s.heading(b.Title)
	p := barPanel{Bars: b, sheet: s, decimal: b.decimals(), x: b.reach()}
	p.plan()
	columns := p.column * vg.Length(len(b.Series))
	if p.column > 0 {
		p.drawHeads()
	}
	s.legend(b.keys(), s.free.Size().X-columns)
	p.layOut(columns)
	p.drawAxis()
	for i := range p.shown {
		p.drawName(i, b.Rows[i])
		for k := range b.Series {
			p.drawBar(i, k)
		}
	}
	if p.told {
		p.drawName(p.shown, more(len(b.Rows)-p.shown))
	}
}

// below is the height of the axis with its names.
func (p *barPanel) below() vg.Length {
	return (0.3+room)*p.em + vg.Length(len(p.xLines(p.XLabel)))*leading*p.em
}

// plan decides how the values are written: at the bars if every row is high
// enough, in columns if these leave half of the width, or not at all.
func (p *barPanel) plan() {
	series := vg.Length(len(p.Series))
	row := (p.free.Size().Y - p.below() - 1.6*p.em) / vg.Length(len(p.Rows))
	p.atEnds = row >= (series*valueHeight+0.2)*p.em
	column := max(p.widest(false), p.widest(true)) + 0.9*p.em
	if !p.atEnds && series*column <= p.free.Size().X/2 {
		p.column = column
	}
}

// layOut divides what the legend has left between names, bars and values.
func (p *barPanel) layOut(columns vg.Length) {
	t, most := p.regular(), 0.34*p.free.Size().X
	for _, name := range p.Rows {
		p.names = max(p.names, min(most, t.Width(label(name))))
	}
	p.area = vg.Rectangle{
		Min: vg.Point{X: p.free.Min.X + p.names + 0.6*p.em, Y: p.free.Min.Y + p.below()},
		Max: vg.Point{X: p.free.Max.X - columns, Y: p.free.Max.Y},
	}
	if p.atEnds {
		p.area.Max.X -= p.widest(false)
		if p.x.low < 0 {
			p.area.Min.X += p.widest(true)
		}
	}
	rows := max(1, min(len(p.Rows), int(p.area.Size().Y/(rowHeight*p.em))))
	p.told = rows > 1 && rows < len(p.Rows)
	p.shown = rows
	if p.told {
		p.shown--
	}
	p.row = p.area.Size().Y / vg.Length(rows)
}

// reach returns the range of all values and 0.
func (b Bars) reach() reach {
	r := reach{0, 0}
	for _, s := range b.Series {
		for _, v := range s.Values {
			if !math.IsNaN(v) {
				r.low, r.high = min(r.low, v), max(r.high, v)
			}
		}
	}
	if r.high-r.low < 1e-100 {
		r.high = r.low + 1 // all bars have no length
	}
	return r
}

// decimals returns how many digits stand behind the point so that the largest
// value has three, or -1 if it is too large or small to be written so.
func (b Bars) decimals() int {
	r := b.reach()
	power := math.Floor(math.Log10(max(r.high, -r.low)))
	if power < -4 || power > 5 {
		return -1
	}
	return int(min(max(2-power, 0), 5))
}

// value writes a value; "–" is none.
func (p *barPanel) value(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	words := strconv.FormatFloat(v, 'f', p.decimal, 64)
	if p.decimal < 0 {
		words = strconv.FormatFloat(v, 'g', 3, 64)
	}
	if strings.Trim(words, "-0.") == "" {
		words = strings.TrimPrefix(words, "-")
	}
	return strings.NewReplacer("-", "−", "+", "").Replace(words)
}

// widest returns the width of the longest value of one sign, with the white
// before it.
func (p *barPanel) widest(negative bool) vg.Length {
	width, t := vg.Length(0), p.regular()
	for _, s := range p.Series {
		for _, v := range s.Values {
			if (v < 0) == negative {
				width = max(width, t.Width(p.value(v))+0.35*p.em)
			}
		}
	}
	return width
}

// drawAxis draws the axis below with its names, and a line at each of them.
func (p *barPanel) drawAxis() {
	t := p.regular()
	bottom := p.area.Min.Y
	for _, m := range p.fitting(p.x, p.area.Size().X, p.marks) {
		x := p.at(m.value)
		p.c.StrokeLine2(draw.LineStyle{Color: pale, Width: 0.5}, x, bottom, x, p.area.Max.Y)
		p.c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.5}, x, bottom, x, bottom-0.25*p.em)
		if half := t.Width(m.name) / 2; x-half >= p.c.Min.X && x+half <= p.c.Max.X {
			p.write(t, x, bottom-(0.3+room/2)*p.em, m.name)
		}
	}
	p.c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.6}, p.area.Min.X, bottom, p.area.Max.X, bottom)
	p.c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.6}, p.at(0), bottom, p.at(0), p.area.Max.Y)
	p.xName(p.XLabel, p.area.Min.X, p.area.Max.X)
}

// marks are at most so many round values.
func (p *barPanel) marks(most int) (marks []mark) {
	for _, v := range even(p.x.low, p.x.high, most) {
		marks = append(marks, mark{v, printed(v)})
	}
	return marks
}

// at returns the place of a value across.
func (p *barPanel) at(v float64) vg.Length { return p.area.Min.X + p.x.share(v)*p.area.Size().X }

// middle returns the middle of a row.
func (p *barPanel) middle(row int) vg.Length {
	return p.area.Max.Y - (vg.Length(row)+0.5)*p.row
}

// drawName draws the name of a row.
func (p *barPanel) drawName(row int, name string) {
	t := p.regular()
	t.XAlign = text.XRight
	p.write(t, p.free.Min.X+p.names, p.middle(row), cut(t, label(name), p.names))
}

// drawHeads draws the sign of each series above its column.
func (p *barPanel) drawHeads() {
	y := p.free.Max.Y - 0.5*leading*p.em
	for k := range p.Series {
		right := p.free.Max.X - vg.Length(len(p.Series)-1-k)*p.column
		barFill(k)(p.c, vg.Rectangle{Min: vg.Point{X: right - keyWidth*p.em, Y: y - 0.35*p.em}, Max: vg.Point{X: right, Y: y + 0.35*p.em}})
	}
}

// drawBar draws a bar of a row and writes its value.
func (p *barPanel) drawBar(row, k int) {
	v, n := p.Series[k].Values[row], vg.Length(len(p.Series))
	thick := min(0.84*p.row/n, 1.3*p.em)
	y := p.middle(row) + ((n-1)/2-vg.Length(k))*thick
	t := p.regular()
	t.XAlign = text.XRight
	if p.column > 0 {
		p.write(t, p.free.Max.X-(n-1-vg.Length(k))*p.column, p.middle(row), p.value(v))
	}
	end, zero := p.at(0), p.at(0)
	if !math.IsNaN(v) {
		end = p.at(v)
		barFill(k)(p.c, vg.Rectangle{Min: vg.Point{X: min(end, zero), Y: y - 0.46*thick}, Max: vg.Point{X: max(end, zero), Y: y + 0.46*thick}})
	}
	if !p.atEnds {
		return
	}
	if v < 0 {
		p.write(t, end-0.35*p.em, y, p.value(v))
		return
	}
	t.XAlign = text.XLeft
	p.write(t, end+0.35*p.em, y, p.value(v))
}

// keys are the entries of the legend.
func (b Bars) keys() (keys []key) {
	for k, s := range b.Series {
		if s.Name != "" {
			keys = append(keys, key{s.Name, func(c draw.Canvas, r vg.Rectangle) {
				inset := 0.15 * r.Size().Y
				r.Min.Y, r.Max.Y = r.Min.Y+inset, r.Max.Y-inset
				barFill(k)(c, r)
			}})
		}
	}
	return keys
}
