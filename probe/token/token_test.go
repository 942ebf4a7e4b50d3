package token_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/quick"
	"time"

	"surgeon/probe/token"
)

func TestTiny(t *testing.T) {
	tokenizer := tiny()
	check := func(text string, want ...int32) {
		t.Helper()
		checkEncode(t, tokenizer, text, want)
		checkDecode(t, tokenizer, want, text)
	}
	check("")
	check("hello", 259)
	check("hello hello", 259, 260)
	check("hellhello", 258, 259)
	check("abc", 263) // "a b" stands before "b c" in the list
	check("bc", 262)
	check("a b", 'a', ' ', 'b')
	check("    ", 265)
	check("     x", 265, ' ', 'x') // the last blank belongs to the x
	check("aé", 'a', 0xC3, 0xA9)
	check("abc"+endOfText+" hello", 263, endOfTextID, 260)
	check(endOfText+endOfText, endOfTextID, endOfTextID)
	check("<|end|", bytesAsIDs("<|end|")...)
}

func TestIDAndLen(t *testing.T) {
	tokenizer := tiny()
	check := func(name string, want int32, known bool) {
		t.Helper()
		if id, ok := tokenizer.ID(name); id != want || ok != known {
			t.Errorf("ID(%q) = %d, %v, want %d, %v", name, id, ok, want, known)
		}
	}
	check("a", 'a', true)
	check("Ġhello", 260, true)
	check(" hello", 0, false)
	check(endOfText, endOfTextID, true)
	if got := tokenizer.Len(); got != endOfTextID+1 {
		t.Errorf("Len() = %d, want %d", got, endOfTextID+1)
	}
}

func TestInvalidUTF8BecomesU_FFFD(t *testing.T) {
	tokenizer := tiny()
	checkEncode(t, tokenizer, "a\xFFb", bytesAsIDs("a\uFFFDb"))
	checkEncode(t, tokenizer, "\xE2\x82", bytesAsIDs("\uFFFD")) // one half character
	checkEncode(t, tokenizer, "\xFF\xFF", bytesAsIDs("\uFFFD\uFFFD"))
	checkDecode(t, tokenizer, []int32{'a', 0xE2, 0x82, 'b'}, "a\uFFFDb")
	checkDecode(t, tokenizer, []int32{0xFF, 0xFF}, "\uFFFD\uFFFD")
	checkDecode(t, tokenizer, []int32{0xE2, 0x82, 0xAC}, "€")
}

func TestDecodeUnknownID(t *testing.T) {
	for _, id := range []int32{-1, endOfTextID + 1, 1 << 30} {
		_, err := tiny().Decode([]int32{'a', id})
		if err == nil || !strings.Contains(err.Error(), "ids[1] is ") {
			t.Errorf("Decode with the id %d: error %v, want one that names ids[1]", id, err)
		}
	}
}

// alphabetOfTests makes texts that reach all branches: what the pattern tells
// apart, in ASCII and beyond, what the tiny merges join, and the added token.
const alphabetOfTests = "hheelllloo  abcabc  \n\t\u0085\u00A0\u3000'sdmtlvre.,-_12²٣Ⅷéß日本\u0301\u200D🙂\uFFFD\x00<|end|>"

func randomText(random *rand.Rand, length int) string {
	letters := []rune(alphabetOfTests)
	text := make([]rune, length)
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	return string(text)
}

func checkRoundTrip(t *testing.T, tokenizer *token.Tokenizer, text string) {
	t.Helper()
	checkDecode(t, tokenizer, tokenizer.Encode(text), text)
}

func TestRoundTrip(t *testing.T) {
	tokenizer := tiny()
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		checkRoundTrip(t, tokenizer, randomText(random, random.IntN(100)))
	}
	anyText := func(text string) bool {
		got, err := tokenizer.Decode(tokenizer.Encode(text))
		return err == nil && got == strings.ToValidUTF8(text, "\uFFFD")
	}
	if err := quick.Check(anyText, nil); err != nil {
		t.Error(err)
	}
}

// A word of two megabytes takes about a second at n log n, hours at n squared.
func TestOneLongWord(t *testing.T) {
	tokenizer, began := tiny(), time.Now()
	text := strings.Repeat("hellohellabc", 1<<21/12)
	ids := tokenizer.Encode(text)
	if got, err := tokenizer.Decode(ids); err != nil || got != text {
		t.Errorf("a word of %d bytes does not come back: %v", len(text), err)
	}
	if want := 3 * (len(text) / 12); len(ids) != want {
		t.Errorf("a word of %d bytes has %d ids, want %d", len(text), len(ids), want)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("a word of %d bytes took %v", len(text), took)
	}
}

// TestConcurrentUse is for the race detector: several goroutines fill one cache.
func TestConcurrentUse(t *testing.T) {
	tokenizer := tiny()
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 0))
			for range 30 {
				text := randomText(random, 2000)
				if got, want := tokenizer.Encode(text), tiny().Encode(text); !slices.Equal(got, want) {
					t.Errorf("Encode(%q) is not what it is alone", text)
				}
			}
		})
	}
	group.Wait()
}

// What Encode returns belongs to the caller, also where the cache knows it.
func TestResultIsOwn(t *testing.T) {
	tokenizer := tiny()
	for range 2 {
		ids := tokenizer.Encode("hello")
		checkEncode(t, tokenizer, "hello", []int32{259})
		ids[0] = 0
	}
	checkEncode(t, tokenizer, "hello", []int32{259})
}
