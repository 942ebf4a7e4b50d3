package pairsum_test

import (
	"fmt"

	"surgeon/tensors/kernel/pairsum"
)

func ExampleWrite() {
	short, long := pairsum.New(), pairsum.New()
	pairsum.Write(short, long, []byte("a"), []byte("one stream may be longer "))
	pairsum.Write(short, long, []byte("bc"), []byte("than the other"))
	fmt.Printf("%x\n%x\n", short.Sum(), long.Sum())
	// Output:
	// ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
	// c02f25d194214aeb2a52d189fe89c4ab66875d60393f09392cdda0aee184161d
}
