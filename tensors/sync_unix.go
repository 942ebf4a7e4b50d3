//go:build unix

package tensors

import "os"

// syncDirectory makes a rename inside a directory durable.
func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return cause(err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return cause(err)
	}
	return nil
}
