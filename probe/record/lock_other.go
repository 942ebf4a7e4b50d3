//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package record

import "os"

// Lock takes a file that is appended to, for this process. The error says that
// another process has it.
func Lock(_ *os.File, path string) (unlock func() error, err error) { return lockBeside(path) }
