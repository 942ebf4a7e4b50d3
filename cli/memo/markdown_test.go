package memo

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMarkdownGolden compares the sample with a file that has been read by eye. On
// failure the new text lies beside it, with .got at its end.
func TestMarkdownGolden(t *testing.T) {
	path := filepath.Join("testdata", "memo.md.golden")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := sample(t).Markdown(); !bytes.Equal(got, want) {
		if err := os.WriteFile(path+".got", got, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Errorf("the Markdown is not that of %s; see %s.got", path, path)
	}
}

func TestEscape(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		if got := escape(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	check("", "")
	check("plain text, 12.5 % (n = 96)", "plain text, 12.5 % (n = 96)")
	check("a_b*c", `a\_b\*c`)
	check("- a", `\- a`)
	check("-3.5 pp", `\-3.5 pp`)
	check("12. a", `12\. a`)
	check("12.5 a", "12.5 a")
	check("a|b", "a&#124;b")
	check("<b>", `\<b\>`)
	check("http://x", `http:\//x`)
	check(" a \n b ", "a b")
	check("a\u202eb", "a\ufffdb")
}

func TestCodeFence(t *testing.T) {
	code := Code{"a ``` b\n````\n\tc  \n"}
	if got := code.markdown(); got != "`````\na ``` b\n````\n    c\n`````" {
		t.Errorf("%s", got)
	}
}

// TestHTMLAlone finds nothing in the HTML that a browser would load.
func TestHTMLAlone(t *testing.T) {
	m := sample(t)
	out, err := m.HTML()
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	for _, foreign := range []string{"http", "url(", "@import", "<script", "<link", "src=\"figures"} {
		if at := strings.Index(strings.Replace(text, "http-equiv", "", 1), foreign); at >= 0 {
			t.Errorf("%s stands in the HTML", foreign)
		}
	}
	if n := strings.Count(text, "<section>"); n != 3 {
		t.Errorf("%d sections, want 3", n)
	}
	if n := strings.Count(text, `src="data:image/png;base64,iVBOR`); n != 4 {
		t.Errorf("%d pictures, want 4", n)
	}
	if n := strings.Count(text, "<table>"); n != 4 {
		t.Errorf("%d tables, want 3 and that of the large numbers", n)
	}
}

// TestBadFigure refuses what is no PNG, naming page and figure.
func TestBadFigure(t *testing.T) {
	good := pixel(t, 4, 4)
	huge := append([]byte(nil), good...)
	copy(huge[16:], "\x7f\xff\xff\xff\x7f\xff\xff\xff")
	for _, content := range [][]byte{nil, {}, []byte("GIF89a"), good[:40], huge} {
		m := &Memo{}
		m.Pages[1].Blocks = []Block{Figures{{Name: "fine.png", PNG: good}, {Name: "bad\n.png", PNG: content}}}
		for what, render := range map[string]func() ([]byte, error){"PDF": m.PDF, "HTML": m.HTML} {
			if _, err := render(); err == nil || !strings.HasPrefix(err.Error(), `memo: page 2: the figure "bad\n.png" cannot be read as PNG`) {
				t.Errorf("%s of %.10q: %v", what, content, err)
			}
		}
	}
}

// TestMisuse panics where the blocks do not fit themselves.
func TestMisuse(t *testing.T) {
	check := func(want string, block Block) {
		t.Helper()
		m := &Memo{}
		m.Pages[2].Blocks = []Block{block}
		for what, render := range map[string]func(){"PDF": func() { m.PDF() }, "HTML": func() { m.HTML() }, "Markdown": func() { m.Markdown() }} {
			func() {
				t.Helper()
				defer func() {
					if got, _ := recover().(string); got != want {
						t.Errorf("%s: %q, want %q", what, got, want)
					}
				}()
				render()
			}()
		}
	}
	columns := []Column{{Name: "a"}}
	check(`memo: the verdict "X" is both good and bad`, Verdict{"X", "", true, true})
	check(`memo: row 1 of the table "T" has 2 cells, not 1`, Table{Caption: "T", Columns: columns, Rows: [][]string{{"1"}, {"1", "2"}}})
	check(`memo: the table "T" has no cell 1, 0 to mark`, Table{Caption: "T", Columns: columns, Rows: [][]string{{"1"}}, Marks: map[Cell]Mark{{1, 0}: Good}})
	check(`memo: the figure "F" has no name`, Figures{{Caption: "F"}})
}
