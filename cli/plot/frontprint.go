package plot

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// printed implements Drawing.
func (v Front) printed(width, height vg.Length) (figure, error) {
	if err := v.check(); err != nil {
		return figure{}, err
	}
	width, height = shaped(width, height)
	return figure{width, height, func(c draw.Canvas) { v.drawPrinted(newSheet(c, printSize)) }}, nil
}

// scene is a front while it is drawn on a panel.
type scene struct {
	panel
	crowd
	looks  []look
	labels []placed
}

// placed is a label that has found its place.
type placed struct {
	spot
	words string
	bold  bool
}

// drawPrinted draws the front on a sheet: lines, bars and points, then labels
// where these leave room.
func (v Front) drawPrinted(s *sheet) {
	s.heading(v.Title)
	s.legend(v.keys(), s.free.Size().X)
	x, y := v.reaches()
	p := s.newPanel(axes{
		xName: v.XLabel, yName: v.YLabel, x: x, y: y, yUnit: v.YUnit, right: 0.8 * s.em,
		xMarks: func(width vg.Length) []mark {
			return s.fitting(x, width, func(most int) []mark { return percentMarks(x, most, percentName(v.XUnit)) })
		},
	})
	sc := &scene{panel: p, crowd: crowd{area: p.area}, looks: v.looks()}
	sc.drawLines(v)
	for i, cloud := range v.Clouds {
		sc.drawBars(cloud, sc.looks[i])
	}
	for _, marked := range []bool{false, true} {
		for i := len(v.Clouds) - 1; i >= 0; i-- { // the most important on top
			if v.Clouds[i].Marked == marked {
				sc.drawPoints(v.Clouds[i], sc.looks[i])
			}
		}
	}
	sc.placeLabels(v)
	sc.drawLabels()
}

// reaches returns the ranges of both axes: points, bars and lines.
func (v Front) reaches() (x, y reach) {
	xs, ys := append([]float64{}, v.X...), append([]float64{}, v.Y...)
	for _, c := range v.Clouds {
		for _, values := range [][]float64{c.X, c.XLow, c.XHigh} {
			xs = append(xs, values...)
		}
		for _, values := range [][]float64{c.Y, c.YLow, c.YHigh} {
			ys = append(ys, values...)
		}
	}
	if c := v.Chord; c != nil {
		xs, ys = append(xs, c.X0, c.X1), append(ys, c.Y0, c.Y1)
	}
	for _, g := range v.Gates {
		ys = append(ys, g.Y)
	}
	return around(xs, 0.1), around(ys, 0.1) // labels stand there, too
}

// look is the markers of a cloud.
type look struct {
	glyph  draw.GlyphStyle
	marked bool
}

// markedColors fill marked points, which have a black edge: from white to black
// and in colours of Okabe and Ito that no other point has.
var markedColors = []color.Color{color.White, color.Black, color.NRGBA{R: 0xF0, G: 0xE4, B: 0x42, A: 0xFF}, okabeIto[4]}

// looks returns the markers of all clouds: marked ones are counted apart.
func (v Front) looks() []look {
	result, marked, others := make([]look, len(v.Clouds)), 0, 0
	for i, c := range v.Clouds {
		if c.Marked {
			result[i] = look{draw.GlyphStyle{Color: markedColors[marked%len(markedColors)], Radius: 3, Shape: shapes[marked%3]}, true}
			marked++
			continue
		}
		result[i].glyph = draw.GlyphStyle{Color: okabeIto[others%len(okabeIto)], Radius: 2, Shape: shapes[others%len(shapes)]}
		others++
	}
	return result
}

// draw draws a marker.
func (l look) draw(c draw.Canvas, at vg.Point) {
	if !l.marked {
		drawMarker(c, l.glyph, at)
		return
	}
	edge := l.glyph
	edge.Color, edge.Radius = color.Black, edge.Radius+0.8
	if _, ok := edge.Shape.(draw.PyramidGlyph); ok {
		edge.Radius += 0.8
	}
	drawMarker(c, edge, at)
	c.DrawGlyphNoClip(l.glyph, at)
}

// keys are the entries of the legend.
func (v Front) keys() (keys []key) {
	looks := v.looks()
	for i, c := range v.Clouds {
		if c.Name != "" {
			keys = append(keys, key{c.Name, func(to draw.Canvas, r vg.Rectangle) {
				looks[i].draw(to, vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2})
			}})
		}
	}
	if c := v.Chord; c != nil && c.Label != "" {
		keys = append(keys, key{c.Label, func(to draw.Canvas, r vg.Rectangle) {
			y := (r.Min.Y + r.Max.Y) / 2
			to.StrokeLine2(chordStyle, r.Min.X, y, r.Max.X, y)
		}})
	}
	return keys
}

// drawLines draws gates, the chord and the line of the front.
func (sc *scene) drawLines(v Front) {
	for _, g := range v.Gates {
		sc.line(gateStyle, vg.Point{X: sc.panel.area.Min.X, Y: sc.at(0, g.Y).Y}, vg.Point{X: sc.panel.area.Max.X, Y: sc.at(0, g.Y).Y})
	}
	if c := v.Chord; c != nil {
		sc.line(chordStyle, sc.at(c.X0, c.Y0), sc.at(c.X1, c.Y1))
	}
	for i := 1; i < len(v.X); i++ {
		sc.line(draw.LineStyle{Color: color.Gray{Y: 0x8C}, Width: 1}, sc.at(v.X[i-1], v.Y[i-1]), sc.at(v.X[i], v.Y[i]))
	}
}

// line draws a line from which labels keep clear.
func (sc *scene) line(style draw.LineStyle, a, b vg.Point) {
	sc.c.StrokeLine2(style, a.X, a.Y, b.X, b.Y)
	sc.lines = append(sc.lines, [2]vg.Point{a, b})
}

// drawBars draws the error crosses of a cloud.
func (sc *scene) drawBars(c Cloud, l look) {
	style := draw.LineStyle{Color: l.glyph.Color, Width: 0.7}
	if l.marked {
		style.Color = color.Gray{Y: 0x50}
	}
	for k := range c.X {
		if !math.IsNaN(c.XLow[k]) && !math.IsNaN(c.XHigh[k]) {
			sc.line(style, sc.at(c.XLow[k], c.Y[k]), sc.at(c.XHigh[k], c.Y[k]))
		}
		if !math.IsNaN(c.YLow[k]) && !math.IsNaN(c.YHigh[k]) {
			sc.line(style, sc.at(c.X[k], c.YLow[k]), sc.at(c.X[k], c.YHigh[k]))
		}
	}
}

// drawPoints draws the points of a cloud.
func (sc *scene) drawPoints(c Cloud, l look) {
	radius := l.glyph.Radius
	for k := range c.X {
		at := sc.at(c.X[k], c.Y[k])
		l.draw(sc.c, at)
		sc.marks = append(sc.marks, boxAt(vg.Point{X: at.X - radius, Y: at.Y - radius}, 2*radius, 2*radius))
	}
}

// placeLabels finds places: for marked points wherever there is one, then for
// gates, and then for other points where one is free beside them.
func (sc *scene) placeLabels(v Front) {
	regular, bold := sc.regular(), sc.bold()
	most := 0.6 * sc.panel.area.Size().X
	size := func(t text.Style, words string) (vg.Length, vg.Length) {
		return t.Width(words) + 0.3*sc.em, room * sc.em
	}
	place := func(c Cloud, i, k int, t text.Style) {
		at, radius := sc.at(c.X[k], c.Y[k]), sc.looks[i].glyph.Radius
		for limit := most; limit > 2*sc.em; limit /= 2 {
			words := cut(t, label(c.Labels[k]), limit)
			width, height := size(t, words)
			spots := nearby(at, radius, width, height)
			if c.Marked {
				spots = append(spots, faraway(at, radius+0.8, width, height)...)
			}
			if sc.add(spots, words, c.Marked, c.Marked) || !c.Marked {
				return
			}
		}
	}
	each := func(marked bool, t text.Style) {
		for i, c := range v.Clouds {
			for k, words := range c.Labels {
				if c.Marked == marked && words != "" {
					place(c, i, k, t)
				}
			}
		}
	}
	each(true, bold)
	for _, g := range v.Gates {
		words, y := cut(regular, label(g.Label), most), sc.at(0, g.Y).Y
		width, height := size(regular, words)
		sc.add(sc.alongside(y, width, height), words, false, true)
	}
	each(false, regular)
}

// add places a label at the best of some spots: wherever there is no other if it
// must be seen, and otherwise only where it covers no point and crosses no line.
func (sc *scene) add(spots []spot, words string, bold, must bool) bool {
	if words == "" {
		return true
	}
	most := lineCost - nextCost
	if must {
		most = math.MaxFloat64
	}
	best, ok := sc.best(spots, most)
	if ok {
		sc.take(best)
		sc.labels = append(sc.labels, placed{best, words, bold})
	}
	return ok
}

// drawLabels writes the labels upon a veil over what is below them.
func (sc *scene) drawLabels() {
	for _, l := range sc.labels {
		veil := l.box
		veil.Min.Y, veil.Max.Y = veil.Min.Y+0.1*sc.em, veil.Max.Y-0.1*sc.em
		fill(sc.c, color.NRGBA{R: 0xFF, G: 0xFF, B: 0xFF, A: 0xB0}, veil)
	}
	for _, l := range sc.labels {
		t := sc.regular()
		if l.bold {
			t = sc.bold()
		}
		if l.leader != nil {
			sc.c.StrokeLines(draw.LineStyle{Color: ink, Width: 0.4}, l.leader)
		}
		sc.write(t, (l.box.Min.X+l.box.Max.X)/2, (l.box.Min.Y+l.box.Max.Y)/2, l.words)
	}
}
