package memo

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// uncompressed renders a memo so that it can be read here, and checks it.
func uncompressed(t testing.TB, m *Memo) []byte {
	t.Helper()
	pdf, err := m.pdf(false)
	if err != nil {
		t.Fatal(err)
	}
	lawful(t, pdf)
	return pdf
}

// TestSample looks for every text of the sample in its PDF. With MEMO_OUT, it
// leaves the sample in that folder, to be looked at.
func TestSample(t *testing.T) {
	m := sample(t)
	text := textOf(t, uncompressed(t, m))
	for _, want := range append(m.texts(), m.day(), "1/3", "2/3", "3/3") {
		if !strings.Contains(text, squeezed(want)) && !isAlt(m, want) {
			t.Errorf("%q is not in the PDF", want)
		}
	}
	if strings.Contains(text, "results.json:") || strings.Contains(text, "more") && strings.Contains(text, "…") {
		t.Error("something is left out")
	}
	if folder := os.Getenv("MEMO_OUT"); folder != "" {
		write(t, folder, "memo", m)
	}
}

// isAlt says whether a text describes a figure: the PDF shows it instead.
func isAlt(m *Memo, text string) bool {
	for _, page := range m.Pages {
		for _, block := range page.Blocks {
			figures, _ := block.(Figures)
			for _, figure := range figures {
				if figure.Alt == text {
					return true
				}
			}
		}
	}
	return false
}

// write leaves a memo in a folder in its three forms.
func write(t *testing.T, folder, name string, m *Memo) {
	t.Helper()
	pdf, err := m.PDF()
	if err != nil {
		t.Fatal(err)
	}
	html, err := m.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for ending, content := range map[string][]byte{".pdf": pdf, ".html": html, ".md": m.Markdown()} {
		if err := os.WriteFile(filepath.Join(folder, name+ending), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSameBytes renders again, with one thread, and beside others.
func TestSameBytes(t *testing.T) {
	m := sample(t)
	render := func() []byte {
		pdf, err := m.PDF()
		if err != nil {
			t.Error(err)
		}
		html, err := m.HTML()
		if err != nil {
			t.Error(err)
		}
		return bytes.Join([][]byte{pdf, html, m.Markdown()}, nil)
	}
	first := render()
	var group sync.WaitGroup
	group.Go(func() {
		if !bytes.Equal(render(), first) {
			t.Error("other bytes beside another rendering")
		}
	})
	if !bytes.Equal(render(), first) {
		t.Error("other bytes when rendered again")
	}
	group.Wait()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if !bytes.Equal(render(), first) {
		t.Error("other bytes with one thread")
	}
}

// TestEmpty renders a memo of nothing: three pages, with the numbers of pages.
func TestEmpty(t *testing.T) {
	m := &Memo{}
	pdf := uncompressed(t, m)
	if text := textOf(t, pdf); text != "1/32/33/3" {
		t.Errorf("text of an empty memo: %q", text)
	}
	again, _ := m.pdf(false)
	if !bytes.Equal(pdf, again) || !bytes.Contains(pdf, []byte("19700101000000")) {
		t.Error("a memo without a date is not dated 1970")
	}
}

// TestDates finds the date of the plan in the file, not that of today.
func TestDates(t *testing.T) {
	pdf := uncompressed(t, sample(t))
	if n := bytes.Count(pdf, []byte("20261128000000")); n != 2 {
		t.Errorf("%d dates of the plan in the PDF, want 2", n)
	}
}

// more finds what a page says that it leaves out.
var more = regexp.MustCompile(`…(\d+)more(row|item|line|word|figure|part|column)s?inresults\.json`)

// left sums what a PDF says is left out, by unit.
func left(t testing.TB, pdf []byte) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, at := range more.FindAllStringSubmatch(textOf(t, pdf), -1) {
		n, err := strconv.Atoi(at[1])
		if err != nil {
			t.Fatal(err)
		}
		counts[at[2]] += n
	}
	return counts
}

// TestLongTable gives a page more rows than it has room for.
func TestLongTable(t *testing.T) {
	check := func(rows int, beside ...Block) {
		t.Helper()
		table := Table{Caption: "long", Columns: []Column{{Name: "name"}, {Name: "value", Right: true}}}
		for i := range rows {
			table.Rows = append(table.Rows, []string{fmt.Sprintf("row-%06d", i), fmt.Sprint(i)})
		}
		m := &Memo{Title: "A long table"}
		m.Pages[1] = Page{"Evidence", append([]Block{table}, beside...)}
		pdf := uncompressed(t, m)
		shown, out := strings.Count(textOf(t, pdf), "row-"), left(t, pdf)
		if shown+out["row"] != rows || len(out) > 1 {
			t.Errorf("%d rows shown and %v left out of %d", shown, out, rows)
		}
		if shown < min(rows, 20) {
			t.Errorf("only %d rows of %d are shown", shown, rows)
		}
	}
	note := Paragraph{strings.Repeat("A sentence beside the table. ", 40)}
	for _, rows := range []int{0, 1, 30, 45, 60, 70, 80, 200, 5000} {
		check(rows)
		check(rows, note)
	}
}

// TestSmallerType sees a page step its type down before it leaves anything out.
func TestSmallerType(t *testing.T) {
	largest := func(sentences int) float64 {
		m := &Memo{}
		m.Pages[0].Blocks = []Block{Paragraph{strings.Repeat("Another sentence of a page that fills. ", sentences)}}
		pdf := uncompressed(t, m)
		size := 0.0
		for _, r := range runs(t, pdf) {
			if strings.HasPrefix(r.text, "Another") {
				size = r.size
			}
		}
		if out := left(t, pdf); (len(out) > 0) != (sentences > 400) {
			t.Errorf("%d sentences: %v left out", sentences, out)
		}
		return size
	}
	if few, many, most := largest(20), largest(230), largest(1000); few != 9.5 || many >= few || many <= most || most != 7 {
		t.Errorf("sizes %g, %g and %g, want 9.5, one between, and 7", few, many, most)
	}
}

// TestEverythingHuge overfills pages with each kind of block.
func TestEverythingHuge(t *testing.T) {
	long := strings.Repeat("word ", 30000)
	figure := Figure{"f.png", pixel(t, 40, 30), "a figure", "alt"}
	table := Table{Caption: long, Columns: make([]Column, 40)}
	for range 300 {
		table.Rows = append(table.Rows, make([]string, 40))
		for j := range 40 {
			table.Rows[len(table.Rows)-1][j] = long[:500]
		}
	}
	check := func(what string, want string, blocks ...Block) {
		t.Helper()
		m := &Memo{Title: long, Subtitle: long, Footer: long}
		m.Pages[0] = Page{long, blocks}
		if out := left(t, uncompressed(t, m)); want == "" && len(out) > 0 || want != "" && out[want] == 0 {
			t.Errorf("%s: %v is left out", what, out)
		}
	}
	check("paragraph", "word", Paragraph{long})
	check("paragraphs", "word", slices.Repeat([]Block{Paragraph{long[:4000]}}, 100)...)
	check("headings", "part", slices.Repeat([]Block{Heading{long}}, 300)...)
	check("verdict", "", Verdict{Word: long, Sentence: long, Bad: true})
	check("numbers", "figure", make(Numbers, 4000))
	check("long numbers", "", Numbers{{long, long, long}, {long, long, long}, {long, long, long}})
	check("table", "column", table)
	check("rows", "row", Table{Columns: make([]Column, 3), Rows: slices.Repeat([][]string{{long, "", long}}, 1000)})
	check("figures", "figure", slices.Repeat(Figures{figure}, 200))
	check("list", "item", List{strings.Split(long, " ")})
	check("code", "line", Code{strings.ReplaceAll(long, " ", "\n")})
	check("long line", "", Code{long})
	check("all", "part", slices.Repeat([]Block{Paragraph{long}, Heading{long}, Verdict{Word: long, Sentence: long}, Numbers{{long, long, long}},
		table, Figures{figure, figure}, List{[]string{long, long, long}}, Code{long}}, 10)...)
}
