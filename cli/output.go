package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"surgeon/cli/table"
)

// number is a float64 that JSON can hold: null where it is not finite.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if v := float64(n); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// UnmarshalJSON implements json.Unmarshaler: null is NaN.
func (n *number) UnmarshalJSON(data []byte) error {
	v := math.NaN()
	if string(data) != "null" {
		if err := json.Unmarshal(data, &v); err != nil {
			return err
		}
	}
	*n = number(v)
	return nil
}

// printJSON prints one value, indented.
func (e environment) printJSON(v any) error {
	encoder := json.NewEncoder(e.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// printTable prints a table that fits the terminal.
func (e environment) printTable(columns []table.Column, rows [][]string) error {
	return table.Render(e.out, columns, rows, table.Options{Color: e.outTerminal, Width: e.width})
}

// printf prints to standard output and returns the error of writing. Texts may
// hold names from files and directories: what would move a cursor is replaced.
func (e environment) printf(format string, args ...any) error {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = table.Printable(text)
		}
	}
	_, err := fmt.Fprintf(e.out, format, args...)
	return err
}

// plural is a count of things whose name takes an s in the plural.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// footnotes prints what a table's reader must know. Notes may hold names from
// files.
func (e environment) footnotes(notes []string) error {
	for _, note := range notes {
		prefix := "note: "
		if strings.HasPrefix(note, "warning: ") {
			prefix = ""
		}
		if err := e.printf("%s%s\n", prefix, note); err != nil {
			return err
		}
	}
	return nil
}

// rate is how many tokens go through a model in a second, to three digits.
func (e environment) rate(tokens int64, in time.Duration) number {
	if e.timeless || in <= 0 || tokens <= 0 {
		return 0
	}
	v := float64(tokens) / in.Seconds()
	unit := math.Pow(10, math.Floor(math.Log10(v))-2)
	return number(math.Round(v/unit) * unit)
}
