package plot_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"surgeon/cli/plot"
)

// The drift of a model of two layers, and what a merge with it is worth.
func Example() {
	folder, err := os.MkdirTemp("", "plot")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	none := math.NaN()
	drift := plot.HeatMap{
		Title: "Drift of the fine-tune", XLabel: "part", YLabel: "layer", Scale: "relative change",
		Columns: []string{"attention", "mlp"},
		Rows:    []string{"embed", "0", "1"},
		Values:  [][]float64{{0.01, none}, {0.02, 0.03}, {0.08, 0.05}},
	}
	accuracy := plot.Curve{
		Title: "Accuracy of the merge", XLabel: "alpha", YLabel: "accuracy",
		Lines: []plot.Line{{
			Name: "GSM8K", X: []float64{0, 0.5, 1}, Y: []float64{0.22, 0.42, 0.5},
			Low: []float64{0.19, 0.39, 0.47}, High: []float64{0.25, 0.45, 0.53},
		}},
	}
	fmt.Println(plot.Save(filepath.Join(folder, "drift.png"), drift))
	fmt.Println(plot.Save(filepath.Join(folder, "accuracy.svg"), accuracy))
	fmt.Println(plot.Save("accuracy.pdf", accuracy))
	// Output:
	// <nil>
	// <nil>
	// plot: the name "accuracy.pdf" ends neither in .png nor in .svg
}
