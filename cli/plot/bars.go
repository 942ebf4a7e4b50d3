package plot

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bars is named rows with one horizontal bar for each series, from 0 to the
// right or, below 0, to the left, and its value in figures: at its end, or where
// rows are too narrow for that in a column at the right.
type Bars struct {
	// Title stands above the figure, broken into lines where it is too long.
	Title string
	// XLabel says what the values are, with their unit.
	XLabel string
	// Rows holds the names from the top. Those that have no room are left out
	// from the end, and the figure says how many.
	Rows []string
	// Series holds the bars of each row from the top. Fillings repeat after four.
	Series []Series
}

// Series is the bars of one kind, such as the harm of each group of tensors.
type Series struct {
	// Name stands in the legend.
	Name string
	// Values holds one value for each row; NaN is a value that does not exist.
	Values []float64
}

// Sizes of bars in units of the size of type.
const (
	valueHeight = 1.02 // from value to value of one row, at the ends of bars
	rowHeight   = 1.25 // the least height of a row with a name
	rowSpace    = 0.5  // the white between two rows
)

// figure implements Drawing.
func (b Bars) figure() (figure, error) {
	return b.sized(areaWidth*1.25, 0, tickSize)
}

// printed implements Drawing.
func (b Bars) printed(width, height vg.Length) (figure, error) {
	if width == 0 {
		width = points(85)
	}
	return b.sized(width, height, printSize)
}

// sized returns the figure with type of the given size.
func (b Bars) sized(width, height, em vg.Length) (figure, error) {
	b.checkShape()
	if err := b.check(); err != nil {
		return figure{}, err
	}
	if height == 0 {
		const most = 100 // rows; more are no figure
		row := max(rowHeight, vg.Length(len(b.Series))*valueHeight+rowSpace)
		height = em * (9 + row*vg.Length(min(len(b.Rows), most)))
	}
	return figure{width, height, func(c draw.Canvas) { b.drawSized(newSheet(c, em)) }}, nil
}

// checkShape panics unless there is a value for each row and series.
func (b Bars) checkShape() {
	for i, s := range b.Series {
		if len(s.Values) != len(b.Rows) {
			panic(fmt.Sprintf("plot: series %d of bars in %d rows has %d values", i, len(b.Rows), len(s.Values)))
		}
	}
}

// check reports data that cannot be drawn.
func (b Bars) check() error {
	found := false
	for _, s := range b.Series {
		for i, v := range s.Values {
			if math.Abs(v) > largest {
				return fmt.Errorf("plot: the bar of row %q, series %q is %v and has no length", b.Rows[i], s.Name, v)
			}
			found = found || !math.IsNaN(v)
		}
	}
	if !found {
		return fmt.Errorf("plot: the bars %q have no values", b.Title)
	}
	return nil
}
