package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"
)

// csvScanner reads CSV as Python's csv module does by default. encoding/csv
// will not do: it drops carriage returns from quoted fields, and questions of
// MMLU hold some, which the hub's data set, read by Python, has kept.
//
// A field is quoted if its first character is a quote; a quote in another field
// is a character like any other, and what follows a closing quote belongs to
// the field. A record ends at a line feed, a carriage return or both.
type csvScanner struct {
	rest []byte
	line int // of what comes next, from 1
}

var errOpenQuote = errors.New("a quoted field does not end")

// next returns a record that is not an empty line and the line it begins on.
func (s *csvScanner) next() (fields []string, line int, err error) {
	for len(s.rest) > 0 && (s.rest[0] == '\n' || s.rest[0] == '\r') {
		s.skip(1)
	}
	if len(s.rest) == 0 {
		return nil, s.line, io.EOF
	}
	for line = s.line; ; {
		field, err := s.field()
		if err != nil {
			return nil, line, err
		}
		fields = append(fields, field)
		if len(s.rest) == 0 || s.rest[0] != ',' {
			s.end()
			return fields, line, nil
		}
		s.skip(1)
	}
}

// field reads up to the comma or the end of the record.
func (s *csvScanner) field() (string, error) {
	var text []byte
	if len(s.rest) > 0 && s.rest[0] == '"' {
		s.skip(1)
		for {
			i := bytes.IndexByte(s.rest, '"')
			if i < 0 {
				return "", errOpenQuote
			}
			text = append(text, s.rest[:i]...)
			s.skip(i + 1)
			if len(s.rest) == 0 || s.rest[0] != '"' {
				break
			}
			text = append(text, '"')
			s.skip(1)
		}
	}
	i := bytes.IndexAny(s.rest, ",\r\n")
	if i < 0 {
		i = len(s.rest)
	}
	text = append(text, s.rest[:i]...)
	s.skip(i)
	if !utf8.Valid(text) {
		return "", errors.New("not UTF-8")
	}
	return string(text), nil
}

func (s *csvScanner) end() {
	if bytes.HasPrefix(s.rest, []byte("\r\n")) {
		s.skip(2)
	} else if len(s.rest) > 0 {
		s.skip(1)
	}
}

func (s *csvScanner) skip(n int) {
	s.line += bytes.Count(s.rest[:n], []byte("\n"))
	s.rest = s.rest[n:]
}

func scanCSV(data []byte) *csvScanner {
	return &csvScanner{rest: bytes.TrimPrefix(data, []byte("\ufeff")), line: 1}
}

// csvColumns looks at the first record: a header, or a question as hendrycks/test
// has them. Of a file with a header it also returns the record after it.
func csvColumns(file string, r io.Reader) (columns []string, hendrycks bool, first []byte, err error) {
	data, err := io.ReadAll(bufio.NewReader(io.LimitReader(r, 1<<20)))
	if err != nil {
		return nil, false, nil, err
	}
	s := scanCSV(data)
	columns, _, err = s.next()
	if err != nil {
		return nil, false, nil, err
	}
	if isHendrycks(file, columns) {
		return []string{"question", "subject", "choices", "answer"}, true, nil, nil
	}
	fields, _, err := s.next()
	if err == nil && len(fields) == len(columns) {
		first = csvObject(columns, fields)
	}
	return columns, false, first, nil
}

// isHendrycks reports whether the first record of a CSV file is a question, four
// choices and a letter, or the file lies where hendrycks/test has its questions:
// test/SUBJECT_test.csv.
func isHendrycks(file string, first []string) bool {
	_, split := subjectOf(file)
	return len(first) == 6 && isLetter(first[5]) || split != "" && split == path.Base(path.Dir(file))
}

func isLetter(text string) bool { return len(text) == 1 && text[0] >= 'A' && text[0] <= 'D' }

// subjectOf splits the name of a file of hendrycks/test, SUBJECT_test.csv; the
// split is "" where the name has none.
func subjectOf(file string) (subject, split string) {
	base := strings.TrimSuffix(path.Base(file), path.Ext(file))
	for _, split := range []string{"dev", "val", "test"} {
		if subject, ok := strings.CutSuffix(base, "_"+split); ok {
			return subject, split
		}
	}
	return base, ""
}

// readCSV reads a file with a header, all of whose values are texts, or one of
// hendrycks/test, whose records become those of cais/mmlu.
func readCSV(s source, data []byte) ([]Record, error) {
	scanner := scanCSV(data)
	var header []string
	if !s.hendrycks {
		header, _, _ = scanner.next()
	}
	var records []Record
	for {
		fields, line, err := scanner.next()
		r := Record{File: s.path, Unit: "line", Number: line}
		switch {
		case err == io.EOF:
			return records, nil
		case err == nil && s.hendrycks:
			r.Doc, err = hendrycksObject(s.path, fields)
		case err == nil && len(fields) != len(header):
			err = fmt.Errorf("%d fields, and the header has %d", len(fields), len(header))
		case err == nil:
			r.Doc = csvObject(header, fields)
		}
		if err != nil {
			return nil, r.Errorf("%w", err)
		}
		records = append(records, r)
	}
}

// csvObject is a record with the header's names.
func csvObject(header, fields []string) []byte {
	doc := []byte{'{'}
	for i, field := range fields {
		if i > 0 {
			doc = append(doc, ',')
		}
		doc = append(appendString(doc, header[i]), ':')
		doc = appendString(doc, field)
	}
	return append(doc, '}')
}

// hendrycksObject is a record of hendrycks/test as cais/mmlu has it.
func hendrycksObject(file string, fields []string) ([]byte, error) {
	if len(fields) != 6 {
		return nil, fmt.Errorf("%d fields: want the question, four choices and the letter of the right one", len(fields))
	}
	if !isLetter(fields[5]) {
		return nil, fmt.Errorf("the answer is %.20q, outside the choices A to D", fields[5])
	}
	subject, _ := subjectOf(file)
	doc := appendString([]byte(`{"question":`), fields[0])
	doc = appendString(append(doc, `,"subject":`...), subject)
	for i, choice := range fields[1:5] {
		separator := ","
		if i == 0 {
			separator = `,"choices":[`
		}
		doc = appendString(append(doc, separator...), choice)
	}
	return fmt.Appendf(doc, `],"answer":%d}`, fields[5][0]-'A'), nil
}
