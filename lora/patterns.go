package lora

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// patterns are values by regular expressions on the paths of modules, of which the
// first that matches decides: PEFT's rank_pattern and alpha_pattern, in the order
// of the file.
type patterns[T any] []pattern[T]

type pattern[T any] struct {
	key   string
	value T
	match *regexp.Regexp
}

// UnmarshalJSON keeps the order of the keys.
func (p *patterns[T]) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	start, err := decoder.Token()
	if err != nil || start == nil {
		return err
	}
	if start != json.Delim('{') {
		return errors.New("a pattern is no JSON object")
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		one := pattern[T]{key: key.(string)}
		if err := decoder.Decode(&one.value); err != nil {
			return err
		}
		// As PEFT matches it: at the beginning of the path, or behind a dot.
		if one.match, err = compile(`(?:.*\.)?(?:` + one.key + `)`); err != nil {
			return fmt.Errorf("pattern %q: %w", one.key, err)
		}
		*p = append(*p, one)
	}
	return nil
}

// of is the value for a module.
func (p patterns[T]) of(module string) (value T, ok bool) {
	for _, one := range p {
		if one.match.MatchString(module) {
			return one.value, true
		}
	}
	return value, false
}

// unused is the first key that matches none of the modules, "" for none.
func (p patterns[T]) unused(modules []string) string {
	for _, one := range p {
		if !slices.ContainsFunc(modules, one.match.MatchString) {
			return one.key
		}
	}
	return ""
}

// foreign is what Go and Python both read, but differently, or Go alone.
var foreign = []string{"{,", "[[:", `\Q`, `\E`, `\p`, `\P`, `\C`, `\z`}

// compile compiles an expression that must match a whole text. Python's
// expressions are nearly Go's; what Go lacks, or would read otherwise, it refuses.
func compile(expression string) (*regexp.Regexp, error) {
	if err := asPython(expression); err != nil {
		return nil, err
	}
	return regexp.Compile(`^(?:` + expression + `)$`)
}

func asPython(expression string) error {
	for _, text := range foreign {
		if strings.Contains(expression, text) {
			return fmt.Errorf("surgeon does not read %s as Python does", text)
		}
	}
	return nil
}

// selection chooses modules: a list of names, of which a module has one at the end
// of its path, or a regular expression for whole paths.
type selection struct {
	list  []string
	text  string
	match *regexp.Regexp // of text; nil where text is one of PEFT's words
}

// PEFT's words for selections.
const (
	allLinear = "all-linear"           // in any case
	noModules = "dummy-target-modules" // as a list of none is not allowed
)

// UnmarshalJSON reads a list or a text.
func (s *selection) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &s.list); err == nil {
		return nil
	}
	if err := json.Unmarshal(data, &s.text); err != nil {
		return errors.New("modules are chosen by a list of names or by a regular expression")
	}
	if s.text == "" || s.text == noModules || strings.EqualFold(s.text, allLinear) {
		return nil
	}
	var err error
	if s.match, err = compile(s.text); err != nil {
		return fmt.Errorf("%q: %w", s.text, err)
	}
	return nil
}

// none reports whether nothing is said.
func (s selection) none() bool { return len(s.list) == 0 && s.text == "" }

// has reports whether a module is chosen.
func (s selection) has(module string) bool {
	switch {
	case s.match != nil:
		return s.match.MatchString(module)
	case s.text != "":
		return strings.EqualFold(s.text, allLinear)
	}
	return slices.ContainsFunc(s.list, func(name string) bool { return ends(module, name) })
}

// ends reports whether a path is a name or ends in it, behind a dot.
func ends(path, name string) bool { return path == name || strings.HasSuffix(path, "."+name) }

// indices is a number or a list of them.
type indices []int

// UnmarshalJSON reads either.
func (i *indices) UnmarshalJSON(data []byte) error {
	var one *int
	if err := json.Unmarshal(data, &one); err == nil {
		if one != nil {
			*i = indices{*one}
		}
		return nil
	}
	return json.Unmarshal(data, (*[]int)(i))
}

// tokens are the rows of embeddings that were trained, by the name of the module.
type tokens map[string][]int

// embeddingName stands for the input embedding, whatever its name, where PEFT has a
// list of rows alone.
const embeddingName = ""

// UnmarshalJSON reads a list, for the input embedding, or lists by module.
func (t *tokens) UnmarshalJSON(data []byte) error {
	var list []int
	if err := json.Unmarshal(data, &list); err == nil {
		if list != nil {
			*t = tokens{embeddingName: list}
		}
		return nil
	}
	return json.Unmarshal(data, (*map[string][]int)(t))
}

// layerIn finds the number of a module's layer as PEFT does: the first number
// behind one of the names, which are expressions, or behind any name.
func (c config) layerIn(module string) (layer int, ok bool) {
	for _, expression := range c.layerExpressions() {
		found := regexp.MustCompile(expression).FindStringSubmatch(module)
		if found == nil {
			continue
		}
		layer, err := strconv.Atoi(found[len(found)-1])
		return layer, err == nil
	}
	return 0, false
}

func (c config) layerExpressions() (list []string) {
	names := c.LayersIn.list
	if c.LayersIn.text != "" {
		names = []string{c.LayersIn.text}
	}
	for _, name := range names {
		list = append(list, `^(?:(?:^|.*?\.)`+name+`\.(\d+)\.)`)
	}
	if len(names) == 0 {
		list = []string{`^.*?\.[^.]*\.(\d+)\.`}
	}
	return list
}

// chosen says why PEFT would not adapt a module that has factors, "" if it would.
// Without target_modules it has defaults for every architecture.
func (c config) chosen(module string) string {
	switch {
	case !c.Targets.none() && !c.Targets.has(module):
		return "target_modules does not choose it"
	case !c.Excluded.none() && c.Excluded.has(module):
		return "exclude_modules leaves it out"
	case slices.ContainsFunc(c.Saved, func(name string) bool { return within(module, name) }):
		return "modules_to_save has it"
	case len(c.Layers) > 0 && !slices.Contains(c.Targets.list, module): // a whole path is chosen in any layer
		if layer, ok := c.layerIn(module); !ok || !slices.Contains(c.Layers, layer) {
			return "layers_to_transform leaves it out"
		}
	}
	return ""
}

// within reports whether a module is called so or lies in one that is, as PEFT
// reads modules_to_save: by the end of the name, without a dot in front.
func within(module, name string) bool {
	for path := module; ; {
		if strings.HasSuffix(path, name) {
			return true
		}
		dot := strings.LastIndexByte(path, '.')
		if dot < 0 {
			return false
		}
		path = path[:dot]
	}
}
