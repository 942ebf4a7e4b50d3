package train_test

import (
	"runtime"
	"slices"
	"testing"

	"surgeon/probe/train"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// TestIdentical: a run has the same bits for one thread and two, and for every
// instruction set but amx.
func TestIdentical(t *testing.T) {
	before := kernel.Instructions()
	t.Cleanup(func() {
		if err := kernel.Use(before); err != nil {
			t.Error(err)
		}
	})
	threads := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(threads) })
	var sets []string
	for _, set := range []string{"generic", "avx2", "avx512", "neon"} {
		if err := kernel.Use(set); err != nil {
			t.Logf("left out: %v", err)
			continue
		}
		sets = append(sets, set)
	}
	for name, opt := range ways {
		var first *train.Run
		var want []train.Report
		for _, set := range sets {
			if err := kernel.Use(set); err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{1, 2} {
				runtime.GOMAXPROCS(n)
				r := begun(t, tiny, tinyBase(), allData(), opt)
				reports := stepped(t, r, 4)
				if first == nil {
					first, want = r, reports
					continue
				}
				if !slices.Equal(reports, want) {
					t.Errorf("%s: %s on %d threads reports\n%v\ngeneric on one\n%v", name, set, n, reports, want)
				}
				sameState(t, name+": "+set, r, first)
			}
		}
	}
}

// TestDraws: the same seed gives the same run, another seed another order.
func TestDraws(t *testing.T) {
	opt := ways["full"]
	first := stepped(t, begun(t, tiny, tinyBase(), allData(), opt), 4)
	if again := stepped(t, begun(t, tiny, tinyBase(), allData(), opt), 4); !slices.Equal(again, first) {
		t.Errorf("the same run twice: %v and %v", first, again)
	}
	opt.Seed++
	if other := stepped(t, begun(t, tiny, tinyBase(), allData(), opt), 4); slices.Equal(other, first) {
		t.Error("another seed draws the same")
	}
}

// TestBaseIsRead: a base that stores bfloat16 trains as its widened values do, and
// is not changed.
func TestBaseIsRead(t *testing.T) {
	narrow := tinyBase().As(func(string) tensors.DType { return tensors.BF16 })
	r := begun(t, tiny, narrow, allData(), ways["full"])
	for _, name := range narrow.Names() {
		if !slices.Equal(values(t, r.Weights(), name), values(t, narrow, name)) {
			t.Errorf("%s is read as other values", name)
		}
	}
	stepped(t, r, 3)
	if m := moved(t, narrow, tinyBase().As(func(string) tensors.DType { return tensors.BF16 })); m != nil {
		t.Errorf("the base's %q were changed", m)
	}
	if m := moved(t, r.Weights(), narrow); len(m) != len(narrow.Names()) {
		t.Errorf("only %q have moved", m)
	}
}
