package kernel

// plainly runs work with the assembly switched off.
func plainly(work func()) {
	defer func(before bool) { vectors = before }(vectors)
	vectors = false
	work()
}
