package table

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Column describes one column of a table.
type Column struct {
	// Name is the head of the column, printed as it is given.
	Name string
	// Right aligns the column to the right, as befits numbers. Such a column
	// is never shortened.
	Right bool
	// Tail keeps the end of cells that are shortened, and cuts their
	// beginning: of the name of a tensor it is the end that tells.
	Tail bool
	// Spare columns are left out, the last one first, of a table that is wider
	// than its place.
	Spare bool
}

// Options says how a table is to look.
type Options struct {
	// Color prints the head in bold with the escape sequences of ANSI X3.64.
	// Whether the output is a terminal that shows them is for the caller to
	// know.
	Color bool
	// Width is the number of terminal columns to fit into; 0 sets no limit.
	Width int
}

// Render writes rows under the heads of the columns, one line for each row,
// with light lines between the columns and below the head, and none around
// the table. No line ends in a blank.
//
// If the table is wider than o.Width, spare columns are left out until it fits.
// Then the widest of the left-aligned columns is shortened, again and again, with
// an ellipsis at the end of each cell that lost letters, or at its beginning if
// the column says so or if more of its cells can be told from each other then. No
// column gets narrower than eight letters by this, and numbers, aligned to the
// right, are never cut: a table that does not fit then is left too wide.
//
// Control characters in a cell, such as an escape sequence or a line break in
// the name of a tensor from an untrusted file, are printed as U+FFFD. The error
// is that of w. Render panics if there are no columns, or if a row has not as
// many cells as there are columns.
func Render(w io.Writer, columns []Column, rows [][]string, o Options) error {
	cells := clean(columns, rows)
	columns, cells = spare(columns, cells, o.Width)
	fit(columns, cells, o.Width)
	writer := newWriter(columns)
	writer.AppendHeader(row(cells[0]))
	for _, line := range cells[1:] {
		writer.AppendRow(row(line))
	}
	lines := strings.Split(writer.Render(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(inner(lines[i]), " ")
	}
	if o.Color {
		lines[0] = "\x1b[1m" + lines[0] + "\x1b[0m"
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// inner cuts the padding that go-pretty puts before the first column and after
// the last one even if there is no border to keep away from.
func inner(line string) string {
	runes := []rune(line)
	return string(runes[1 : len(runes)-1])
}

// clean returns the heads and the rows as one grid of printable cells, the
// heads first.
func clean(columns []Column, rows [][]string) [][]string {
	if len(columns) == 0 {
		panic("table: no columns")
	}
	cells := make([][]string, 1, len(rows)+1)
	for _, column := range columns {
		cells[0] = append(cells[0], Printable(column.Name))
	}
	for i, given := range rows {
		if len(given) != len(columns) {
			panic(fmt.Sprintf("table: row %d has %d cells for %d columns", i, len(given), len(columns)))
		}
		line := make([]string, len(given))
		for j, cell := range given {
			line[j] = Printable(cell)
		}
		cells = append(cells, line)
	}
	return cells
}

// Printable replaces what could move the cursor, change colours or reverse the
// direction of writing.
func Printable(cell string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return unicode.ReplacementChar
		}
		return r
	}, cell)
}

// newWriter returns an empty table in the style described at Render.
func newWriter(columns []Column) table.Writer {
	writer := table.NewWriter()
	style := table.StyleLight
	style.Options.DrawBorder = false
	style.Format.Header = text.FormatDefault
	writer.SetStyle(style)
	configs := make([]table.ColumnConfig, len(columns))
	for i, column := range columns {
		align := text.AlignLeft
		if column.Right {
			align = text.AlignRight
		}
		configs[i] = table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align}
	}
	writer.SetColumnConfigs(configs)
	return writer
}

// row is a line of cells in the type that go-pretty takes.
func row(cells []string) table.Row {
	result := make(table.Row, len(cells))
	for i, cell := range cells {
		result[i] = cell
	}
	return result
}
