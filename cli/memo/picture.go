package memo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	"image/png"
)

// pixels is the most that a figure may have, 8000 x 6000: a file of a few bytes
// could ask for gigabytes.
const pixels = 48_000_000

// picture is a figure as it goes into the PDF.
type picture struct {
	name          string      // in the document
	plain         *image.RGBA // opaque
	width, height float64     // in dots
	printed       float64     // the width in points that the file asks for; 0 for none
}

// pictures holds what each figure shows, by the place of its file in memory:
// figures may share one.
type pictures map[span]*picture

// span is a place in memory.
type span struct {
	first *byte
	size  int
}

func spanOf(content []byte) span {
	if len(content) == 0 {
		return span{}
	}
	return span{&content[0], len(content)}
}

// of returns the picture of a figure of the memo, or nil.
func (p pictures) of(f Figure) *picture { return p[spanOf(f.PNG)] }

// pictures reads every figure of the memo, and says which cannot be read.
func (m *Memo) pictures() (pictures, error) {
	all, widths := pictures{}, map[int]bool{}
	for i, page := range m.Pages {
		for _, block := range page.Blocks {
			figures, _ := block.(Figures)
			for _, figure := range figures {
				if all.of(figure) != nil {
					continue // the same file again
				}
				plain, err := decode(figure.PNG)
				if err != nil {
					return nil, fmt.Errorf("memo: page %d: the figure %q cannot be read as PNG, draw it again: %w", i+1, figure.Name, err)
				}
				plain = unlike(plain, widths)
				size := plain.Bounds().Size()
				all[spanOf(figure.PNG)] = &picture{fmt.Sprintf("figure %d", len(all)), plain, float64(size.X), float64(size.Y), printedWidth(figure.PNG, size.X)}
			}
		}
	}
	return all, nil
}

// unlike gives a picture a width in dots that no other has, by white columns at
// its right: fpdf sorts pictures in a file by width, and those of one width by
// chance.
func unlike(plain *image.RGBA, widths map[int]bool) *image.RGBA {
	size := plain.Bounds().Size()
	width := size.X
	for widths[width] {
		width++
	}
	widths[width] = true
	if width == size.X {
		return plain
	}
	wider := image.NewRGBA(image.Rect(0, 0, width, size.Y))
	draw.Draw(wider, wider.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(wider, plain.Bounds(), plain, image.Point{}, draw.Src)
	return wider
}

// content is the picture as a PNG of the one kind that every PDF can hold: three
// colours of eight bits each.
func (p *picture) content() *bytes.Buffer {
	var content bytes.Buffer
	if err := png.Encode(&content, p.plain); err != nil {
		panic("memo: " + err.Error()) // a buffer takes everything
	}
	return &content
}

// decode reads a PNG of any kind and returns it without transparency, on white.
func decode(content []byte) (*image.RGBA, error) {
	config, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if int64(config.Width)*int64(config.Height) > pixels {
		return nil, fmt.Errorf("%d x %d pixels are more than %d", config.Width, config.Height, pixels)
	}
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	plain := image.NewRGBA(image.Rect(0, 0, config.Width, config.Height))
	draw.Draw(plain, plain.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(plain, plain.Bounds(), picture, picture.Bounds().Min, draw.Over)
	return plain, nil
}

// printedWidth returns the width in points of a PNG of so many dots that says
// how many go to a metre, in the chunk pHYs before its data (PNG Specification,
// 2nd edition, 11.3.5.3), or 0 if it does not, or says what is no figure on a
// page.
func printedWidth(content []byte, dots int) float64 {
	const signature, frame, most = 8, 12, 64 // a chunk is its data and 12 bytes
	for at, n := signature, 0; n < most && at+frame <= len(content); n++ {
		size, kind := binary.BigEndian.Uint32(content[at:]), string(content[at+4:at+8])
		if kind == "IDAT" || int64(size) > int64(len(content)-at-frame) {
			return 0
		}
		data := content[at+8 : at+8+int(size)]
		if kind == "pHYs" && size == 9 && data[8] == 1 {
			width := float64(dots) / float64(binary.BigEndian.Uint32(data)) / 0.0254 * 72
			if width < 40 || width > sheetWidth {
				return 0
			}
			return width
		}
		at += frame + int(size)
	}
	return 0
}
