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
