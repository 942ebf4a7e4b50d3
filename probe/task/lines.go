package task

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// EachLine calls work with every line that is not blank and its number from 1.
// An error of work is returned as "file:line: ...", after which no more lines
// are read. Lines may be of any length. A byte order mark before the first is left
// out.
func EachLine(file string, r io.Reader, work func(number int, text []byte) error) error {
	reader := bufio.NewReader(r)
	for number := 1; ; number++ {
		text, err := reader.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s:%d: %w", file, number, err)
		}
		if number == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff")) // a byte order mark
		}
		if strings.TrimSpace(string(text)) != "" {
			if err := work(number, text); err != nil {
				return fmt.Errorf("%s:%d: %w", file, number, Plain(err))
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// Plain says an error of encoding/json about a value in the file's words; any
// other error it returns as it is.
func Plain(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return err
	case wrong.Field == "":
		return fmt.Errorf("must be an object, not %s", wrong.Value)
	}
	kinds := map[reflect.Kind]string{reflect.String: "text", reflect.Int: "a whole number", reflect.Int32: "a whole number", reflect.Int64: "a whole number",
		reflect.Float64: "a number", reflect.Struct: "an object", reflect.Map: "an object",
		reflect.Slice: "a list", reflect.Bool: "true or false"}
	return fmt.Errorf("%q must be %s, not %s", wrong.Field, kinds[wrong.Type.Kind()], wrong.Value)
}
