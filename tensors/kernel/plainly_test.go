package kernel

// plainly runs work with the assembly switched off.
func plainly(work func()) {
	defer func(before instructions) { active = before }(active)
	active = generic
	work()
}
