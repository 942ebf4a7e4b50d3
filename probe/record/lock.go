package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// refused says that another process, or this one, appends to a log.
func refused(path string) error {
	return fmt.Errorf("%s is being written by another process: wait for it to end, or give another folder", path)
}

// lockBeside takes a log by making a file beside it, where the log itself cannot
// be locked. The file stays behind when the process is killed.
func lockBeside(path string) (unlock func() error, err error) {
	beside := path + ".lock"
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		holder, _ := os.ReadFile(beside)
		return nil, fmt.Errorf("%s is being written by %q: wait for it to end, or delete %s if it has ended", path, holder, beside)
	}
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	_, err = fmt.Fprintf(file, "process %d on %s", os.Getpid(), host)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(beside))
	}
	return func() error { return os.Remove(beside) }, nil
}
