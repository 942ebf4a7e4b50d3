//go:build !amd64

package kernel

// plainly runs work: there is no assembly to switch off.
func plainly(work func()) { work() }
