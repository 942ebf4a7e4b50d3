package memo

import (
	"slices"
	"sort"
)

// steps are the sizes that a page is tried in, the largest first: figures give
// way before the type does.
var steps = []setting{
	{body: 9.5, figure: 235}, {body: 9.5, figure: 205}, {body: 9.5, figure: 180},
	{body: 9, figure: 180}, {body: 9, figure: 160}, {body: 8.5, figure: 160}, {body: 8.5, figure: 145},
	{body: 8, figure: 145}, {body: 8, figure: 130}, {body: 7.5, figure: 130}, {body: 7.5, figure: 115},
	{body: 7, figure: 115}, {body: 7, figure: 100}, {body: 7, figure: 85},
}

// fitted lays out blocks in the largest sizes at which they are no higher than
// height. If there are none, it leaves out as little as it can at the smallest:
// rows of the longest tables, then items, lines of code, words and figures of
// the longest of the others, and if even the least of each is too much, whole
// blocks at the end.
func fitted(blocks []Block, p pictures, width, height float64) box {
	var s setting
	parts := prepared(blocks)
	whole := len(parts) == len(blocks)
	for _, s = range steps {
		s.limits, s.pictures = most, p
		if column := s.column(parts, width, height); whole && column.height <= height {
			return column
		}
	}
	for unit := range s.limits {
		most := s.limits[unit]
		at := func(limit int) box {
			s.limits[unit] = limit
			return s.column(parts, width, height)
		}
		fits := sort.Search(most-least[unit], func(n int) bool { return at(most-n).height <= height })
		if column := at(most - fits); whole && column.height <= height {
			return column
		}
	}
	shown := func(n int) box {
		note := Paragraph{missing(len(blocks)-n, "part")}
		return s.column(append(slices.Clip(parts[:n]), part{Block: note, unit: words}), width, height)
	}
	n := sort.Search(len(parts), func(n int) bool { return shown(n+1).height > height })
	return shown(n)
}

// gap is the white between two blocks.
func (s setting) gap() float64 { return 0.85 * s.body }

// column sets blocks below each other, until they are too high. A heading has
// more white above it than below. White that is left on the page goes between
// the blocks, up to half as much again as there is.
func (s setting) column(blocks []part, width, height float64) box {
	var (
		boxes []box
		gaps  []float64 // above each box
		total float64
	)
	previous := Block(nil)
	for _, block := range blocks {
		b := s.limited(block, width)
		if b.height == 0 {
			continue
		}
		gap := s.above(block.Block, previous)
		boxes, gaps, previous = append(boxes, b), append(gaps, gap), block.Block
		if total += b.height + gap; total > height {
			break
		}
	}
	return box{total, func(c *canvas, x, y float64) {
		stretch := stretched(gaps, height-total)
		for i, b := range boxes {
			y += gaps[i] * stretch
			b.draw(c, x, y)
			y += b.height
		}
	}}
}

// above is the white between a block and the one before, if there is one.
func (s setting) above(block, previous Block) float64 {
	_, heading := block.(Heading)
	_, under := previous.(Heading)
	switch {
	case previous == nil:
		return 0
	case under:
		return 0.25 * s.body
	case heading:
		return 1.35 * s.body
	}
	return s.gap()
}

// stretched is by how much gaps grow to fill what is left of a page.
func stretched(gaps []float64, left float64) float64 {
	sum := 0.0
	for _, gap := range gaps {
		sum += gap
	}
	if sum == 0 || left <= 0 {
		return 1
	}
	return min(1.5, 1+left/sum)
}
