package token

import (
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// TestSlowForm compares the definition with the package norm, where that is
// trusted.
func TestSlowForm(t *testing.T) {
	letters := []rune("aeoAcC\u0301\u0323\u0327\u0308\u0338éệṩ각ᄀ\u1161\u11A8ﬁ①ΩÅ\u09C7\u09BE\u0B47\u0B56\u0344日🙂\u1DF6\u0345\u0F71\u0F72\u0F80\u2ADC")
	random := rand.New(rand.NewPCG(7, 8))
	for _, f := range []norm.Form{norm.NFC, norm.NFD, norm.NFKC, norm.NFKD} {
		for range 20000 {
			text := make([]rune, random.IntN(9))
			for i := range text {
				text[i] = letters[random.IntN(len(letters))]
			}
			if needsCare(string(text)) {
				continue
			}
			if got, want := slowForm(f, string(text)), f.String(string(text)); got != want {
				t.Fatalf("form %d: slowForm(%+q) = %+q, want %+q", f, string(text), got, want)
			}
		}
	}
}

// No mark is added to a long sequence, however long; the second is composed.
func TestFormOfManyMarks(t *testing.T) {
	check := func(f norm.Form, text, want string) {
		t.Helper()
		if got := form(f)(text); got != want {
			t.Errorf("form %d of %d bytes has %d bytes, want %d", f, len(text), len(got), len(want))
		}
	}
	marks := strings.Repeat("\u0301", 100_000)
	check(norm.NFD, "é"+marks, "e\u0301"+marks)
	check(norm.NFC, "e\u0301"+marks, "é"+marks)
	check(norm.NFC, "a\u0301\u0323"+marks, "ạ\u0301"+marks)
	check(norm.NFKC, "ﬁ"+marks, "fí"+marks[len("\u0301"):])
	check(norm.NFC, "Ω\u0B56\u0301", "Ω\u0B56\u0301")
	check(norm.NFC, strings.Repeat("\u09BE", 50), strings.Repeat("\u09BE", 50))
}
