package memo

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	l := letters{face: mono, size: 10} // each letter is 6 points wide
	check := func(text string, across, most int, want ...string) {
		t.Helper()
		if got := l.lines(text, 6.01*float64(across), most); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	check("", 5, 3, "")
	check("ab cd ef", 5, 3, "ab cd", "ef")
	check("abcdefgh", 5, 3, "abcde", "fgh")
	check("a abcdefgh", 5, 3, "a", "abcde", "fgh")
	check("abc-defgh", 5, 3, "abc-", "defgh")
	check("a/bcdefgh", 6, 3, "a/bcde", "fgh") // a sign in the first half would leave a gap
	check("ab cd ef gh", 5, 1, "ab…gh")
	check("abcdefghijkl", 5, 1, "ab…kl")
	check("rate 10 % up", 8, 9, "rate", "10\u00a0% up")
	check("with n = 96 items", 10, 9, "with", "n\u00a0=\u00a096", "items")
	check("by [1, 2] or [3, 4].", 9, 9, "by [1,\u00a02]", "or", "[3,\u00a04].")
	check("ΔWαβ", 2, 9, "ΔW", "αβ")
	check("模x", 9, 9, "□x")
	check("abc", 0, 2, "a", "…") // narrower than a letter: one letter on a line
	long := l.lines(strings.Repeat("x", 1000), 6.01*80, 9)
	if text := strings.Join(long, ""); len([]rune(text)) != longestWord+1 || !strings.Contains(text, "x…x") {
		t.Errorf("a long word becomes %q", long)
	}
}

// TestWidths compares widths with those that Liberation Sans shares with
// Helvetica (Adobe's metrics: i 222, space 278, W 944, digits 556).
func TestWidths(t *testing.T) {
	check := func(f face, text string, want float64) {
		t.Helper()
		if got := f.width(text, 1000); math.Abs(got-want) > 1 {
			t.Errorf("%q: %g, want %g", text, got, want)
		}
	}
	check(regular, "i", 222)
	check(regular, " ", 278)
	check(regular, "W", 944)
	check(regular, "0123456789", 5560)
	check(bold, "W", 944)
	check(bold, "i", 278)
	check(mono, "iW", 1200)
}

// TestFill pours as water finds its level.
func TestFill(t *testing.T) {
	check := func(room float64, capacities, weights, want []float64, rest float64) {
		t.Helper()
		got, over := fill(room, capacities, weights)
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-9 || math.Abs(over-rest) > 1e-9 {
				t.Fatalf("%v and %g over, want %v and %g", got, over, want, rest)
			}
		}
	}
	even := []float64{1, 1, 1}
	check(9, []float64{1, 10, 10}, even, []float64{1, 4, 4}, 0)
	check(9, []float64{1, 2, 3}, even, []float64{1, 2, 3}, 3)
	check(9, []float64{0, 10, 10}, []float64{1, 2, 1}, []float64{0, 6, 3}, 0)
	check(12, []float64{10, 4, 10}, []float64{1, 2, 1}, []float64{4, 4, 4}, 0)
	check(5, []float64{10, 10, 10}, []float64{0, 1, 0}, []float64{0, 5, 0}, 0)
	check(5, []float64{1, 1, 1}, []float64{0, 0, 0}, []float64{0, 0, 0}, 5)
	check(-1, []float64{1, 1, 1}, even, []float64{0, 0, 0}, 0)
}

// TestNumbersUnbroken keeps numbers on one line beside long names.
func TestNumbersUnbroken(t *testing.T) {
	m := &Memo{}
	m.Pages[0].Blocks = []Block{Table{
		Columns: []Column{{Name: "name"}, {Name: "interval", Right: true}, {Name: "note"}},
		Rows:    [][]string{{strings.Repeat("long name ", 20), "+62.5 [+49.0, +74.0]", strings.Repeat("a note ", 30)}},
	}}
	rights := []float64{}
	for _, r := range runs(t, uncompressed(t, m)) {
		if r.text == "+62.5\u00a0[+49.0,\u00a0+74.0]" || r.text == "+62.5 [+49.0,\u00a0+74.0]" || r.text == "interval" {
			rights = append(rights, r.x+r.width(r.text))
		}
	}
	if len(rights) != 2 || math.Abs(rights[0]-rights[1]) > 0.1 {
		t.Errorf("right ends %v, want two that are equal", rights)
	}
}
