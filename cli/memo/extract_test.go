package memo

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf16"
)

// run is one line of text as an uncompressed PDF has it: x and y are where it
// begins on the page, from the upper left corner, y on the baseline.
type run struct {
	page int
	x, y float64
	letters
	text string
}

// page parts of an uncompressed PDF of fpdf.
var (
	pageObject = regexp.MustCompile(`/Type /Page\n`)
	streamHead = regexp.MustCompile(`<</Length (\d+)>>\nstream\n`)
	operator   = regexp.MustCompile(`BT /F([0-9a-f]+) ([0-9.]+) Tf ET|([0-9.]+) Tc|BT (-?[0-9.]+) (-?[0-9.]+) Td \(`)
	imageAt    = regexp.MustCompile(`q ([0-9.]+) 0 0 ([0-9.]+) ([0-9.]+) ([0-9.]+) cm /I`)
)

// contents returns the content of each page.
func contents(t testing.TB, pdf []byte) [][]byte {
	t.Helper()
	var all [][]byte
	for _, at := range pageObject.FindAllIndex(pdf, -1) {
		rest := pdf[at[1]:]
		head := streamHead.FindSubmatchIndex(rest)
		length, err := strconv.Atoi(string(rest[head[2]:head[3]]))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rest[head[1]:head[1]+length])
	}
	return all
}

// runs returns the texts of an uncompressed PDF in the order of drawing.
func runs(t testing.TB, pdf []byte) []run {
	t.Helper()
	var all []run
	for page, content := range contents(t, pdf) {
		now := run{page: page}
		for len(content) > 0 {
			at := operator.FindSubmatchIndex(content)
			if at == nil {
				break
			}
			group := func(i int) string { return string(content[at[2*i]:at[2*i+1]]) }
			next := content[at[1]:]
			switch {
			case at[2] >= 0:
				now.face, now.size = cutOf(t, group(1)), number(t, group(2))
			case at[6] >= 0:
				now.space = number(t, group(3))
			default:
				now.x, now.y = number(t, group(4)), sheetHeight-number(t, group(5))
				now.text, next = shown(t, next)
				all = append(all, now)
			}
			content = next
		}
	}
	return all
}

func number(t testing.TB, text string) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// shown reads a string operand, UTF-16 with escapes, and returns what follows.
func shown(t testing.TB, content []byte) (string, []byte) {
	t.Helper()
	var raw []byte
	for i := 0; i < len(content); i++ {
		switch c := content[i]; c {
		case ')':
			units := make([]uint16, len(raw)/2)
			for j := range units {
				units[j] = uint16(raw[2*j])<<8 | uint16(raw[2*j+1])
			}
			return string(utf16.Decode(units)), content[i:]
		case '\\':
			i++
			if raw = append(raw, content[i]); content[i] == 'r' {
				raw[len(raw)-1] = '\r'
			}
		default:
			raw = append(raw, c)
		}
	}
	t.Fatal("a string of the PDF does not end")
	return "", nil
}

// cuts knows the cut of each name that fpdf gives a font.
var cuts = sync.OnceValue(func() map[string]face {
	pdf := (&Memo{}).document(false)
	pdf.AddPage()
	c := &canvas{pdf}
	for f := range faces {
		c.text(10, 10, letters{face: face(f), size: 10}, ink, "x")
	}
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		panic(err)
	}
	named := map[string]face{}
	for i, at := range regexp.MustCompile(`BT /F([0-9a-f]+) 10`).FindAllSubmatch(out.Bytes(), -1) {
		named[string(at[1])] = face(i)
	}
	return named
})

func cutOf(t testing.TB, name string) face {
	t.Helper()
	f, ok := cuts()[name]
	if !ok {
		t.Fatalf("no cut is named %s", name)
	}
	return f
}

// place is a rectangle that something takes on a page.
type place struct {
	what                     string
	left, top, right, bottom float64
}

// places returns where the texts and figures of an uncompressed PDF are: of
// texts, from the top of capitals to the foot of p and q.
func places(t testing.TB, pdf []byte) [3][]place {
	t.Helper()
	var all [3][]place
	for _, r := range runs(t, pdf) {
		all[r.page] = append(all[r.page], place{r.text, r.x, r.y - 0.72*r.size, r.x + r.width(r.text), r.y + 0.2*r.size})
	}
	for page, content := range contents(t, pdf) {
		for _, at := range imageAt.FindAllSubmatch(content, -1) {
			w, h, x, y := number(t, string(at[1])), number(t, string(at[2])), number(t, string(at[3])), number(t, string(at[4]))
			all[page] = append(all[page], place{"a figure", x, sheetHeight - y - h, x + w, sheetHeight - y})
		}
	}
	return all
}

// lawful checks an uncompressed PDF: three pages of A4, everything within the
// margins, and nothing upon another.
func lawful(t testing.TB, pdf []byte) {
	t.Helper()
	if n := len(contents(t, pdf)); n != 3 {
		t.Fatalf("%d pages, want 3", n)
	}
	if !bytes.Contains(pdf, []byte("/Count 3\n")) || !bytes.Contains(pdf, []byte("/MediaBox [0 0 595.28 841.89]")) {
		t.Error("the pages are not counted as 3 of A4")
	}
	for page, all := range places(t, pdf) {
		for i, p := range all {
			const slack = 0.6
			if p.left < margin-slack || p.right > sheetWidth-margin+slack || p.top < headAt-8 || p.bottom > footAt+3 {
				t.Errorf("page %d: %q is off the page: %.1f to %.1f, %.1f to %.1f", page+1, p.what, p.left, p.right, p.top, p.bottom)
			}
			if p.bottom > sheetHeight-margin+slack && p.top < footAt-8 {
				t.Errorf("page %d: %q reaches into the foot: %.1f", page+1, p.what, p.bottom)
			}
			for _, q := range all[:i] {
				if p.left < q.right-slack && q.left < p.right-slack && p.top < q.bottom-slack && q.top < p.bottom-slack {
					t.Errorf("page %d: %q lies upon %q", page+1, p.what, q.what)
				}
			}
		}
		if t.Failed() {
			break
		}
	}
}

// squeezed is a text without blanks in lower case, so that it can be found
// across lines and in capitals.
func squeezed(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.ToLower(regular.printable(clean(text))))
}

// textOf returns the squeezed texts of a PDF.
func textOf(t testing.TB, pdf []byte) string {
	t.Helper()
	var all strings.Builder
	for _, r := range runs(t, pdf) {
		all.WriteString(r.text + " ")
	}
	return squeezed(all.String())
}
