package plot

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// printDashes tell lines apart in greyscale, where their colours do not.
var printDashes = [][]vg.Length{nil, {4, 1.6}, {1.4, 1.4}, {6, 1.5, 1.4, 1.5}}

// golden is the shape of figures for which only the width or height is given.
const golden = 1.5

// shaped fills in the width or the height that is not given.
func shaped(width, height vg.Length) (vg.Length, vg.Length) {
	if width == 0 {
		width = height * golden
	}
	if height == 0 {
		height = width / golden
	}
	return width, height
}

// printed implements Drawing.
func (v Curve) printed(width, height vg.Length) (figure, error) {
	if err := v.check(); err != nil {
		return figure{}, err
	}
	width, height = shaped(width, height)
	return figure{width, height, func(c draw.Canvas) { v.drawPrinted(newSheet(c, printSize)) }}, nil
}

// drawPrinted draws the curve on a sheet: what lies lowest first.
func (v Curve) drawPrinted(s *sheet) {
	s.heading(v.Title)
	texts := []string{}
	for _, line := range v.Lines {
		texts = append(texts, line.Name)
	}
	for _, gate := range v.Gates {
		texts = append(texts, gate.Label)
	}
	names := newBeside(s, texts)
	xs := v.xs()
	x := around(xs, 0.05)
	p := s.newPanel(axes{
		xName: v.XLabel, yName: v.YLabel, x: x, y: around(v.ys(), 0.05), right: max(names.room(), s.em),
		xMarks: func(width vg.Length) []mark { return s.thinned(xs, x, width) },
	})
	for _, gate := range v.Gates {
		at := p.at(0, gate.Y).Y
		s.c.StrokeLine2(gateStyle, p.area.Min.X, at, p.area.Max.X, at)
	}
	traces := make([]trace, len(v.Lines))
	for i, line := range v.Lines {
		traces[i] = p.newTrace(line, i, v.aside(i, p))
		traces[i].drawBand(s.c)
	}
	for i := range v.Lines {
		traces[i].draw(s.c)
		names.add(v.Lines[i].Name, traces[i].key, traces[i].end(), traces[i].reaches(p, xs))
	}
	for _, gate := range v.Gates {
		names.add(gate.Label, gateKey, vg.Point{X: p.area.Max.X, Y: p.at(0, gate.Y).Y}, true)
	}
	names.draw(p.area.Max.X, s.free.Min.Y+vg.Length(max(1, len(s.xLines(v.XLabel))))*leading*s.em, s.free.Max.Y)
}

// ys returns every height that is drawn.
func (v Curve) ys() (ys []float64) {
	for _, line := range v.Lines {
		for i, y := range line.Y {
			low, high := line.bar(i)
			ys = append(ys, y, low, high)
		}
	}
	for _, gate := range v.Gates {
		ys = append(ys, gate.Y)
	}
	return ys
}

// aside returns by how much line i is moved to the right so that error bars at
// one x stand side by side, as shift does: at most 3.5 points from line to line.
// Bands need no such thing.
func (v Curve) aside(i int, p panel) vg.Length {
	barred, place := 0, 0
	for k, line := range v.Lines {
		if line.Low != nil && !line.Band {
			if k < i {
				place++
			}
			barred++
		}
	}
	xs := v.xs()
	if barred < 2 || len(xs) < 2 || v.Lines[i].Low == nil || v.Lines[i].Band {
		return 0
	}
	closest := p.area.Size().X
	for k := range xs[1:] {
		closest = min(closest, (p.x.share(xs[k+1])-p.x.share(xs[k]))*p.area.Size().X)
	}
	step := min(3.5, closest/3/vg.Length(barred-1))
	return (vg.Length(place) - vg.Length(barred-1)/2) * step
}

// trace is a line of a curve as it is drawn on a panel.
type trace struct {
	points, low, high []vg.Point // low and high have NaN where there is no bar
	lastX             float64
	band              bool
	hue               color.NRGBA
	stroke            draw.LineStyle
	glyph             draw.GlyphStyle
}

// newTrace returns line i of a curve, moved to the right.
func (p panel) newTrace(line Line, i int, aside vg.Length) trace {
	hue := okabeIto[i%len(okabeIto)].(color.NRGBA)
	t := trace{
		band: line.Band, hue: hue, lastX: math.Inf(-1),
		stroke: draw.LineStyle{Color: hue, Width: 1.1, Dashes: printDashes[i%len(printDashes)]},
		glyph:  draw.GlyphStyle{Color: hue, Radius: 2, Shape: shapes[i%len(shapes)]},
	}
	for k, y := range line.Y {
		if math.IsNaN(y) {
			continue
		}
		low, high := line.bar(k)
		for _, end := range []struct {
			to *[]vg.Point
			y  float64
		}{{&t.points, y}, {&t.low, low}, {&t.high, high}} {
			at := p.at(line.X[k], end.y)
			at.X += aside
			*end.to = append(*end.to, at)
		}
		t.lastX = line.X[k]
	}
	return t
}

// drawBand fills the interval between points that have one, over each run of
// neighbours, and draws its edges.
func (t trace) drawBand(c draw.Canvas) {
	if !t.band {
		return
	}
	absent := func(i int) bool { return math.IsNaN(float64(t.low[i].Y)) }
	for from := 0; from < len(t.points); from++ {
		to := from
		for to < len(t.points) && !absent(to) {
			to++
		}
		if to-from == 1 {
			t.drawBar(c, from)
		}
		if to-from > 1 {
			outline := append([]vg.Point{}, t.high[from:to]...)
			for i := to - 1; i >= from; i-- {
				outline = append(outline, t.low[i])
			}
			c.FillPolygon(t.veil(0x30), outline)
			c.StrokeLines(draw.LineStyle{Color: t.veil(0x90), Width: 0.4}, t.low[from:to], t.high[from:to])
		}
		from = to
	}
}

// veil is the colour of the line, translucent.
func (t trace) veil(alpha uint8) color.Color {
	hue := t.hue
	hue.A = alpha
	return hue
}

// drawBar draws the error bar of a point.
func (t trace) drawBar(c draw.Canvas, i int) {
	const half = 1.4 // the width of a cap on either side
	bar, x := draw.LineStyle{Color: t.hue, Width: 0.7}, t.points[i].X
	c.StrokeLine2(bar, x, t.low[i].Y, x, t.high[i].Y)
	c.StrokeLine2(bar, x-half, t.low[i].Y, x+half, t.low[i].Y)
	c.StrokeLine2(bar, x-half, t.high[i].Y, x+half, t.high[i].Y)
}

// draw draws the line, then bars and markers upon it. Markers that would lie
// upon the one before are left out.
func (t trace) draw(c draw.Canvas) {
	c.StrokeLines(t.stroke, t.points)
	last := vg.Point{X: vg.Length(math.Inf(-1))}
	for i, at := range t.points {
		if !t.band && !math.IsNaN(float64(t.low[i].Y)) {
			t.drawBar(c, i)
		}
		if math.Hypot(float64(at.X-last.X), float64(at.Y-last.Y)) >= 2*float64(t.glyph.Radius) {
			drawMarker(c, t.glyph, at)
			last = at
		}
	}
}

// drawMarker clears the ground for a marker, lest a line cross a hollow one or
// it melt into its neighbour, and draws it.
func drawMarker(c draw.Canvas, glyph draw.GlyphStyle, at vg.Point) {
	ground := glyph
	ground.Color, ground.Radius = color.White, glyph.Radius+0.6
	switch glyph.Shape.(type) {
	case draw.BoxGlyph:
	case draw.PyramidGlyph:
		ground.Radius += 0.6 // as its edges are nearer to the middle than its corners
	default:
		ground.Shape = draw.CircleGlyph{}
	}
	c.DrawGlyphNoClip(ground, at)
	c.DrawGlyphNoClip(glyph, at)
}

// key draws the sign of the line, to stand beside its name.
func (t trace) key(c draw.Canvas, r vg.Rectangle) {
	at := vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}
	c.StrokeLine2(t.stroke, r.Min.X, at.Y, r.Max.X, at.Y)
	drawMarker(c, t.glyph, at)
}

// end returns where the line ends, to the right of its last marker.
func (t trace) end() vg.Point {
	if len(t.points) == 0 {
		return vg.Point{}
	}
	return t.points[len(t.points)-1].Add(vg.Point{X: t.glyph.Radius + 0.6})
}

// reaches reports whether the line ends at the right of the panel, so that a
// leader from there crosses nothing.
func (t trace) reaches(p panel, xs []float64) bool { return t.lastX == xs[len(xs)-1] }
