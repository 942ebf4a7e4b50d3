//go:build !amd64

package kernel

// linearColumns computes the columns low to high of Linear, without bias.
func linearColumns(dst, x, weight []float32, rows, in, out, low, high int) {
	linearColumnsPlain(dst, x, weight, rows, in, out, low, high)
}
