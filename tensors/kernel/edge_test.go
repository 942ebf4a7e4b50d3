package kernel_test

import (
	"math"
	"testing"

	"surgeon/tensors/kernel"
)

func TestEdgeLogSumExp(t *testing.T) {
	inf := float32(math.Inf(1))
	if got := kernel.LogSumExp([]float32{-inf, -inf}); !math.IsInf(got, -1) {
		t.Errorf("log(0+0) is %v, want -Inf", got)
	}
	if got := kernel.LogSumExp([]float32{inf, 1}); !math.IsInf(got, 1) {
		t.Errorf("log(inf) is %v, want +Inf", got)
	}
}

func TestEdgeEmbed(t *testing.T) {
	for _, id := range []int32{2, 3, -1} { // the table has two rows
		panics(t, "Embed outside the table", func() { kernel.Embed(make([]float32, 2), make([]float32, 4), []int32{id}, 2) })
	}
}
