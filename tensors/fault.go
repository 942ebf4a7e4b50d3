package tensors

import (
	"errors"
	"runtime/debug"
)

// errChanged is what reading a mapped file gives that has become shorter.
var errChanged = errors.New("the file was changed while it was read: it is shorter than its header says")

// guard runs work that looks at mapped memory. A file that is truncated while
// it is mapped makes the processor fault; here that is an error instead of the
// end of the program. Any other panic goes on.
func guard(work func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		switch fault := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = errChanged
		default:
			panic(fault)
		}
	}()
	return work()
}
