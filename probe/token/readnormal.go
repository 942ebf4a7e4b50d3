package token

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const normalizersKnown = "NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Replace, Strip and Sequence of them are"

var forms = map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}

// normalizers reads how text is rewritten, and whether what is first in the
// text keeps its place in the eyes of the reference: it does not where white
// space is stripped or where more than one character becomes something else.
func (f *file) normalizers(top object) (steps []normalizer, keepsFirst bool) {
	const where = "normalizer"
	keepsFirst = true
	if f.err != nil || top.absent(where) {
		return nil, keepsFirst
	}
	f.steps(where, top.values[where], "normalizers", func(part object, kind string) {
		step, keeps := f.normalizer(part, kind)
		steps, keepsFirst = append(steps, step), keepsFirst && keeps
	})
	return steps, keepsFirst
}

func (f *file) normalizer(part object, kind string) (step normalizer, keepsFirst bool) {
	switch kind {
	case "NFC", "NFD", "NFKC", "NFKD":
		part.only("type")
		return form(forms[kind]), true
	case "Lowercase":
		part.only("type")
		return lowercase, true
	case "Prepend":
		part.only("type", "prepend")
		return prepend(part.text("prepend")), true
	case "Replace":
		find, content := f.replacement(part)
		single := false
		if f.err == nil {
			pattern := f.object(part.where+".pattern", part.values["pattern"])
			_, isString := pattern.values["String"]
			single = isString && utf8.RuneCountInString(pattern.text("String")) == 1
		}
		return replace(find, content), single && content != ""
	case "Strip":
		part.only("type", "strip_left", "strip_right")
		return strip(part.boolean("strip_left"), part.boolean("strip_right")), false
	}
	f.refuse("%s type %q is not supported; %s", part.where, kind, normalizersKnown)
	return nil, false
}

// replacement reads a Replace, that normalizes or decodes.
func (f *file) replacement(part object) (find finder, content string) {
	part.only("type", "pattern", "content")
	return part.pattern("pattern"), part.text("content")
}
