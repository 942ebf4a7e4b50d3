package pattern

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestReplaceSplitFind(t *testing.T) {
	check := func(got []rune, err error, want string) {
		t.Helper()
		if err != nil || string(got) != want {
			t.Errorf("got %q (%v), want %q", string(got), err, want)
		}
	}
	text := []rune("one, two,  three")
	got, err := MustCompile(`(\w)(\w*)`, 0).Replace(text, `\2\1[\0]`)
	check(got, err, "neo[one], wot[two],  hreet[three]")
	got, err = MustCompile(`x`, 0).Replace(text, "y")
	check(got, err, string(text))
	got, err = MustCompile(`x*`, 0).Replace([]rune("axb"), "-")
	check(got, err, "-a--b-") // as in Python from 3.7 on
	got, err = MustCompile(`(a)|b`, 0).Replace([]rune("ab"), `<\1>`)
	check(got, err, "<a><>")

	pieces, err := MustCompile(`,\s*`, 0).Split(text)
	if err != nil || len(pieces) != 3 || string(pieces[2]) != "three" {
		t.Errorf("pieces are %q (%v)", pieces, err)
	}
	if pieces, _ = MustCompile(`,`, 0).Split([]rune(",")); len(pieces) != 2 {
		t.Errorf("a comma parts %d pieces, want 2 empty ones", len(pieces))
	}
	words, err := MustCompile(`\w+`, 0).FindAll(text)
	if err != nil || len(words) != 3 || string(words[1]) != "two" {
		t.Errorf("words are %q (%v)", words, err)
	}
	if n, _ := MustCompile(`a*?`, 0).Count([]rune("aa")); n != 5 { // "", "a", "", "a", ""
		t.Errorf("a*? matches %d times in aa, want 5", n)
	}
}

// A word of module regex has marks and joiners, and no number signs.
func TestRegexClasses(t *testing.T) {
	check := func(expression, text string, re, regex int) {
		t.Helper()
		for flags, want := range map[Flags]int{0: re, Regex: regex} {
			if n, err := MustCompile(expression, flags).Count([]rune(text)); err != nil || n != want {
				t.Errorf("%q with flags %d matches %d times in %q (%v), want %d", expression, flags, n, text, err, want)
			}
		}
	}
	check(`\w+`, "हिन्दी", 3, 1)
	check(`\w+`, "e\u0301cole", 2, 1)
	check(`\w+`, "² ½ Ⅷ ①", 4, 1)
	check(`\w+`, "a\u200db a\u200bb", 4, 3)
	check(`\s`, "\x1c \u0085", 3, 2)
	check(`\bा\b`, "भाषा", 1, 0)
	check(`\d`, "1²٣", 2, 2)
}

// Case is folded alike in both directions, and only among few.
func TestFold(t *testing.T) {
	check := func(a, b rune, want bool) {
		t.Helper()
		if equal(a, b) != want || equal(b, a) != want {
			t.Errorf("%c and %c are equal: %v, want %v", a, b, equal(a, b), want)
		}
	}
	check('k', 'K', true)
	check('s', 'ſ', true)
	check('i', 'ı', true)
	check('İ', 'I', true)
	check('ß', 'ẞ', true)
	check('ς', 'Σ', true)
	check('ﬅ', 'ﬆ', true)
	check('µ', 'μ', true)
	check('e', 'é', false)
	check('ß', 's', false)
	for r := range unicode.MaxRune {
		length := 1
		for other := next(r); other != r; other = next(other) {
			if length++; length > 4 {
				t.Fatalf("more than 4 characters are equal to %U", r)
			}
		}
	}
}

// What makes re hang is answered, and given up only where it must be.
func TestHostileExpressions(t *testing.T) {
	long := strings.Repeat("a", 100_000)
	check := func(expression, text string, found bool, gives error) {
		t.Helper()
		p, err := Compile(expression, 0)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		got, err := p.Found([]rune(text))
		if got != found || !errors.Is(err, gives) {
			t.Errorf("%q: found %v (%v), want %v (%v)", expression, got, err, found, gives)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%q takes %v", expression, took)
		}
	}
	check(`(a+)+$`, long+"b", false, nil)
	check(`(a|a)*b`, long, false, nil)
	check(`(a*)*b`, long, false, nil)
	check(`(?:a?){50}a{50}`, long, true, nil)
	check(`(.*)(.*)(.*)(.*)x`, long, false, nil)
	check(`(?=.*x)a`, long, false, nil)
	check(`(?!.*a$)b`, long, false, nil)
	check(`(?>a+)b|a+c`, long, false, ErrSteps)
	check(`(a*)\1x`, long, false, ErrSteps)
	check(`(a+)\1$`, "aaaa", true, nil)
	if n, err := MustCompile(`.*?`, 0).Count([]rune(long)); err != nil || n != 2*len(long)+1 {
		t.Errorf("%d matches (%v)", n, err)
	}
}

func TestRefused(t *testing.T) {
	for _, expression := range []string{
		`a{20002}`, `a{999999999999}`, `(?:){9999}{2}`, `((?:(?:){9999}){9999}){9999}`, strings.Repeat("(", 1000) + strings.Repeat(")", 1000),
		strings.Repeat("a?", 30_000), `(?x)a`, `(?a)a`, `(?L)a`, `\N{SPACE}`, `(a)(?(1)b|c)`, `(?<n>a)`, `(?<=a*)b`, `\8`, `[\8]`, `\U00110000`, `a**`, `*`,
	} {
		start := time.Now()
		if _, err := Compile(expression, 0); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.30q: error %v", expression, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%.30q takes %v", expression, took)
		}
	}
}

func TestMustCompilePanics(t *testing.T) {
	defer func() {
		if s, is := recover().(string); !is || !strings.HasPrefix(s, "pattern: ") {
			t.Errorf("the panic says %q", s)
		}
	}()
	MustCompile("(", 0)
}

// No expression panics or runs for ever; matches are in order, do not overlap
// and do not depend on what was searched before.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{`\ba|b\b`, `(a*)*`, `[^\W\d]+?`, `(?i)(?<!\w)(')(?=\w)`, `(?P<n>.)(?P=n)`, `x{2,3}+`, `(?<=ab)c`, `\x41[\d-]`, `(?s:.)$`} {
		f.Add(seed, uint8(0), "abc 'aa\n1")
	}
	f.Fuzz(func(t *testing.T, expression string, flags uint8, text string) {
		if len(expression) > 200 || len(text) > 200 {
			return
		}
		p, err := Compile(expression, Flags(flags&15))
		if err != nil {
			return
		}
		var first [][]int
		runes := []rune(text)
		for range 2 {
			var all [][]int
			from := 0
			err := p.Each(runes, func(span []int) bool {
				if span[0] < from || span[1] < span[0] || span[1] > len(runes) {
					t.Fatalf("%q on %q: match %v after %d", expression, text, span[:2], from)
				}
				from = span[1]
				all = append(all, slices.Clone(span))
				return true
			})
			if err != nil && !errors.Is(err, ErrSteps) {
				t.Fatal(err)
			}
			if first == nil {
				first = all
			}
			if !slices.EqualFunc(first, all, slices.Equal[[]int]) {
				t.Fatalf("%q on %q: %v, and then %v", expression, text, first, all)
			}
		}
	})
}
