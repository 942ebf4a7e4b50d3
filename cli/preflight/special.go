package preflight

import (
	"slices"
	"strings"
)

const (
	specialToken = "the merge keeps the base's special token: take over the tuned model's tokenizer files if its chat format begins, ends or pads texts with another"
	framing      = "one side frames every text with a special token that the other does not add, and the merge keeps the base's way: encode one text with both and compare"
)

// specialRules are the rules of tokenizer_config.json and
// special_tokens_map.json; no other field of them is compared.
var specialRules = index([]rule{
	{Warning, Warning, specialToken, []string{"bos_token", "eos_token", "pad_token"}},
	{Warning, Note, framing, []string{"add_bos_token", "add_eos_token"}},
	{Warning, Note, "the first word of a text is cut into tokens otherwise, and the merge keeps the base's way: encode one text with both and compare", []string{"add_prefix_space"}},
	{Warning, Warning, remoteCode, []string{"auto_map"}},
	{Note, Note, "the merge keeps the base's: nothing to do unless your program relies on the tuned model's", []string{"unk_token", "additional_special_tokens"}},
	{Note, Note, "another class reads the tokenizer files, usually to the same effect: encode one text with both if tokenizer.json does not decide", []string{"tokenizer_class"}},
}, "")

// specialTokens compares the special tokens. What one of the two files does
// not say is taken from the other.
func (c *comparison) specialTokens() error {
	reported := map[string]Finding{}
	for _, file := range []string{settingsFile, specialFile} {
		for field, r := range specialRules.byName {
			b, t := c.base.special(file, field), c.tuned.special(file, field)
			if b.path == nil && t.path == nil {
				continue
			}
			b, t = c.base.inherit(b, field), c.tuned.inherit(t, field)
			f := specialRules.judge(file, b, t)
			if f.Severity != r.severity {
				f.Says = "only one side says it, and the other takes the default of its tokenizer class: encode one text with both and compare"
			}
			was := reported[field]
			if b.text != t.text && (was.Base != f.Base || was.Tuned != f.Tuned) {
				reported[field] = f
				c.add(f)
			}
		}
	}
	return nil
}

// special is a field of a file with tokens.
func (s side) special(file, field string) setting {
	v := s.objects[file][field]
	if v == nil {
		return setting{}
	}
	if name, ok := v.(string); ok && field == "tokenizer_class" {
		v = strings.TrimSuffix(name, "Fast") // the same tokenizer in Rust
	}
	if list, ok := v.([]any); ok && len(list) == 0 {
		return setting{}
	}
	return setting{path: []string{field}, text: tokenText(v)}
}

// inherit finds a field that is not in one of the files in the other.
func (s side) inherit(v setting, field string) setting {
	for _, file := range []string{settingsFile, specialFile} {
		if v.path == nil {
			v = s.special(file, field)
		}
	}
	return v
}

// tokenText renders a token: a string, or an object that has it as its content.
// The order of several tokens means nothing.
func tokenText(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if token, ok := v["content"].(string); ok {
			return text(token)
		}
	case []any:
		tokens := make([]string, len(v))
		for i, token := range v {
			tokens[i] = tokenText(token)
		}
		slices.Sort(tokens)
		return "[" + strings.Join(slices.Compact(tokens), ", ") + "]"
	}
	return text(v)
}
