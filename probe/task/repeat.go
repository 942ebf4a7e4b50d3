package task

// From these on a text counts as repeating itself.
const (
	repeatedHalves = 5  // half times at its end: what stands between the pieces need not follow the last
	repeatedLength = 40 // characters in all
)

// repeats reports whether the end of a text is one piece, of any length, said at
// least two and a half times over, which takes at least half of the text and 40
// characters: what a model writes that has got stuck. White space around the
// text does not count.
func repeats(text string) bool {
	runes := []rune(strip(text))
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	// z[p] is how far the reversed text agrees with itself from p on, so that its
	// first z[p]+p characters have the period p.
	z := make([]int, len(runes))
	left, right := 0, 0
	for p := 1; p < len(runes); p++ {
		if p < right {
			z[p] = min(right-p, z[p-left])
		}
		for p+z[p] < len(runes) && runes[z[p]] == runes[p+z[p]] {
			z[p]++
		}
		if p+z[p] > right {
			left, right = p, p+z[p]
		}
		if length := z[p] + p; 2*length >= repeatedHalves*p && length >= repeatedLength && 2*length >= len(runes) {
			return true
		}
	}
	return false
}
