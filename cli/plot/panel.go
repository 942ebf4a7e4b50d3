package plot

import (
	"math"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// reach is the range of values along an axis, with low < high.
type reach struct{ low, high float64 }

// around returns the reach of some values with a margin on both sides, a share
// of it, so that no marker sits on an axis.
func around(values []float64, margin float64) reach {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	edge := (high - low) * margin
	if edge <= 1e-9*max(math.Abs(low), math.Abs(high)) {
		edge = max(math.Abs(low), math.Abs(high)) / 10
	}
	if edge < 1e-100 {
		edge = 0.05
	}
	return reach{low - edge, high + edge}
}

// share says how far along the axis a value is, from 0 to 1.
func (r reach) share(v float64) vg.Length { return vg.Length((v - r.low) / (r.high - r.low)) }

// mark is a tick of an axis; one without a name is a short line only.
type mark struct {
	value float64
	name  string
}

// printed writes a number with a true minus sign.
func printed(v float64) string {
	return strings.NewReplacer("-", "−", "+", "").Replace(number(v))
}

// percentName returns what writes a share in per cent or, with another unit, in
// hundredths of it.
func percentName(unit string) func(float64) string {
	if unit == "" {
		unit = "%"
	}
	return func(v float64) string { return printed(v) + " " + label(unit) }
}

// percentMarks are at most so many marks at round shares.
func percentMarks(r reach, most int, name func(float64) string) (marks []mark) {
	for _, v := range even(100*r.low, 100*r.high, most) {
		marks = append(marks, mark{v / 100, name(v)})
	}
	return marks
}

// fitting returns as many marks along a width as their names have room for.
func (s *sheet) fitting(r reach, width vg.Length, marks func(most int) []mark) []mark {
	t := s.regular()
	for most := int(width / (1.5 * s.em)); most > 1; most-- {
		marks, fits := marks(most), true
		for k := 1; k < len(marks); k++ {
			between := (r.share(marks[k].value) - r.share(marks[k-1].value)) * width
			fits = fits && between >= (t.Width(marks[k].name)+t.Width(marks[k-1].name))/2+0.8*s.em
		}
		if fits {
			return marks
		}
	}
	return nil
}

// even returns the multiples of 1, 2 or 5 times a power of ten that lie within
// a range, as many as they can be without being more than most.
func even(low, high float64, most int) []float64 {
	most = max(most, 2)
	power := math.Pow(10, math.Floor(math.Log10((high-low)/float64(most))))
	for range 4 {
		for _, factor := range []float64{1, 2, 5} {
			step := factor * power
			first, last := math.Ceil(low/step), math.Floor(high/step)
			if !(last-first+1 <= float64(most)) || math.Abs(first) > 1e12 || step < 1e-200 {
				continue
			}
			var values []float64
			for k := first; k <= last; k++ {
				values = append(values, k*step+0) // adding 0 turns -0 into 0
			}
			return values
		}
		power *= 10
	}
	return nil
}

// panel is the area between the axes of a figure of a given size.
type panel struct {
	*sheet
	area vg.Rectangle
	x, y reach
}

// axes says what a panel has around it.
type axes struct {
	xName, yName string
	x, y         reach
	xMarks       func(width vg.Length) []mark // for an area of that width
	yUnit        string
	right        vg.Length // room to the right of the area
}

// tickGap is the white between an axis and the names below it, in the size of
// type: the lowest name beside the other axis reaches so far down.
const tickGap = 0.5

// newPanel draws axes into what is free and returns the area between them.
func (s *sheet) newPanel(a axes) panel {
	em := s.em
	below := (tickGap+room)*em + vg.Length(len(s.xLines(a.xName)))*leading*em
	area := vg.Rectangle{Min: vg.Point{Y: s.free.Min.Y + below + 0.1*em}, Max: vg.Point{X: s.free.Max.X - a.right, Y: s.free.Max.Y - 0.4*em}}
	s.yName(a.yName, area.Min.Y, area.Max.Y)
	t := s.regular()
	t.XAlign = text.XRight
	yMarks := percentMarks(a.y, int(area.Size().Y/(1.9*em)), percentName(a.yUnit))
	if len(yMarks) == 2 && (a.y.share(yMarks[1].value)-a.y.share(yMarks[0].value))*area.Size().Y < em {
		yMarks = yMarks[:1]
	}
	widest, most := vg.Length(0), 0.3*s.free.Size().X
	for i, m := range yMarks {
		yMarks[i].name = cut(t, m.name, most)
		widest = max(widest, t.Width(yMarks[i].name))
	}
	area.Min.X = s.free.Min.X + widest + 0.6*em
	p := panel{s, area, a.x, a.y}
	for _, m := range yMarks {
		y := p.at(0, m.value).Y
		s.c.StrokeLine2(draw.LineStyle{Color: pale, Width: 0.5}, area.Min.X, y, area.Max.X, y)
		s.write(t, area.Min.X-0.4*em, y, m.name)
	}
	p.drawXMarks(a.xMarks(area.Size().X))
	line := draw.LineStyle{Color: ink, Width: 0.6}
	s.c.StrokeLine2(line, area.Min.X, area.Min.Y, area.Max.X, area.Min.Y)
	s.c.StrokeLine2(line, area.Min.X, area.Min.Y, area.Min.X, area.Max.Y)
	s.xName(a.xName, area.Min.X, area.Max.X)
	return p
}

// drawXMarks draws the marks of the x axis, and the names of those that do not
// reach over the edge of the sheet.
func (p panel) drawXMarks(marks []mark) {
	t := p.regular()
	for _, m := range marks {
		x, half := p.at(m.value, 0).X, t.Width(m.name)/2
		p.c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.5}, x, p.area.Min.Y, x, p.area.Min.Y-0.25*p.em)
		if x-half >= p.c.Min.X && x+half <= p.c.Max.X {
			p.write(t, x, p.area.Min.Y-(tickGap+room/2)*p.em, m.name)
		}
	}
}

// at returns the place of a point.
func (p panel) at(x, y float64) vg.Point {
	size := p.area.Size()
	return vg.Point{X: p.area.Min.X + p.x.share(x)*size.X, Y: p.area.Min.Y + p.y.share(y)*size.Y}
}

// thinned returns a mark at each of some ascending values, and names as many of
// them as have room: every second, third and so on where they are evenly
// spaced, otherwise each that is clear of the one named before.
func (s *sheet) thinned(xs []float64, r reach, width vg.Length) []mark {
	t, marks := s.regular(), make([]mark, len(xs))
	clear := func(i, j int) bool {
		apart := (r.share(xs[j]) - r.share(xs[i])) * width
		return apart >= (t.Width(printed(xs[i]))+t.Width(printed(xs[j])))/2+0.5*s.em
	}
	for i, x := range xs {
		marks[i].value = x
	}
	step := 1
	if evenly(xs) {
		for ; step < len(xs); step++ {
			fits := true
			for i := step; i < len(xs); i += step {
				fits = fits && clear(i-step, i)
			}
			if fits {
				break
			}
		}
	}
	last := -1
	for i := 0; i < len(xs); i += step {
		if last < 0 || clear(last, i) {
			marks[i].name, last = printed(xs[i]), i
		}
	}
	return marks
}

// evenly reports whether ascending values have one distance.
func evenly(xs []float64) bool {
	for i := 2; i < len(xs); i++ {
		if math.Abs(xs[i]-2*xs[i-1]+xs[i-2]) > 1e-6*(xs[len(xs)-1]-xs[0]) {
			return false
		}
	}
	return true
}
