package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// file is a tokenizer.json being read. It keeps the first thing found wrong in
// err; all that is asked of it afterwards comes back empty. So a reader asks
// for everything and looks at err once.
type file struct {
	err error
}

func (f *file) refuse(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("token: tokenizer.json: "+format, args...)
	}
}

// check refuses what is no JSON, and what encoding/json would read with some
// replacement instead of an error.
func (f *file) check(data []byte) {
	if !utf8.Valid(data) {
		f.refuse("the file is not UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		f.refuse("the file is not JSON: %w", err)
	} else if i := loneSurrogate(data); i >= 0 {
		f.refuse("the escape %s at byte %d is half a character", data[i:i+6], i)
	}
}

// loneSurrogate finds an escape \uD800 to \uDFFF in valid JSON that is not half
// of a pair. It returns -1 if there is none.
func loneSurrogate(data []byte) int {
	for i := 0; ; {
		backslash := bytes.IndexByte(data[i:], '\\')
		if backslash < 0 {
			return -1
		}
		i += backslash
		first := escape(data[i:])
		switch {
		case first < 0:
			i += 2
		case !utf16.IsSurrogate(first):
			i += 6
		case utf16.DecodeRune(first, escape(data[i+6:])) == utf8.RuneError:
			return i
		default:
			i += 12
		}
	}
}

// escape returns the value of the \u escape, of four hexadecimal digits, that
// data begins with, or -1.
func escape(data []byte) rune {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return -1
	}
	value, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(value)
}

// object is one JSON object. Its methods refuse, by name, what is not as asked.
type object struct {
	file   *file
	where  string
	names  []string // in the order of the file
	values map[string]json.RawMessage
}

// object reads a JSON object; no key may stand twice.
func (f *file) object(where string, data json.RawMessage) object {
	o := object{file: f, where: where, values: map[string]json.RawMessage{}}
	if f.err != nil {
		return o
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		f.refuse("%s is %s, not an object", where, excerpt(data))
		return o
	}
	for decoder.More() {
		var value json.RawMessage
		key, err := decoder.Token()
		if err == nil {
			err = decoder.Decode(&value)
		}
		name, isText := key.(string)
		if err != nil || !isText { // not after check, which has seen all of it
			f.refuse("%s cannot be read: %w", where, err)
			return o
		}
		if _, twice := o.values[name]; twice {
			f.refuse("%s has the key %q twice", where, name)
			return o
		}
		o.names, o.values[name] = append(o.names, name), value
	}
	return o
}

// only refuses keys that are not among names.
func (o object) only(names ...string) {
	for _, name := range o.names {
		if !slices.Contains(names, name) {
			o.file.refuse("%s has the unknown key %q; known are %s", o.where, name, strings.Join(names, ", "))
		}
	}
}

// absent reports whether a key is missing or null.
func (o object) absent(name string) bool {
	value, ok := o.values[name]
	return !ok || string(value) == "null"
}

// required returns the value of a key that must be there.
func (o object) required(name string) json.RawMessage {
	value, ok := o.values[name]
	if !ok {
		o.file.refuse("%s has no %q", o.where, name)
	}
	return value
}

// boolean returns a truth value that must be there.
func (o object) boolean(name string) bool {
	switch value := o.required(name); string(value) {
	case "true":
		return true
	case "false":
	default:
		o.file.refuse("%s.%s is %s, not true or false", o.where, name, excerpt(value))
	}
	return false
}

// booleanOr returns a truth value, or fallback where the key is missing.
func (o object) booleanOr(name string, fallback bool) bool {
	if _, ok := o.values[name]; !ok {
		return fallback
	}
	return o.boolean(name)
}

// text returns a string that must be there.
func (o object) text(name string) string {
	return o.file.string(o.where+"."+name, o.required(name))
}

// string reads a string.
func (f *file) string(where string, data json.RawMessage) (text string) {
	if f.err == nil && (data[0] != '"' || json.Unmarshal(data, &text) != nil) {
		f.refuse("%s is %s, not a string", where, excerpt(data))
	}
	return text
}

// list returns the elements of an array.
func (f *file) list(where string, data json.RawMessage) []json.RawMessage {
	var elements []json.RawMessage
	if f.err == nil && (data[0] != '[' || json.Unmarshal(data, &elements) != nil) {
		f.refuse("%s is %s, not an array", where, excerpt(data))
	}
	return elements
}

// id reads a token id.
func (f *file) id(where string, data json.RawMessage) int32 {
	if f.err != nil {
		return 0
	}
	id, err := strconv.ParseInt(string(data), 10, 32)
	if err != nil || id < 0 {
		f.refuse("%s is %s, not a whole number from 0 to 2147483647", where, excerpt(data))
	}
	return int32(id)
}

// excerpt shows a value in an error, the start of it if it is long.
func excerpt(data json.RawMessage) string {
	const most = 40
	text := strings.TrimSpace(string(data))
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
