//go:build !amd64

package kernel

func detected() instructions { return generic }
