package chat

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/loaders"
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/parser"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

const rootName = "chat_template"

// root is a loader that has one template and no other: include, import and
// extends find nothing.
type root string

// Read implements loaders.Loader.
func (r root) Read(path string) (io.Reader, error) {
	if path != rootName {
		return nil, fmt.Errorf("a chat template may not read %q", path)
	}
	return strings.NewReader(string(r)), nil
}

// Resolve implements loaders.Loader.
func (r root) Resolve(path string) (string, error) { return path, nil }

// Inherit implements loaders.Loader.
func (r root) Inherit(string) (loaders.Loader, error) { return r, nil }

// raiseMark stands around the message of raise_exception in the library's
// errors, which lose their types on the way.
const raiseMark = "\x00raised\x00"

// environment is what a template may use: that of the library, and what
// transformers adds.
func environment() *exec.Environment {
	filters := exec.NewFilterSet(map[string]exec.FilterFunction{}).Update(builtins.Filters)
	structures := exec.NewControlStructureSet(map[string]parser.ControlStructureParser{}).Update(builtins.ControlStructures)
	if err := errors.Join(filters.Replace("tojson", toJSON), structures.Register("generation", parseGeneration)); err != nil {
		panic(err) // the library does not have what its pinned version has
	}
	globals := exec.NewContext(map[string]any{
		"range": numbers,
		chooseName: func(a *exec.VarArgs) *exec.Value {
			if a.Args[0].IsTrue() {
				return a.Args[1]
			}
			return a.Args[2]
		},
		fromEnd: func(a *exec.VarArgs) (any, error) {
			list, n := a.Args[0], a.Args[1].Integer()
			if n < 1 || n > list.Len() {
				return nil, fmt.Errorf("a list of %d has no element %d from its end", list.Len(), n)
			}
			return list.Index(list.Len() - n).Interface(), nil
		},
		"raise_exception": func(message string) (string, error) {
			return "", fmt.Errorf("%s%s%s", raiseMark, message, raiseMark)
		},
	})
	return &exec.Environment{
		Context: exec.EmptyContext().Update(builtins.GlobalFunctions).Update(builtins.GlobalVariables).Update(globals),
		Filters: filters, Tests: builtins.Tests, ControlStructures: structures, Methods: builtins.Methods,
	}
}

// mostNumbers is the longest range of a template.
const mostNumbers = 1 << 20

// numbers is Python's range, up to a length.
func numbers(arguments *exec.VarArgs) (list []int, err error) {
	bounds := [3]int{0, 0, 1}
	for i, a := range arguments.Args {
		if i > 2 || !a.IsInteger() {
			return nil, errors.New("range takes up to three whole numbers")
		}
		bounds[i] = a.Integer()
	}
	if len(arguments.Args) == 1 {
		bounds[0], bounds[1] = 0, bounds[0]
	}
	for n := bounds[0]; bounds[2] > 0 && n < bounds[1] || bounds[2] < 0 && n > bounds[1]; n += bounds[2] {
		if list = append(list, n); len(list) > mostNumbers {
			return nil, fmt.Errorf("a range has more than %d numbers", mostNumbers)
		}
	}
	return list, nil
}

// generation is the block {% generation %}, which marks what the assistant said
// for training and writes what is in it.
type generation struct {
	at   *tokens.Token
	body *nodes.Wrapper
}

// Position implements nodes.Node.
func (g *generation) Position() *tokens.Token { return g.at }

// String implements nodes.Node.
func (g *generation) String() string { return "generation" }

// Execute implements exec.ControlStructure.
func (g *generation) Execute(r *exec.Renderer, _ *nodes.ControlStructureBlock) error {
	return r.ExecuteWrapper(g.body)
}

func parseGeneration(p, _ *parser.Parser) (nodes.ControlStructure, error) {
	g := &generation{at: p.Current()}
	body, _, err := p.WrapUntil("endgeneration")
	g.body = body
	return g, err
}

// strftime shows a time as Python does.
func strftime(t time.Time, format string) string {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		layout, known := layouts[format[min(i+1, len(format)-1)]]
		if format[i] != '%' || !known {
			out.WriteByte(format[i])
			continue
		}
		out.WriteString(t.Format(layout))
		i++
	}
	return out.String()
}

// layouts are Go's writing of Python's directives.
var layouts = map[byte]string{'d': "02", 'm': "01", 'Y': "2006", 'y': "06", 'b': "Jan", 'B': "January", 'H': "15", 'I': "03", 'M': "04", 'S': "05",
	'p': "PM", 'A': "Monday", 'a': "Mon", 'j': "002", '%': "%"}
