package plot

import (
	"image/color"
	"slices"
	"sort"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// beside is the names of lines at their ends, in a column to the right of a
// panel. They take the place of a legend.
type beside struct {
	s     *sheet
	names []endName
	width vg.Length // of the texts
}

// endName is one of them, and the line that leads to it.
type endName struct {
	text string
	key  func(c draw.Canvas, r vg.Rectangle)
	from vg.Point // where its line ends
	led  bool     // whether a leader joins both
}

// gutter is the white between a panel and the names of its lines, which leaders
// cross, and leadOff that between a sign and its text, in the size of type.
const (
	gutter = 1.1
	signs  = keyWidth + 0.35
)

// newBeside plans names as wide as they need, but at most a third of the figure.
func newBeside(s *sheet, texts []string) beside {
	most, t := 0.36*s.free.Size().X-(gutter+signs)*s.em, s.regular()
	width, names := vg.Length(0), 0
	for _, words := range texts {
		if words != "" {
			names++
		}
		for _, line := range fold(t, words, most, 2) {
			width = max(width, t.Width(line))
		}
	}
	if names > 8 { // there may be no room for all
		width = max(width, min(most, t.Width(more(names))))
	}
	return beside{s: s, width: width}
}

// add gives a line its name; led says whether a leader joins both. Lines without
// a name have none.
func (b *beside) add(name string, key func(draw.Canvas, vg.Rectangle), from vg.Point, led bool) {
	if name != "" {
		b.names = append(b.names, endName{name, key, from, led})
	}
}

// room returns how much of the sheet the names take.
func (b beside) room() vg.Length {
	if b.width == 0 {
		return 0
	}
	return b.width + (gutter+signs)*b.s.em
}

// draw writes the names as near to the ends of their lines as they have room
// between two heights: those that come first in the list, if not all have. Names
// of two lines are cut to one before any is left out.
func (b beside) draw(edge, low, high vg.Length) {
	if b.width == 0 {
		return
	}
	t, em := b.s.regular(), b.s.em
	t.XAlign = text.XLeft
	height := func(lines []string) vg.Length { return (vg.Length(len(lines)-1)*leading + 1.15) * em }
	var blocks [][]string
	for most := 2; most > 0; most-- {
		blocks = nil
		total := vg.Length(0)
		for _, n := range b.names {
			lines := fold(t, n.text, b.width, most)
			blocks = append(blocks, lines)
			total += height(lines)
		}
		if total <= high-low {
			break
		}
	}
	names := slices.Clone(b.names)
	if fit := int((high - low) / (1.15 * em)); fit < len(names) && height(blocks[0])*vg.Length(len(names)) > high-low {
		fit = max(fit, 1)
		left := more(len(names) - fit + 1)
		names, blocks = append(names[:fit-1:fit-1], endName{text: left, from: vg.Point{Y: low}}), append(blocks[:fit-1:fit-1], []string{cut(t, left, b.width)})
	}
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return names[order[i]].from.Y < names[order[j]].from.Y })
	wanted, heights := make([]vg.Length, len(order)), make([]vg.Length, len(order))
	for k, i := range order {
		wanted[k], heights[k] = names[i].from.Y, height(blocks[i])
	}
	for k, y := range apart(wanted, heights, low, high) {
		b.drawName(names[order[k]], blocks[order[k]], edge, y)
	}
}

// drawName draws one name with its middle at y.
func (b beside) drawName(n endName, lines []string, edge, y vg.Length) {
	t, em := b.s.regular(), b.s.em
	t.XAlign = text.XLeft
	left := edge + gutter*em
	first := y + vg.Length(len(lines)-1)*leading*em/2 // of the first line
	if n.led {
		b.s.c.StrokeLines(draw.LineStyle{Color: color.Gray{Y: 0x9C}, Width: 0.4}, []vg.Point{n.from, {X: max(edge, n.from.X), Y: n.from.Y}, {X: left - 0.15*em, Y: first}})
	}
	if n.key != nil {
		n.key(b.s.c, vg.Rectangle{Min: vg.Point{X: left, Y: first - em/2}, Max: vg.Point{X: left + keyWidth*em, Y: first + em/2}})
	}
	for i, line := range lines {
		b.s.write(t, left+signs*em, first-vg.Length(i)*leading*em, line)
	}
}

// apart moves blocks of the given heights as little as it can, by least squares,
// so that none is upon another and all are within the bounds. The wanted places
// of their middles ascend. This is isotonic regression by pooling of adjacent
// violators (Barlow et al., "Statistical Inference under Order Restrictions",
// 1972), after taking off the height of the blocks below.
func apart(wanted, heights []vg.Length, low, high vg.Length) []vg.Length {
	type pool struct {
		sum vg.Length
		n   int
	}
	mean := func(p pool) vg.Length { return p.sum / vg.Length(p.n) }
	var pools []pool
	below, total := make([]vg.Length, len(wanted)), vg.Length(0)
	for i, h := range heights {
		below[i] = total + h/2
		total += h
		p := pool{wanted[i] - below[i], 1}
		for len(pools) > 0 && mean(pools[len(pools)-1]) > mean(p) {
			last := pools[len(pools)-1]
			p, pools = pool{p.sum + last.sum, p.n + last.n}, pools[:len(pools)-1]
		}
		pools = append(pools, p)
	}
	result := make([]vg.Length, 0, len(wanted))
	for _, p := range pools {
		for range p.n {
			i := len(result)
			result = append(result, max(low, min(mean(p), high-total))+below[i])
		}
	}
	return result
}
