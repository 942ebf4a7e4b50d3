//go:build !linux

package kernel

func tilesAllowed() bool { return false }
