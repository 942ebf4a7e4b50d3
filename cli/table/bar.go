package table

import (
	"math"
	"strings"
)

// eighths holds the blocks of one to eight eighths of a cell's width (Unicode
// 2588 to 258F); the first entry stands for none.
var eighths = []rune(" ▏▎▍▌▋▊▉█")

// Bar returns a horizontal bar of block elements whose length is value/max of
// width cells, to an eighth of a cell. The share is clamped to [0,1]; a value
// above 0 is never shorter than one eighth, so that it does not look like
// none. The bar is not padded. It is "" if value or max is NaN, and if max or
// width is not above 0.
func Bar(value, max float64, width int) string {
	share := value / max
	if !(max > 0) || !(share > 0) || width <= 0 {
		return ""
	}
	units := int(math.Round(math.Min(share, 1) * float64(width*8)))
	if units == 0 {
		units = 1
	}
	bar := strings.Repeat(string(eighths[8]), units/8)
	if rest := units % 8; rest > 0 {
		bar += string(eighths[rest])
	}
	return bar
}
