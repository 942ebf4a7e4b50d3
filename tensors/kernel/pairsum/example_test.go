package pairsum_test

import (
	"fmt"

	"surgeon/tensors/kernel/pairsum"
)

func ExamplePair() {
	p := pairsum.New()
	p.Write([]byte("a"), []byte("one stream may be longer "))
	p.Write([]byte("bc"), []byte("than the other"))
	first, second := p.Sum()
	fmt.Printf("%x\n%x\n", first[:4], second[:4])
	// Output:
	// ba7816bf
	// c02f25d1
}
