package plot

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// HeatMap is a grid of coloured cells with names for its rows and columns, and
// a colour bar to the right of it that says which colour is which value.
type HeatMap struct {
	// Title stands above the figure, broken into lines where it is too long.
	Title string
	// XLabel and YLabel say what columns and rows are; "" for none.
	XLabel, YLabel string
	// Scale says what the values are, with their unit, beside the colour bar.
	Scale string
	// Columns and Rows hold the names, from left to right and from the top.
	Columns, Rows []string
	// Values holds one value for each cell, Values[row][column]. NaN is a
	// value that does not exist. Colours run from 0, or from the smallest
	// value if that is below 0, to the largest.
	Values [][]float64
}

// figure implements Drawing.
func (h HeatMap) figure() (figure, error) {
	h.checkShape()
	scale, err := h.scale()
	if err != nil {
		return figure{}, err
	}
	const gap = 16 // between the cells and the colour bar
	grid, bar := h.plot(scale), colorBar{scale: scale, label: label(h.Scale), absent: h.absent()}
	extraWidth, extraHeight := overhead(grid)
	cellsWidth, cellsHeight := h.cellsSize()
	slant := max(0, h.slant(cellsWidth)-extraWidth)
	width, height := slant+extraWidth+cellsWidth, extraHeight+cellsHeight
	return framed(h.Title, width+gap+bar.width(), height, func(c draw.Canvas) {
		left := draw.Crop(c, slant, -gap-bar.width(), 0, 0)
		cells := grid.DataCanvas(left)
		grid.Draw(left)
		right := draw.Crop(c, width+gap, 0, 0, 0)
		right.Min.Y, right.Max.Y = max(cells.Min.Y, cells.Max.Y-bar.longest()), cells.Max.Y
		bar.draw(right)
	}), nil
}

// cellsSize returns the size of all cells together. They are of one size for
// all figures, but higher where there are few rows, and larger where the labels
// of the axes and of the colour bar would not fit beside them.
func (h HeatMap) cellsSize() (width, height vg.Length) {
	words := style(labelSize)
	rowHeight := min(max(200/vg.Length(len(h.Rows)), 14), 26)
	height = max(rowHeight*vg.Length(len(h.Rows)), words.Width(label(h.YLabel)), words.Width(label(h.Scale)))
	return max(38*vg.Length(len(h.Columns)), 120, words.Width(label(h.XLabel))), height
}

// slant returns how far the slanting names of the columns reach to the left of
// the cells.
func (h HeatMap) slant(cellsWidth vg.Length) vg.Length {
	reach, names := vg.Length(0), style(tickSize)
	for i, name := range labels(h.Columns) {
		center := cellsWidth * (vg.Length(i) + 0.5) / vg.Length(len(h.Columns))
		reach = max(reach, (names.Width(name)+names.Height(name))*math.Sqrt2/2-center)
	}
	return reach
}

// checkShape panics unless there is a value for each row and column.
func (h HeatMap) checkShape() {
	if len(h.Values) != len(h.Rows) {
		panic(fmt.Sprintf("plot: a heat map of %d rows has %d rows of values", len(h.Rows), len(h.Values)))
	}
	for i, values := range h.Values {
		if len(values) != len(h.Columns) {
			panic(fmt.Sprintf("plot: row %d of a heat map of %d columns has %d values", i, len(h.Columns), len(values)))
		}
	}
}

// scale returns the range of the values, or an error if there are none or if
// one is infinite.
func (h HeatMap) scale() (scale, error) {
	low, high, found := 0.0, math.Inf(-1), false
	for i, values := range h.Values {
		for j, value := range values {
			switch {
			case math.Abs(value) > largest:
				return scale{}, fmt.Errorf("plot: the value of row %q, column %q is %v and has no colour", h.Rows[i], h.Columns[j], value)
			case !math.IsNaN(value):
				low, high, found = min(low, value), max(high, value), true
			}
		}
	}
	if !found {
		return scale{}, fmt.Errorf("plot: the heat map %q has no values", h.Title)
	}
	switch {
	case high > low:
		return scale{low: low, high: high}, nil
	case low < 0: // all values are equal and below 0
		return scale{low: low, high: 0}, nil
	}
	return scale{low: 0, high: 1}, nil // all values are 0
}

// absent reports whether there is a cell without a value.
func (h HeatMap) absent() bool {
	for _, values := range h.Values {
		if slices.ContainsFunc(values, math.IsNaN) {
			return true
		}
	}
	return false
}

// plot returns the cells with named rows and columns. The first row is at the
// top, where y is largest.
func (h HeatMap) plot(s scale) *plot.Plot {
	p := newPlot(h.XLabel, h.YLabel)
	p.Add(cells{values: h.Values, scale: s})
	p.X.Tick.Marker = ticks(labels(h.Columns))
	fromBelow := labels(h.Rows)
	slices.Reverse(fromBelow)
	p.Y.Tick.Marker = ticks(fromBelow)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Width, axis.Padding = 0, 0
		axis.Tick.Length = 3
	}
	p.X.Tick.Label.Rotation = math.Pi / 4
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = text.XRight, text.YTop
	return p
}

// ticks returns one tick for each name, at 0, 1, 2 and so on.
func ticks(names []string) plot.ConstantTicks {
	result := make(plot.ConstantTicks, len(names))
	for i, name := range names {
		result[i] = plot.Tick{Value: float64(i), Label: name}
	}
	return result
}
