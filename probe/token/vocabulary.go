package token

import (
	"encoding/json"
	"fmt"
	"maps"
)

// vocabulary is all tokens of a file, as it writes them.
type vocabulary struct {
	ids    map[string]int32
	tokens map[int32]string
	size   int // of the model's own, without the added tokens
}

// newVocabulary has room for so many tokens of the model.
func newVocabulary(size int) vocabulary {
	return vocabulary{ids: make(map[string]int32, size), tokens: make(map[int32]string, size), size: size}
}

// own returns the ids of the model's own tokens, while there are no others.
func (v *vocabulary) own() map[string]int32 { return maps.Clone(v.ids) }

// words returns the ids by what the tokens stand for in words: bytes, if they
// are spelled in the alphabet of ByteLevel.
func (v *vocabulary) words(spelled bool) map[string]int32 {
	if !spelled {
		return v.own()
	}
	words := make(map[string]int32, len(v.ids))
	for token, id := range v.ids {
		if word, ok := bytesOf(token); ok {
			words[word] = id
		}
	}
	return words
}

// pieces returns what each id stands for, as the decoder takes it.
func (v *vocabulary) pieces(each func(token string) string) map[int32]string {
	pieces := make(map[int32]string, len(v.tokens))
	for id, token := range v.tokens {
		pieces[id] = each(token)
	}
	return pieces
}

func (v *vocabulary) length() int {
	length := 0
	for id := range v.tokens {
		length = max(length, int(id)+1)
	}
	return length
}

func at(where string, i int) string { return fmt.Sprintf("%s[%d]", where, i) }

// vocabulary reads the tokens and their ids.
func (f *file) vocabulary(data json.RawMessage) vocabulary {
	const where = "model.vocab"
	part := f.object(where, data)
	v := newVocabulary(len(part.names))
	for _, token := range part.names {
		id := f.id(fmt.Sprintf("%s[%q]", where, token), part.values[token])
		if earlier, taken := v.tokens[id]; taken {
			f.refuse("%s gives the id %d both to %q and to %q", where, id, earlier, token)
			break
		}
		v.ids[token], v.tokens[id] = id, token
	}
	return v
}

// wordLevel looks words up.
type wordLevel struct {
	ids     map[string]int32
	unknown int32
}

func (w *wordLevel) appendWord(ids []int32, word string) []int32 {
	if id, ok := w.ids[word]; ok {
		return append(ids, id)
	}
	return append(ids, w.unknown)
}
