package token

import "encoding/json"

// tokenizer reads the whole file.
func (f *file) tokenizer(data []byte) *Tokenizer {
	f.check(data)
	top := f.object("the top level", data)
	top.only("version", "truncation", "padding", "added_tokens", "normalizer",
		"pre_tokenizer", "post_processor", "decoder", "model")
	if !top.absent("version") && f.err == nil && top.text("version") != "1.0" {
		f.refuse("version %s is not supported; \"1.0\" is", excerpt(top.values["version"]))
	}
	f.truncation(top)
	f.padding(top)
	normalizers, keepsFirst := f.normalizers(top)
	split, spelled := f.preTokenizer(top, keepsFirst)
	decoder := f.decoder(top)
	m := f.model(top.required("model"), spelled)
	tokens := f.addedTokens(top, &m.vocabulary, normalizers)
	before, after := f.postProcessor(top, &m.vocabulary)
	if f.err != nil {
		return nil
	}
	if m.seams != nil {
		split = split.then(m.seams.split)
	}
	return &Tokenizer{
		literal:     newCutter(pass(tokens, false)),
		normalizers: normalizers,
		normalized:  newCutter(pass(tokens, true)),
		split:       split,
		appendWord:  m.appendWord,
		before:      before,
		after:       after,
		decoder:     decoder,
		ids:         m.vocabulary.ids,
		pieces:      m.vocabulary.pieces(decoder.each),
		length:      m.vocabulary.length(),
		special:     special(tokens),
	}
}

// pass selects the added tokens of one of the two passes.
func pass(tokens []added, normalized bool) (selected []added) {
	for _, token := range tokens {
		if token.normalized == normalized {
			selected = append(selected, token)
		}
	}
	return selected
}

// truncation is refused: it loses text.
func (f *file) truncation(top object) {
	if !top.absent("truncation") {
		f.refuse("truncation is set, which is not supported; only null is")
	}
}

// padding is accepted where it adds nothing to a text that is alone: to the
// longest of those encoded together, without rounding up.
func (f *file) padding(top object) {
	if top.absent("padding") {
		return
	}
	part := f.object("padding", top.values["padding"])
	part.only("strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token")
	if strategy := part.required("strategy"); f.err == nil && string(strategy) != `"BatchLongest"` {
		f.refuse("padding.strategy is %s, which is not supported; \"BatchLongest\" is", excerpt(strategy))
	}
	if !part.absent("pad_to_multiple_of") {
		f.refuse("padding.pad_to_multiple_of is %s, which is not supported; only null is", excerpt(part.values["pad_to_multiple_of"]))
	}
}

// steps reads a part of the file that has a type, or, if that is a Sequence, all
// in it, in order. The name is that of the list in a Sequence.
func (f *file) steps(where string, data json.RawMessage, name string, read func(part object, kind string)) {
	f.stepsWithin(0, where, data, name, read)
}

func (f *file) stepsWithin(depth int, where string, data json.RawMessage, name string, read func(part object, kind string)) {
	const deepest = 8 // reading goes over the inner ones again at each level
	part := f.object(where, data)
	kind := part.text("type")
	if kind != "Sequence" || f.err != nil {
		if f.err == nil {
			read(part, kind)
		}
		return
	}
	part.only("type", name)
	if depth == deepest {
		f.refuse("%s is a Sequence inside %d others, which is not supported; %d are", where, depth, deepest-1)
	}
	where += "." + name
	for i, element := range f.list(where, part.required(name)) {
		f.stepsWithin(depth+1, at(where, i), element, name, read)
	}
}

// pattern reads {"String": ...} or {"Regex": ...}.
func (o object) pattern(name string) finder {
	part := o.file.object(o.where+"."+name, o.required(name))
	part.only("String", "Regex")
	if len(part.names) != 1 {
		o.file.refuse("%s must have either %q or %q", part.where, "String", "Regex")
	}
	if o.file.err != nil {
		return nil
	}
	text := part.text(part.names[0])
	if text == "" {
		o.file.refuse("%s is empty", part.where)
		return nil
	}
	if part.names[0] == "String" {
		return literal(text)
	}
	if length, ok := scanned[text]; ok {
		return length.places
	}
	find, err := compile(text)
	if err != nil {
		o.file.refuse("%s.Regex is not supported: %w", part.where, err)
	}
	return find
}
