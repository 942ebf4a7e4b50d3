package token

const postProcessorsKnown = "null, BertProcessing, ByteLevel, RobertaProcessing, TemplateProcessing and Sequence of them are"

// postProcessor reads which tokens are put around a single text. The second of
// two steps that add some takes those of the first for the text, in the
// reference, which nobody can want.
func (f *file) postProcessor(top object, v *vocabulary) (before, after []int32) {
	const where = "post_processor"
	if f.err != nil || top.absent(where) {
		return nil, nil
	}
	f.steps(where, top.values[where], "processors", func(part object, kind string) {
		left, right := f.around(part, kind, v)
		if adds := len(before)+len(after) > 0; adds && len(left)+len(right) > 0 {
			f.refuse("%s adds tokens, and so does a step before it, which is not supported", part.where)
		}
		before, after = append(before, left...), append(after, right...)
	})
	return before, after
}

// around reads what one step adds.
func (f *file) around(part object, kind string, v *vocabulary) (before, after []int32) {
	switch kind {
	case "ByteLevel": // moves only offsets
		f.byteLevel(part)
		return nil, nil
	case "BertProcessing":
		part.only("type", "sep", "cls")
		return []int32{f.named(part, "cls", v)}, []int32{f.named(part, "sep", v)}
	case "RobertaProcessing":
		part.only("type", "sep", "cls", "trim_offsets", "add_prefix_space")
		part.booleanOr("trim_offsets", true)
		part.booleanOr("add_prefix_space", true)
		return []int32{f.named(part, "cls", v)}, []int32{f.named(part, "sep", v)}
	case "TemplateProcessing":
		return f.template(part, v)
	}
	f.refuse("%s type %q is not supported; %s", part.where, kind, postProcessorsKnown)
	return nil, nil
}

// named reads ["token", id].
func (f *file) named(part object, name string, v *vocabulary) int32 {
	where := part.where + "." + name
	elements := f.list(where, part.required(name))
	if f.err == nil && len(elements) != 2 {
		f.refuse("%s has %d elements, not a token and its id", where, len(elements))
	}
	if f.err != nil {
		return 0
	}
	id := f.id(at(where, 1), elements[1])
	f.mustBe(where, f.string(at(where, 0), elements[0]), id, v)
	return id
}

// mustBe refuses an id that is not that of the token.
func (f *file) mustBe(where, token string, id int32, v *vocabulary) {
	if have, ok := v.tokens[id]; f.err == nil && (!ok || have != token) {
		f.refuse("%s gives %q the id %d, which it does not have", where, token, id)
	}
}

// template reads a TemplateProcessing. What it does with pairs of texts does not
// matter here.
func (f *file) template(part object, v *vocabulary) (before, after []int32) {
	part.only("type", "single", "pair", "special_tokens")
	f.list(part.where+".pair", part.required("pair"))
	special := f.templateTokens(part, v)
	where := part.where + ".single"
	texts := 0
	for i, element := range f.list(where, part.required("single")) {
		ids, isText := f.templatePiece(f.object(at(where, i), element), special)
		switch {
		case isText:
			texts++
		case texts == 0:
			before = append(before, ids...)
		default:
			after = append(after, ids...)
		}
	}
	if f.err == nil && texts != 1 {
		f.refuse("%s has the text %d times, not once", where, texts)
	}
	return before, after
}

// templateTokens reads the ids that the names in a template stand for.
func (f *file) templateTokens(part object, v *vocabulary) map[string][]int32 {
	all := f.object(part.where+".special_tokens", part.required("special_tokens"))
	special := map[string][]int32{}
	for _, name := range all.names {
		token := f.object(all.where+"."+name, all.values[name])
		token.only("id", "ids", "tokens")
		if f.err == nil && token.text("id") != name {
			f.refuse("%s.id is %s, not %q", token.where, excerpt(token.values["id"]), name)
		}
		ids := f.list(token.where+".ids", token.required("ids"))
		tokens := f.list(token.where+".tokens", token.required("tokens"))
		if f.err == nil && len(ids) != len(tokens) {
			f.refuse("%s has %d ids for %d tokens", token.where, len(ids), len(tokens))
		}
		for i := 0; i < len(ids) && f.err == nil; i++ {
			id := f.id(at(token.where+".ids", i), ids[i])
			f.mustBe(token.where, f.string(at(token.where+".tokens", i), tokens[i]), id, v)
			special[name] = append(special[name], id)
		}
	}
	return special
}

// templatePiece reads one piece: the text A, or a name.
func (f *file) templatePiece(piece object, special map[string][]int32) (ids []int32, isText bool) {
	piece.only("SpecialToken", "Sequence")
	if f.err == nil && len(piece.names) != 1 {
		f.refuse("%s must have either \"SpecialToken\" or \"Sequence\"", piece.where)
	}
	if f.err != nil {
		return nil, false
	}
	kind := piece.names[0]
	inner := f.object(piece.where+"."+kind, piece.values[kind])
	inner.only("id", "type_id")
	inner.count("type_id")
	id := inner.text("id")
	ids, known := special[id]
	switch {
	case kind == "Sequence" && id != "A":
		f.refuse("%s.id is %q, but a single text is \"A\"", inner.where, id)
	case kind == "SpecialToken" && !known:
		f.refuse("%s.id is %q, which special_tokens has not", inner.where, id)
	}
	return ids, kind == "Sequence"
}
