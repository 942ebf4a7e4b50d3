//go:build !unix

package record

// syncDirectory does nothing where directories cannot be synced.
func syncDirectory(string) error { return nil }
