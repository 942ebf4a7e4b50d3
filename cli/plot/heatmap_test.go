package plot

import (
	"image"
	"image/color"
	"math"
	"slices"
	"testing"
)

// centroid returns where the dots of one colour lie on average, as shares of
// the width and height of a picture, from its upper left corner.
func centroid(p image.Image, of color.Color) (x, y float64) {
	n, bounds, want := 0.0, p.Bounds(), color.RGBAModel.Convert(of)
	for i := range bounds.Dx() {
		for j := range bounds.Dy() {
			if color.RGBAModel.Convert(p.At(i, j)) == want {
				x, y, n = x+float64(i), y+float64(j), n+1
			}
		}
	}
	return x / n / float64(bounds.Dx()), y / n / float64(bounds.Dy())
}

// TestCells: the largest value has the darkest colour, in the cell of its row,
// counted from the top, and column. The colour bar has a few dots of it, too.
func TestCells(t *testing.T) {
	check := func(row, column int, left, right, top, bottom float64) {
		t.Helper()
		h := HeatMap{Columns: []string{"a", "b"}, Rows: []string{"0", "1"}, Values: [][]float64{{1, 2}, {3, none}}}
		h.Values[row][column] = 4
		x, y := centroid(picture(t, h), scale{0, 4}.color(4))
		if !(left < x && x < right && top < y && y < bottom) {
			t.Errorf("the cell of row %d, column %d is around (%.2f, %.2f)", row, column, x, y)
		}
	}
	check(0, 0, 0.1, 0.4, 0.1, 0.4)
	check(0, 1, 0.4, 0.8, 0.1, 0.4)
	check(1, 0, 0.1, 0.4, 0.4, 0.8)
	check(1, 1, 0.4, 0.8, 0.4, 0.8)
}

// TestRowOrder: the names of the rows run from the top as the values do.
func TestRowOrder(t *testing.T) {
	h := drift(3)
	ticks := h.plot(scale{0, 1}).Y.Tick.Marker.Ticks(0, 1)
	for i, tick := range ticks {
		if want := h.Rows[len(h.Rows)-1-i]; tick.Label != want || tick.Value != float64(i) {
			t.Errorf("the name %d from below is %q at %v, want %q", i, tick.Label, tick.Value, want)
		}
	}
}

// TestLuminance: a larger value is always darker (ITU-R BT.709), and neither
// white nor the grey of absent cells.
func TestLuminance(t *testing.T) {
	last := 1.0
	for i := range 101 {
		r, g, b, _ := scale{-1, 1}.color(float64(i)/50 - 1).RGBA()
		now := (0.2126*float64(r) + 0.7152*float64(g) + 0.0722*float64(b)) / 0xFFFF
		if now >= last || r == g && g == b {
			t.Fatalf("step %d has a luminance of %v after %v", i, now, last)
		}
		last = now
	}
}

// TestLabels: all rows, columns and texts are in the figure.
func TestLabels(t *testing.T) {
	h := drift(30)
	shows(t, h, append(append([]string{h.Title, h.XLabel, h.YLabel, h.Scale, "0", "absent"}, h.Rows...), h.Columns...)...)
	full := HeatMap{Columns: []string{"c"}, Rows: []string{"r"}, Values: [][]float64{{-1}}}
	if got := texts(t, saved(t, "full.svg", full)); slices.Contains(got, "absent") || !slices.Contains(got, "-1") {
		t.Errorf("a full heat map shows %q", got)
	}
}

// TestSizes: rows keep a height at which their names, of 9 points, do not touch.
func TestSizes(t *testing.T) {
	height := func(layers int) float64 {
		f, err := drift(layers).figure()
		if err != nil {
			t.Fatal(err)
		}
		return float64(f.height)
	}
	if row := (height(80) - height(40)) / 40; math.Abs(row-14) > 1e-9 {
		t.Errorf("a row is %v points high, want 14", row)
	}
}

func TestHeatMapErrors(t *testing.T) {
	refused(t, HeatMap{Title: "drift"}, `"drift" has no values`)
	refused(t, HeatMap{Rows: []string{"r"}, Values: [][]float64{{}}}, "no values")
	refused(t, HeatMap{Rows: []string{"r"}, Columns: []string{"c"}, Values: [][]float64{{none}}}, "no values")
	refused(t, HeatMap{Rows: []string{"r"}, Columns: []string{"c"}, Values: [][]float64{{math.Inf(1)}}}, `row "r", column "c" is +Inf`)
	panics(t, "a row missing", HeatMap{Rows: []string{"r", "s"}, Columns: []string{"c"}, Values: [][]float64{{1}}})
	panics(t, "a value missing", HeatMap{Rows: []string{"r"}, Columns: []string{"c", "d"}, Values: [][]float64{{1}}})
}

// TestExtremeValues: any finite range has colours and a bar.
func TestExtremeValues(t *testing.T) {
	for _, v := range []float64{0, 1, -1, 5e-324, -5e-324, 1e-300, 1e99, -1e99} {
		for _, w := range []float64{v, 0, math.Nextafter(v, 9), none} {
			saved(t, "a.svg", HeatMap{Columns: []string{"c", "d"}, Rows: []string{"r"}, Values: [][]float64{{v, w}}})
		}
	}
}
