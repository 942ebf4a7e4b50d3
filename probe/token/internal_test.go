package token

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"unicode"
	"unicode/utf8"
)

func words(split splitter, text string) (all []string) {
	split(text, true, func(word string) { all = append(all, word) })
	return all
}

// gpt2 is the pattern of GPT-2 without its look-ahead, which Go's regexp lacks
// and wordLengthByPattern adds.
var gpt2 = func() *regexp.Regexp {
	const white = `\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}`
	return regexp.MustCompile(`^(?:'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^` + white + `\p{L}\p{N}]+|([` + white + `]+))`)
}()

func wordLengthByPattern(text string) int {
	match := gpt2.FindStringSubmatchIndex(text)
	end := match[1]
	if isSpace := match[2] >= 0; isSpace && end < len(text) {
		if _, last := utf8.DecodeLastRuneInString(text[:end]); last < end {
			end -= last
		}
	}
	return end
}

func TestWordsAgainstPattern(t *testing.T) {
	letters := []rune("abZéßſ日Ⅷ²٣09''''sdmtlvre  \n\r\t\u0085\u00A0\u2003\u3000\u180E\u200B.,-_\u0301🙂\uFFFD\x00")
	random := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		text := make([]rune, 1+random.IntN(12))
		for i := range text {
			text[i] = letters[random.IntN(len(letters))]
		}
		if got, want := gpt2Word(string(text)), wordLengthByPattern(string(text)); got != want {
			t.Fatalf("gpt2Word(%q) = %d, want %d", string(text), got, want)
		}
	}
	whole := func(text string) bool {
		return text == "" || strings.Join(words(byteLevel(false, true), text), "") == text
	}
	if err := quick.Check(whole, nil); err != nil {
		t.Error(err)
	}
}

// Every character alone, so that a class cannot be wrong unnoticed.
func TestEveryCharacterAgainstPattern(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) || r > 0x3FFFF && r < 0xE0000 { // nothing is assigned there
			continue
		}
		text := " " + string(r) + "a"
		if got, want := gpt2Word(text), wordLengthByPattern(text); got != want {
			t.Fatalf("gpt2Word(%q) = %d, want %d", text, got, want)
		}
	}
}

func digits(b behavior) splitter { return behave(each(unicode.IsNumber), b, false) }

func TestSplitters(t *testing.T) {
	check := func(split splitter, text string, want ...string) {
		t.Helper()
		if got := words(split, text); !slices.Equal(got, want) {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	check(byteLevel(false, true), "it's  a\n\n b", "it", "'s", " ", " a", "\n\n", " b")
	check(byteLevel(false, true), "we'll 've 'RE", "we", "'ll", " '", "ve", " '", "RE")
	check(byteLevel(true, true), "a b", " a", " b")
	check(byteLevel(true, true), " a", " a")
	check(byteLevel(true, false), "a b", " a b")
	check(byteLevel(false, false), "a b", "a b")
	check(digits(isolated), "Hey 123 friend!", "Hey ", "1", "2", "3", " friend!")
	check(digits(contiguous), "Hey 123 friend!", "Hey ", "123", " friend!")
	check(digits(isolated), "1", "1")
	check(digits(isolated), "²Ⅷa", "²", "Ⅷ", "a")
	check(digits(contiguous).then(byteLevel(true, true)), "a12", " a", " 12")
}

// mergeSimply is the definition: join the pair of least rank, leftmost first,
// and look at everything again.
func mergeSimply(m *bpe, ids []int32) []int32 {
	ids = slices.Clone(ids)
	for {
		best, at := merge{rank: never}, 0
		for i := 0; i+1 < len(ids); i++ {
			if joined := m.join(ids[i], ids[i+1]); joined.rank < best.rank {
				best, at = joined, i
			}
		}
		if best.rank == never {
			return ids
		}
		ids[at] = best.id
		ids = slices.Delete(ids, at+1, at+2)
	}
}

// The merges are random over few ids, so that pairs change under way often.
func TestMergeShortAndLongAgainstDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		m := &bpe{merges: map[pair]merge{}}
		for rank := range int32(40) {
			m.merges[pair{random.Int32N(12), random.Int32N(12)}] = merge{rank, 4 + rank%8}
		}
		for range 10 {
			ids := make([]int32, random.IntN(shortWord+1))
			for i := range ids {
				ids[i] = random.Int32N(4)
			}
			want := mergeSimply(m, ids)
			short, long := slices.Clone(ids), slices.Clone(ids)
			if got := short[:m.mergeShort(short)]; !slices.Equal(got, want) {
				t.Fatalf("mergeShort(%v) = %v, want %v", ids, got, want)
			}
			if got := long[:m.mergeLong(long)]; !slices.Equal(got, want) {
				t.Fatalf("mergeLong(%v) = %v, want %v", ids, got, want)
			}
		}
	}
}

func TestValidText(t *testing.T) {
	check := func(text string, wantCount int) {
		t.Helper()
		got := validText(text)
		if n := strings.Count(got, "\uFFFD"); n != wantCount || !utf8.ValidString(got) {
			t.Errorf("validText(%q) = %q with %d replacements, want %d", text, got, n, wantCount)
		}
	}
	// The first three are the table 3-8 of the Unicode standard.
	check("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", 4)
	check("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", 8)
	check("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", 8)
	check("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", 7)
	check("a€🙂", 0)
	check("a\uFFFDb", 1)
	check("\xF0\x9F\x99", 1)
	check("\x80", 1)
}

func TestBytesOf(t *testing.T) {
	for b, symbol := range symbolOfByte {
		if got, ok := bytesOf(string(symbol)); !ok || got != string([]byte{byte(b)}) {
			t.Errorf("bytesOf(%q) = %q, %v, want the byte %d", string(symbol), got, ok, b)
		}
	}
	for _, token := range []string{" ", "a b", "Ń", "日", "\u00AD"} {
		got, ok := bytesOf(token)
		if isSymbol := token == "Ń"; ok != isSymbol || !ok && got != token {
			t.Errorf("bytesOf(%q) = %q, %v", token, got, ok)
		}
	}
}

// The cache begins anew instead of growing, and holds no long words.
func TestCacheIsBounded(t *testing.T) {
	var c cache
	for i := range cachedWords + 10 {
		c.put(strings.Repeat("x", i%cachedBytes)+string(rune(i)), []int32{int32(i)})
	}
	if len(c.words) > cachedWords {
		t.Errorf("the cache holds %d words, more than %d", len(c.words), cachedWords)
	}
	long := strings.Repeat("x", cachedBytes+1)
	c.put(long, nil)
	if _, ok := c.words[long]; ok {
		t.Errorf("the cache holds a word of %d bytes", len(long))
	}
}
