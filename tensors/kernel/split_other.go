//go:build !amd64

package kernel

func splitting() bool { return false }

func split([]uint16, []float32, int, int) {}

func multiplyTiles([]float32, int, []uint16, int, []uint32, int, int, int, bool) {}
