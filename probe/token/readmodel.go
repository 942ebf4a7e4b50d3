package token

import "encoding/json"

// model is how words become ids.
type model struct {
	vocabulary vocabulary
	appendWord func(ids []int32, word string) []int32
	seams      *seams // where words may be cut before that, or nil
}

// model reads the model. Words reach it as bytes if they are to be spelled in
// the alphabet of ByteLevel, otherwise as text. Files older than the key "type"
// lack it and are BPE.
func (f *file) model(data json.RawMessage, spelled bool) model {
	part := f.object("model", data)
	kind := "BPE"
	if _, ok := part.values["type"]; ok {
		kind = part.text("type")
	}
	var m model
	switch kind {
	case "BPE":
		return f.bpe(part, spelled)
	case "Unigram":
		m = f.unigram(part)
	case "WordLevel":
		m = f.wordLevel(part)
	default:
		f.refuse("model type %q is not supported; BPE, Unigram and WordLevel are", kind)
	}
	if inner := m.appendWord; spelled {
		m.appendWord = func(ids []int32, word string) []int32 { return inner(ids, spell(word)) }
	}
	return m
}

// wordLevel reads a vocabulary of whole words.
func (f *file) wordLevel(part object) model {
	part.only("type", "vocab", "unk_token")
	v := f.vocabulary(part.required("vocab"))
	w := &wordLevel{ids: v.own(), unknown: f.unknown(part, v)}
	return model{vocabulary: v, appendWord: w.appendWord}
}

// unknown returns the id of the unk_token, which must be in the vocabulary.
func (f *file) unknown(part object, v vocabulary) int32 {
	token := part.text("unk_token")
	id, ok := v.ids[token]
	if !ok && f.err == nil {
		f.refuse("model.unk_token is %q, which model.vocab has not", token)
	}
	return id
}

// unigram reads tokens with their scores; the place of a token is its id.
func (f *file) unigram(part object) model {
	part.only("type", "unk_id", "vocab", "byte_fallback")
	elements := f.list("model.vocab", part.required("vocab"))
	v := newVocabulary(len(elements))
	u := &unigram{scores: make([]float64, len(elements))}
	for i, element := range elements {
		token, score := f.scored(at("model.vocab", i), element)
		if _, twice := v.ids[token]; twice {
			f.refuse("%s is %q a second time", at("model.vocab", i), token)
		}
		if f.err != nil {
			return model{vocabulary: v}
		}
		v.ids[token], v.tokens[int32(i)], u.scores[i] = int32(i), token, score
	}
	u.unknown = f.id("model.unk_id", part.required("unk_id"))
	if int(u.unknown) >= len(elements) {
		f.refuse("model.unk_id is %d, but model.vocab has %d tokens", u.unknown, len(elements))
	}
	u.ids = v.own()
	u.bytes, _ = byteTokens(v.ids, part.booleanOr("byte_fallback", false))
	u.places = newTrie(u.ids)
	u.setPenalty()
	return model{vocabulary: v, appendWord: u.appendWord}
}

// scored reads a token and its score.
func (f *file) scored(where string, data json.RawMessage) (token string, score float64) {
	parts := f.list(where, data)
	if f.err == nil && (len(parts) != 2 || json.Unmarshal(parts[0], &token) != nil || parts[0][0] != '"') {
		f.refuse("%s is %s, not a token and its score", where, excerpt(data))
	}
	if f.err != nil {
		return "", 0
	}
	if token == "" {
		f.refuse("%s is the empty token", where)
	}
	score, ok := readScore(string(parts[1]))
	if !ok {
		f.refuse("%s has the score %s, not a number that fits", where, excerpt(parts[1]))
	}
	return token, score
}
