package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// read goes through the lines from the beginning and makes the index.
func (l *Log) read() error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", l.path)
	}
	const typicalLine = 300
	l.index = newLogIndex(info.Size() / typicalLine)
	text := newLines(io.NewSectionReader(l.file, 0, info.Size()))
	for text.scan() {
		key, ok := keyOf(text)
		switch {
		case !ok && torn(text):
			l.torn.add(text.number)
			return nil // l.end stays before it
		case !ok && len(bytes.TrimSpace(text.text)) > 0:
			l.foreign.add(text.number)
		case ok && !l.index.add(hashKey(key), text.offset):
			l.repeated.add(text.number)
		}
		l.end = text.next
	}
	if text.err != io.EOF {
		return fmt.Errorf("%s: %w", l.path, text.err)
	}
	return nil
}

// opening is how the line of a record begins.
const opening = `{"key":"`

// keyOf finds a line's key. The usual line begins with it and is taken for a
// record if its strings and brackets close; any other has to be JSON.
func keyOf(line *lines) (key []byte, ok bool) {
	if line.long {
		return nil, false
	}
	text := bytes.TrimSuffix(line.text, []byte{'\r'})
	if rest, found := bytes.CutPrefix(text, []byte(opening)); found {
		end := bytes.IndexByte(rest, '"')
		if end > 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return rest[:end], closed(text)
		}
	}
	var record struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(line.trim(), &record); err != nil || record.Key == "" {
		return nil, false
	}
	return []byte(record.Key), true
}

// torn reports whether a line that is no record is the beginning of one, or has
// the zeros that a loss of power leaves.
func torn(line *lines) bool {
	n := min(len(line.text), len(opening))
	return !line.whole && !line.long && (string(line.text[:n]) == opening[:n] || bytes.IndexByte(line.text, 0) >= 0)
}

// closed reports whether a text is one bracketed thing: its strings end, its
// brackets match in number, and the last closes the first. It finds lines that
// were cut off, run together or overwritten with zeros, at the speed of reading
// them; it does not find everything that is not JSON.
func closed(text []byte) bool {
	if bytes.IndexByte(text, 0) >= 0 {
		return false
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			n := stringEnd(text[i+1:])
			if n < 0 {
				return false
			}
			i += n
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return depth == 0 && i == len(text)-1
			}
		}
	}
	return false
}

// stringEnd is the length of a string and its closing quote, or -1.
func stringEnd(text []byte) int {
	for end := 0; ; end++ {
		at := bytes.IndexByte(text[end:], '"')
		if at < 0 {
			return -1
		}
		backslashes := 0
		for end += at; backslashes < end && text[end-1-backslashes] == '\\'; {
			backslashes++
		}
		if backslashes%2 == 0 {
			return end + 1
		}
	}
}

// Each calls visit with every record, in the order of the file, until visit
// returns an error, which it returns. Records that are appended meanwhile are
// not among them.
func (l *Log) Each(visit func(Record) error) error {
	return l.each(func(key []byte, line *lines) error {
		r, err := decode(line.trim(), string(key))
		if err != nil {
			return fmt.Errorf("%s:%d: %w", l.path, line.number, err)
		}
		return visit(r)
	})
}

// Keys calls visit with every key, in the order of the file, until visit returns
// an error, which it returns.
func (l *Log) Keys(visit func(key string) error) error {
	return l.each(func(key []byte, _ *lines) error { return visit(string(key)) })
}

func (l *Log) each(visit func(key []byte, line *lines) error) error {
	l.mu.RLock()
	end := l.end
	l.mu.RUnlock()
	text := newLines(io.NewSectionReader(l.file, 0, end))
	for text.scan() {
		key, ok := keyOf(text)
		if !ok {
			continue
		}
		if offset, has := l.find(string(key)); !has || offset != text.offset {
			continue // another line has this key and counts
		}
		if err := visit(key, text); err != nil {
			return err
		}
	}
	if text.err != io.EOF {
		return fmt.Errorf("%s: %w", l.path, text.err)
	}
	return nil
}

// Foreign is the number of lines that are no records.
func (l *Log) Foreign() int { return l.foreign.count }

// Repeated is the number of lines whose key an earlier line has.
func (l *Log) Repeated() int { return l.repeated.count }

// Warnings say what opening found beside whole records, a sentence each.
func (l *Log) Warnings() (warnings []string) {
	warn := func(t tally, one, many, what string) {
		if t.count > 0 {
			subject := one
			if t.count > 1 {
				subject = fmt.Sprintf("%d %s", t.count, many)
			}
			warnings = append(warnings, fmt.Sprintf("%s: %s %s (%s)", l.path, subject, what, t))
		}
	}
	warn(l.foreign, "a line is", "lines are", "no record of a run and not counted, but kept")
	warn(l.repeated, "a line has", "lines have", "the key of an earlier one, which counts")
	warn(l.torn, "the last line", "last lines", "was cut off when it was written and does not count")
	return warnings
}

// tally counts lines and remembers the first few.
type tally struct {
	count int
	lines []int
}

const named = 5 // how many of a kind are named in a note

func (t *tally) add(line int) {
	if t.count++; len(t.lines) < named {
		t.lines = append(t.lines, line)
	}
}

// String names the lines: "line 3", "lines 3, 4 and 17 more".
func (t tally) String() string {
	numbers := make([]string, len(t.lines))
	for i, n := range t.lines {
		numbers[i] = fmt.Sprint(n)
	}
	if t.count == 1 {
		return "line " + numbers[0]
	}
	return "lines " + listed(numbers, t.count)
}

// listed joins names, of which there may be more than are named.
func listed(names []string, count int) string {
	text := strings.Join(names, ", ")
	if more := count - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
