package record

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// Lock takes a file that is appended to, for this opening of it, until it
// is closed or the process ends, however it ends. The error says that another
// process has it. It locks a byte far behind the end, since a locked
// byte cannot be read by others.
func Lock(file *os.File, path string) (unlock func() error, err error) {
	handle, far := windows.Handle(file.Fd()), &windows.Overlapped{OffsetHigh: 1 << 30}
	err = windows.LockFileEx(handle, windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, far)
	switch {
	case err == nil:
		return func() error { return windows.UnlockFileEx(handle, 0, 1, 0, far) }, nil
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION), errors.Is(err, windows.ERROR_IO_PENDING):
		return nil, refused(path)
	}
	return lockBeside(path)
}
