package token

import (
	"strings"
	"unicode"
)

const splittersKnown = "ByteLevel, Digits, Metaspace, Punctuation, Split, Whitespace, WhitespaceSplit and Sequence of them are"

// preTokenizer reads how text becomes words, and whether ByteLevel is part of
// it. That must then be the last step, because it leaves no characters behind,
// only bytes.
func (f *file) preTokenizer(top object, keepsFirst bool) (split splitter, spelled bool) {
	const where = "pre_tokenizer"
	split = whole
	if f.err != nil || top.absent(where) {
		return split, false
	}
	var kinds []string
	f.steps(where, top.values[where], "pretokenizers", func(part object, kind string) {
		step := f.splitter(part, kind, len(kinds) == 0 && keepsFirst)
		if len(kinds) == 0 {
			split = step
		} else {
			split = split.then(step)
		}
		if spelled = spelled || kind == "ByteLevel"; spelled && len(kinds) > 0 && kinds[len(kinds)-1] == "ByteLevel" {
			f.refuse("%s is [%s], but must end with its only ByteLevel", where, strings.Join(append(kinds, kind), ", "))
		}
		kinds = append(kinds, kind)
	})
	return split, spelled
}

// splitter reads one step. The Metaspace that looks at whether a text is the
// first needs to be the first step, behind normalizers that keep first what is.
func (f *file) splitter(part object, kind string, knowsFirst bool) splitter {
	switch kind {
	case "ByteLevel":
		return f.byteLevel(part)
	case "Digits":
		part.only("type", "individual_digits")
		b := contiguous
		if part.boolean("individual_digits") {
			b = isolated
		}
		return behave(each(unicode.IsNumber), b, false)
	case "Metaspace":
		mark, prepend, cuts := f.metaspace(part)
		if prepend == beforeFirst && !knowsFirst {
			f.refuse("%s.prepend_scheme is \"first\", which is not supported behind other steps that may move the start of the text", part.where)
		}
		return metaspace(mark, prepend, cuts)
	case "Punctuation":
		part.only("type", "behavior")
		return behave(each(isPunctuation), part.behaviorOr(isolated), false)
	case "Split":
		return f.split(part)
	case "Whitespace":
		part.only("type")
		return behave(wordsAndRest, removed, true)
	case "WhitespaceSplit":
		part.only("type")
		return behave(each(unicode.IsSpace), removed, false)
	}
	f.refuse("%s type %q is not supported; %s", part.where, kind, splittersKnown)
	return whole
}

// byteLevel reads a ByteLevel; trim_offsets concerns offsets, which we lack.
func (f *file) byteLevel(part object) splitter {
	part.only("type", "add_prefix_space", "trim_offsets", "use_regex")
	part.booleanOr("trim_offsets", true)
	return byteLevel(part.boolean("add_prefix_space"), part.booleanOr("use_regex", true))
}

// metaspace reads a Metaspace, that cuts or decodes. add_prefix_space is how
// older files write the scheme; the reference accepts it where it agrees.
func (f *file) metaspace(part object) (mark string, prepend scheme, cuts bool) {
	part.only("type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep")
	mark, prepend = part.character("replacement"), beforeAll
	if _, ok := part.values["prepend_scheme"]; ok {
		prepend = scheme(part.text("prepend_scheme"))
	}
	if prepend != beforeAll && prepend != beforeFirst && prepend != beforeNone {
		f.refuse("%s.prepend_scheme %q is not supported; always, first and never are", part.where, prepend)
	}
	if !part.absent("add_prefix_space") && !part.boolean("add_prefix_space") && prepend != beforeNone {
		f.refuse("%s.add_prefix_space is false, but the prepend_scheme is %q", part.where, prepend)
	}
	if !part.absent("str_rep") && part.text("str_rep") != mark {
		f.refuse("%s.str_rep is %s, but the replacement is %q", part.where, excerpt(part.values["str_rep"]), mark)
	}
	return mark, prepend, part.absent("split") || part.boolean("split")
}

// split reads a Split. A pattern that is scanned leaves nothing between its
// words, so to isolate them is to take each.
func (f *file) split(part object) splitter {
	part.only("type", "pattern", "behavior", "invert")
	part.required("behavior")
	find, b, invert := part.pattern("pattern"), part.behaviorOr(isolated), part.boolean("invert")
	if f.err != nil {
		return whole
	}
	regex := f.object(part.where+".pattern", part.values["pattern"])
	if _, ok := regex.values["Regex"]; ok && b == isolated {
		if length, known := scanned[regex.text("Regex")]; known {
			return every(length)
		}
	}
	return behave(find, b, invert)
}

// behaviorOr returns the behavior, or fallback where the key is missing.
func (o object) behaviorOr(fallback behavior) behavior {
	if _, ok := o.values["behavior"]; !ok {
		return fallback
	}
	b := behavior(o.text("behavior"))
	switch b {
	case isolated, removed, contiguous, mergedWithPrevious, mergedWithNext:
	default:
		o.file.refuse("%s.behavior %q is not supported; Isolated, Removed, Contiguous, MergedWithPrevious and MergedWithNext are", o.where, b)
	}
	return b
}
