//go:build !amd64 && !arm64

package kernel

var instructionNames = []string{"generic"}

func detected() instructions { return generic }

func allowed(instructions) bool { return true }
