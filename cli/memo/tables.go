package memo

import (
	"maps"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// grid is a table whose columns have widths.
type grid struct {
	Table
	head, cell, strong letters
	at, widths         []float64 // left edge and width of each column
	mark               float64   // the room for a sign, where the column has one
	marked             []bool    // columns that have a mark
}

const (
	gutter      = 9.0 // between two columns
	cellLines   = 7   // of a cell at most
	mostColumns = 16  // each is still wide enough for three letters and a sign
)

// lay sets the caption, a rule, the names of the columns, a rule, the rows, and a
// rule. Columns at the right take the width of their longest cell; those at the
// left share the rest.
func (t Table) lay(s setting, width float64) box {
	l := s.text(regular, 0.9)
	caption := set(l, grey, l.lines(t.Caption, width, captionLines))
	if len(t.Columns) == 0 {
		return caption
	}
	if more := len(t.Columns) - mostColumns; more > 0 {
		return stack(0.25*s.body, t.narrowed().lay(s, width), s.note(more, "column"))
	}
	g := grid{Table: t, head: s.text(bold, 0.86), cell: s.text(regular, 0.93), strong: s.text(bold, 0.93)}
	g.measure(width)
	return stack(0.25*s.body, caption, g.ruled(width))
}

// narrowed is the table with as many columns as a page has room for.
func (t Table) narrowed() Table {
	t.Columns, t.Rows, t.Marks = t.Columns[:mostColumns], slices.Clone(t.Rows), maps.Clone(t.Marks)
	for i, row := range t.Rows {
		t.Rows[i] = row[:mostColumns]
	}
	maps.DeleteFunc(t.Marks, func(cell Cell, _ Mark) bool { return cell.Column >= mostColumns })
	return t
}

// measure chooses the widths of the columns.
func (g *grid) measure(width float64) {
	g.mark = 0.85 * g.cell.size
	g.marked = make([]bool, len(g.Columns))
	for cell, mark := range g.Marks {
		g.marked[cell.Column] = g.marked[cell.Column] || mark != None
	}
	room := width - gutter*float64(len(g.Columns)-1)
	g.widths = g.share(room)
	x := 0.0
	for _, w := range g.widths {
		g.at = append(g.at, x)
		x += w + gutter
	}
}

// share divides the room between the columns. First each gets what its longest
// word needs, or at the right its longest cell; then the columns at the left
// get, by weight, up to what keeps their cells on one line; and then what
// nobody asks for.
func (g *grid) share(room float64) []float64 {
	n := len(g.Columns)
	least, more, weights, equal := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for j, column := range g.Columns {
		least[j], more[j] = g.asks(j)
		more[j] -= least[j]
		equal[j], weights[j] = 1, column.Width
		if weights[j] == 0 && !column.Right {
			weights[j] = 1
		}
	}
	widths, rest := fill(room, least, equal)
	for _, w := range [][]float64{weights, equal} {
		var given []float64
		given, rest = fill(rest, more, w)
		floats.Add(widths, given)
		floats.Sub(more, given)
	}
	if floats.Sum(weights) == 0 {
		weights = equal
	}
	floats.AddScaled(widths, rest/floats.Sum(weights), weights)
	return widths
}

// fill pours room into vessels by weight until each is full to its capacity, as
// water finds its level, and returns how much each has and what is left over.
func fill(room float64, capacities, weights []float64) (filled []float64, rest float64) {
	filled = make([]float64, len(capacities))
	for range capacities {
		open := 0.0
		for j, c := range capacities {
			if filled[j] < c {
				open += weights[j]
			}
		}
		if open == 0 || room <= 0 {
			break
		}
		level := room / open // per weight, in this round
		for j, c := range capacities {
			if missing := c - filled[j]; missing > 0 && weights[j] > 0 {
				level = min(level, missing/weights[j])
			}
		}
		for j, c := range capacities {
			switch missing := c - filled[j]; {
			case missing <= 0 || weights[j] == 0:
			case missing <= level*weights[j]:
				filled[j] = c
				room -= missing
			default:
				filled[j] += level * weights[j]
				room -= level * weights[j]
			}
		}
	}
	return filled, max(0, room)
}

// asks is the width at which no word of column j is broken, and the one at which
// no cell is. Cells at the right are not broken at all. Neither is more than a
// name of so many letters asks for.
func (g *grid) asks(j int) (least, most float64) {
	longest := func(l letters, text string) (word, whole float64) {
		for _, w := range l.words(middle(text, 2*longestWord)) {
			word = max(word, l.width(middle(w, 24)))
		}
		return word, l.width(l.face.printable(middle(clean(text), longestWord)))
	}
	least, _ = longest(g.head, g.Columns[j].Name)
	for i, row := range g.Rows {
		word, whole := longest(g.letters(i, j), row[j])
		if g.Columns[j].Right {
			word = whole
		}
		least, most = max(least, word), max(most, whole)
	}
	const slack = 0.5 // rounding never breaks a line
	return g.room(j) + least + slack, g.room(j) + max(least, most) + slack
}

// letters is the type of a cell: bad ones are bold.
func (g *grid) letters(i, j int) letters {
	if g.Marks[Cell{i, j}] == Bad {
		return g.strong
	}
	return g.cell
}

// ruled draws the table without its caption.
func (g *grid) ruled(width float64) box {
	head := make([][]string, len(g.Columns))
	for j, column := range g.Columns {
		head[j] = g.head.lines(column.Name, g.widths[j]-g.room(j), headLines)
	}
	rows := []box{g.line(head, -1)}
	wrapped, height := false, 0.0
	for i, row := range g.Rows {
		if height > sheetHeight {
			break // too high already: it will be tried smaller or shorter
		}
		cells := make([][]string, len(row))
		for j, cell := range row {
			cells[j] = g.letters(i, j).lines(cell, g.widths[j]-g.room(j), cellLines)
			wrapped = wrapped || len(cells[j]) > 1
		}
		rows = append(rows, g.line(cells, i))
		height += rows[len(rows)-1].height
	}
	if len(g.Rows) == 0 {
		rows = append(rows, set(g.cell, grey, []string{noRows}))
	}
	const pad = 1.6
	for i := range rows {
		rows[i] = inset(rows[i], 0, pad, pad)
	}
	body := stack(0, rows...)
	return inset(box{body.height, func(c *canvas, x, y float64) {
		body.draw(c, x, y)
		c.rule(x, y, width, 0.9, ink)
		c.rule(x, y+body.height, width, 0.9, ink)
		for i, row := range rows[:len(rows)-1] {
			y += row.height
			if i == 0 {
				c.rule(x, y, width, 0.5, ink)
			} else if wrapped {
				c.rule(x, y, width, 0.3, faint)
			}
		}
	}}, 0, 1, 1)
}

// room is what the cells of a column leave free for a sign.
func (g *grid) room(j int) float64 {
	if g.marked[j] {
		return g.mark
	}
	return 0
}

// line sets the cells of row i, or those of the head, which stand on its last
// line, if i is -1.
func (g *grid) line(cells [][]string, i int) box {
	most := 1
	for _, lines := range cells {
		most = max(most, len(lines))
	}
	return box{float64(most) * g.cell.leading(), func(c *canvas, x, y float64) {
		for j, lines := range cells {
			l, first := g.head, most-len(lines)
			if i >= 0 {
				l, first = g.letters(i, j), 0
			}
			g.draw(c, x+g.at[j], y+float64(first)*g.cell.leading(), j, l, lines)
			if mark := g.Marks[Cell{i, j}]; mark != None {
				c.sign(x+g.signAt(j), y+l.baseline(0), l.size, mark)
			}
		}
	}}
}

// signAt is where the sign of a cell stands: after numbers, before words, so
// that signs and digits are in line from row to row.
func (g *grid) signAt(j int) float64 {
	if g.Columns[j].Right {
		return g.at[j] + g.widths[j] - 0.5*g.mark
	}
	return g.at[j]
}

// draw writes the lines of one cell of column j.
func (g *grid) draw(c *canvas, x, y float64, j int, l letters, lines []string) {
	for k, line := range lines {
		at := x
		if g.Columns[j].Right {
			at += g.widths[j] - g.room(j) - l.width(line)
		} else {
			at += g.room(j)
		}
		c.text(at, y+float64(k)*g.cell.leading()+g.cell.baseline(0), l, ink, line)
	}
}
