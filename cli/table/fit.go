package table

import (
	"slices"
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
	for j, column := range columns {
		cut := head
		if column.Tail || different(cells, j, widths[j], tail) > different(cells, j, widths[j], head) {
			cut = tail
		}
		for _, line := range cells {
			line[j] = shortened(line[j], widths[j], cut)
		}
	}
}

// shortened is a cell of at most so many columns.
func shortened(cell string, width int, cut func(cell string, width int) string) string {
	if text.StringWidthWithoutEscSequences(cell) <= width {
		return cell
	}
	return cut(cell, width)
}

// different counts the cells of a column that can be told from each other when
// they are shortened.
func different(cells [][]string, j, width int, cut func(cell string, width int) string) int {
	seen := map[string]bool{}
	for _, line := range cells {
		seen[shortened(line[j], width, cut)] = true
	}
	return len(seen)
}

// spare leaves out spare columns until the table is at most width columns wide.
func spare(columns []Column, cells [][]string, width int) ([]Column, [][]string) {
	for j := len(columns) - 1; j >= 0 && width > 0 && total(measure(cells)) > width; j-- {
		if !columns[j].Spare {
			continue
		}
		columns = slices.Delete(slices.Clone(columns), j, j+1)
		for i, line := range cells {
			cells[i] = slices.Delete(line, j, j+1)
		}
	}
	return columns, cells
}

// total is the width of a table of columns of these widths.
func total(widths []int) int {
	sum := (len(widths) - 1) * len(" | ")
	for _, w := range widths {
		sum += w
	}
	return sum
}

// head cuts the end of a cell.
func head(cell string, width int) string { return text.Snip(cell, width, "…") }

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
	shrunk := false
	for total := total(widths); total > width; total-- {
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
