package memo

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

//go:embed style.css
var style string

// shell is what stands around the sections: a policy under which a browser runs
// and loads nothing, were any script to slip in; language; title; style.
const shell = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>%s</title>
<style>
%s</style>
</head>
<body>
`

// HTML renders the memo as one file that needs no other, figures included, with
// a section for each page that begins a sheet of A4 when it is printed. It is
// made from the Markdown, block by block.
//
// It is an error if a figure is no PNG. HTML panics if the blocks do not fit
// themselves: see [Memo.PDF].
func (m *Memo) HTML() ([]byte, error) {
	m.check()
	if _, err := m.pictures(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, shell, html.EscapeString(clean(m.Title)), style)
	for i, page := range m.Pages {
		out.WriteString("<section>\n")
		if i == 0 {
			convert(&out, "", m.head(), nil)
		}
		convert(&out, "", page.head(), nil)
		for _, block := range page.Blocks {
			convertBlock(&out, block)
		}
		out.WriteString("</section>\n")
	}
	out.WriteString("<footer>\n")
	convert(&out, "", escape(m.Footer), nil)
	out.WriteString("</footer>\n</body>\n</html>\n")
	return out.Bytes(), nil
}

// convertBlock writes a block in a box whose class the style sheet knows.
func convertBlock(out *bytes.Buffer, block Block) {
	class := ""
	switch b := block.(type) {
	case Verdict:
		class = map[Mark]string{None: "open", Good: "good", Bad: "bad"}[b.mark()]
	case Numbers:
		class = "numbers"
	case Table:
		class = "table"
	case Figures:
		out.WriteString("<div class=\"figures\">\n")
		for _, figure := range b {
			convert(out, "figure", figure.markdown(), figure.PNG)
		}
		out.WriteString("</div>\n")
		return
	}
	convert(out, class, block.markdown(), nil)
}

// converter reads tables as GFM has them; all else is CommonMark, and what looks
// like HTML is left out.
var converter = goldmark.New(goldmark.WithExtensions(extension.Table))

// convert writes Markdown as HTML, within a box of the given class if any, and
// puts the picture, if any, into its image.
func convert(out *bytes.Buffer, class, markdown string, png []byte) {
	source := []byte(markdown)
	document := converter.Parser().Parse(text.NewReader(source))
	ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if image, ok := node.(*ast.Image); ok && entering {
			image.Destination = []byte("data:image/png;base64," + base64.StdEncoding.EncodeToString(png))
		}
		return ast.WalkContinue, nil
	})
	if class != "" {
		fmt.Fprintf(out, "<div class=%q>\n", class)
	}
	if err := converter.Renderer().Render(out, source, document); err != nil {
		panic("memo: " + err.Error()) // a buffer takes everything
	}
	if class != "" {
		out.WriteString("</div>\n")
	}
}
