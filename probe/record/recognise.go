package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// kind is what a file is.
type kind int

const (
	isCSV     kind = iota
	isTable        // JSON lines of the columns of the CSV
	isLog          // of a run folder
	isSamples      // of lm-evaluation-harness
	isResults      // of lm-evaluation-harness
	isInspect      // JSON
	isZip          // of Inspect
)

// recognise tells what a file is by its first line, or by the names in it if it
// is JSON of several lines.
func recognise(file io.ReadSeeker) (kind, error) {
	head := make([]byte, 4)
	n, _ := io.ReadFull(file, head)
	if string(head[:n]) == "PK\x03\x04" || string(head[:n]) == "PK\x05\x06" {
		return isZip, nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	text := newLines(file)
	for text.scan() {
		line := text.trim()
		switch {
		case text.long:
			return 0, fmt.Errorf("the first line is longer than %d bytes", maxLine)
		case len(line) == 0:
			continue
		case line[0] != '{' && line[0] != '[':
			return isCSV, nil
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(withoutConstants(line), &object) == nil {
			return kindOf(sortedKeys(object))
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		return recogniseDocument(file)
	}
	if text.err != io.EOF {
		return 0, text.err
	}
	return 0, errors.New("is empty")
}

// recogniseDocument tells what JSON of several lines is: the names of the
// object, or of the first one of a list.
func recogniseDocument(r io.Reader) (kind, error) {
	decoder := newDecoder(r)
	first, err := decoder.Token()
	if err == nil && first == json.Delim('[') {
		first, err = decoder.Token()
	}
	if err != nil {
		return 0, plain(err)
	}
	if first != json.Delim('{') {
		return 0, errors.New("is JSON, but no object and no list of objects")
	}
	var names []string
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return 0, plain(err)
		}
		names = append(names, name.(string))
		if kind, err := kindOf(names); err == nil {
			return kind, nil
		}
		if err := skip(decoder); err != nil {
			return 0, plain(err)
		}
	}
	return kindOf(names)
}

// kindOf tells what an object is by its names.
func kindOf(names []string) (kind, error) {
	has := func(all ...string) bool {
		for _, name := range all {
			if !slices.Contains(names, name) {
				return false
			}
		}
		return true
	}
	switch {
	case has("doc_id"):
		return isSamples, nil
	case has("key", "scores"):
		return isLog, nil
	case has("item", "score"):
		return isTable, nil
	case has("status", "eval"):
		return isInspect, nil
	case has("results", "versions"), has("results", "configs"), has("results", "config"):
		return isResults, nil
	}
	const most = 8
	count := len(names)
	return 0, fmt.Errorf("is of no kind that is known: an object with the names %s is neither a sample of lm-evaluation-harness (doc_id) nor a log of Inspect (status, eval) nor a line with task, item, seed and score",
		listed(names[:min(most, count)], count))
}

// skip passes over a value.
func skip(decoder *json.Decoder) error {
	for depth := 0; ; {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// newDecoder reads JSON as Python writes it: after a byte order mark perhaps,
// and with NaN and infinities, which become null.
func newDecoder(r io.Reader) *json.Decoder {
	return json.NewDecoder(newConstants(r))
}

// withoutConstants is JSON as Python writes it with null for what is no number.
func withoutConstants(text []byte) []byte {
	if !bytes.Contains(text, []byte("NaN")) && !bytes.Contains(text, []byte("Infinity")) {
		return text
	}
	clean, err := io.ReadAll(newConstants(bytes.NewReader(text)))
	if err != nil {
		return text
	}
	return clean
}
