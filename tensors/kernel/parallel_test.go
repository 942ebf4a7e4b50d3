package kernel_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"surgeon/tensors/kernel"
)

// TestParallelBeside covers every number once, for any number of processors, one
// Parallel after the other, inside another and beside another.
func TestParallelBeside(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	cover := func(n int) bool {
		counts := make([]atomic.Int32, n)
		kernel.Parallel(n, func(low, high int) {
			for i := low; i < high; i++ {
				counts[i].Add(1)
			}
		})
		for i := range counts {
			if counts[i].Load() != 1 {
				return false
			}
		}
		return true
	}
	for _, processors := range []int{1, 2, 3, 8, 2} {
		runtime.GOMAXPROCS(processors)
		for n := range 40 {
			if !cover(n) {
				t.Fatalf("%d processors: not every number of %d comes once", processors, n)
			}
		}
		var inside, beside atomic.Int32
		kernel.Parallel(7, func(low, high int) {
			for range high - low {
				if cover(100) {
					inside.Add(1)
				}
			}
		})
		var group sync.WaitGroup
		for range 5 {
			group.Go(func() {
				for range 200 {
					if cover(9) {
						beside.Add(1)
					}
				}
			})
		}
		group.Wait()
		if inside.Load() != 7 || beside.Load() != 1000 {
			t.Errorf("%d processors: %d of 7 inside another, %d of 1000 beside others", processors, inside.Load(), beside.Load())
		}
	}
}
