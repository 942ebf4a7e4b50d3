package plot

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// someFront has two clouds, one without bars, and the line through three points.
func someFront() Front {
	nan := math.NaN()
	return Front{
		Title: "general against domain", XLabel: "general (2 tasks)", YLabel: "domain (1 task)",
		Clouds: []Cloud{
			{Name: "linear", X: []float64{0.40, 0.38, 0.30}, Y: []float64{0.20, 0.34, 0.36}, XLow: []float64{0.37, 0.35, 0.27}, XHigh: []float64{0.43, 0.41, 0.33},
				YLow: []float64{0.16, 0.30, 0.32}, YHigh: []float64{0.24, 0.38, 0.40}, Labels: []string{"0", "0.5", "1"}},
			{Name: "trim=0.2", X: []float64{0.36}, Y: []float64{0.30}, XLow: []float64{nan}, XHigh: []float64{nan}, YLow: []float64{nan}, YHigh: []float64{nan}, Labels: []string{""}},
		},
		X: []float64{0.40, 0.38, 0.30}, Y: []float64{0.20, 0.34, 0.36},
	}
}

func TestFront(t *testing.T) {
	path := filepath.Join(t.TempDir(), "front.svg")
	if err := Save(path, someFront()); err != nil {
		t.Fatal(err)
	}
	svg := readFile(t, path)
	for _, text := range []string{"general against domain", "general (2 tasks)", "domain (1 task)", "linear", "trim=0.2", ">0.5<"} {
		if !bytes.Contains(svg, []byte(text)) {
			t.Errorf("no %q in the figure", text)
		}
	}
	again := filepath.Join(t.TempDir(), "front.svg")
	if err := Save(again, someFront()); err != nil || !bytes.Equal(svg, readFile(t, again)) {
		t.Errorf("drawn twice the figure differs (%v)", err)
	}
}

func TestFrontRefuses(t *testing.T) {
	refuse := func(want string, change func(v *Front)) {
		t.Helper()
		v := someFront()
		change(&v)
		if err := Save(filepath.Join(t.TempDir(), "front.svg"), v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	refuse("no points", func(v *Front) { v.Clouds = nil })
	refuse("has no place", func(v *Front) { v.Clouds[0].Y[1] = math.Inf(1) })
	refuse("error bar of point 2", func(v *Front) { v.Clouds[0].XLow[2] = 2 })
	defer func() {
		if recover() == nil {
			t.Error("a cloud of lists of different lengths is drawn")
		}
	}()
	refuse("", func(v *Front) { v.Clouds[0].Labels = nil })
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
