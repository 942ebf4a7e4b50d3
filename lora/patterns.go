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

// compile compiles an expression that must match a whole text. Python's
// expressions are nearly Go's; what Go lacks, it refuses.
func compile(expression string) (*regexp.Regexp, error) {
	return regexp.Compile(`^(?:` + expression + `)$`)
}

// selection chooses modules: a list of names, of which a module has one at the end
// of its path, or a regular expression for whole paths.
type selection struct {
	list  []string
	text  string
	match *regexp.Regexp // of text; nil where text is PEFT's "all-linear"
}

// UnmarshalJSON reads a list or a text.
func (s *selection) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &s.list); err == nil {
		return nil
	}
	if err := json.Unmarshal(data, &s.text); err != nil {
		return errors.New("modules are chosen by a list of names or by a regular expression")
	}
	if s.text == "" || s.text == "all-linear" {
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
	if s.text == "all-linear" {
		return true
	}
	if s.match != nil {
		return s.match.MatchString(module)
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

// layerIn finds the number of a module's layer as PEFT does: behind the first of
// the names in front of numbers, or behind any one name.
func (c config) layerIn(module string) (layer int, ok bool) {
	names := c.LayersIn.list
	if c.LayersIn.text != "" {
		names = []string{c.LayersIn.text}
	}
	expressions := []string{`.*\.[^.]*\.(\d+)\.`}
	if len(names) > 0 {
		expressions = nil
		for _, name := range names {
			expressions = append(expressions, `.*\.`+regexp.QuoteMeta(name)+`\.(\d+)\.`)
		}
	}
	for _, expression := range expressions {
		if found := regexp.MustCompile(`^` + expression).FindStringSubmatch(module); found != nil {
			layer, err := strconv.Atoi(found[1])
			return layer, err == nil
		}
	}
	return 0, false
}

// chosen says why PEFT would not adapt a module that has factors, "" if it would.
// Without target_modules it has defaults for every architecture.
func (c config) chosen(module string) string {
	switch {
	case !c.Targets.none() && !c.Targets.has(module):
		return "target_modules does not choose it"
	case !c.Excluded.none() && c.Excluded.has(module):
		return "exclude_modules leaves it out"
	case len(c.Layers) > 0 && c.Targets.match == nil:
		if layer, ok := c.layerIn(module); !ok || !slices.Contains(c.Layers, layer) {
			return "layers_to_transform leaves it out"
		}
	}
	return ""
}
