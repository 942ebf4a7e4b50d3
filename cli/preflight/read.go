package preflight

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"unicode/utf8"
)

// A file is read up to its limit of bytes, and parsed if it has no more commas
// and brackets, hence values, than its limit of elements: both bound the
// memory that a hostile file can ask for.
type limits struct {
	bytes    int64
	elements int
}

var (
	configLimits    = limits{64 << 20, 1 << 20}
	tokenizerLimits = limits{256 << 20, 1 << 24}
)

// content is what a directory holds under a name.
type content struct {
	data  []byte
	there bool
	fault string // the rule it breaks, as a predicate; empty if none
}

// read reads a regular file. That it is not there, not regular or too long is
// content; an error is one of the file system.
func read(dir fs.FS, name string, limit limits) (content, error) {
	if dir == nil {
		return content{}, nil
	}
	info, err := fs.Stat(dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return content{}, nil
	case err != nil:
		return content{}, err
	case !info.Mode().IsRegular():
		return content{there: true, fault: "is not a regular file"}, nil
	case info.Size() > limit.bytes:
		return tooLong(limit), nil
	}
	f, err := dir.Open(name)
	if err != nil {
		return content{}, err
	}
	defer f.Close()
	var data bytes.Buffer
	data.Grow(int(info.Size()) + bytes.MinRead) // at once: a tokenizer.json has megabytes
	if _, err := data.ReadFrom(io.LimitReader(f, limit.bytes+1)); err != nil {
		return content{}, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(data.Len()) > limit.bytes { // longer than it said
		return tooLong(limit), nil
	}
	return content{data: data.Bytes(), there: true}, nil
}

func tooLong(limit limits) content {
	return content{there: true, fault: fmt.Sprintf("is longer than %d MiB", limit.bytes>>20)}
}

// object checks that content is one JSON object, and makes it strict JSON.
func (c *content) object(limit limits) {
	if !c.there || c.fault != "" {
		return
	}
	elements := bytes.Count(c.data, []byte(",")) + bytes.Count(c.data, []byte("[")) + bytes.Count(c.data, []byte("{"))
	switch {
	case !utf8.Valid(c.data):
		c.fault = "is not UTF-8 text"
	case elements > limit.elements:
		c.fault = fmt.Sprintf("has more than %d commas and brackets", limit.elements)
	default:
		c.syntax()
	}
}

func (c *content) syntax() {
	if !json.Valid(c.data) {
		c.data = strict(c.data)
		var raw json.RawMessage
		if err := json.Unmarshal(c.data, &raw); err != nil {
			c.fault = "is not JSON: " + err.Error()
			return
		}
	}
	if !bytes.HasPrefix(bytes.TrimLeft(c.data, " \t\r\n"), []byte("{")) {
		c.fault = "is not a JSON object"
	}
}

// pythonNumbers are the numbers that Python writes and JSON does not know.
var pythonNumbers = [][]byte{[]byte("-Infinity"), []byte("Infinity"), []byte("NaN")}

// strict quotes pythonNumbers outside strings.
func strict(data []byte) []byte {
	var out bytes.Buffer
	for len(data) > 0 {
		n := 1
		if data[0] == '"' {
			n = quoted(data)
		}
		for _, number := range pythonNumbers {
			if bytes.HasPrefix(data, number) {
				out.WriteString(`"` + string(number) + `"`)
				data, n = data[len(number):], 0
				break
			}
		}
		out.Write(data[:n])
		data = data[n:]
	}
	return out.Bytes()
}

// quoted is the length of the string that data begins with.
func quoted(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// decode turns strict JSON into maps, lists, strings and numbers as written.
func decode(data []byte) any {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil // not reached: the data was seen to be JSON
	}
	return v
}
