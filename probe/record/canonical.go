package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// canonical is the JSON of a value in the one form that equal values share: the
// keys of objects sorted, numbers as encoding/json writes the nearest 64-bit
// number, whole ones of any size by their digits, nothing escaped that need not be, no
// white space.
func canonical(value any) ([]byte, error) {
	general, err := generalize(value)
	if err != nil {
		return nil, err
	}
	return compact(general), nil
}

// generalize turns a value into what JSON has: map[string]any, []any, string,
// json.Number, bool and nil.
func generalize(value any) (any, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var general any
	if err := decoder.Decode(&general); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("has something behind its end")
	}
	return normalize(general)
}

// normalize writes the numbers of a general value in their shortest form.
func normalize(general any) (any, error) {
	var err error
	switch value := general.(type) {
	case map[string]any:
		for key, inner := range value {
			if value[key], err = normalize(inner); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, inner := range value {
			if value[i], err = normalize(inner); err != nil {
				return nil, err
			}
		}
	case json.Number:
		if !strings.ContainsAny(string(value), ".eE") && value != "-0" {
			return value, nil
		}
		number, err := strconv.ParseFloat(string(value), 64)
		if err != nil {
			return nil, fmt.Errorf("the number %.40s does not fit 64 bits", value)
		}
		if number == 0 {
			number = 0 // not -0
		}
		return json.Number(compact(number)), nil
	}
	return general, nil
}

// compact writes a value of generalize, or a number, as JSON.
func compact(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic("record: " + err.Error()) // no such value is in JSON
	}
	return bytes.TrimSuffix(text.Bytes(), []byte{'\n'})
}

// indented is the canonical JSON of a value on lines of their own, as files have it.
func indented(value any) ([]byte, error) {
	text, err := canonical(value)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
