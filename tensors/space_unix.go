//go:build linux || darwin

package tensors

import "golang.org/x/sys/unix"

// freeSpace returns the bytes that may still be written to a directory's file
// system, or -1 where that is not known.
func freeSpace(dir string) int64 {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return -1
	}
	return int64(s.Bavail) * int64(s.Bsize)
}
