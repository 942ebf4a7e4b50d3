package instruct

import (
	"strings"
	"time"
	"unicode"
)

// argument is one that a kind of rule takes.
type argument struct {
	name string
	argumentType
	optional bool
}

// argumentType says what an argument must be, in words and as a check of a
// value as encoding/json reads it.
type argumentType struct {
	want  string
	valid func(any) bool
}

var (
	textType    = argumentType{"a text that is not empty", isText}
	textsType   = argumentType{"a list of texts, at least one and none empty", func(v any) bool { return isList(v, isText) }}
	countType   = argumentType{"a whole number from 1 to 1000000", isCount}
	countsType  = argumentType{"a list of whole numbers from 1 to 1000000, at least one", func(v any) bool { return isList(v, isCount) }}
	flagType    = argumentType{"true or false", func(v any) bool { _, is := v.(bool); return is }}
	orderType   = argumentType{`"ascending" or "descending"`, func(v any) bool { return v == "ascending" || v == "descending" }}
	asType      = argumentType{`"words" or "numbers"`, func(v any) bool { return v == "words" || v == "numbers" }}
	lettersType = argumentType{"a word of letters alone", isLetters}
	dateType    = argumentType{"a date as YYYY-MM-DD", func(v any) bool { s, _ := v.(string); return isDate(s) }}
	typesType   = argumentType{"an object that gives each key one of string, integer, number, boolean, strings, numbers", isTypes}
	valuesType  = argumentType{"an object", func(v any) bool { _, is := v.(map[string]any); return is }}
)

func isText(v any) bool { s, _ := v.(string); return strings.TrimSpace(s) != "" }

func isCount(v any) bool {
	n, is := v.(float64)
	return is && n >= 1 && n <= 1e6 && n == float64(int(n))
}

func isList(v any, valid func(any) bool) bool {
	list, _ := v.([]any)
	for _, entry := range list {
		if !valid(entry) {
			return false
		}
	}
	return len(list) > 0
}

func isLetters(v any) bool {
	s, _ := v.(string)
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isTypes(v any) bool {
	keys, _ := v.(map[string]any)
	for _, name := range keys {
		switch name {
		case "string", "integer", "number", "boolean", "strings", "numbers":
		default:
			return false
		}
	}
	return len(keys) > 0
}

// arguments are those of a rule that Verify accepts.
type arguments map[string]any

func (a arguments) text(name string) string { return a[name].(string) }
func (a arguments) count(name string) int   { return int(a[name].(float64)) }

func (a arguments) texts(name string) []string {
	list := a[name].([]any)
	words := make([]string, len(list))
	for i, entry := range list {
		words[i] = entry.(string)
	}
	return words
}

func (a arguments) counts(name string) []int {
	list := a[name].([]any)
	numbers := make([]int, len(list))
	for i, entry := range list {
		numbers[i] = int(entry.(float64))
	}
	return numbers
}
