package token

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// What two dialects do not surely understand alike is refused.
func TestCompileRefuses(t *testing.T) {
	check := func(pattern, want string) {
		t.Helper()
		if _, err := compile(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("compile(%q): error %v, want one with %q", pattern, err, want)
		}
	}
	check(`a*`, "it may match the empty text")
	check(`a|(?=b)`, "it may match the empty text")
	check(`(a+)+`, `"+" behind a group that repeats without limit`)
	check(`(?:a|b*c){2,3}`, `"{2,3}" behind a group that repeats without limit`)
	check(`a++`, `"+" behind "+" is not supported`)
	check(`a{1,3}+`, `"+" behind "{1,3}" is not supported`)
	check(`a{1,3}?`, `"?" behind "{1,3}" is not supported`)
	check(`a{,3}`, `"{,3}" in this place is not supported`)
	check(`a{3,1}`, `"{3,1}" in this place is not supported`)
	check(`a{1,100000}`, `"{1,100000}" in this place is not supported`)
	check(`^a`, `"^" in this place is not supported`)
	check(`$`, "it may match the empty text")
	check(`*a`, `"*" in this place is not supported`)
	check(`\w+`, `the escape "\\w" is not supported`)
	check(`\ba`, `the escape "\\b" is not supported`)
	check(`(a)\1`, `the escape "\\1" is not supported`)
	check(`\u12`, `the escape "\\u12" is not supported`)
	check(`\p{Alpha}`, `the property "\\p{Alpha}" is not supported`)
	check(`\p{C}`, `the property "\\p{C}" is not supported`)
	check(`\pL`, `the property "\\p{`)
	check(`\p{}`, `the property "\\p{}" is not supported`)
	check(`[a[b]]`, `"[" in a class is not supported`)
	check(`[a&&b]`, `"&&" in a class is not supported`)
	check(`[]a]`, `an empty class is not supported`)
	check(`[a`, `a class is not closed`)
	check(`[b-a]`, `a range that does not end with a later character`)
	check(`[\s-a]`, `a range that begins with a kind of characters`)
	check(`[a-\s]`, `a range that does not end with a later character`)
	check(`(?i:ß)`, `"ß" in any case is not supported`)
	check(`(?i:ss)`, `"ss" in any case is not supported`)
	check(`(?i:[a-z])`, `"[" in any case is not supported`)
	check(`(?<=a)b`, `a group that begins with "(?<=" is not supported`)
	check(`(?i)a`, `a group that begins with "(?i)" is not supported`)
	check(`(?>a)`, `a group that begins with "(?>a" is not supported`)
	check(`(a`, `a group is not closed`)
	check(`a)`, `")" closes no group`)
	check(strings.Repeat("(", 1000)+"a", `groups inside more than 50 others`)
}

// TestScannersAgainstPatterns compares the scanners with the machine for
// patterns, which knows nothing of them.
func TestScannersAgainstPatterns(t *testing.T) {
	letters := []rune("abZéßſK日Ⅷ²٣0912'''''sdmtlvreSDMTLVRE  \n\r\t\u0085\u00A0\u2003\u3000\u180E\u200B.,-_/\u0301🙂\uFFFD\x00")
	random := rand.New(rand.NewPCG(9, 10))
	for pattern, length := range scanned {
		find, err := compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for range 20000 {
			text := make([]rune, 1+random.IntN(14))
			for i := range text {
				text[i] = letters[random.IntN(len(letters))]
			}
			got, want := words(every(length), string(text)), words(behave(find, isolated, false), string(text))
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %q becomes %q, want %q", pattern, string(text), got, want)
			}
		}
	}
}

// Long runs of one kind take about the time of other text.
func TestScannersAreLinear(t *testing.T) {
	began := time.Now()
	for _, length := range scanned {
		for _, run := range []string{" ", "\n", " \n", "a", "1", "'", ".", "\u3000", "' "} {
			words(every(length), strings.Repeat(run, 200_000))
		}
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the scanners took %v", took)
	}
}
