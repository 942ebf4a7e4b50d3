package kernel

import (
	"fmt"
	"strings"
)

// instructions are the vector instructions that the kernels may use, by their
// place in instructionNames; each set includes those before it.
type instructions int

// generic is plain Go.
const generic instructions = 0

// active is what the kernels use: of those that give the same bits, the best that
// the processor has, unless Use chose another.
var active = detected()

// Instructions names the instruction set in use: "amx", "avx512", "avx2", "neon"
// or "generic".
func Instructions() string { return instructionNames[active] }

// Portable reports whether the instruction set in use gives the bits that every
// processor gives: any does but amx, whose sums Multiply takes in another order.
func Portable() bool { return !splitting() }

// Use makes the kernels use an instruction set by its name: for tests and
// measurements, and for amx, which is used only if it is asked for. It must not
// be called while a kernel runs. The error says what this processor has.
func Use(name string) error {
	var known []string
	for i, set := range instructionNames {
		if !allowed(instructions(i)) {
			continue
		}
		if name == set {
			active = instructions(i)
			return nil
		}
		known = append(known, set)
	}
	return fmt.Errorf("instruction set %q: this processor has %s", name, strings.Join(known, ", "))
}
