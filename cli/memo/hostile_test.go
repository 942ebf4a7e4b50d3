package memo

import (
	"bytes"
	"html"
	"image"
	"image/color"
	"image/png"
	"regexp"
	"strings"
	"testing"
	"time"
)

// pixel returns a PNG of one colour.
func pixel(t testing.TB, width, height int) []byte {
	t.Helper()
	picture := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range picture.Pix {
		picture.Pix[i] = 0x80
	}
	picture.Set(0, 0, color.NRGBA{})
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// hostile holds texts that a name in a file might be.
var hostile = []string{
	"<script>alert(1)</script>", "</section><h1>x", "<!-- x", "&lt;b&gt; &amp;", "a|b\\|c||", "`code` ``` ~~~", "```\nfence\n```",
	"[x](javascript:alert(1))", "![x](data:image/svg+xml,x)", "[x]: http://example.org", "<http://example.org>", "http://example.org www.example.org",
	"*a* **b** _c_ ~~d~~", "* item", "- item", "+ item", "1. item", "2) item", "-", "1.", "# heading", "---", "===", "> quote", "    code", "\ttab",
	"a\x00b\x07\x1b[31m", "\u202Eevil\u2066\u2069\u200f", "zero\u200bwidth\ufeff", "\xff\xfe broken", "z\u0301\u0301\u0301\u0301\u0301\u0301a",
	"模型 модель μοντέλο 🧪 \u2066", "a\nb\r\nc", "\\", "\\*", "&copy;", "$x^2$", "@everyone #12", "a(b)c\\)d(", "x]y[z", "^1 [^1]", ":smile:", "\"'", "%s %d",
	strings.Repeat("x", 5000), strings.Repeat("/very/long/name", 300), strings.Repeat("n = 96 % ", 300), strings.Repeat("[", 500), strings.Repeat("W ", 3000),
}

// filled is a memo that has a text in every place.
func filled(t testing.TB, text string) *Memo {
	t.Helper()
	m := &Memo{Title: text, Subtitle: text, Footer: text, Date: time.Unix(1, 0).UTC()}
	figure := Figure{"name.png", pixel(t, 8, 6), text, text}
	columns := []Column{{Name: text}, {Name: text, Right: true}, {Name: text, Width: 3}}
	rows := [][]string{{text, text, text}, {text, text, text}}
	m.Pages[0] = Page{text, []Block{Verdict{text, text, true, false}, Verdict{text, text, false, true}, Numbers{{text, text, text}, {text, text, text}}, Paragraph{text}}}
	m.Pages[1] = Page{text, []Block{Heading{text}, Figures{figure, figure}, Table{text, columns, rows, map[Cell]Mark{{0, 0}: Good, {0, 1}: Bad, {1, 1}: Good, {1, 2}: Bad}}, Table{Columns: columns}, Table{Caption: text}}}
	m.Pages[2] = Page{text, []Block{List{[]string{text, text}}, Code{text}, Paragraph{text}, Paragraph{}, Table{}, List{}, Numbers{}, Figures{}, Code{}}}
	return m
}

var tag = regexp.MustCompile(`<[^>]*>`)

// skeleton returns the tags of the HTML of a memo, and its text.
func skeleton(t testing.TB, m *Memo) (tags, text string) {
	t.Helper()
	out, err := m.HTML()
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(out), "<body>")
	for _, found := range tag.FindAllString(body, -1) {
		if strings.HasPrefix(found, "<img") {
			found = "<img>" // which holds the description
		}
		tags += found
	}
	return tags, html.UnescapeString(tag.ReplaceAllString(body, ""))
}

// checkHostile checks that a text changes nothing but text: the HTML has the tags
// it would have for "x", each text stands there as it is, and the PDF is lawful.
func checkHostile(t *testing.T, hostile string) {
	t.Helper()
	m := filled(t, hostile)
	lawful(t, func() []byte {
		pdf, err := m.pdf(false)
		if err != nil {
			t.Fatal(err)
		}
		return pdf
	}())
	if clean(hostile) == "" {
		return
	}
	want, _ := skeleton(t, filled(t, "x"))
	got, text := skeleton(t, m)
	if got != want {
		t.Errorf("%q changes the HTML:\n%s\nwant\n%s", hostile, got, want)
	}
	for r := range strings.SplitSeq(text, "") {
		if r != "\n" && strings.ContainsAny(r, "\x00\x1b\u202e\u200b\ufeff") {
			t.Errorf("%q: %q stands in the HTML", hostile, r)
		}
	}
	if n := strings.Count(text, clean(hostile)); n < 35 {
		t.Errorf("%q stands %d times in the HTML, want 35 or more", hostile, n)
	}
}

func TestHostile(t *testing.T) {
	for _, text := range hostile {
		checkHostile(t, text)
	}
}

func FuzzHostile(f *testing.F) {
	for _, text := range hostile[:20] {
		f.Add(text)
	}
	f.Fuzz(checkHostile)
}
