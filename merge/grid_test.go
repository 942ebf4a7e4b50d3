package merge_test

import (
	"fmt"
	"reflect"
	"testing"

	"surgeon/merge"
	"surgeon/tensors/tensorstest"
)

func ExampleGrid_Points() {
	grid := merge.Grid{
		Methods: []merge.Method{{Name: "linear"}, {Name: "trim", Density: 0.2}},
		Alphas:  []float64{0, 1},
		Groups:  []merge.Group{{Pattern: "norms", Alphas: []float64{0, 0.5}}},
	}
	for _, p := range grid.Points() {
		fmt.Println(p)
	}
	// Output:
	// linear alpha=0 norms=0
	// linear alpha=0 norms=0.5
	// linear alpha=1 norms=0
	// linear alpha=1 norms=0.5
	// trim=0.2 alpha=0 norms=0
	// trim=0.2 alpha=0 norms=0.5
	// trim=0.2 alpha=1 norms=0
	// trim=0.2 alpha=1 norms=0.5
}

// TestPoints: the product of all axes, each point once; what is the base or the
// tuned model is known as such, and is it bit for bit.
func TestPoints(t *testing.T) {
	grid := merge.Grid{
		Methods: []merge.Method{{Name: "linear"}, {Name: "drop", Density: 0.5, Seed: 3}},
		Alphas:  []float64{0, 0.5, 1},
		Groups:  []merge.Group{{Pattern: "norms", Alphas: []float64{0, 1}}, {Pattern: "layers.0.mlp", Alphas: []float64{0, 0.25, 1}}},
	}
	points := grid.Points()
	if len(points) != 2*3*2*3 {
		t.Fatalf("%d points", len(points))
	}
	base, tuned := tensorstest.Pico{Seed: 3}.Weights(), tensorstest.Pico{Seed: 3, Drift: 0.1}.Weights()
	difference := diff(t, base, tuned)
	seen, bases, tunes := map[string]bool{}, 0, 0
	for _, p := range points {
		if seen[p.String()] {
			t.Errorf("%s comes twice", p)
		}
		seen[p.String()] = true
		rules, err := p.Rules()
		if err != nil {
			t.Fatal(err)
		}
		if got := rules.At("model.layers.0.input_layernorm.weight"); got != p.Groups[0].Alpha {
			t.Errorf("%s: alpha of a norm is %v", p, got)
		}
		if got := rules.At("model.layers.1.mlp.up_proj.weight"); got != p.Alpha {
			t.Errorf("%s: alpha elsewhere is %v", p, got)
		}
		m := apply(t, base, merge.Term{Label: "tuned", Delta: p.Method.Of(difference), Alpha: rules.At})
		isBase, isTuned := true, true
		for _, name := range base.Names() {
			got := values(t, m, name)
			isBase = isBase && reflect.DeepEqual(got, values(t, base, name))
			isTuned = isTuned && reflect.DeepEqual(got, values(t, tuned, name))
		}
		if isBase != p.Base() || isTuned != p.Tuned() {
			t.Errorf("%s: is the base %v, said %v; is the tuned model %v, said %v", p, isBase, p.Base(), isTuned, p.Tuned())
		}
		if p.Base() {
			bases++
		}
		if p.Tuned() {
			tunes++
		}
	}
	whole := merge.Point{Method: merge.Method{Name: "trim", Density: 1}, Alpha: 0.5}
	if same := whole.Same().String(); same != "linear alpha=0.5" || points[20].Same().String() != points[20].String() {
		t.Errorf("%s is the same as %s, %s as %s", whole, same, points[20], points[20].Same())
	}
	if bases != 2 || tunes != 1 {
		t.Errorf("%d points are the base and %d the tuned model", bases, tunes)
	}
}
