package memo

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Markdown renders the memo as GitHub Flavored Markdown (GFM), complete however
// long it is. Figures are links to figures/NAME, which the caller writes.
//
// Markdown panics if the blocks do not fit themselves: see [Memo.PDF].
func (m *Memo) Markdown() []byte {
	m.check()
	parts := []string{m.head()}
	for i, page := range m.Pages {
		if i > 0 {
			parts = append(parts, "---")
		}
		parts = append(parts, page.head())
		for _, block := range page.Blocks {
			parts = append(parts, block.markdown())
		}
	}
	if footer := escape(m.Footer); footer != "" {
		parts = append(parts, "---", footer)
	}
	return []byte(joined(parts...) + "\n")
}

// joined puts a blank line between the parts that are not empty.
func joined(parts ...string) string {
	var full []string
	for _, part := range parts {
		if part != "" {
			full = append(full, part)
		}
	}
	return strings.Join(full, "\n\n")
}

// day writes a date as ISO 8601 has it, and nothing of a memo without one.
func (m *Memo) day() string {
	if m.Date.IsZero() {
		return ""
	}
	return m.Date.Format("2006-01-02")
}

func (m *Memo) head() string {
	return joined(prefixed("# ", m.Title), escape(m.Subtitle), emphasis("*", m.day()))
}

func (p Page) head() string { return prefixed("## ", p.Heading) }

func (p Paragraph) markdown() string { return escape(p.Text) }
func (h Heading) markdown() string   { return prefixed("### ", h.Text) }

func (v Verdict) markdown() string {
	word := v.Word
	if s := v.mark().sign(); s != "" {
		word = s + " " + word
	}
	lines := []string{emphasis("**", word), escape(v.Sentence)}
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	if len(lines) == 0 {
		return ""
	}
	return "> " + strings.Join(lines, "\n>\n> ")
}

// mark is what the verdict is drawn as.
func (v Verdict) mark() Mark {
	switch {
	case v.Good:
		return Good
	case v.Bad:
		return Bad
	}
	return None
}

// sign is the letter of a mark.
func (m Mark) sign() string {
	switch m {
	case Good:
		return "✓"
	case Bad:
		return "✗"
	}
	return ""
}

// markdown writes the labels as the head of a table, as GFM has no large type.
func (n Numbers) markdown() string {
	var lines [4]string
	for _, number := range n {
		for i, cell := range []string{inline(number.Label), ":---:", emphasis("**", number.Value), inline(number.Detail)} {
			lines[i] += "| " + cell + " "
		}
	}
	if len(n) == 0 {
		return ""
	}
	return strings.Join(lines[:], "|\n") + "|"
}

func (t Table) markdown() string {
	if len(t.Columns) == 0 {
		return emphasis("*", t.Caption)
	}
	head, rule := "", ""
	for _, column := range t.Columns {
		head += "| " + inline(column.Name) + " "
		rule += map[bool]string{false: "| --- ", true: "| ---: "}[column.Right]
	}
	lines := []string{head + "|", rule + "|"}
	for i, row := range t.Rows {
		line := ""
		for j, cell := range row {
			line += "| " + t.Marks[Cell{i, j}].written(cell) + " "
		}
		lines = append(lines, line+"|")
	}
	if len(t.Rows) == 0 {
		lines = append(lines, "| "+noRows+strings.Repeat(" |", len(t.Columns)))
	}
	return joined(emphasis("*", t.Caption), strings.Join(lines, "\n"))
}

// noRows stands in a table that has none.
const noRows = "no rows"

// written is a cell with its mark: a sign, and bold type if it is bad.
func (m Mark) written(cell string) string {
	switch m {
	case Good:
		return strings.TrimSpace(inline(cell) + " " + m.sign())
	case Bad:
		return emphasis("**", cell+" "+m.sign())
	}
	return inline(cell)
}

func (f Figures) markdown() string {
	var parts []string
	for _, figure := range f {
		parts = append(parts, figure.markdown())
	}
	return joined(parts...)
}

func (f Figure) markdown() string {
	return joined(fmt.Sprintf("![%s](figures/%s)", inline(f.Alt), link(f.Name)), emphasis("*", f.Caption))
}

// link escapes a file name for the place of a link, parentheses included, which
// would end it.
func link(name string) string {
	return strings.NewReplacer("(", "%28", ")", "%29").Replace(url.PathEscape(clean(name)))
}

func (l List) markdown() string {
	var lines []string
	for _, item := range l.Items {
		lines = append(lines, strings.TrimRight("- "+escape(item), " "))
	}
	return strings.Join(lines, "\n")
}

// markdown fences the text with more backticks than it has in a row.
func (c Code) markdown() string {
	fence, text := "```", strings.Join(cleanLines(c.Text), "\n")
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "\n" + text + "\n" + fence
}

// prefixed escapes a text and writes the prefix before it, if there is any text.
func prefixed(prefix, text string) string {
	if text = escape(text); text == "" {
		return ""
	}
	return prefix + text
}

// emphasis escapes a text and writes the mark, * or **, around it, if there is
// any text.
func emphasis(mark, text string) string {
	if text = inline(text); text == "" {
		return ""
	}
	return mark + text + mark
}

// inline makes a text safe within a line of Markdown: nothing of it is read as
// markup, a cell's end, mathematics or a link.
func inline(text string) string { return special.Replace(clean(text)) }

// escape makes a text safe as a block of its own: nor does it begin a list, a
// rule or a heading.
func escape(text string) string {
	text = inline(text)
	if !start.MatchString(text) {
		return text
	}
	at := strings.IndexAny(text, "-+=.)")
	return text[:at] + `\` + text[at:]
}

var (
	// special escapes the letters of CommonMark 0.31 and GFM that mean something
	// within a line. A vertical line is an entity: a backslash before it reads
	// otherwise in a table than outside.
	special = strings.NewReplacer(
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "{", `\{`, "}", `\}`, "[", `\[`, "]", `\]`,
		"<", `\<`, ">", `\>`, "#", `\#`, "|", "&#124;", "~", `\~`, "&", `\&`, "!", `\!`, "$", `\$`, "@", `\@`,
		"://", `:\//`, "www.", `www\.`)
	// start matches texts that would begin a list, a rule or a heading.
	start = regexp.MustCompile(`^(?:[-+=]|[0-9]{1,9}[.)](?: |$))`)
)
