package cli

import (
	"context"
	"io"
)

// interruptible is a reader that gives up when its context ends, also while it
// waits for a pipe or a terminal.
type interruptible struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader. A read that is given up goes on in the background
// and its bytes are lost: nobody reads after an interruption.
func (r interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	buffer, done := make([]byte, len(p)), make(chan result, 1)
	go func() {
		n, err := r.Reader.Read(buffer)
		done <- result{n, err}
	}()
	select {
	case got := <-done:
		return copy(p, buffer[:got.n]), got.err
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}
