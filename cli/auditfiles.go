package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"surgeon/probe/record"
)

// writeJSON writes a part of a run folder.
func writeJSON(path string, v any) error {
	data, err := indented(v)
	if err != nil {
		return err
	}
	return record.WriteFile(path, data)
}

func indented(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}

// readJSON reads a part of a run folder, and reports whether it is there.
func readJSON(path string, v any) (bool, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%s: %w: remove it, and it is found again", path, err)
	}
	return true, nil
}

func compareNumbers(a, b number) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
