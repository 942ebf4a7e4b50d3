package memo

import (
	"fmt"
	"time"
)

// Memo is what one release decision needs on paper. Its texts are plain; line
// breaks in them count as blanks, but for those of [Code].
type Memo struct {
	// Title and Subtitle head the first page.
	Title, Subtitle string
	// Date stands beside the title and is the date of the files: that of the
	// plan, not of today, so that a memo rendered again is the same. The zero time
	// is that of a memo that somebody has yet to date.
	Date time.Time
	// Footer stands at the foot of each page, before its number.
	Footer string
	// Pages are the three pages, each of which fills at most one sheet.
	Pages [3]Page
}

// Page is one sheet of A4.
type Page struct {
	Heading string
	Blocks  []Block
}

// Block is a part of a page: a [Paragraph], [Heading], [Verdict], [Numbers],
// [Table], [Figures], [List] or [Code].
type Block interface {
	// check panics if the parts of the block do not fit each other.
	check()
	// texts returns the texts of the block in reading order, for the linter.
	texts() []string
	// markdown returns the block as GFM, without blank lines around it.
	markdown() string
	// lay measures the block for a PDF, so many points wide.
	lay(s setting, width float64) box
	// size says what the block is counted in, and how many of them it has; keep
	// returns it with the first n of them.
	size() (unit, int)
	keep(n int) Block
}

// Paragraph is running text.
type Paragraph struct{ Text string }

// Heading stands above the blocks that follow it.
type Heading struct{ Text string }

// Verdict is a box with one word and the sentence that explains it. Good and Bad
// choose how it is drawn, and neither is a verdict between; both at once panic.
type Verdict struct {
	Word, Sentence string
	Good, Bad      bool
}

// Numbers is a row of large figures, three on a page's width.
type Numbers []Number

// Number is one large figure: its value with its unit, what it is, and its
// interval and n.
type Number struct{ Value, Label, Detail string }

// Table is a ruled table. Each row has as many cells as there are columns.
type Table struct {
	Caption string
	Columns []Column
	Rows    [][]string
	// Marks says which cells are good or bad news. A mark is a sign beside the
	// cell, and bold type if it is bad: never colour alone.
	Marks map[Cell]Mark
}

// Column is one column of a [Table]. Right aligns it at the right, for numbers,
// which are then never broken into lines unless they are wider than half the
// page. Width is its weight when the columns share what room is left; 0 counts
// as 1 for columns at the left, and as none for those at the right.
type Column struct {
	Name  string
	Right bool
	Width float64
}

// Cell is the place of a cell in a [Table], from 0.
type Cell struct{ Row, Column int }

// Mark is a judgement of a cell.
type Mark int

// The marks of a cell.
const (
	None Mark = iota
	Good
	Bad
)

// Figures is a row of figures, side by side and equally high.
type Figures []Figure

// Figure is a picture. Name is that of its file without a folder, such as
// "front.png"; the Markdown links to figures/NAME.
type Figure struct {
	Name         string
	PNG          []byte
	Caption, Alt string
}

// List is items with a dash before each.
type List struct{ Items []string }

// Code is text in type of one width, whose line breaks count. It is for commands
// and hashes; the linter does not read it.
type Code struct{ Text string }

// check panics if the memo is put together wrongly.
func (m *Memo) check() {
	for _, page := range m.Pages {
		for _, block := range page.Blocks {
			block.check()
		}
	}
}

func (Paragraph) check() {}
func (Heading) check()   {}
func (Numbers) check()   {}
func (List) check()      {}
func (Code) check()      {}

func (f Figures) check() {
	for _, figure := range f {
		if figure.Name == "" {
			panic(fmt.Sprintf("memo: the figure %q has no name", figure.Caption))
		}
	}
}

func (v Verdict) check() {
	if v.Good && v.Bad {
		panic(fmt.Sprintf("memo: the verdict %q is both good and bad", v.Word))
	}
}

func (t Table) check() {
	for i, row := range t.Rows {
		if len(row) != len(t.Columns) {
			panic(fmt.Sprintf("memo: row %d of the table %q has %d cells, not %d", i, t.Caption, len(row), len(t.Columns)))
		}
	}
	for cell := range t.Marks {
		if cell.Row < 0 || cell.Row >= len(t.Rows) || cell.Column < 0 || cell.Column >= len(t.Columns) {
			panic(fmt.Sprintf("memo: the table %q has no cell %d, %d to mark", t.Caption, cell.Row, cell.Column))
		}
	}
}
