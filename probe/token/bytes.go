package token

import (
	"strings"
	"unicode/utf8"
)

// The alphabet of GPT-2 writes each byte as one printable character. Bytes that
// are printable in Latin-1 stand for themselves, and the 68 others are, in
// order, the characters from U+0100 on.
const symbolEnd = 256 + 68

var symbolOfByte, byteOfSymbol = alphabet()

func alphabet() (symbols [256]rune, bytes [symbolEnd]int16) {
	for r := range bytes {
		bytes[r] = -1
	}
	other := rune(256)
	for b := range symbols {
		symbols[b] = rune(b)
		if !printable(b) {
			symbols[b] = other
			other++
		}
		bytes[symbols[b]] = int16(b)
	}
	return symbols, bytes
}

func printable(b int) bool {
	return '!' <= b && b <= '~' || 0xA1 <= b && b <= 0xAC || 0xAE <= b
}

// spell writes bytes in the alphabet.
func spell(bytes string) string {
	var word strings.Builder
	for i := range len(bytes) {
		word.WriteRune(symbolOfByte[bytes[i]])
	}
	return word.String()
}

// bytesOf returns the bytes that a token stands for, and whether it is written
// in the alphabet. A token that is not, such as an added token with a blank in
// it, stands for its own UTF-8: so the reference decodes it.
func bytesOf(token string) (string, bool) {
	var bytes strings.Builder
	for _, r := range token {
		if r >= symbolEnd || byteOfSymbol[r] < 0 {
			return token, false
		}
		bytes.WriteByte(byte(byteOfSymbol[r]))
	}
	return bytes.String(), true
}

// validText replaces what is not UTF-8 by U+FFFD: one for each byte that can
// begin no character, and one for each longest start of a character that is
// then not completed. (strings.ToValidUTF8 and range count differently.)
func validText(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var valid strings.Builder
	for text != "" {
		r, n := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && n == 1 {
			n = brokenLength(text)
		}
		valid.WriteRune(r)
		text = text[n:]
	}
	return valid.String()
}

// brokenLength counts the bytes at the start of text that begin a character
// without completing it, or one byte if not even that. It rests on FullRune
// being false only for the proper start of a valid character.
func brokenLength(text string) int {
	n := 1
	for n < len(text) && !utf8.FullRuneInString(text[:n+1]) {
		n++
	}
	return n
}
