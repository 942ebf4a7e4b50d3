package token

import "slices"

// addedTokens reads the added tokens and enters them into the vocabulary.
//
// The reference does not take their ids from the file: a token of the
// vocabulary keeps its id, and any other gets the next free one. Where the file
// says otherwise it warns, and the ids that it then gives are not those that
// the file, and so the model, means. Such a file is refused here.
func (f *file) addedTokens(top object, v *vocabulary, normalizers []normalizer) (tokens []added) {
	const where = "added_tokens"
	if f.err != nil || top.absent(where) {
		return nil
	}
	next, seen := v.size, map[string]bool{}
	for i, element := range f.list(where, top.values[where]) {
		place := at(where, i)
		token := f.addedToken(f.object(place, element))
		if seen[token.content] {
			f.refuse("%s is %q a second time", place, token.content)
		}
		f.enter(place, token, v, next)
		if f.err != nil {
			return nil
		}
		seen[token.content] = true
		next = max(next, int(token.id)+1)
		tokens = append(tokens, f.normalized(place, token, normalizers))
	}
	slices.SortStableFunc(tokens, specialFirst)
	return tokens
}

// normalized returns a token of the second pass as it then stands in the text.
func (f *file) normalized(where string, token added, normalizers []normalizer) added {
	if !token.normalized {
		return token
	}
	if token.content = normalize(token.content, normalizers); token.content == "" {
		f.refuse("%s.content is nothing once it is normalized", where)
	}
	return token
}

// specialFirst is the order of the reference, which matters to tokens that are
// equal once they are normalized: the first of them counts.
func specialFirst(a, b added) int {
	switch {
	case a.special == b.special:
		return 0
	case a.special:
		return -1
	}
	return 1
}

// addedToken reads one.
func (f *file) addedToken(part object) added {
	part.only("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special")
	token := added{
		id:         f.id(part.where+".id", part.required("id")),
		content:    part.text("content"),
		singleWord: part.boolean("single_word"),
		left:       part.boolean("lstrip"),
		right:      part.boolean("rstrip"),
		normalized: part.boolean("normalized"),
		special:    part.boolean("special"),
	}
	if token.content == "" {
		f.refuse("%s.content is empty", part.where)
	}
	return token
}

// enter puts an added token into the vocabulary; next is the next free id.
func (f *file) enter(where string, token added, v *vocabulary, next int) {
	if f.err != nil {
		return
	}
	if id, ok := v.ids[token.content]; ok {
		if id != token.id {
			f.refuse("%s gives %q the id %d, but model.vocab gives it %d", where, token.content, token.id, id)
		}
		return
	}
	if other, taken := v.tokens[token.id]; taken {
		f.refuse("%s gives %q the id %d, which is that of %q", where, token.content, token.id, other)
		return
	}
	if int(token.id) != next {
		f.refuse("%s gives %q the id %d, but the next free id, which the reference library would give it, is %d",
			where, token.content, token.id, next)
		return
	}
	v.ids[token.content], v.tokens[token.id] = token.id, token.content
}
