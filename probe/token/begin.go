package token

import (
	"fmt"
	"unicode/utf8"
)

// bytesBegin starts a word as one symbol for each byte. A byte that has none is
// left out before anything is joined, as in the reference.
func bytesBegin(symbols [256]int32) func(ids []int32, word string) []int32 {
	return func(ids []int32, word string) []int32 {
		for i := range len(word) {
			if id := symbols[word[i]]; id != noSymbol {
				ids = append(ids, id)
			}
		}
		return ids
	}
}

// characters starts a word as one symbol for each character. What has none is
// written in the tokens <0x00> to <0xFF> of its bytes if all of these are there,
// or else as the unknown token, or else left out.
type characters struct {
	symbols  map[rune]int32
	ascii    [utf8.RuneSelf]int32
	bytes    [256]int32 // noSymbol where the file has none, or no byte_fallback
	allBytes bool
	unknown  int32 // or noSymbol
	fuse     bool  // unknown characters that follow each other are one token
}

func byteToken(b byte) string { return fmt.Sprintf("<0x%02X>", b) }

func newCharacters(v *vocabulary, fallback bool) *characters {
	c := &characters{symbols: map[rune]int32{}, unknown: noSymbol}
	for token, id := range v.ids {
		if r, n := utf8.DecodeRuneInString(token); n > 0 && n == len(token) {
			c.symbols[r] = id
		}
	}
	for r := range c.ascii {
		c.ascii[r] = noSymbol
		if id, ok := c.symbols[rune(r)]; ok {
			c.ascii[r] = id
		}
	}
	c.bytes, c.allBytes = byteTokens(v.ids, fallback)
	return c
}

// byteTokens finds the tokens <0x00> to <0xFF>, and whether there are all.
func byteTokens(ids map[string]int32, fallback bool) (tokens [256]int32, all bool) {
	all = fallback
	for b := range tokens {
		id, ok := ids[byteToken(byte(b))]
		if !ok || !fallback {
			id, all = noSymbol, false
		}
		tokens[b] = id
	}
	return tokens, all
}

// symbol returns the symbol of a character, or noSymbol.
func (c *characters) symbol(r rune) int32 {
	if r < utf8.RuneSelf {
		return c.ascii[r]
	}
	if id, ok := c.symbols[r]; ok {
		return id
	}
	return noSymbol
}

// begin appends the symbols of a word. An unknown token waits until the next
// character that has its own symbol, or another unknown that is not fused with
// it; bytes do not end its waiting. So the reference has it.
func (c *characters) begin(ids []int32, word string) []int32 {
	waiting := false
	for i, r := range word {
		if id := c.symbol(r); id != noSymbol {
			if waiting {
				ids = append(ids, c.unknown)
			}
			ids, waiting = append(ids, id), false
			continue
		}
		if with, ok := c.appendBytes(ids, word[i:i+utf8.RuneLen(r)]); ok {
			ids = with
			continue
		}
		if waiting && !c.fuse {
			ids = append(ids, c.unknown)
		}
		waiting = c.unknown != noSymbol
	}
	if waiting {
		ids = append(ids, c.unknown)
	}
	return ids
}

// appendBytes appends the tokens of bytes, if all of them have one.
func (c *characters) appendBytes(ids []int32, text string) ([]int32, bool) {
	for i := range len(text) {
		if c.bytes[text[i]] == noSymbol {
			return ids, false
		}
	}
	for i := range len(text) {
		ids = append(ids, c.bytes[text[i]])
	}
	return ids, true
}
