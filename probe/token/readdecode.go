package token

const decodersKnown = "ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Strip and Sequence of them are"

// decoder reads how ids become text. Without a decoder tokens are words with
// blanks between them.
func (f *file) decoder(top object) decoder {
	const where = "decoder"
	d := decoder{each: func(token string) string { return token }}
	if f.err != nil || top.absent(where) {
		d.join = " "
		return d
	}
	f.steps(where, top.values[where], "decoders", func(part object, kind string) { f.decoderStep(&d, part, kind) })
	return d
}

func (f *file) decoderStep(d *decoder, part object, kind string) {
	switch kind {
	case "ByteFallback":
		part.only("type")
		d.steps = append(d.steps, byteFallback)
	case "ByteLevel": // its options do not matter here
		f.byteLevel(part)
		d.then(func(token string) string { bytes, _ := bytesOf(token); return bytes })
		d.steps = append(d.steps, fuseBytes)
	case "Fuse":
		part.only("type")
		d.steps = append(d.steps, fuse)
	case "Metaspace":
		mark, prepend, _ := f.metaspace(part)
		d.steps = append(d.steps, unmark(mark, prepend))
	case "Replace":
		d.then(replace(f.replacement(part)))
	case "Strip":
		part.only("type", "content", "start", "stop")
		character, start, stop := part.character("content"), part.count("start"), part.count("stop")
		if stop > 0 {
			f.refuse("%s.stop is %d, which is not supported; only 0 is, since the reference library fails at short tokens", part.where, stop)
		}
		d.then(stripStart(character, start))
	default:
		f.refuse("%s type %q is not supported; %s", part.where, kind, decodersKnown)
	}
}

// character returns a string of one character.
func (o object) character(name string) string {
	text := o.text(name)
	if o.file.err == nil && len([]rune(text)) != 1 {
		o.file.refuse("%s.%s is %q, not one character", o.where, name, text)
	}
	return text
}

// count returns a whole number that is not negative.
func (o object) count(name string) int {
	return int(o.file.id(o.where+"."+name, o.required(name)))
}
