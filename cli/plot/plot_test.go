package plot

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var none = math.NaN()

// drift returns a heat map of the given number of layers, with rows of one
// value before and after them as real models have.
func drift(layers int) HeatMap {
	h := HeatMap{
		Title: "Drift of a model against its base", XLabel: "part", YLabel: "layer", Scale: "relative change",
		Columns: []string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "input_layernorm", "post_attention_layernorm"},
		Rows:    []string{"embed"},
	}
	for i := range layers {
		h.Rows = append(h.Rows, fmt.Sprint(i))
	}
	h.Rows = append(h.Rows, "norm", "lm_head")
	for i := range h.Rows {
		values := make([]float64, len(h.Columns))
		for j := range values {
			values[j] = 0.02 + 0.01*float64(i%7) + 0.003*float64(j)
			if j > 0 && (i == 0 || i > layers) {
				values[j] = none
			}
		}
		h.Values = append(h.Values, values)
	}
	return h
}

// sweep returns a curve of n lines over five weights, with error bars.
func sweep(n int) Curve {
	v := Curve{Title: "Accuracy against the weight", XLabel: "alpha", YLabel: "accuracy"}
	for i := range n {
		line := Line{Name: fmt.Sprintf("task %d", i), X: []float64{0, 0.25, 0.5, 0.75, 1}}
		for k := range line.X {
			y := 0.3 + 0.05*float64(k) + 0.02*float64(i)
			line.Y = append(line.Y, y)
			line.Low, line.High = append(line.Low, y-0.03), append(line.High, y+0.04)
		}
		v.Lines = append(v.Lines, line)
	}
	return v
}

// saved writes a drawing twice and returns the bytes, which must agree.
func saved(t *testing.T, name string, drawing Drawing) []byte {
	t.Helper()
	var files [2][]byte
	for i := range files {
		path := filepath.Join(t.TempDir(), name)
		if err := Save(path, drawing); err != nil {
			t.Fatal(err)
		}
		files[i], _ = os.ReadFile(path)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Errorf("%s: two runs give different bytes", name)
	}
	return files[0]
}

// texts returns the words in an SVG file, failing the test if it is not XML.
func texts(t *testing.T, svg []byte) []string {
	t.Helper()
	var result []string
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for inside := false; ; {
		token, err := decoder.Token()
		if err == io.EOF {
			return result
		}
		if err != nil {
			t.Fatalf("the SVG file is no XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local == "text"
		case xml.EndElement:
			inside = false
		case xml.CharData:
			if inside {
				result = append(result, string(token))
			}
		}
	}
}

// shows reports words that are not drawn.
func shows(t *testing.T, drawing Drawing, want ...string) {
	t.Helper()
	got := "|" + strings.Join(texts(t, saved(t, "figure.svg", drawing)), "|") + "|"
	for _, words := range want {
		if !strings.Contains(got, "|"+words+"|") {
			t.Errorf("%q is not in the figure, which has %s", words, got)
		}
	}
}

// picture returns a drawing as it looks in a PNG file.
func picture(t *testing.T, drawing Drawing) image.Image {
	t.Helper()
	result, err := png.Decode(bytes.NewReader(saved(t, "figure.png", drawing)))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// refused reports a drawing whose error does not have the words wanted.
func refused(t *testing.T, drawing Drawing, want string) {
	t.Helper()
	_, err := drawing.figure()
	if err == nil || !strings.HasPrefix(err.Error(), "plot: ") || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}

// panics reports a drawing that does not end in a panic naming the package.
func panics(t *testing.T, name string, drawing Drawing) {
	t.Helper()
	defer func() {
		if message := fmt.Sprint(recover()); !strings.HasPrefix(message, "plot: ") {
			t.Errorf("%s: panic %q, want one that names the package", name, message)
		}
	}()
	drawing.figure()
}
