package record

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// pythonFloat is repr of a Python float: the shortest digits that give the
// number back, with an exponent below 1e-4 and from 1e16, and a point in any
// case.
func pythonFloat(x float64) string {
	switch {
	case math.IsNaN(x):
		return "nan"
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	}
	short := strconv.FormatFloat(x, 'e', -1, 64)
	exponent, _ := strconv.Atoi(short[strings.IndexByte(short, 'e')+1:])
	if x != 0 && (exponent < -4 || exponent >= 16) {
		return short
	}
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// pythonBool is str of a Python bool.
func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

var unsafeInNames = regexp.MustCompile(`["<>:/|\\?*\[\]]+`)

// safeName is a model's or task's name as lm-evaluation-harness puts it into a
// path.
func safeName(name string) string {
	name = unsafeInNames.ReplaceAllString(name, "__")
	if strings.Trim(name, ".") == "" {
		return "__" // neither this folder nor the one above
	}
	return name
}

// object is a JSON object whose names stay in order.
type object struct{ text bytes.Buffer }

// set adds a member. It panics for a value that is no JSON, which the callers
// see to.
func (o *object) set(name string, value any) {
	if o.text.Len() > 0 {
		o.text.WriteByte(',')
	}
	o.text.Write(compact(name))
	o.text.WriteByte(':')
	o.text.Write(compact(value))
}

// MarshalJSON implements json.Marshaler.
func (o *object) MarshalJSON() ([]byte, error) {
	return []byte("{" + o.text.String() + "}"), nil
}

// orNull is a text, or null for none.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// rawOr is JSON, or another value for none.
func rawOr(raw json.RawMessage, other any) any {
	if len(raw) == 0 {
		return other
	}
	return raw
}
