package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
)

// plain says an error of encoding/json in the words of who wrote the file.
func plain(err error) error {
	var value *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &value) && value.Field == "":
		return fmt.Errorf("must be %s, not %s", kindName(value.Type), value.Value)
	case errors.As(err, &value):
		return fmt.Errorf("%q must be %s, not %s", value.Field, kindName(value.Type), value.Value)
	case errors.As(err, &syntax):
		return fmt.Errorf("is not JSON: %v", err)
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return errors.New("is not JSON: it ends before it is complete")
	}
	return err
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Int, reflect.Int64:
		return "a whole number that fits 64 bits"
	case reflect.Float64:
		return "a number that fits 64 bits"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	}
	return "of another type"
}

// sortedKeys lists the keys of maps, each of them once, in order.
func sortedKeys[V any](of ...map[string]V) []string {
	if len(of) == 1 {
		return slices.Sorted(maps.Keys(of[0]))
	}
	all := map[string]bool{}
	for _, m := range of {
		for key := range m {
			all[key] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// counted is a number of things: "1 item", "3 items".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
