package memo

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// The sheet, in points: A4 with margins of 18 mm.
const (
	sheetWidth  = 595.28
	sheetHeight = 841.89
	margin      = 18 / 25.4 * 72
	textWidth   = sheetWidth - 2*margin
	footAt      = sheetHeight - margin + 22 // the baseline of the foot
	headAt      = margin - 16               // the baseline of the running head
)

var (
	title    = letters{face: bold, size: 17}
	subtitle = letters{face: regular, size: 9.5}
	section  = letters{face: bold, size: 11}
	small    = letters{face: regular, size: 7.5}
)

// PDF renders the memo as a document of three pages of A4 with its type
// embedded. What has no room is left out, and the page says so: see the package.
//
// It is an error if a figure is no PNG. PDF panics if the blocks do not fit
// themselves: a row of other length than its table, a mark outside of it, a
// verdict both good and bad, a figure without a name.
func (m *Memo) PDF() ([]byte, error) { return m.pdf(true) }

// pdf renders the memo; tests read it uncompressed.
func (m *Memo) pdf(compressed bool) ([]byte, error) {
	m.check()
	pictures, err := m.pictures()
	if err != nil {
		return nil, err
	}
	c := &canvas{m.document(compressed)}
	for i, page := range m.Pages {
		c.pdf.AddPage()
		c.page(m, i, page, pictures)
	}
	var out bytes.Buffer
	if err := c.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("memo: the PDF cannot be written: %w", err)
	}
	return out.Bytes(), nil
}

// document returns an empty document whose bytes depend on the memo alone.
func (m *Memo) document(compressed bool) *fpdf.Fpdf {
	pdf := fpdf.New("P", "pt", "A4", "")
	date := m.Date.UTC()
	if date.IsZero() { // for which fpdf would take the time of day
		date = time.Unix(0, 0).UTC()
	}
	pdf.SetCreationDate(date)
	pdf.SetModificationDate(date)
	pdf.SetCatalogSort(true)
	pdf.SetCompression(compressed)
	pdf.SetMargins(0, 0, 0)
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetTitle(regular.printable(clean(m.Title)), true)
	pdf.SetProducer("surgeon", true)
	pdf.SetLang("en")
	for _, cut := range faces {
		pdf.AddUTF8FontFromBytes(cut.family, cut.style, slices.Clone(cut.file))
	}
	return pdf
}

// page draws page i: running head, title on the first page, heading, blocks and
// foot.
func (c *canvas) page(m *Memo, i int, page Page, p pictures) {
	top := stack(9, m.pageHead(i), pageHeading(page.Heading))
	top.draw(c, margin, margin)
	from := margin + top.height
	if top.height > 0 {
		from += 9
	}
	fitted(page.Blocks, p, textWidth, sheetHeight-margin-from).draw(c, margin, from)
	c.foot(m, i)
}

// pageHead is the title on the first page; the others have it above the margin.
func (m *Memo) pageHead(i int) box {
	day := m.day()
	room := textWidth - small.width(day) - 20
	if i > 0 {
		return box{0.01, func(c *canvas, x, y float64) {
			c.text(x, headAt, small, grey, small.line(m.Title, room))
			c.text(x+textWidth-small.width(day), headAt, small, grey, day)
		}}
	}
	head := stack(2,
		set(title, ink, title.lines(m.Title, room-40, 2)),
		set(subtitle, grey, subtitle.lines(m.Subtitle, textWidth, 3)))
	return box{max(head.height, title.leading()), func(c *canvas, x, y float64) {
		head.draw(c, x, y)
		c.text(x+textWidth-subtitle.width(day), y+title.baseline(0), subtitle, grey, day)
	}}
}

// pageHeading is spaced capitals above a rule.
func pageHeading(text string) box {
	words := capitals(section, text, textWidth)
	if words.height == 0 {
		return words
	}
	return box{words.height + 3, func(c *canvas, x, y float64) {
		words.draw(c, x, y)
		c.rule(x, y+words.height+2, textWidth, 0.9, accent)
	}}
}

// foot draws the footer and the number of the page below the margin.
func (c *canvas) foot(m *Memo, i int) {
	number := fmt.Sprintf("%d / %d", i+1, len(m.Pages))
	c.rule(margin, footAt-11, textWidth, 0.4, faint)
	c.text(margin, footAt, small, grey, small.line(m.Footer, textWidth-60))
	c.text(margin+textWidth-small.width(number), footAt, small, grey, number)
}
