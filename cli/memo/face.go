package memo

import (
	"sync"

	"codeberg.org/go-fonts/liberation/liberationmonoregular"
	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// face is one cut of the type.
type face int

const (
	regular face = iota
	bold
	mono
)

// faces holds the TrueType file of each cut, and its family and style in the PDF.
var faces = [...]struct {
	family, style string
	file          []byte
}{
	regular: {"sans", "", liberationsansregular.TTF},
	bold:    {"sans", "B", liberationsansbold.TTF},
	mono:    {"mono", "", liberationmonoregular.TTF},
}

// tofu stands for letters that a cut does not have, U+FFFD among them.
const tofu = '□'

// absent is the advance of letters that a cut does not have.
const absent = -1

// advances returns how wide each letter of the basic plane is, in thousandths of
// the type size. Liberation has none beyond it.
var advances = [...]func() *[1 << 16]int16{
	regular: sync.OnceValue(func() *[1 << 16]int16 { return measured(regular) }),
	bold:    sync.OnceValue(func() *[1 << 16]int16 { return measured(bold) }),
	mono:    sync.OnceValue(func() *[1 << 16]int16 { return measured(mono) }),
}

// measured reads the advances of a cut from its file.
func measured(f face) *[1 << 16]int16 {
	file, err := sfnt.Parse(faces[f].file)
	if err != nil {
		panic("memo: the embedded type cannot be read: " + err.Error())
	}
	var (
		buffer sfnt.Buffer
		widths [1 << 16]int16
		units  = fixed.I(int(file.UnitsPerEm()))
	)
	for r := range widths {
		widths[r] = absent
		index, err := file.GlyphIndex(&buffer, rune(r))
		if err != nil || index == 0 {
			continue
		}
		if advance, err := file.GlyphAdvance(&buffer, index, units, font.HintingNone); err == nil {
			widths[r] = int16((int(advance)*1000 + int(units)/2) / int(units))
		}
	}
	return &widths
}

// has says whether the cut has a letter.
func (f face) has(r rune) bool { return r >= 0 && r < 1<<16 && advances[f]()[r] != absent }

// width measures a text in points. A letter that the cut does not have is as
// wide as what stands for it. There is no kerning: a text is as wide as its
// letters together.
func (f face) width(text string, size float64) float64 {
	widths, sum := advances[f](), 0
	for _, r := range text {
		if r < 1<<16 && widths[r] != absent {
			sum += int(widths[r])
		} else {
			sum += int(widths[f.letter(r)])
		}
	}
	return float64(sum) * size / 1000
}

// letter returns r, or what stands for it if the cut does not have it.
func (f face) letter(r rune) rune {
	switch {
	case f.has(r):
		return r
	case unbroken(r):
		return '\u00a0'
	case f.has(tofu):
		return tofu
	}
	return '?'
}

// printable replaces the letters that the cut does not have.
func (f face) printable(text string) string {
	letters := []rune(text)
	for i, r := range letters {
		letters[i] = f.letter(r)
	}
	return string(letters)
}
