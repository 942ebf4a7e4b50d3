package decoder_test

import (
	"testing"

	"surgeon/tensors/kernel"
	"surgeon/tensors/tensorstest"
)

func use(t *testing.T, instructions string) {
	t.Helper()
	if err := kernel.Use(instructions); err != nil {
		t.Fatal(err)
	}
}

// TestInstructions: a model gives the same bits with every instruction set, but
// for AMX, which is close and has all other laws.
func TestInstructions(t *testing.T) {
	best := kernel.Instructions()
	t.Cleanup(func() { use(t, best) })
	p, requests := tensorstest.Pico{Seed: 7}, mixed()
	want := score(t, pico(t, p), requests)
	for _, other := range []string{"generic", "neon", "avx2", "avx512"} {
		if kernel.Use(other) == nil {
			checkSame(t, other, score(t, pico(t, p), requests), want)
		}
	}
}

// TestAMX runs the goldens and the laws with AMX, where there is any.
func TestAMX(t *testing.T) {
	best := kernel.Instructions()
	if err := kernel.Use("amx"); err != nil {
		t.Skip(err)
	}
	defer kernel.Use(best)
	if kernel.Portable() {
		t.Error("AMX is taken for one of those that give the same bits")
	}
	t.Run("goldens", TestForwardGoldens)
	t.Run("greedy", TestGreedyGoldens)
	t.Run("same bits", TestSameBits)
	t.Run("lazy merge", TestLazyMerge)
	t.Run("generation", TestGenerateIdentical)
}
