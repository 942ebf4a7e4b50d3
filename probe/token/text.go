package token

// Text returns the text of ids that a model generated: without special tokens,
// which are no text, and without ids that a model's embedding has but no token.
func (t *Tokenizer) Text(ids []int32) string {
	kept := make([]int32, 0, len(ids))
	for _, id := range ids {
		if _, known := t.pieces[id]; known && !t.special[id] {
			kept = append(kept, id)
		}
	}
	text, err := t.Decode(kept)
	if err != nil {
		panic(err) // Decode refuses no other than unknown ids
	}
	return text
}

// special lists the ids of the added tokens that are special.
func special(tokens []added) map[int32]bool {
	ids := map[int32]bool{}
	for _, token := range tokens {
		if token.special {
			ids[token.id] = true
		}
	}
	return ids
}
