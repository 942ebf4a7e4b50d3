package token_test

import "testing"

func TestRefusedNormalizers(t *testing.T) {
	replace := func(pattern any, content any) fields {
		return fields{"type": "Replace", "pattern": pattern, "content": content}
	}
	check := func(normalizer any, want string) {
		t.Helper()
		checkRefused(t, encodeJSON(with(tinyFile(), "normalizer", normalizer)), want)
	}
	check(fields{"type": "Precompiled"}, `normalizer type "Precompiled" is not supported; NFC, NFD, NFKC, NFKD, Lowercase, `)
	check(fields{"type": "NFC", "extra": 1}, `normalizer has the unknown key "extra"`)
	check(fields{"type": "Sequence", "normalizers": []any{fields{"type": "Nmt"}}}, `normalizer.normalizers[0] type "Nmt" is not supported`)
	check(fields{"type": "Sequence", "steps": 1}, `normalizer has the unknown key "steps"`)
	check(fields{"type": "Prepend"}, `normalizer has no "prepend"`)
	check(fields{"type": "Strip", "strip_left": true}, `normalizer has no "strip_right"`)
	check(fields{"type": "Lowercase", "locale": "tr"}, `normalizer has the unknown key "locale"`)
	check(replace(" ", "_"), `normalizer.pattern is " ", not an object`)
	check(replace(fields{"String": ""}, "_"), `normalizer.pattern is empty`)
	check(replace(fields{}, "_"), `normalizer.pattern must have either "String" or "Regex"`)
	check(replace(fields{"String": " ", "Regex": " "}, "_"), `normalizer.pattern must have either`)
	check(replace(fields{"String": " "}, 1), `normalizer.content is 1, not a string`)
	check(replace(fields{"Regex": "("}, "_"), `normalizer.pattern.Regex is not supported: a group is not closed`)
	stripped := with(tinyFile(), "normalizer", fields{"type": "Strip", "strip_left": true, "strip_right": true})
	space := with(addedToken(endOfTextID, " "), "normalized", true)
	checkRefused(t, encodeJSON(with(stripped, "added_tokens", []any{space})), `added_tokens[0].content is nothing once it is normalized`)
}

func TestRefusedSplitters(t *testing.T) {
	split := func(regex string) fields {
		return fields{"type": "Split", "pattern": fields{"Regex": regex}, "behavior": "Isolated", "invert": false}
	}
	space := func() fields { return fields{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"} }
	check := func(step any, want string) {
		t.Helper()
		checkRefused(t, encodeJSON(with(tinyFile(), "pre_tokenizer", step)), want)
	}
	check(with(split("a"), "behavior", "isolated"), `pre_tokenizer.behavior "isolated" is not supported; Isolated, Removed, `)
	check(without(split("a"), "behavior"), `pre_tokenizer has no "behavior"`)
	check(without(split("a"), "invert"), `pre_tokenizer has no "invert"`)
	check(with(split("a"), "extra", 1), `pre_tokenizer has the unknown key "extra"`)
	check(fields{"type": "Punctuation", "behavior": 3}, `pre_tokenizer.behavior is 3, not a string`)
	check(fields{"type": "Whitespace", "behavior": "Isolated"}, `pre_tokenizer has the unknown key "behavior"`)
	check(fields{"type": "WhitespaceSplit", "extra": 1}, `pre_tokenizer has the unknown key "extra"`)
	check(without(space(), "replacement"), `pre_tokenizer has no "replacement"`)
	check(with(space(), "replacement", "__"), `pre_tokenizer.replacement is "__", not one character`)
	check(with(space(), "prepend_scheme", "last"), `pre_tokenizer.prepend_scheme "last" is not supported; always, first and never are`)
	check(with(space(), "add_prefix_space", false), `pre_tokenizer.add_prefix_space is false, but the prepend_scheme is "always"`)
	check(with(space(), "str_rep", "_"), `pre_tokenizer.str_rep is "_", but the replacement is "▁"`)
	check(with(space(), "split", 1), `pre_tokenizer.split is 1, not true or false`)
	check(sequence(fields{"type": "Whitespace"}, with(space(), "prepend_scheme", "first")), `pre_tokenizer.pretokenizers[1].prepend_scheme is "first", which is not supported behind other steps`)
	stripped := with(tinyFile(), "normalizer", fields{"type": "Strip", "strip_left": true, "strip_right": true})
	checkRefused(t, encodeJSON(with(stripped, "pre_tokenizer", with(space(), "prepend_scheme", "first"))), `pre_tokenizer.prepend_scheme is "first", which is not supported`)
}

func TestRefusedDecoders(t *testing.T) {
	strip := func() fields { return fields{"type": "Strip", "content": " ", "start": 1, "stop": 0} }
	check := func(decoder any, want string) {
		t.Helper()
		checkRefused(t, encodeJSON(with(tinyFile(), "decoder", decoder)), want)
	}
	check(fields{"type": "Fuse", "extra": 1}, `decoder has the unknown key "extra"`)
	check(fields{"type": "ByteFallback", "extra": 1}, `decoder has the unknown key "extra"`)
	check(fields{"type": "Sequence", "decoders": []any{fields{"type": "CTC"}}}, `decoder.decoders[0] type "CTC" is not supported`)
	check(with(strip(), "content", "ab"), `decoder.content is "ab", not one character`)
	check(with(strip(), "start", -1), `decoder.start is -1, not a whole number`)
	check(with(strip(), "stop", 1), `decoder.stop is 1, which is not supported; only 0 is`)
}

func TestRefusedPostProcessors(t *testing.T) {
	text, end := fields{"Sequence": fields{"id": "A", "type_id": 0}}, fields{"SpecialToken": fields{"id": endOfText, "type_id": 0}}
	names := fields{endOfText: fields{"id": endOfText, "ids": []int{endOfTextID}, "tokens": []string{endOfText}}}
	template := func(single ...any) fields {
		return fields{"type": "TemplateProcessing", "single": single, "pair": []any{}, "special_tokens": names}
	}
	check := func(step any, want string) {
		t.Helper()
		checkRefused(t, encodeJSON(with(tinyFile(), "post_processor", step)), want)
	}
	check(with(template(text), "extra", 1), `post_processor has the unknown key "extra"`)
	check(without(template(text), "pair"), `post_processor has no "pair"`)
	check(template(end), `post_processor.single has the text 0 times, not once`)
	check(template(text, end, text), `post_processor.single has the text 2 times, not once`)
	check(template(fields{"Sequence": fields{"id": "B", "type_id": 0}}), `post_processor.single[0].Sequence.id is "B", but a single text is "A"`)
	check(template(fields{"Other": 1}), `post_processor.single[0] has the unknown key "Other"`)
	check(template(fields{}), `post_processor.single[0] must have either`)
	check(template(text, fields{"SpecialToken": fields{"id": "<s>", "type_id": 0}}), `post_processor.single[1].SpecialToken.id is "<s>", which special_tokens has not`)
	other := func(token fields) fields {
		return with(template(text, end), "special_tokens", fields{endOfText: token})
	}
	check(other(fields{"id": endOfText, "ids": []int{7}, "tokens": []string{endOfText}}), `gives "<|end|>" the id 7, which it does not have`)
	check(other(fields{"id": endOfText, "ids": []int{}, "tokens": []string{endOfText}}), `has 0 ids for 1 tokens`)
	check(other(fields{"id": "x", "ids": []int{}, "tokens": []string{}}), `.id is "x", not "<|end|>"`)
	check(fields{"type": "BertProcessing", "sep": []any{"[SEP]", 1}, "cls": []any{endOfText, endOfTextID}}, `post_processor.sep gives "[SEP]" the id 1, which it does not have`)
	check(fields{"type": "BertProcessing", "sep": []any{endOfText}, "cls": []any{endOfText, endOfTextID}}, `post_processor.sep has 1 elements, not a token and its id`)
	check(fields{"type": "Sequence", "processors": []any{template(end, text), template(text, end)}}, `post_processor.processors[1] adds tokens, and so does a step before it`)
}

func TestRefusedModels(t *testing.T) {
	check := func(model fields, want string) {
		t.Helper()
		file := without(without(tinyFile(), "added_tokens"), "pre_tokenizer")
		checkRefused(t, encodeJSON(with(file, "model", model)), want)
	}
	unigram := func(vocab ...any) fields {
		return fields{"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": false}
	}
	unk := []any{"<unk>", 0}
	check(with(unigram(unk), "extra", 1), `model has the unknown key "extra"`)
	check(with(unigram(unk), "unk_id", nil), `model.unk_id is null, not a whole number`)
	check(with(unigram(unk), "unk_id", 1), `model.unk_id is 1, but model.vocab has 1 tokens`)
	check(with(unigram(), "vocab", []any{}), `model.unk_id is 0, but model.vocab has 0 tokens`)
	check(unigram(unk, unk), `model.vocab[1] is "<unk>" a second time`)
	check(unigram(unk, []any{"", 1}), `model.vocab[1] is the empty token`)
	check(unigram(unk, []any{"a", "b"}), `model.vocab[1] has the score "b", not a number that fits`)
	check(unigram(unk, []any{"a"}), `model.vocab[1] is ["a"], not a token and its score`)
	check(unigram(unk, "a"), `model.vocab[1] is "a", not an array`)
	check(fields{"type": "WordLevel", "vocab": fields{"a": 0}}, `model has no "unk_token"`)
	check(fields{"type": "WordLevel", "vocab": fields{"a": 0}, "unk_token": "b"}, `model.unk_token is "b", which model.vocab has not`)
	check(fields{"type": "WordLevel", "vocab": fields{"a": 0}, "unk_token": "a", "extra": 1}, `model has the unknown key "extra"`)
	check(fields{"type": "BPE", "vocab": fields{"a": 0}, "unk_token": "b", "merges": []any{}}, `model.unk_token is "b", which model.vocab has not`)
}
