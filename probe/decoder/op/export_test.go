package op

// Held reports whether what gradients read of an x is in memory.
func Held(x *Projected) bool { return x.packed != nil }
