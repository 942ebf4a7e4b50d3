package python

import (
	"slices"
	"testing"
)

// The wants are what Python 3.11 answers.
func TestCase(t *testing.T) {
	check := func(text string, upper, lower bool, small string) {
		t.Helper()
		if IsUpper(text) != upper || IsLower(text) != lower {
			t.Errorf("%q: upper %v, lower %v; want %v, %v", text, IsUpper(text), IsLower(text), upper, lower)
		}
		if got := Lower(text); got != small {
			t.Errorf("%q: small %q, want %q", text, got, small)
		}
	}
	check("", false, false, "")
	check("ABC", true, false, "abc")
	check("A1 日本!", true, false, "a1 日本!")
	check("12 日本", false, false, "12 日本")
	check("aB", false, false, "ab")
	check("Ab", false, false, "ab")
	check("Aǅ", false, false, "aǆ") // a title-case letter is neither
	check("aǅ", false, false, "aǆ")
	check("STRAßE", false, false, "straße")
	check("Ⅷ Ⓐ", true, false, "ⅷ ⓐ")
	check("ª", false, true, "ª")
	check("İI", true, false, "i̇i")
	check("ΣΑΣ", true, false, "σας")
	check("ΑΣ.", true, false, "ας.")
	check("ΑΣ'Α", true, false, "ασ'α")
	check("Σ", true, false, "σ")
	check(" Σ ", true, false, " σ ")
	check("Α\u0301Σ\u0301", true, false, "α\u0301ς\u0301")
	check("1Σ", true, false, "1σ")
	check("KÅ", true, false, "kå") // signs for kelvin and angstrom
}

func TestBlanks(t *testing.T) {
	if got := Strip("\x1c\u00a0 \u3000a\u200b b\u0085\x1f"); got != "a\u200b b" {
		t.Errorf("stripped %q", got)
	}
	if got := Fields(" a\x1cb\u2028c\ufeff\td "); !slices.Equal(got, []string{"a", "b", "c\ufeff", "d"}) {
		t.Errorf("fields %q", got)
	}
	for _, r := range "\u200b\u180e\ufeff\x00_" {
		if IsSpace(r) {
			t.Errorf("%U counts as a blank", r)
		}
	}
}
