package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/nikolalohinski/gonja/v2/exec"
)

// toJSON is the filter tojson as transformers has it: Python's json.dumps with
// its blanks, and characters as they are. Keys stand in the order in which
// messages have them, others by name.
func toJSON(_ *exec.Evaluator, in *exec.Value, _ *exec.VarArgs) *exec.Value {
	if in.IsError() {
		return in
	}
	var out strings.Builder
	value := in.ToGoSimpleType(true)
	if err, failed := value.(error); failed {
		return exec.AsValue(err)
	}
	if err := writeJSON(&out, reflect.ValueOf(value)); err != nil {
		return exec.AsValue(err)
	}
	return exec.AsSafeValue(out.String())
}

func writeJSON(out io.Writer, v reflect.Value) error {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Map:
		return writeObject(out, v)
	case reflect.Slice, reflect.Array:
		io.WriteString(out, "[")
		for i := range v.Len() {
			separate(out, i)
			if err := writeJSON(out, v.Index(i)); err != nil {
				return err
			}
		}
		_, err := io.WriteString(out, "]")
		return err
	case reflect.Invalid:
		_, err := io.WriteString(out, "null")
		return err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v.Interface()); err != nil {
		return err
	}
	_, err := out.Write(bytes.TrimSpace(text.Bytes()))
	return err
}

func writeObject(out io.Writer, v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(rank(a), rank(b)) })
	io.WriteString(out, "{")
	for i, key := range keys {
		separate(out, i)
		if err := writeJSON(out, reflect.ValueOf(fmt.Sprint(key))); err != nil {
			return err
		}
		io.WriteString(out, ": ")
		if err := writeJSON(out, v.MapIndex(key)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, "}")
	return err
}

// rank sorts keys: role before content before all others.
func rank(key reflect.Value) string {
	name := fmt.Sprint(key)
	switch name {
	case "role":
		return "\x000"
	case "content":
		return "\x001"
	}
	return name
}

func separate(out io.Writer, i int) {
	if i > 0 {
		io.WriteString(out, ", ")
	}
}
