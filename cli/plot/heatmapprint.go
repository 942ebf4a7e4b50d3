package plot

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// printed implements Drawing. Without a height, rows are as high as their names.
func (h HeatMap) printed(width, height vg.Length) (figure, error) {
	h.checkShape()
	scale, err := h.scale()
	if err != nil {
		return figure{}, err
	}
	if width == 0 {
		width = points(85)
	}
	if height == 0 {
		const most = 100 // rows; more are no figure with names
		height = (12 + 1.15*vg.Length(min(len(h.Rows), most))) * printSize
	}
	return figure{width, height, func(c draw.Canvas) { h.drawPrinted(newSheet(c, printSize), scale) }}, nil
}

// drawPrinted draws the heat map on a sheet.
func (h HeatMap) drawPrinted(s *sheet, of scale) {
	em := s.em
	s.heading(h.Title)
	right := s.scaleRoom(of)
	bottom := s.free.Min.Y + vg.Length(len(s.xLines(h.XLabel)))*leading*em
	low, high := bottom+0.25*s.free.Size().Y, s.free.Max.Y-0.2*em
	s.yName(h.YLabel, bottom, high)
	names := s.rowNames(h.Rows)
	area := vg.Rectangle{Min: vg.Point{X: s.free.Min.X + names + 0.5*em, Y: low}, Max: vg.Point{X: s.free.Max.X - right, Y: high}}
	columns := s.planColumns(h.Columns, area, low-bottom)
	area.Min.Y = bottom + columns.height + 0.2*em
	s.drawCells(h.Values, of, area)
	s.drawRowNames(h.Rows, area, names)
	columns.draw(s, h.Columns, area)
	s.drawScale(of, h.Scale, h.absent(), area.Max.X+1.2*em, vg.Rectangle{Min: vg.Point{Y: bottom}, Max: area.Max})
	s.xName(h.XLabel, area.Min.X, area.Max.X)
}

// drawCells draws the cells. Lines of paper between them keep neighbours of one
// colour apart, unless cells are too small for that.
func (s *sheet) drawCells(values [][]float64, of scale, area vg.Rectangle) {
	width, height := area.Size().X/vg.Length(len(values[0])), area.Size().Y/vg.Length(len(values))
	gap := func(size vg.Length) vg.Length {
		if size < 3 {
			return 0
		}
		return 0.25
	}
	for i, row := range values {
		for j, value := range row {
			x, y := area.Min.X+vg.Length(j)*width, area.Max.Y-vg.Length(i+1)*height
			cell := vg.Rectangle{Min: vg.Point{X: x + gap(width), Y: y + gap(height)}, Max: vg.Point{X: x + width - gap(width), Y: y + height - gap(height)}}
			if math.IsNaN(value) {
				drawAbsent(s.c, cell)
			} else {
				fill(s.c, of.color(value), cell)
			}
		}
	}
	s.c.StrokeLines(draw.LineStyle{Color: color.Gray{Y: 0x80}, Width: 0.4}, []vg.Point{
		area.Min, {X: area.Max.X, Y: area.Min.Y}, area.Max, {X: area.Min.X, Y: area.Max.Y}, area.Min})
}

// rowNames returns the width of the names of the rows, at most a quarter of the
// figure.
func (s *sheet) rowNames(rows []string) (width vg.Length) {
	for _, name := range rows {
		width = max(width, min(s.regular().Width(label(name)), 0.25*s.free.Size().X))
	}
	return width
}

// drawRowNames names the rows that have room. Names move a little from their
// rows where two would touch, and a line leads to them.
func (s *sheet) drawRowNames(rows []string, area vg.Rectangle, width vg.Length) {
	t := s.regular()
	t.XAlign = text.XRight
	picked, ys := s.pickRows(rows, area)
	for k, i := range picked {
		row := area.Max.Y - (vg.Length(i)+0.5)*area.Size().Y/vg.Length(len(rows))
		left := area.Min.X - 0.4*s.em
		s.c.StrokeLines(draw.LineStyle{Color: ink, Width: 0.4}, []vg.Point{{X: left + 0.1*s.em, Y: ys[k]}, {X: area.Min.X, Y: row}})
		s.write(t, left-0.05*s.em, ys[k], cut(t, label(rows[i]), width))
	}
}

// pickRows returns which rows are named, from the top, and the heights of the
// names: all names that are no numbers and every second, fifth, tenth and so on
// of the numbers, as of layers, if names then need not move by more than a line. Otherwise
// it is every second row, or every third and so on.
func (s *sheet) pickRows(rows []string, area vg.Rectangle) (picked []int, ys []vg.Length) {
	step, line := area.Size().Y/vg.Length(len(rows)), 1.05*s.em
	for _, every := range []int{1, 2, 5, 10, 20, 50, 100} {
		picked = everyNumber(rows, every, int(math.Ceil(float64(line/step))))
		wanted, heights := make([]vg.Length, len(picked)), make([]vg.Length, len(picked))
		for k, i := range picked {
			wanted[k], heights[k] = (vg.Length(i)+0.5)*step, line
		}
		ys = apart(wanted, heights, -0.4*s.em, area.Size().Y+0.4*s.em)
		furthest := vg.Length(0)
		for k := range ys {
			furthest = max(furthest, ys[k]-wanted[k], wanted[k]-ys[k])
			ys[k] = area.Max.Y - ys[k]
		}
		if furthest < s.em && vg.Length(len(picked))*line <= area.Size().Y+0.8*s.em {
			return picked, ys
		}
	}
	picked, ys = nil, nil
	for i := 0; i < len(rows); i += int(math.Ceil(float64(line / step))) {
		picked, ys = append(picked, i), append(ys, area.Max.Y-(vg.Length(i)+0.5)*step)
	}
	return picked, ys
}

// everyNumber returns the places of names that are no numbers, and of numbers
// that are multiples of every and at least so many places away from these.
func everyNumber(names []string, every, away int) (picked []int) {
	isNumber, before, after := make([]int, len(names)), make([]int, len(names)), make([]int, len(names))
	last := -away
	for i, name := range names {
		n, err := strconv.Atoi(name)
		isNumber[i] = n
		if err != nil {
			isNumber[i], last = -1, i
		}
		before[i] = i - last
	}
	next := len(names) + away
	for i := len(names) - 1; i >= 0; i-- {
		if isNumber[i] < 0 {
			next = i
		}
		after[i] = next - i
	}
	for i, n := range isNumber {
		if n < 0 || n%every == 0 && before[i] >= away && after[i] >= away {
			picked = append(picked, i)
		}
	}
	return picked
}

// columnNames is how the columns are named: level where all names have room,
// otherwise slanting, and where columns are narrow, every second and so on.
type columnNames struct {
	slanting bool
	height   vg.Length
	most     vg.Length // the length of a name
	every    int
}

// planColumns chooses it for names that may be so high.
func (s *sheet) planColumns(names []string, area vg.Rectangle, height vg.Length) columnNames {
	t, width, widest := s.regular(), area.Size().X/vg.Length(len(names)), vg.Length(0)
	for _, name := range names {
		widest = max(widest, t.Width(label(name)))
	}
	if widest+0.4*s.em <= width {
		return columnNames{height: leading * s.em, most: widest, every: 1}
	}
	most := max(0, min(widest, height*math.Sqrt2-1.5*s.em))
	return columnNames{
		slanting: true, most: most, height: most/math.Sqrt2 + 0.95*s.em,
		every: int(math.Ceil(float64(1.1 * math.Sqrt2 * s.em / width))),
	}
}

// draw writes the names below the cells.
func (n columnNames) draw(s *sheet, names []string, area vg.Rectangle) {
	t, width := s.regular(), area.Size().X/vg.Length(len(names))
	if n.slanting {
		t.Rotation, t.XAlign = math.Pi/4, text.XRight
	}
	for i := 0; i < len(names); i += max(n.every, 1) {
		x := area.Min.X + (vg.Length(i)+0.5)*width
		if !n.slanting {
			s.write(t, x, area.Min.Y-(0.35+room/2)*s.em, label(names[i]))
			continue
		}
		s.c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.4}, x, area.Min.Y, x, area.Min.Y-0.2*s.em)
		left := (x-s.free.Min.X)*math.Sqrt2 - s.em // where a name would leave the sheet
		s.write(t, x+0.1*s.em, area.Min.Y-0.6*s.em, cut(t, label(names[i]), min(n.most, left)))
	}
}

// Sizes of a scale of colours in units of the size of type.
const (
	scaleWidth = 0.9
	scaleTick  = 0.25
)

// scaleMarks are the round values of a scale.
func scaleMarks(of scale, height, em vg.Length) (marks []mark) {
	for _, v := range even(of.low, of.high, int(height/(1.8*em))) {
		marks = append(marks, mark{v, printed(v)})
	}
	return marks
}

// scaleRoom returns the width of the colour bar with the white before it.
func (s *sheet) scaleRoom(of scale) vg.Length {
	t := s.regular()
	widest := t.Width(absent) - 1.5*s.em // which may be below the label
	for _, m := range scaleMarks(of, s.free.Size().Y, s.em) {
		widest = max(widest, t.Width(m.name))
	}
	return (1.2+scaleWidth+scaleTick+0.3+0.3+leading)*s.em + min(widest, 0.2*s.free.Size().X)
}

// drawScale draws the colour bar beside the cells from the given place on, its
// numbers and its label, and the sample of an absent cell below.
func (s *sheet) drawScale(of scale, name string, missing bool, x vg.Length, within vg.Rectangle) {
	em, t := s.em, s.regular()
	t.XAlign = text.XLeft
	bar := vg.Rectangle{Min: vg.Point{X: x, Y: within.Min.Y + 0.5*em}, Max: vg.Point{X: x + scaleWidth*em, Y: within.Max.Y}}
	after := bar.Max.X + (scaleTick+0.3)*em
	room := s.free.Max.X - after - (leading+0.3)*em
	if missing {
		bar.Min.Y += 1.8 * em
		sample := vg.Rectangle{Min: vg.Point{X: x, Y: within.Min.Y + 0.1*em}, Max: vg.Point{X: bar.Max.X, Y: within.Min.Y + 0.9*em}}
		drawAbsent(s.c, sample)
		s.write(t, after, within.Min.Y+0.5*em, cut(t, absent, s.free.Max.X-after))
	}
	const steps = 128
	for i := range steps {
		low := bar.Min.Y + bar.Size().Y*vg.Length(i)/steps
		fill(s.c, of.color(of.low+(float64(i)+0.5)/steps*(of.high-of.low)), vg.Rectangle{Min: vg.Point{X: bar.Min.X, Y: low}, Max: bar.Max})
	}
	for _, m := range scaleMarks(of, bar.Size().Y, em) {
		y := bar.Min.Y + reach(of).share(m.value)*bar.Size().Y
		s.c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.5}, bar.Max.X, y, bar.Max.X+scaleTick*em, y)
		s.write(t, after, y, cut(t, m.name, room))
	}
	upright := s.regular()
	upright.Rotation = math.Pi / 2
	s.write(upright, s.free.Max.X-0.5*leading*em, (bar.Min.Y+bar.Max.Y)/2, cut(upright, label(name), bar.Size().Y))
}
