package ifeval

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"surgeon/probe/task/ifeval/internal/pattern"
)

// check says whether a reply keeps a rule.
type check func(j *judge, r *reply) bool

// instruction is what a rule's id stands for.
type instruction struct {
	parameters []string // all of them are needed
	build      func(a *arguments) check
}

// build reads the arguments of a rule and returns its check.
func build(rule Rule) (check, error) {
	kind, known := instructions[rule.ID]
	if !known {
		return nil, fmt.Errorf("%q is no instruction of IFEval: known are %s", rule.ID, strings.Join(IDs(), ", "))
	}
	a := &arguments{id: rule.ID, values: map[string]any{}}
	for _, name := range slices.Sorted(maps.Keys(rule.Args)) {
		value := rule.Args[name]
		if falsy(value) {
			continue // as lm-evaluation-harness does, which thereby drops the nulls of the data set
		}
		if !slices.Contains(kind.parameters, name) {
			a.fail("there is no argument %q: it takes %s", name, list(kind.parameters))
			return nil, a.err
		}
		a.values[name] = value
	}
	keeps := kind.build(a)
	if a.err != nil {
		return nil, a.err
	}
	return keeps, nil
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// falsy says whether Python would take a value of JSON as false.
func falsy(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case json.Number:
		f, err := v.Float64()
		return err == nil && f == 0
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	default:
		return v.IsZero()
	}
}

// arguments reads the arguments of a rule, and keeps the first error.
type arguments struct {
	id     string
	values map[string]any
	err    error
}

func (a *arguments) fail(format string, values ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(a.id+": "+format, values...)
	}
}

// text is an argument that is a text.
func (a *arguments) text(name string) string {
	switch v := a.values[name].(type) {
	case string:
		return v
	case nil:
		a.fail("the argument %q is missing", name)
	default:
		a.fail("the argument %q is %v: want a text", name, v)
	}
	return ""
}

// texts is an argument that is a list of texts.
func (a *arguments) texts(name string) []string {
	switch v := a.values[name].(type) {
	case []string:
		return v
	case []any:
		var texts []string
		for _, element := range v {
			text, is := element.(string)
			if !is {
				a.fail("the argument %q holds %v: want texts alone", name, element)
			}
			texts = append(texts, text)
		}
		return texts
	case nil:
		a.fail("the argument %q is missing", name)
	default:
		a.fail("the argument %q is %v: want a list of texts", name, v)
	}
	return nil
}

// count is an argument that is a whole number from 1 on.
func (a *arguments) count(name string) int {
	value, given := a.values[name]
	if !given {
		a.fail("the argument %q is missing, or 0", name)
		return 0
	}
	number := math.NaN()
	switch v := value.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil {
			number = f
		}
	default:
		switch v := reflect.ValueOf(value); {
		case v.CanFloat():
			number = v.Float()
		case v.CanInt():
			number = float64(v.Int())
		case v.CanUint():
			number = float64(v.Uint())
		}
	}
	if number != math.Trunc(number) || number < 1 || number > math.MaxInt32 {
		a.fail("the argument %q is %v: want a whole number from 1 to %d", name, value, math.MaxInt32)
		return 0
	}
	return int(number)
}

// enough is a pair of arguments: a number, and whether a count must reach it or
// stay below it.
func (a *arguments) enough(name, relation string) func(count int) bool {
	limit := a.count(name)
	switch word := a.text(relation); word {
	case "less than":
		return func(count int) bool { return count < limit }
	case "at least":
		return func(count int) bool { return count >= limit }
	default:
		a.fail("the argument %q is %q: want \"less than\" or \"at least\"", relation, word)
	}
	return nil
}

// expression compiles a regular expression that holds an argument.
func (a *arguments) expression(name, expression string, flags pattern.Flags) *pattern.Pattern {
	p, err := pattern.Compile(expression, flags)
	if err != nil {
		a.fail("the argument %q: %w", name, err)
	}
	return p
}
