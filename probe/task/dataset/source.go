package dataset

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// source is a file that may hold records.
type source struct {
	path      string
	format    string
	columns   []string // of the first record
	first     []byte   // the first record, of a format in which it is cheap to read; nil otherwise
	hendrycks bool     // a CSV file without a header, as hendrycks/test has them
	err       error    // why it cannot be read
}

// formatOf is the format that a file's name promises; "" for none.
func formatOf(file string) string {
	switch strings.ToLower(path.Ext(file)) {
	case ".parquet":
		return "parquet"
	case ".jsonl", ".ndjson", ".json":
		return "json"
	case ".csv":
		return "csv"
	}
	return ""
}

// sniff reads as much of a file as shows its columns.
func sniff(fsys fs.FS, file string) source {
	s := source{path: file, format: formatOf(file)}
	f, err := fsys.Open(file)
	if err != nil {
		s.err = err
		return s
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.IsDir() || info.Size() == 0 {
		s.err = errors.New("the file is empty")
		return s
	}
	switch s.format {
	case "parquet":
		s.columns, s.err = parquetColumns(f)
	case "json":
		s.first, s.err = firstObject(f)
		if s.err == nil {
			s.columns, s.err = keys(s.first)
		}
	case "csv":
		s.columns, s.hendrycks, s.first, s.err = csvColumns(file, f)
	}
	return s
}

// largestFirst is how much of a JSON file is read to see its first record.
const largestFirst = 16 << 20

// firstObject is the first object of JSON lines, of a list or of a file that is
// one object.
func firstObject(r io.Reader) ([]byte, error) {
	buffered := bufio.NewReader(io.LimitReader(r, largestFirst))
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		buffered.Discard(3)
	}
	decoder := json.NewDecoder(buffered)
	for {
		b, err := buffered.ReadByte()
		if err != nil {
			return nil, errors.New("no record in it")
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			if b != '[' {
				buffered.UnreadByte()
			}
			break
		}
	}
	var first json.RawMessage
	if err := decoder.Decode(&first); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return first, nil
}

// read reads the records of a file.
func (f *Folder) read(s source) (File, []Record, error) {
	data, err := fs.ReadFile(f.fsys, s.path)
	if err != nil {
		return File{}, nil, err
	}
	var records []Record
	switch s.format {
	case "parquet":
		records, err = readParquet(s.path, data)
	case "json":
		records, err = readJSON(s.path, data)
	case "csv":
		records, err = readCSV(s, data)
	}
	if err == nil && len(records) == 0 {
		err = fmt.Errorf("%s: no record in it", s.path)
	}
	return File{Path: s.path, SHA256: Digest(data), Rows: len(records)}, records, err
}

// Digest is the SHA-256 of bytes, in hexadecimal digits.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// readJSON reads JSON lines, a list of objects, or one object. Only of JSON
// lines is the place of a record a line.
func readJSON(file string, data []byte) ([]Record, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) > 0 && (trimmed[0] == '[' || json.Valid(trimmed)) {
		return readList(file, trimmed)
	}
	var records []Record
	for number := 1; len(data) > 0; number++ {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		record, err := newRecord(file, "line", number, line)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

func readList(file string, data []byte) ([]Record, error) {
	list := []json.RawMessage{data}
	if data[0] == '[' {
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, fmt.Errorf("%s: not JSON: %w", file, err)
		}
	} else if data[0] == '{' && !bytes.ContainsAny(data, "\n\r") {
		record, err := newRecord(file, "line", 1, data)
		return []Record{record}, err
	}
	var records []Record
	for i, item := range list {
		record, err := newRecord(file, "item", i+1, item)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

// newRecord checks that data is a JSON object in UTF-8, and compacts it.
func newRecord(file, unit string, number int, data []byte) (Record, error) {
	r := Record{File: file, Unit: unit, Number: number}
	doc, err := compact(data)
	if err != nil {
		return r, r.Errorf("%w", err)
	}
	r.Doc = doc
	return r, nil
}

// Lines reads the records of JSON lines if the first of them is a text: an
// object with a field page or text and neither prompt nor input. Of other files
// it returns nil.
func Lines(file string, data []byte) ([]Record, error) {
	first, err := firstObject(bytes.NewReader(data))
	if err != nil {
		return nil, nil
	}
	columns, _ := keys(first)
	has := func(name string) bool { return slices.Contains(columns, name) }
	if has("prompt") || has("input") || !has("page") && !has("text") {
		return nil, nil
	}
	return readJSON(file, data)
}
