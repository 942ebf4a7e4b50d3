package memo

import (
	"fmt"
	"strings"
)

// unit is what a block is counted in when a part of it is left out.
type unit int

const (
	rows unit = iota
	items
	codeLines
	words
	parts // large numbers and figures
	units
)

// names of the units, of one of them each.
var unitNames = [units]string{"row", "item", "line", "word", "figure"}

// limits is how many of each unit a block shows.
type limits [units]int

var (
	// most is more than a page has room for at the smallest type.
	most = limits{rows: 80, items: 80, codeLines: 110, words: 15000, parts: 60}
	// least is what a block keeps: a block of less says nothing.
	least = limits{rows: 3, items: 2, codeLines: 2, words: 40, parts: 3}
)

// part is a block of which no more is kept than a page has room for, so that a
// huge one costs no more to lay out than a large one.
type part struct {
	Block
	unit unit
	all  int // its size before
}

// prepared keeps of a block what a page has room for, and of the blocks as well.
func prepared(blocks []Block) []part {
	const highest = 200 // blocks of a page
	parts := make([]part, 0, min(len(blocks), highest))
	for _, block := range blocks[:min(len(blocks), highest)] {
		unit, size := block.size()
		if size > most[unit] {
			block = block.keep(most[unit])
		}
		parts = append(parts, part{shorter(block), unit, size})
	}
	return parts
}

// limited lays out so much of a block as the limits allow, and says below what
// is missing.
func (s setting) limited(p part, width float64) box {
	limit := s.limits[p.unit]
	if p.all <= limit {
		return p.lay(s, width)
	}
	return stack(0.3*s.body, p.keep(limit).lay(s, width), s.note(p.all-limit, unitNames[p.unit]))
}

// note says how much is missing in a place.
func (s setting) note(n int, what string) box {
	return set(s.text(regular, 0.88), grey, []string{missing(n, what)})
}

// missing says where the reader finds so many things that have no room.
func missing(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("… %d more %s in results.json", n, what)
}

func (p Paragraph) size() (unit, int) { return words, len(strings.Fields(p.Text)) }
func (p Paragraph) keep(n int) Block  { return Paragraph{strings.Join(strings.Fields(p.Text)[:n], " ")} }

func (Heading) size() (unit, int)   { return parts, 0 }
func (h Heading) keep(int) Block    { return h }
func (Verdict) size() (unit, int)   { return parts, 0 }
func (v Verdict) keep(int) Block    { return v }
func (n Numbers) size() (unit, int) { return parts, len(n) }
func (n Numbers) keep(k int) Block  { return n[:k] }
func (f Figures) size() (unit, int) { return parts, len(f) }
func (f Figures) keep(n int) Block  { return f[:n] }
func (l List) size() (unit, int)    { return items, len(l.Items) }
func (l List) keep(n int) Block     { return List{l.Items[:n]} }
func (t Table) size() (unit, int)   { return rows, len(t.Rows) }

func (t Table) keep(n int) Block {
	t.Rows = t.Rows[:n]
	return t
}

func (t Code) size() (unit, int) { return codeLines, len(cleanLines(t.Text)) }
func (t Code) keep(n int) Block  { return Code{strings.Join(cleanLines(t.Text)[:n], "\n")} }
