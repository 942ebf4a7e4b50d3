package table

import (
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
)

// narrowest is the width below which no column is shortened: enough to tell
// one short name from another.
const narrowest = 8

// fit shortens cells, whose first line holds the heads, until the table is at
// most width columns wide, as described at Render.
func fit(columns []Column, cells [][]string, width int) {
	widths := measure(cells)
	if width <= 0 || !shrink(columns, widths, width) {
		return
	}
	for _, line := range cells {
		for j, cell := range line {
			switch over := text.StringWidthWithoutEscSequences(cell) - widths[j]; {
			case over > 0 && columns[j].Tail:
				line[j] = tail(cell, widths[j])
			case over > 0:
				line[j] = text.Snip(cell, widths[j], "…")
			}
		}
	}
}

// tail cuts the beginning of a cell.
func tail(cell string, width int) string {
	for text.StringWidthWithoutEscSequences(cell) > width-1 {
		_, size := utf8.DecodeRuneInString(cell)
		cell = cell[size:]
	}
	return "…" + cell
}

// measure returns the width of each column: that of its widest cell.
func measure(cells [][]string) []int {
	widths := make([]int, len(cells[0]))
	for _, line := range cells {
		for j, cell := range line {
			widths[j] = max(widths[j], text.StringWidthWithoutEscSequences(cell))
		}
	}
	return widths
}

// shrink narrows the widest left-aligned column by one until the table fits or
// none can be narrowed, and reports whether it narrowed any. Ties go to the
// column further left.
func shrink(columns []Column, widths []int, width int) bool {
	total := (len(widths) - 1) * len(" | ")
	for _, w := range widths {
		total += w
	}
	shrunk := false
	for ; total > width; total-- {
		widest := -1
		for j, column := range columns {
			if !column.Right && widths[j] > narrowest && (widest < 0 || widths[j] > widths[widest]) {
				widest = j
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
		shrunk = true
	}
	return shrunk
}
