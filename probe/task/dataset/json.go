package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// compact checks that data is a JSON object in UTF-8 and leaves out the white
// space between its parts. Numbers and escapes stay as they are written.
func compact(data []byte) ([]byte, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if out.Len() == 0 || out.Bytes()[0] != '{' {
		return nil, errors.New("a record must be a JSON object")
	}
	return out.Bytes(), nil
}

// keys are the names of an object's fields in their order.
func keys(object []byte) ([]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("a record must be a JSON object")
	}
	var names []string
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var skipped json.RawMessage
		if err := decoder.Decode(&skipped); err != nil {
			return nil, err
		}
		names = append(names, token.(string))
	}
	return names, nil
}

// appendString appends a text as JSON.
func appendString(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(text) {
		switch c := text[i]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b', '\f', '\n', '\r', '\t':
			dst = append(dst, '\\', "btn\vfr"[c-'\b'])
		default:
			if c < ' ' {
				dst = append(dst, `\u00`...)
				c, dst = hex[c&15], append(dst, hex[c>>4])
			}
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// DocHash is the doc_hash of lm-evaluation-harness: the SHA-256 of
// json.dumps(doc, indent=2, ensure_ascii=False), where doc is a JSON object as
// Python reads it. Of a name that stands twice the last value counts. It is ""
// for what is not JSON.
func DocHash(doc []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.UseNumber()
	text, err := dumps(nil, decoder, "\n")
	if err != nil {
		return ""
	}
	return Digest(text)
}

// dumps appends the next value as Python's json.dumps writes it. line is a line
// feed and the indentation of what is around it.
func dumps(dst []byte, decoder *json.Decoder, line string) ([]byte, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch value := token.(type) {
	case json.Delim:
		return dumpsParts(dst, decoder, line, value == '{')
	case string:
		return appendString(dst, value), nil
	case json.Number:
		return append(dst, pythonNumber(value.String())...), nil
	case bool:
		return strconv.AppendBool(dst, value), nil
	default:
		return append(dst, "null"...), nil
	}
}

// dumpsParts appends a list or an object whose opening bracket was read.
func dumpsParts(dst []byte, decoder *json.Decoder, line string, object bool) ([]byte, error) {
	var parts [][]byte
	places, inner := map[string]int{}, line+"  "
	for decoder.More() {
		var part []byte
		place := len(parts)
		if object {
			token, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			name := token.(string)
			if earlier, twice := places[name]; twice {
				place = earlier
			}
			places[name] = place
			part = append(appendString(nil, name), ": "...)
		}
		part, err := dumps(part, decoder, inner)
		if err != nil {
			return nil, err
		}
		if place == len(parts) {
			parts = append(parts, nil)
		}
		parts[place] = part
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	brackets := "[]"
	if object {
		brackets = "{}"
	}
	if len(parts) == 0 {
		return append(dst, brackets...), nil
	}
	dst = append(append(dst, brackets[0]), inner...)
	dst = append(dst, bytes.Join(parts, []byte(","+inner))...)
	return append(append(dst, line...), brackets[1]), nil
}

// pythonNumber is how Python writes a number that it read: whole ones as they
// are, others as repr does.
func pythonNumber(number string) string {
	if number == "-0" {
		return "0"
	}
	if !strings.ContainsAny(number, ".eE") {
		return number
	}
	value, _ := strconv.ParseFloat(number, 64) // out of range is an infinity, as in Python
	return pythonFloat(value)
}

// pythonFloat is repr of a float: the shortest digits that read back as the same
// number, with an exponent below 1e-4 and from 1e16 on.
func pythonFloat(value float64) string {
	switch size := math.Abs(value); {
	case math.IsInf(value, 0):
		return strings.TrimPrefix(strconv.FormatFloat(value, 'f', -1, 64), "+") + "inity"
	case value == 0 || size >= 1e-4 && size < 1e16:
		text := strconv.FormatFloat(value, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	return strconv.FormatFloat(value, 'e', -1, 64)
}

// Pad gives every object in the lists of a field the names that any of them has,
// null where one has none, in the order in which they first appear: what a table
// of the library datasets, through which lm-evaluation-harness sees JSON lines,
// makes of them. Records that have all names come back as they are.
func Pad(records []Record, field string) []Record {
	var names []string
	known := map[string]bool{}
	lists := make([][]json.RawMessage, len(records))
	for i, r := range records {
		var record map[string]json.RawMessage
		if json.Unmarshal(r.Doc, &record) != nil || json.Unmarshal(record[field], &lists[i]) != nil {
			continue
		}
		for _, object := range lists[i] {
			own, _ := keys(object)
			for _, name := range own {
				if !known[name] {
					known[name], names = true, append(names, name)
				}
			}
		}
	}
	padded := slices.Clone(records)
	for i, list := range lists {
		if list != nil {
			padded[i].Doc = replaceField(records[i].Doc, field, padObjects(list, names))
		}
	}
	return padded
}

// padObjects is a list whose objects have all the names.
func padObjects(list []json.RawMessage, names []string) []byte {
	out := []byte{'['}
	for i, object := range list {
		if i > 0 {
			out = append(out, ',')
		}
		var values map[string]json.RawMessage
		if json.Unmarshal(object, &values) != nil || values == nil {
			out = append(out, object...)
			continue
		}
		out = append(out, '{')
		for k, name := range names {
			if k > 0 {
				out = append(out, ',')
			}
			out = append(appendString(out, name), ':')
			if value, ok := values[name]; ok {
				out = append(out, value...)
			} else {
				out = append(out, "null"...)
			}
		}
		out = append(out, '}')
	}
	return append(out, ']')
}

// replaceField is an object with another value for a field.
func replaceField(doc []byte, field string, value []byte) []byte {
	names, err := keys(doc)
	var values map[string]json.RawMessage
	if err != nil || json.Unmarshal(doc, &values) != nil {
		return doc
	}
	out := []byte{'{'}
	for k, name := range names {
		if k > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, name), ':')
		if name == field {
			out = append(out, value...)
		} else {
			out = append(out, values[name]...)
		}
	}
	return append(out, '}')
}
