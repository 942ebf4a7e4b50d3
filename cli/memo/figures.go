package memo

import "codeberg.org/go-pdf/fpdf"

// lay sets figures side by side, at most three in a row.
func (f Figures) lay(s setting, width float64) box {
	var rows []box
	for from := 0; from < len(f); from += perRow {
		rows = append(rows, f[from:min(from+perRow, len(f))].row(s, width))
	}
	return stack(0.6*s.body, rows...)
}

// row sets figures side by side. If all say how large they are in print they
// have that size, as it is the one at which their type is legible, or are made
// smaller together where there is less room. Otherwise they get one height: each
// has a share of the width that its shape asks for, and all are made lower if
// that is higher than they may be. Captions stand below.
func (f Figures) row(s setting, width float64) box {
	columns, gap := f.printed(s, width)
	if columns == nil {
		columns, gap = f.shared(s, width)
	}
	l := s.text(regular, 0.85)
	at, captions, height, captionHeight := make([]float64, len(f)), make([]box, len(f)), 0.0, 0.0
	for i, figure := range f {
		captions[i] = set(l, grey, l.lines(figure.Caption, columns[i].width, captionLines))
		captionHeight = max(captionHeight, captions[i].height)
		height = max(height, columns[i].height)
		if i+1 < len(f) {
			at[i+1] = at[i] + columns[i].width + gap
		}
	}
	const below = 3
	return box{height + below + captionHeight, func(c *canvas, x, y float64) {
		for i, figure := range f {
			c.picture(x+at[i], y, columns[i].picture, columns[i].height, s.of(figure))
			captions[i].draw(c, x+at[i], y+height+below)
		}
	}}
}

// column is the room of one figure of a row: the width of its caption, and the
// width and height of its picture.
type column struct{ width, picture, height float64 }

// printed returns the columns of figures that all have a size in print, and the
// gap between them, or nil.
func (f Figures) printed(s setting, width float64) (columns []column, gap float64) {
	const narrow, wide = 8, 24
	sum, highest, gaps := 0.0, 0.0, float64(len(f)-1)
	for _, figure := range f {
		p := s.of(figure)
		if p.printed == 0 {
			return nil, 0
		}
		c := column{p.printed, p.printed, p.printed * p.height / p.width}
		sum, highest, columns = sum+c.width, max(highest, c.height), append(columns, c)
	}
	scale := min(1, (width-narrow*gaps)/sum, s.figure/highest)
	for i, c := range columns {
		columns[i] = column{c.width * scale, c.picture * scale, c.height * scale}
	}
	return columns, min(max((width-sum*scale)/max(gaps, 1), narrow), wide)
}

// shared returns the columns of figures of one height.
func (f Figures) shared(s setting, width float64) (columns []column, gap float64) {
	gap = 14
	shapes, sum := make([]float64, len(f)), 0.0
	for i, figure := range f {
		p := s.of(figure)
		shapes[i] = min(max(p.width/p.height, 0.5), 4)
		sum += shapes[i]
	}
	room := width - gap*float64(len(f)-1)
	height := min(room/sum, s.figure)
	for _, shape := range shapes {
		columns = append(columns, column{room * shape / sum, height * shape, height})
	}
	return columns, gap
}

// picture draws a picture as large as a rectangle allows, keeping its shape.
func (c *canvas) picture(x, y, width, height float64, p *picture) {
	scale := min(width/p.width, height/p.height)
	options := fpdf.ImageOptions{ImageType: "PNG"}
	if c.pdf.GetImageInfo(p.name) == nil {
		c.pdf.RegisterImageOptionsReader(p.name, options, p.content())
	}
	c.pdf.ImageOptions(p.name, x, y, scale*p.width, scale*p.height, false, options, 0, "")
}
