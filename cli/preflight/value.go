package preflight

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// text renders a JSON value so that equal meaning is equal text: numbers by
// value, objects in the order of their keys and without those that are null.
// It holds nothing unprintable.
func text(v any) string {
	var b strings.Builder
	write(&b, v)
	return b.String()
}

func write(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case json.Number:
		b.WriteString(number(v.String()))
	case string:
		b.WriteString(strconv.Quote(v))
	case []any:
		writeList(b, v)
	case map[string]any:
		writeObject(b, v)
	}
}

func writeList(b *strings.Builder, list []any) {
	b.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		write(b, v)
	}
	b.WriteByte(']')
}

func writeObject(b *strings.Builder, object map[string]any) {
	b.WriteByte('{')
	separator := ""
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if object[key] == nil {
			continue
		}
		b.WriteString(separator + strconv.Quote(key) + ": ")
		write(b, object[key])
		separator = ", "
	}
	b.WriteByte('}')
}

// exact is up to where a float64 holds every whole number.
const exact = 1 << 53

// number writes a JSON number in one way: 1e4, 10000.0 and 10000 are 10000.
func number(written string) string {
	if n, err := strconv.ParseInt(written, 10, 64); err == nil {
		return strconv.FormatInt(n, 10)
	}
	v, err := strconv.ParseFloat(written, 64)
	switch {
	case err != nil:
		return written // beyond float64: only the same digits are the same number
	case v == math.Trunc(v) && math.Abs(v) < exact:
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// set renders a value or a list of values as a set: 2 and [2, 2] are the same.
func set(v any) string {
	list, ok := v.([]any)
	if !ok {
		return text(v)
	}
	var members []string
	for _, member := range list {
		members = append(members, text(member))
	}
	slices.Sort(members)
	members = slices.Compact(members)
	if len(members) == 1 {
		return members[0]
	}
	return "[" + strings.Join(members, ", ") + "]"
}

// An object is flattened down to this depth and up to this length of its path;
// what lies deeper is one value. A longer path names no setting, and would be
// repeated for each of them.
const (
	deepest = 8
	longest = 256
)

// flatten calls leaf for every value of an object that is not null, in the
// order of the paths.
func flatten(object map[string]any, path []string, leaf func(path []string, v any)) {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		below := append(slices.Clip(path), key)
		nested, ok := object[key].(map[string]any)
		switch {
		case object[key] == nil:
		case ok && len(below) < deepest && length(below) <= longest:
			flatten(nested, below, leaf)
		default:
			leaf(below, object[key])
		}
	}
}

func length(path []string) int {
	n := 0
	for _, segment := range path {
		n += len(segment)
	}
	return n
}

// dotted joins a path. A segment that is no plain name is quoted, so that no
// two paths are joined to the same text.
func dotted(path []string) string {
	segments := make([]string, len(path))
	for i, segment := range path {
		segments[i] = segment
		if strings.Trim(segment, plain) != "" || segment == "" {
			segments[i] = strconv.Quote(segment)
		}
	}
	return strings.Join(segments, ".")
}

// plain are the characters of plain names: Trim leaves nothing of such a name.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
