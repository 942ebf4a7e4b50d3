package token

import (
	"encoding/json"
	"strings"
)

// tokenizer reads the whole file.
func (f *file) tokenizer(data []byte) *Tokenizer {
	f.check(data)
	top := f.object("the top level", data)
	top.only("version", "truncation", "padding", "added_tokens", "normalizer",
		"pre_tokenizer", "post_processor", "decoder", "model")
	if !top.absent("version") && f.err == nil && top.text("version") != "1.0" {
		f.refuse("version %s is not supported; \"1.0\" is", excerpt(top.values["version"]))
	}
	f.mustBeNull(top, "truncation")
	f.mustBeNull(top, "padding")
	f.mustBeNull(top, "normalizer")
	split := f.preTokenizer(top)
	f.postProcessor(top)
	f.decoder(top)
	model, vocabulary := f.model(top.required("model"))
	tokens := f.addedTokens(top, &vocabulary)
	if f.err != nil {
		return nil
	}
	return &Tokenizer{
		literal:    newCutter(pass(tokens, false)),
		normalized: newCutter(pass(tokens, true)),
		split:      split,
		model:      model,
		ids:        vocabulary.ids,
		pieces:     vocabulary.pieces(),
		length:     vocabulary.length(),
		special:    special(tokens),
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

// mustBeNull refuses a part of the file that would change the ids.
func (f *file) mustBeNull(top object, name string) {
	if f.err != nil || top.absent(name) {
		return
	}
	part := f.object(name, top.values[name])
	if _, hasType := part.values["type"]; hasType {
		f.refuse("%s type %q is not supported; only null is", name, part.text("type"))
	}
	f.refuse("%s is set, which is not supported; only null is", name)
}

// part reads a part of the file that has a type.
func (f *file) part(where string, data json.RawMessage) (object, string) {
	part := f.object(where, data)
	return part, part.text("type")
}

const splittersKnown = "ByteLevel, Digits and Sequence of them are"

// preTokenizer reads how text becomes words. Digits must come before ByteLevel,
// because ByteLevel leaves no numbers behind, only bytes.
func (f *file) preTokenizer(top object) splitter {
	const where = "pre_tokenizer"
	if top.absent(where) {
		f.refuse("%s null is not supported; %s", where, splittersKnown)
	}
	steps, kinds := f.splitters(where, top.values[where], 0)
	last := len(kinds) - 1
	for i, kind := range kinds {
		if (kind == "ByteLevel") != (i == last) {
			last = -1
		}
	}
	if last < 0 {
		f.refuse("%s is [%s], but must end with its only ByteLevel", where, strings.Join(kinds, ", "))
	}
	if f.err != nil {
		return nil
	}
	split := steps[last]
	for i := last - 1; i >= 0; i-- {
		split = steps[i].then(split)
	}
	return split
}

// splitters reads one pre-tokenizer, a Sequence as the list of what is in it.
func (f *file) splitters(where string, data json.RawMessage, depth int) (steps []splitter, kinds []string) {
	const deepest = 8 // reading goes over the inner ones again at each level
	part, kind := f.part(where, data)
	switch kind {
	case "ByteLevel":
		return []splitter{f.byteLevel(part)}, []string{kind}
	case "Digits":
		part.only("type", "individual_digits")
		return []splitter{digits(part.boolean("individual_digits"))}, []string{kind}
	case "Sequence":
		part.only("type", "pretokenizers")
		if depth == deepest {
			f.refuse("%s is a Sequence inside %d others, which is not supported; %d are", where, depth, deepest-1)
		}
		where += ".pretokenizers"
		for i, element := range f.list(where, part.required("pretokenizers")) {
			innerSteps, innerKinds := f.splitters(at(where, i), element, depth+1)
			steps, kinds = append(steps, innerSteps...), append(kinds, innerKinds...)
		}
		return steps, kinds
	}
	f.refuse("%s type %q is not supported; %s", where, kind, splittersKnown)
	return nil, nil
}

// byteLevel reads a ByteLevel; trim_offsets concerns offsets, which we lack.
func (f *file) byteLevel(part object) splitter {
	part.only("type", "add_prefix_space", "trim_offsets", "use_regex")
	part.booleanOr("trim_offsets", true)
	return byteLevel(part.boolean("add_prefix_space"), part.booleanOr("use_regex", true))
}

// postProcessor accepts only what leaves the ids alone.
func (f *file) postProcessor(top object) {
	const where = "post_processor"
	if top.absent(where) {
		return
	}
	part, kind := f.part(where, top.values[where])
	if kind != "ByteLevel" {
		f.refuse("%s type %q is not supported; null and ByteLevel are", where, kind)
	}
	f.byteLevel(part)
}

// decoder accepts ByteLevel, whose options do not matter to it.
func (f *file) decoder(top object) {
	const where = "decoder"
	if top.absent(where) {
		f.refuse("%s null is not supported; ByteLevel is", where)
	}
	part, kind := f.part(where, top.values[where])
	if kind != "ByteLevel" {
		f.refuse("%s type %q is not supported; ByteLevel is", where, kind)
	}
	f.byteLevel(part)
}
