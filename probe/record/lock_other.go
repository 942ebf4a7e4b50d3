//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package record

import "os"

// lock takes a log for this process.
func lock(_ *os.File, path string) (unlock func() error, err error) { return lockBeside(path) }
