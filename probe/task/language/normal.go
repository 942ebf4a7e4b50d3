package language

import (
	"bufio"
	"bytes"
	_ "embed" // the tables are part of the program
	"strconv"
	"strings"
	"sync"
)

// messages holds langdetect's tables of characters, a line KEY=\uXXXX... each.
//
//go:embed data/messages.properties
var messages []byte

// tables say which characters count as one.
type tables struct {
	blank    map[rune]bool // of Latin-1, those that count as blanks
	kanji    map[rune]rune // the first of the class of a Chinese character
	letters  map[rune]int  // that Vietnamese puts marks on: their place in composed
	marks    map[rune]int  // that it puts on them: the row of composed
	composed [][]rune
}

// characterTables reads the tables once.
var characterTables = sync.OnceValue(func() *tables { return readTables(messages) })

func readTables(properties []byte) *tables {
	t := &tables{blank: map[rune]bool{}, kanji: map[rune]rune{}, letters: map[rune]int{}, marks: map[rune]int{}}
	lines := bufio.NewScanner(bytes.NewReader(properties))
	values := map[string][]rune{}
	for lines.Scan() {
		key, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		text, err := strconv.Unquote(`"` + value + `"`)
		if err != nil {
			panic("language: the tables in the program are damaged: " + key + " is not a text")
		}
		values[key] = []rune(text)
		if strings.HasPrefix(key, "NGram.KANJI_") {
			for _, r := range values[key] {
				t.kanji[r] = values[key][0]
			}
		}
	}
	for _, r := range values["NGram.LATIN1_EXCLUDE"] {
		t.blank[r] = true
	}
	for i, r := range values["TO_NORMALIZE_VI_CHARS"] {
		t.letters[r] = i
	}
	for i, r := range values["DMARK_CLASS"] {
		t.marks[r] = i
	}
	for _, mark := range []string{"0300", "0301", "0303", "0309", "0323"} {
		t.composed = append(t.composed, values["NORMALIZED_VI_CHARS_"+mark])
	}
	return t
}

// normal is the character that stands for r and its like in the profiles.
func (t *tables) normal(r rune) rune {
	switch {
	case r < 0x80: // Basic Latin
		if 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return ' '
	case r <= 0xFF: // Latin-1 Supplement
		if t.blank[r] {
			return ' '
		}
	case r == 0x219: // Romanian s with a comma: with a cedilla
		return 0x15F
	case r == 0x21B: // and t
		return 0x163
	case r == 0x6CC: // Persian yeh: Arabic yeh
		return 0x64A
	case 0x1EA0 <= r && r <= 0x1EFF: // Vietnamese
		return 0x1EC3
	case 0x2000 <= r && r <= 0x206F: // General Punctuation
		return ' '
	case 0x3040 <= r && r <= 0x309F: // Hiragana
		return 0x3042
	case 0x30A0 <= r && r <= 0x30FF: // Katakana
		return 0x30A2
	case 0x3100 <= r && r <= 0x312F, 0x31A0 <= r && r <= 0x31BF: // Bopomofo
		return 0x3105
	case 0x4E00 <= r && r <= 0x9FFF: // Chinese characters
		if first, known := t.kanji[r]; known {
			return first
		}
	case 0xAC00 <= r && r <= 0xD7AF: // Hangul
		return 0xAC00
	}
	return r
}

// composeVietnamese puts the composed letter for a letter and the mark behind
// it.
func composeVietnamese(text []rune) []rune {
	t := characterTables()
	composed := make([]rune, 0, len(text))
	for i := 0; i < len(text); i++ {
		letter, takes := t.letters[text[i]]
		if takes && i+1 < len(text) {
			if mark, is := t.marks[text[i+1]]; is {
				composed = append(composed, t.composed[mark][letter])
				i++
				continue
			}
		}
		composed = append(composed, text[i])
	}
	return composed
}
