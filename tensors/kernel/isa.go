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

// active is what the kernels use: the best that the processor has, unless Use
// chose less.
var active = detected()

// Instructions names the instruction set in use: "avx512", "avx2", "neon" or
// "generic".
func Instructions() string { return instructionNames[active] }

// Use makes the kernels use an instruction set by its name. Results have the
// same bits with any of them; it is for tests and measurements and must not be
// called while a kernel runs. The error says what this processor has.
func Use(name string) error {
	for i, known := range instructionNames[:detected()+1] {
		if name == known {
			active = instructions(i)
			return nil
		}
	}
	return fmt.Errorf("instruction set %q: this processor has %s", name, strings.Join(instructionNames[:detected()+1], ", "))
}
