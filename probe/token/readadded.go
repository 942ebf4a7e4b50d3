package token

// addedTokens reads the added tokens and enters them into the vocabulary.
//
// The reference does not take their ids from the file: a token of the
// vocabulary keeps its id, and any other gets the next free one. Where the file
// says otherwise it warns, and the ids that it then gives are not those that
// the file, and so the model, means. Such a file is refused here.
func (f *file) addedTokens(top object, v *vocabulary) (tokens []added) {
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
		tokens = append(tokens, token)
	}
	return tokens
}

// addedToken reads one. Whether a token is special matters to Text alone.
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
