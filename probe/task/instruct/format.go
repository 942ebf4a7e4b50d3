package instruct

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// The rules about texts that other programs read: fields, CSV, Markdown tables
// and JSON.

func fields(args arguments, _, text string) bool {
	lines, keys := linesOf(text), args.texts("keys")
	if len(lines) != len(keys) {
		return false
	}
	for i, line := range lines {
		value, begins := strings.CutPrefix(line, keys[i]+":")
		if !begins || strings.TrimSpace(value) == "" {
			return false
		}
	}
	return true
}

func csvTable(args arguments, _, text string) bool {
	reader := csv.NewReader(strings.NewReader(text))
	reader.TrimLeadingSpace = true
	records, err := reader.ReadAll() // which asks that all have as many values as the first
	if err != nil || len(records) != args.count("rows")+1 {
		return false
	}
	return isTable(records, args.texts("columns"))
}

// isTable reports whether the first record is the header and no value is blank.
func isTable(records [][]string, header []string) bool {
	for _, record := range records {
		for i, value := range record {
			record[i] = strings.TrimSpace(value)
		}
		if len(record) != len(header) || slices.Contains(record, "") {
			return false
		}
	}
	return slices.Equal(records[0], header)
}

func markdownTable(args arguments, _, text string) bool {
	lines := linesOf(text)
	if len(lines) != args.count("rows")+2 {
		return false
	}
	var records [][]string
	for _, line := range lines {
		inner, opened := strings.CutPrefix(line, "|")
		inner, closed := strings.CutSuffix(inner, "|")
		if !opened || !closed {
			return false
		}
		records = append(records, strings.Split(inner, "|"))
	}
	rule := func(cell string) bool {
		return strings.Trim(strings.TrimSpace(cell), ":") != "" && strings.Trim(cell, ":- ") == ""
	}
	if slices.ContainsFunc(records[1], func(cell string) bool { return !rule(cell) }) {
		return false
	}
	return isTable(records, args.texts("columns"))
}

func jsonObject(args arguments, _, text string) bool {
	object, err := readObject([]byte(text))
	keys := args["keys"].(map[string]any)
	if err != nil || len(object) != len(keys) {
		return false
	}
	values, _ := args["values"].(map[string]any)
	for name, want := range keys {
		var value any
		if json.Unmarshal(object[name], &value) != nil || !hasType(value, want.(string)) {
			return false
		}
		if wanted, given := values[name]; given && !reflect.DeepEqual(value, wanted) {
			return false
		}
	}
	return true
}

// readObject reads a JSON object and nothing behind it; a key that stands twice
// is an error.
func readObject(data []byte) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, fmt.Errorf("not a JSON object")
	}
	object := map[string]json.RawMessage{}
	for decoder.More() {
		token, err := decoder.Token()
		name, is := token.(string)
		if err != nil || !is {
			return nil, fmt.Errorf("not a JSON object: a key is no text")
		}
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("%q stands twice", name)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("the value of %q is no JSON: %w", name, err)
		}
		object[name] = value
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return nil, fmt.Errorf("the JSON object does not end: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("something stands behind the JSON object")
	}
	return object, nil
}

// hasType reports whether a value as encoding/json reads it is of a type of the
// rule json_object.
func hasType(value any, name string) bool {
	switch v := value.(type) {
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && v == float64(int64(v))
	case []any:
		single, list := strings.CutSuffix(name, "s")
		return list && !slices.ContainsFunc(v, func(entry any) bool { return !hasType(entry, single) })
	}
	return false
}
