package token

// bpe reads a byte pair encoding.
func (f *file) bpe(part object, spelled bool) model {
	part.only("type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
		"fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges")
	f.bpeOptions(part)
	v := f.vocabulary(part.required("vocab"))
	lines := f.mergeLines(part.required("merges"))
	b := &bpe{merges: f.merges(lines, v)}
	m := model{vocabulary: v, appendWord: b.appendWord}
	ignore := part.booleanOr("ignore_merges", false)
	if spelled {
		b.begin = bytesBegin(f.symbols(part, v))
	} else {
		c := f.characters(part, &v)
		b.begin = c.begin
		if !ignore && f.err == nil && !f.joinsOthers(lines, part) {
			m.seams = newSeams(c, lines)
		}
	}
	if ignore {
		b.whole = v.words(spelled)
	}
	return m
}

// bpeOptions refuses the options that would change ids, and reads the others.
func (f *file) bpeOptions(part object) {
	if !part.absent("dropout") {
		f.refuse("model.dropout is %s, which is not supported; only null is", excerpt(part.values["dropout"]))
	}
	if !part.absent("unk_token") {
		part.text("unk_token")
	}
	for _, name := range []string{"continuing_subword_prefix", "end_of_word_suffix"} {
		if part.absent(name) {
			continue
		}
		if affix := part.text(name); affix != "" {
			f.refuse("model.%s is %q, which is not supported; only null and \"\" are", name, affix)
		}
	}
	part.booleanOr("fuse_unk", false)
	part.booleanOr("byte_fallback", false)
}

// characters reads what the characters of a word begin as.
func (f *file) characters(part object, v *vocabulary) *characters {
	c := newCharacters(v, part.booleanOr("byte_fallback", false))
	c.fuse = part.booleanOr("fuse_unk", false)
	c.unknown = noSymbol
	if !part.absent("unk_token") {
		c.unknown = f.unknown(part, *v)
	}
	return c
}

// joinsOthers reports whether a merge joins what stands for no character of its
// own text: a token for a byte or the unknown token.
func (f *file) joinsOthers(lines []mergeLine, part object) bool {
	unknown := ""
	if !part.absent("unk_token") {
		unknown = part.text("unk_token")
	}
	for _, line := range lines {
		for _, token := range []string{line.left, line.right} {
			if _, isByte := byteOf(token); isByte || token == unknown {
				return true
			}
		}
	}
	return false
}

// symbols finds the token of each byte in the alphabet of ByteLevel. A byte may
// lack one, as rare control characters do in SmolLM2, if neither an unk_token
// nor byte_fallback wants to take its place.
func (f *file) symbols(part object, v vocabulary) (symbols [256]int32) {
	needed := !part.absent("unk_token") || part.booleanOr("byte_fallback", false)
	for b := range symbols {
		symbol := string(symbolOfByte[b])
		id, ok := v.ids[symbol]
		if !ok && needed {
			f.refuse("model.vocab has no token %q for the byte 0x%02X; with an unk_token or byte_fallback all 256 are needed", symbol, b)
		}
		if !ok {
			id = noSymbol
		}
		symbols[b] = id
	}
	return symbols
}
