package merge

import (
	"math"
	"sync"

	"surgeon/tensors"
)

// cut is where the largest elements of a tensor end.
type cut struct {
	once      sync.Once
	err       error
	magnitude uint64 // of the smallest that is kept
	last      int    // the highest index of those of this magnitude that are kept
}

// magnitude orders float64 by absolute value: the bits without the sign. NaN are
// above all others, and so are kept and found later.
func magnitude(v float64) uint64 { return math.Float64bits(v) &^ (1 << 63) }

// digitBits is how much of a magnitude one pass over a tensor decides.
const digitBits = 16

// find finds the cut of a tensor, once.
func (c *cut) find(d tensors.Delta, name string, density float64) error {
	c.once.Do(func() {
		info, _ := d.Info(name)
		n := info.Len()
		c.err = c.search(max(1, int(density*float64(n))), func(use func(i int, magnitude uint64)) error { return eachMagnitude(d, name, n, use) })
	})
	return c.err
}

// search selects the keep-th largest magnitude digit by digit, the highest
// first, so that nothing but counts is held (radix selection). Then it counts
// off the equal ones from the front.
func (c *cut) search(keep int, each func(use func(i int, magnitude uint64)) error) error {
	c.last = -1
	for shift := 64 - digitBits; shift >= 0; shift -= digitBits {
		counts := make([]int, 1<<digitBits)
		if err := each(func(_ int, m uint64) {
			if shift+digitBits == 64 || m>>(shift+digitBits) == c.magnitude>>(shift+digitBits) {
				counts[m>>shift&(1<<digitBits-1)]++
			}
		}); err != nil {
			return err
		}
		digit := len(counts) - 1
		for ; digit > 0 && counts[digit] < keep; digit-- {
			keep -= counts[digit]
		}
		c.magnitude |= uint64(digit) << shift
	}
	return each(func(i int, m uint64) {
		if m == c.magnitude && keep > 0 {
			keep--
			c.last = i
		}
	})
}

// eachMagnitude calls use with every element of a difference, in order.
func eachMagnitude(d tensors.Delta, name string, n int, use func(i int, magnitude uint64)) error {
	values := make([]float64, min(n, blockLen))
	for from := 0; from < n; from += len(values) {
		block := values[:min(len(values), n-from)]
		clear(block)
		if err := d.AddTo64(block, name, from, 1); err != nil {
			return err
		}
		for i, v := range block {
			use(from+i, magnitude(v))
		}
	}
	return nil
}
