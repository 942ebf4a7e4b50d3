package preflight

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// tokenizer is what a tokenizer.json means.
type tokenizer struct {
	kind   string            // "BPE", "Unigram", ...; empty if the file does not say
	ids    map[string]row    // every token, the added ones too
	added  map[string]string // the flags of the added tokens
	scores map[string]float64
	merges [][2]string
	parts  map[string]string // everything else that is not blank
}

// parseTokenizer reads a tokenizer.json. The error is a predicate of the file.
func parseTokenizer(data []byte) (tokenizer, error) {
	t := tokenizer{ids: map[string]row{}, added: map[string]string{}, scores: map[string]float64{}, parts: map[string]string{}}
	var file, model map[string]json.RawMessage
	if err := json.Unmarshal(data, &file); err != nil {
		return t, err
	}
	if err := json.Unmarshal(file["model"], &model); err != nil || model == nil {
		return t, errors.New("has no model that is an object")
	}
	if err := t.readVocabulary(model["vocab"]); err != nil {
		return t, err
	}
	if err := t.readMerges(model["merges"]); err != nil {
		return t, err
	}
	if err := t.readAdded(file["added_tokens"]); err != nil {
		return t, err
	}
	t.kind, _ = decoded(model["type"]).(string)
	t.readParts("", file, "model", "added_tokens", "version")
	t.readParts("model.", model, "vocab", "merges", "type")
	return t, nil
}

func decoded(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return decode(raw)
}

// row is the id of a token: its row in the embeddings.
type row int32

// UnmarshalJSON implements json.Unmarshaler: an id is a whole number.
func (r *row) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseUint(string(data), 10, 31)
	if err != nil {
		return fmt.Errorf("has the token id %s, which is no row of the embeddings", clip(strconv.Quote(string(data))))
	}
	*r = row(n)
	return nil
}

// readVocabulary reads model.vocab: an object of ids, or, for Unigram, a list
// of tokens with their scores.
func (t *tokenizer) readVocabulary(raw json.RawMessage) error {
	if len(raw) > 0 && raw[0] == '[' {
		return t.readPieces(raw)
	}
	if len(raw) == 0 || raw[0] != '{' {
		return errors.New("has no model.vocab that is an object or a list")
	}
	return json.Unmarshal(raw, &t.ids)
}

func (t *tokenizer) readPieces(raw json.RawMessage) error {
	pieces, _ := decode(raw).([]any)
	for id, piece := range pieces {
		pair, _ := piece.([]any)
		if len(pair) != 2 {
			return fmt.Errorf("has an entry %d of model.vocab that is no pair of token and score", id)
		}
		token, isToken := pair[0].(string)
		score, isScore := pair[1].(json.Number)
		if !isToken || !isScore {
			return fmt.Errorf("has an entry %d of model.vocab that is no pair of token and score", id)
		}
		t.ids[token] = row(id)
		t.scores[token], _ = score.Float64() // infinite beyond the range
	}
	return nil
}

// readMerges reads model.merges: pairs, or strings with a blank between the
// two halves.
func (t *tokenizer) readMerges(raw json.RawMessage) error {
	v := decoded(raw)
	list, ok := v.([]any)
	if v != nil && !ok {
		return errors.New("has model.merges that are no list")
	}
	t.merges = make([][2]string, len(list))
	for i, v := range list {
		if t.merges[i], ok = halves(v); !ok {
			return fmt.Errorf("has an entry %d of model.merges that is no pair of tokens", i)
		}
	}
	return nil
}

func halves(v any) (pair [2]string, ok bool) {
	switch v := v.(type) {
	case string:
		left, right, cut := strings.Cut(v, " ")
		return [2]string{left, right}, cut
	case []any:
		if len(v) != 2 {
			return pair, false
		}
		left, isLeft := v[0].(string)
		right, isRight := v[1].(string)
		return [2]string{left, right}, isLeft && isRight
	}
	return pair, false
}

// readAdded reads added_tokens, which win over the vocabulary.
func (t *tokenizer) readAdded(raw json.RawMessage) error {
	v := decoded(raw)
	list, ok := v.([]any)
	if v != nil && !ok {
		return errors.New("has added_tokens that are no list")
	}
	for i, v := range list {
		fields, _ := v.(map[string]any)
		token, isToken := fields["content"].(string)
		written, isID := fields["id"].(json.Number)
		if !isToken || !isID {
			return fmt.Errorf("has an entry %d of added_tokens without id or content", i)
		}
		var id row
		if err := id.UnmarshalJSON([]byte(written)); err != nil {
			return err
		}
		t.ids[token], t.added[token] = id, flags(fields)
	}
	return nil
}

// flags renders what an added token is besides its id: an absent flag is false.
func flags(fields map[string]any) string {
	set := map[string]any{}
	for name, v := range fields {
		if name != "id" && name != "content" && v != false {
			set[name] = v
		}
	}
	return text(set)
}

// readParts reads the fields of an object that are not blank, but for some.
func (t *tokenizer) readParts(prefix string, object map[string]json.RawMessage, except ...string) {
	for name, raw := range object {
		if slices.Contains(except, name) {
			continue
		}
		if v := decode(raw); v != nil && v != false && v != "" {
			t.parts[prefix+dotted([]string{name})] = text(v)
		}
	}
}
