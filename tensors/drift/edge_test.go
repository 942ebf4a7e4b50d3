package drift_test

import (
	"context"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

func rows(t *testing.T, names ...string) *drift.Report {
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	for _, n := range names {
		base.Add(n, tensors.F32, []int{1}, []float32{1})
		tuned.Add(n, tensors.F32, []int{1}, []float32{2})
	}
	return measure(t, base, tuned)
}

func TestEdgePartNorm(t *testing.T) {
	if got := rows(t, "backbone.layers.0.norm.weight", "backbone.norm.weight").Parts; len(got) != 2 {
		t.Errorf("the final norm and a layer's norm are one row: %+v", got)
	}
}

func TestEdgeLayerNumber(t *testing.T) {
	if got := rows(t, "model.layers.7.mlp.weight", "7").Layers; len(got) != 2 {
		t.Errorf("a tensor called 7 is in the row of layer 7: %+v", got)
	}
}

func TestEdgeCancelled(t *testing.T) {
	base := tensorstest.NewMemory()
	base.Add("x", tensors.F32, []int{0}, nil)
	d, _ := tensors.Diff(base, base)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := drift.Measure(ctx, base, d, drift.Options{}); err == nil {
		t.Error("a cancelled measurement of no elements gives no error")
	}
}
