//go:build unix

package record

import (
	"errors"
	"os"
)

// syncDirectory makes a rename inside a directory durable.
func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
