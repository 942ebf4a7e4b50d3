package memo

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// longestWord is the number of letters that a word keeps: more than a SHA-256
// has, and less than would fill a page with one name.
const longestWord = 120

// letters is type of one cut and size, in which texts are measured and broken in.
type letters struct {
	face  face
	size  float64 // in points
	space float64 // between letters, in points
}

// lines breaks a text into at most most lines that are no wider than width,
// between words or, where a word is wider, within it. A text that needs more
// lines loses its middle. There is at least one line.
func (l letters) lines(text string, width float64, most int) []string {
	// no letter but accents is narrower than a fifth of the size
	text = middle(text, int(float64(most)*width/(0.2*l.size))+longestWord)
	words := l.words(text)
	if lines := l.broken(words, width, most); len(lines) <= most {
		return lines
	}
	text = strings.Join(words, " ")
	shortened := func(n int) []string { return l.broken(strings.Split(middle(text, n), " "), width, most) }
	n := sort.Search(utf8.RuneCountInString(text), func(n int) bool { return len(shortened(n)) > most })
	return shortened(max(n-1, 0))
}

// words splits a text where lines may be broken. Words are shortened to what
// could be a name.
func (l letters) words(text string) []string {
	words := bound(strings.Split(clean(text), " "))
	for i, word := range words {
		words[i] = middle(l.face.printable(word), longestWord)
	}
	return words
}

// line is lines with one line.
func (l letters) line(text string, width float64) string { return l.lines(text, width, 1)[0] }

// broken breaks words into lines, and stops when there are more than most.
func (l letters) broken(words []string, width float64, most int) []string {
	var lines []string
	line, taken, blank := "", 0.0, l.width(" ")
	for _, word := range words {
		wide := l.width(word)
		if line != "" && taken+blank+wide <= width {
			line, taken = line+" "+word, taken+blank+wide
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for l.width(word) > width && len(lines) <= most {
			head := l.head(word, width)
			if head == word { // one letter, wider than the line
				break
			}
			lines, word = append(lines, head), word[len(head):]
		}
		if line, taken = word, l.width(word); len(lines) > most {
			break
		}
	}
	return append(lines, line)
}

// bound joins what a line should not break: a number and its unit, "n = 96", and
// the two ends of an interval in brackets.
func bound(words []string) []string {
	var joined []string
	open := 0 // words since an opening bracket, from 1
	for i, word := range words {
		_, unit := sticky[strings.TrimRight(word, ".,;:)]")]
		after := i > 0 && sticky[words[i-1]]
		if i > 0 && (unit || after || open > 0) {
			joined[len(joined)-1] += "\u00a0" + word
		} else {
			joined = append(joined, word)
		}
		switch {
		case strings.Contains(word, "]") || open == 3:
			open = 0
		case strings.HasPrefix(word, "[") || open > 0:
			open++
		}
	}
	return joined
}

// sticky holds words that stay with the word before them, and says which stay
// with the one after them as well.
var sticky = map[string]bool{"%": false, "pp": false, "=": true, "<": true, ">": true, "≤": true, "≥": true, "±": true}

// head returns the longest beginning of a word that is no wider than width, of
// at least one letter. It ends after a sign within the word if there is one in
// its second half.
func (l letters) head(word string, width float64) string {
	end, taken := 0, 0.0
	for at, r := range word {
		next := at + utf8.RuneLen(r)
		if taken += l.width(word[at:next]); end > 0 && taken > width {
			break
		}
		end = next
	}
	if sign := strings.LastIndexAny(word[:end], "-_/.:=,"); end < len(word) && sign >= end/2 {
		return word[:sign+1]
	}
	return word[:end]
}

// width measures a text in points.
func (l letters) width(text string) float64 {
	width := l.face.width(text, l.size)
	if l.space > 0 {
		width += l.space * float64(utf8.RuneCountInString(text))
	}
	return width
}

// leading is the distance between two lines.
func (l letters) leading() float64 { return 1.3 * l.size }
