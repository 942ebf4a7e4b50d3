package token

import (
	"encoding/json"
	"fmt"
	"strings"
)

// vocabulary is all tokens of a file, as it writes them.
type vocabulary struct {
	ids    map[string]int32
	tokens map[int32]string
	size   int // of the model's own, without the added tokens
}

// pieces returns the bytes that each id stands for.
func (v *vocabulary) pieces() map[int32]string {
	pieces := make(map[int32]string, len(v.tokens))
	for id, token := range v.tokens {
		pieces[id], _ = bytesOf(token)
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

// model reads the byte pair encoding and its vocabulary. Files older than the
// key "type" lack it.
func (f *file) model(data json.RawMessage) (model, vocabulary) {
	part := f.object("model", data)
	part.only("type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
		"fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges")
	if _, ok := part.values["type"]; ok && part.text("type") != "BPE" {
		f.refuse("model type %s is not supported; BPE is", excerpt(part.values["type"]))
	}
	f.modelOptions(part)
	v := f.vocabulary(part.required("vocab"))
	m := model{symbols: f.symbols(v, part.absent("unk_token")), merges: f.merges(part.required("merges"), v)}
	if part.booleanOr("ignore_merges", false) {
		m.whole = map[string]int32{}
		for token, id := range v.ids {
			if word, ok := bytesOf(token); ok {
				m.whole[word] = id
			}
		}
	}
	return m, v
}

// modelOptions refuses the options that would change ids. An unk_token does
// not, because symbols sees to it that no byte needs it; so fuse_unk neither.
func (f *file) modelOptions(part object) {
	if !part.absent("dropout") {
		f.refuse("model.dropout is %s, which is not supported; only null is", excerpt(part.values["dropout"]))
	}
	if !part.absent("unk_token") {
		part.text("unk_token")
	}
	for _, name := range []string{"continuing_subword_prefix", "end_of_word_suffix"} {
		if part.absent(name) {
			continue
		}
		if affix := part.text(name); affix != "" {
			f.refuse("model.%s is %q, which is not supported; only null and \"\" are", name, affix)
		}
	}
	part.booleanOr("fuse_unk", false)
	if part.booleanOr("byte_fallback", false) {
		f.refuse("model.byte_fallback is true, which is not supported; only false is")
	}
}

// vocabulary reads the tokens and their ids.
func (f *file) vocabulary(data json.RawMessage) vocabulary {
	const where = "model.vocab"
	part := f.object(where, data)
	v := vocabulary{
		ids:    make(map[string]int32, len(part.names)),
		tokens: make(map[int32]string, len(part.names)),
		size:   len(part.names),
	}
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

// symbols finds the token of each byte. A byte may lack one, as rare control
// characters do in SmolLM2, if no unk_token wants to take its place.
func (f *file) symbols(v vocabulary, mayLack bool) (symbols [256]int32) {
	for b := range symbols {
		symbol := string(symbolOfByte[b])
		id, ok := v.ids[symbol]
		if !ok && !mayLack {
			f.refuse("model.vocab has no token %q for the byte 0x%02X; with an unk_token all 256 are needed", symbol, b)
		}
		if !ok {
			id = noSymbol
		}
		symbols[b] = id
	}
	return symbols
}

// merges reads the list of merges. Of a pair that stands twice the last place
// counts, and lines "#version" none, as in the reference.
func (f *file) merges(data json.RawMessage, v vocabulary) map[pair]merge {
	const where = "model.merges"
	lines := f.mergeLines(where, data)
	merges := make(map[pair]merge, len(lines))
	for i, line := range lines {
		left, knowLeft := v.ids[line[0]]
		right, knowRight := v.ids[line[1]]
		joined, knowJoined := v.ids[line[0]+line[1]]
		for j, known := range []bool{knowLeft, knowRight, knowJoined} {
			if !known {
				missing := []string{line[0], line[1], line[0] + line[1]}[j]
				f.refuse("%s joins %q and %q, but model.vocab has no %q", at(where, i), line[0], line[1], missing)
				return nil
			}
		}
		merges[pair{left, right}] = merge{int32(i), joined}
	}
	return merges
}

// mergeLines reads merges written all as ["a", "b"] or all as "a b".
func (f *file) mergeLines(where string, data json.RawMessage) (lines [][2]string) {
	elements := f.list(where, data)
	asText := len(elements) > 0 && elements[0][0] == '"'
	for i, element := range elements {
		var parts []string
		var text string
		var err error
		if asText {
			err = json.Unmarshal(element, &text)
			if parts = strings.Split(text, " "); strings.HasPrefix(text, "#version") {
				continue
			}
		} else {
			err = json.Unmarshal(element, &parts)
		}
		if err != nil || len(parts) != 2 {
			f.refuse("%s is %s, not \"a b\" or [\"a\", \"b\"] like the others", at(where, i), excerpt(element))
			return nil
		}
		lines = append(lines, [2]string{parts[0], parts[1]})
	}
	return lines
}
