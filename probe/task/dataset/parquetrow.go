package dataset

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// A row of a parquet file comes as the values of its leaf columns, each with
// two levels (Melnik and others, Dremel, VLDB 2010): the repetition level says
// at which of the lists around it a value begins a new element, the definition
// level how many of the optional and repeated groups around it are there. Here
// they become JSON again, fields in the order of the schema, absent ones null.

// leaves are the values of a row by leaf column; of a part of a row, those that
// belong to it.
type leaves [][]parquet.Value

// rowObject is a row as a JSON object.
func rowObject(root *parquet.Column, row parquet.Row) ([]byte, error) {
	var values leaves
	for _, value := range row {
		for value.Column() >= len(values) {
			values = append(values, nil)
		}
		values[value.Column()] = append(values[value.Column()], value)
	}
	return values.object(nil, root)
}

var errLevels = errors.New("the levels of its columns do not agree")

// object appends a group.
func (v leaves) object(dst []byte, group *parquet.Column) ([]byte, error) {
	dst = append(dst, '{')
	for i, field := range group.Columns() {
		if !utf8.ValidString(field.Name()) {
			return nil, fmt.Errorf("column %q is not UTF-8", field.Name())
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, field.Name()), ':')
		var err error
		if dst, err = v.field(dst, field); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// field appends what a column holds: a list, null or a value.
func (v leaves) field(dst []byte, c *parquet.Column) ([]byte, error) {
	first, err := v.first(c)
	switch {
	case err != nil:
		return nil, err
	case c.Repeated():
		return v.list(dst, c, leaves.element, c)
	case c.Optional() && first.DefinitionLevel() < c.MaxDefinitionLevel():
		return append(dst, "null"...), nil
	}
	return v.element(dst, c)
}

// element appends a value that is there. A group that is marked as a list holds
// one repeated group, which holds the element, under any name.
func (v leaves) element(dst []byte, c *parquet.Column) ([]byte, error) {
	if c.Leaf() {
		first, err := v.first(c)
		if err != nil {
			return nil, err
		}
		return appendValue(dst, first, c)
	}
	if inner := c.Columns(); isList(c) && len(inner) == 1 && inner[0].Repeated() {
		if wrapped := inner[0].Columns(); len(wrapped) == 1 {
			return v.list(dst, inner[0], leaves.field, wrapped[0])
		}
		return v.list(dst, inner[0], leaves.element, inner[0])
	}
	return v.object(dst, c)
}

func isList(c *parquet.Column) bool {
	logical := c.Type().LogicalType()
	if logical == nil {
		return false
	}
	_, list := logical.Value.(*format.ListType)
	return list
}

// list appends what the repeated column c holds; each element is what write
// makes of column inner.
func (v leaves) list(dst []byte, c *parquet.Column, write func(leaves, []byte, *parquet.Column) ([]byte, error), inner *parquet.Column) ([]byte, error) {
	first, err := v.first(c)
	if err != nil {
		return nil, err
	}
	dst = append(dst, '[')
	if first.DefinitionLevel() < c.MaxDefinitionLevel() {
		return append(dst, ']'), nil
	}
	rest, element := slices.Clone(v), slices.Clone(v)
	for more := true; more; {
		if more, err = split(c, rest, element); err != nil {
			return nil, err
		}
		if dst, err = write(element, dst, inner); err != nil {
			return nil, err
		}
		if more {
			dst = append(dst, ',')
		}
	}
	return append(dst, ']'), nil
}

// split moves the values of the next element of the repeated column c from rest
// to element and reports whether there are more.
func split(c *parquet.Column, rest, element leaves) (more bool, err error) {
	for k, i := range indices(nil, c) {
		if i >= len(rest) || len(rest[i]) == 0 {
			return false, errLevels
		}
		n := 1
		for n < len(rest[i]) && rest[i][n].RepetitionLevel() > c.MaxRepetitionLevel() {
			n++
		}
		element[i], rest[i] = rest[i][:n], rest[i][n:]
		if again := len(rest[i]) > 0; k == 0 {
			more = again
		} else if again != more {
			return false, errLevels
		}
	}
	return more, nil
}

// indices appends the numbers of the leaf columns below c.
func indices(dst []int, c *parquet.Column) []int {
	if c.Leaf() {
		return append(dst, c.Index())
	}
	for _, inner := range c.Columns() {
		dst = indices(dst, inner)
	}
	return dst
}

// first is the first value below a column.
func (v leaves) first(c *parquet.Column) (parquet.Value, error) {
	for !c.Leaf() {
		if len(c.Columns()) == 0 {
			return parquet.Value{}, errLevels
		}
		c = c.Columns()[0]
	}
	if c.Index() >= len(v) || len(v[c.Index()]) == 0 {
		return parquet.Value{}, errLevels
	}
	return v[c.Index()][0], nil
}

// appendValue appends the value of a leaf column. A number that is none is null,
// since JSON has none.
func appendValue(dst []byte, value parquet.Value, c *parquet.Column) ([]byte, error) {
	switch value.Kind() {
	case parquet.Boolean:
		return strconv.AppendBool(dst, value.Boolean()), nil
	case parquet.Int32, parquet.Int64:
		return appendInt(dst, value, c), nil
	case parquet.Float:
		return appendFloat(dst, float64(value.Float())), nil
	case parquet.Double:
		return appendFloat(dst, value.Double()), nil
	case parquet.ByteArray, parquet.FixedLenByteArray:
		if text := value.ByteArray(); utf8.Valid(text) {
			return appendString(dst, string(text)), nil
		}
		return nil, fmt.Errorf("column %s holds a text that is not UTF-8", c.Name())
	}
	return nil, fmt.Errorf("column %s is of the type %v, which no data set here has", c.Name(), value.Kind())
}

func appendInt(dst []byte, value parquet.Value, c *parquet.Column) []byte {
	number := value.Int64()
	if value.Kind() == parquet.Int32 {
		number = int64(value.Int32())
	}
	if logical := c.Type().LogicalType(); logical != nil {
		if kind, ok := logical.Value.(*format.IntType); ok && !kind.IsSigned && value.Kind() == parquet.Int64 {
			return strconv.AppendUint(dst, uint64(number), 10)
		}
	}
	return strconv.AppendInt(dst, number, 10)
}

func appendFloat(dst []byte, number float64) []byte {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return append(dst, "null"...)
	}
	return append(dst, pythonFloat(number)...)
}
