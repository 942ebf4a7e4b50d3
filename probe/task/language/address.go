package language

import "slices"

// withoutWeb puts a blank for every match of
//
//	https?://[-_.?&~;+=/#0-9A-Za-z]{1,2076}
func withoutWeb(text []rune) []rune {
	var kept []rune
	from := 0
	for i := 0; i < len(text); i++ {
		if text[i] != 'h' {
			continue
		}
		end := webAddress(text[i:])
		if end == 0 {
			continue
		}
		kept = append(append(kept, text[from:i]...), ' ')
		from = i + end
		i = from - 1
	}
	if from == 0 {
		return text
	}
	return append(kept, text[from:]...)
}

// webAddress is the length of the web address a text begins with, or 0.
func webAddress(text []rune) int {
	for _, scheme := range [][]rune{[]rune("http://"), []rune("https://")} {
		if len(text) <= len(scheme) || !slices.Equal(text[:len(scheme)], scheme) {
			continue
		}
		if n := run(text[len(scheme):], 2076, isWeb); n > 0 {
			return len(scheme) + n
		}
	}
	return 0
}

// withoutMail puts a blank for every match of
//
//	[-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}
func withoutMail(text []rune) []rune {
	var kept []rune
	from := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '@' {
			continue
		}
		start := i
		for start > from && i-start < 64 && isMail(text[start-1]) {
			start--
		}
		end := mailDomain(text[i+1:])
		if start == i || end == 0 {
			continue
		}
		kept = append(append(kept, text[from:start]...), ' ')
		from = i + 1 + end
		i = from - 1
	}
	if from == 0 {
		return text
	}
	return append(kept, text[from:]...)
}

// mailDomain is the length of the domain a text begins with, or 0: up to 255
// characters without a full stop, then at least one and up to 255 with.
func mailDomain(text []rune) int {
	first := run(text, 255, func(r rune) bool { return r != '.' && isMail(r) })
	second := run(text[first:], 255, isMail)
	if first == 0 || first+second < 2 {
		return 0
	}
	return first + second
}

// run counts the characters of a kind that a text begins with, up to a limit.
func run(text []rune, limit int, kind func(rune) bool) int {
	n := 0
	for n < len(text) && n < limit && kind(text[n]) {
		n++
	}
	return n
}

func isMail(r rune) bool {
	return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || r == '-' || r == '_' || r == '.'
}

func isWeb(r rune) bool {
	switch r {
	case '?', '&', '~', ';', '+', '=', '/', '#':
		return true
	}
	return isMail(r)
}
