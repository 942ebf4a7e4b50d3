//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package record

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Lock takes a file that is appended to, for this opening of it, until it
// is closed or the process ends, however it ends. The error says that another
// process has it. On file systems that cannot lock, which are some of
// clusters, it falls back on lockBeside.
func Lock(file *os.File, path string) (unlock func() error, err error) {
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case err == nil:
		return func() error { return unix.Flock(int(file.Fd()), unix.LOCK_UN) }, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, refused(path)
	}
	return lockBeside(path)
}
