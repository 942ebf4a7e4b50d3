package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"

	"surgeon/merge"
)

// gridFile is what a GRID.yml says.
type gridFile struct {
	Pairs   []gridPair     `yaml:"pairs"`
	Methods []gridMethod   `yaml:"methods"`
	Alphas  gridAlphas     `yaml:"alphas"`
	Groups  []gridGroup    `yaml:"groups"`
	Tasks   []string       `yaml:"tasks"`
	General []string       `yaml:"general"`
	Domain  []string       `yaml:"domain"`
	Seeds   []whole        `yaml:"seeds"`
	Data    string         `yaml:"data"`
	Shots   *whole         `yaml:"num_fewshot"`
	Draw    string         `yaml:"shots"`
	Limit   whole          `yaml:"limit"`
	Sample  whole          `yaml:"sample"`
	Chat    bool           `yaml:"apply_chat_template"`
	Shuffle bool           `yaml:"shuffle_options"`
	Tokens  whole          `yaml:"max_gen_toks"`
	Margin  float64        `yaml:"margin"`
	Margins gridTaskMargin `yaml:"margins"`
}

// gridTaskMargin is a margin for each of some tasks.
type gridTaskMargin map[string]float64

// gridPair is a base and what was made of it.
type gridPair struct {
	Name  string `yaml:"name"` // in names of candidates; the tuned model's unless given
	Base  string `yaml:"base"`
	Tuned string `yaml:"tuned"`
}

// gridMethod is a name alone, or a name with its density.
type gridMethod struct{ merge.Method }

// gridAlphas are a list, or LOW:HIGH:STEP.
type gridAlphas []float64

// gridGroup are tensors that have alphas of their own.
type gridGroup struct {
	Tensors string     `yaml:"tensors"`
	Alphas  gridAlphas `yaml:"alphas"`
}

// whole is a whole number: YAML's own decoding would cut the rest off.
type whole int64

// UnmarshalYAML implements yaml.Unmarshaler.
func (w *whole) UnmarshalYAML(node *yaml.Node) error {
	v, err := strconv.ParseInt(node.Value, 10, 64)
	if err != nil || node.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: %q is no whole number", node.Line, node.Value)
	}
	*w = whole(v)
	return nil
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (m *gridMethod) UnmarshalYAML(node *yaml.Node) error {
	var fields struct {
		Trim *float64 `yaml:"trim"`
		Drop *float64 `yaml:"drop"`
		Seed uint64   `yaml:"seed"`
	}
	want := fmt.Errorf("line %d: a method is linear, {trim: DENSITY} or {drop: DENSITY, seed: N}", node.Line)
	if node.Kind == yaml.ScalarNode {
		if m.Name = node.Value; m.Name != "linear" {
			return want
		}
		return nil
	}
	if err := decodeStrictly(node, &fields); err != nil {
		return err
	}
	switch {
	case (fields.Trim == nil) == (fields.Drop == nil), fields.Trim != nil && fields.Seed != 0:
		return want
	case fields.Trim != nil:
		m.Method = merge.Method{Name: "trim", Density: *fields.Trim}
	default:
		m.Method = merge.Method{Name: "drop", Density: *fields.Drop, Seed: fields.Seed}
	}
	if !(m.Density > 0 && m.Density <= 1) {
		return fmt.Errorf("line %d: a density of %v keeps nothing, or more than everything: want above 0 and at most 1", node.Line, m.Density)
	}
	return nil
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (a *gridAlphas) UnmarshalYAML(node *yaml.Node) error {
	text := node.Value
	if node.Kind == yaml.SequenceNode {
		var fields []string
		if err := node.Decode(&fields); err != nil {
			return err
		}
		text = strings.Join(fields, ",")
	}
	list, err := parseSweep(text)
	if err != nil {
		return fmt.Errorf("line %d: alphas are %q: want a list of different numbers or LOW:HIGH:STEP, at most %d", node.Line, text, maxAlphas)
	}
	*a = list
	return nil
}

// readGrid reads a GRID.yml.
func readGrid(path string) (*gridFile, []byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	var g gridFile
	var document yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil, fmt.Errorf("%s: empty: a grid needs at least pairs, alphas and tasks", path)
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	case decoder.Decode(new(yaml.Node)) != io.EOF:
		return nil, nil, fmt.Errorf("%s: more than one document: a grid is one", path)
	}
	err = decodeStrictly(document.Content[0], &g)
	if err == nil {
		err = g.check()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return &g, data, nil
}

// decodeStrictly decodes a mapping and names the first key that the struct does
// not have, with the one that was probably meant.
func decodeStrictly(node *yaml.Node, into any) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: want keys and values", node.Line)
	}
	if err := knownKeys(node, reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	err := node.Decode(into)
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) {
		return errors.New(wrong.Errors[0])
	}
	return err
}

// knownKeys checks the keys of a mapping, and of the mappings in it whose types
// are structs.
func knownKeys(node *yaml.Node, t reflect.Type) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if node.Kind == yaml.SequenceNode {
		for _, part := range node.Content {
			if err := knownKeys(part, t); err != nil {
				return err
			}
		}
		return nil
	}
	if node.Kind != yaml.MappingNode || t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]()) {
		return nil
	}
	fields := map[string]reflect.Type{}
	var names []string
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		fields[name], names = t.Field(i).Type, append(names, name)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		of, ok := fields[key.Value]
		if !ok {
			return fmt.Errorf("line %d: no key %q here: %s", key.Line, key.Value, meant(key.Value, names))
		}
		if err := knownKeys(node.Content[i+1], of); err != nil {
			return err
		}
	}
	return nil
}

// meant says which of some names was probably meant, or lists them.
func meant(word string, names []string) string {
	var list []*cli.Command
	for _, name := range names {
		list = append(list, &cli.Command{Name: name})
	}
	if _, near, ok := strings.Cut(cli.SuggestCommand(list, word), `"`); ok {
		near, _, _ = strings.Cut(near, `"`)
		if slices.Contains(names, near) {
			return fmt.Sprintf("did you mean %q?", near)
		}
	}
	return "there are " + strings.Join(names, ", ")
}

// check says what is missing or contradicts itself, and fills in what has a
// default.
func (g *gridFile) check() error {
	switch {
	case g.Tasks != nil && len(g.Tasks) == 0:
		return errors.New("tasks is an empty list")
	case g.Draw != "" && draws[g.Draw] == "":
		return fmt.Errorf("shots %s: want task, seed or item", g.Draw)
	case len(g.Alphas) == 0:
		return errors.New("alphas are missing: a list such as [0, 0.5, 1], or 0:1:0.25")
	case g.Limit < 0 || g.Sample < 0 || g.Tokens < 0 || g.Shots != nil && *g.Shots < 0:
		return errors.New("limit, sample, num_fewshot and max_gen_toks count items, shots and tokens: none is negative")
	case g.Limit > 0 && g.Sample > 0:
		return errors.New("limit takes the first items and sample takes some of each subject: give one of them")
	case g.Margin < 0 || g.Margin >= 1:
		return fmt.Errorf("margin %v: want a share such as 0.02 for 2 pp", g.Margin)
	}
	if len(g.Methods) == 0 {
		g.Methods = []gridMethod{{merge.Method{Name: "linear"}}}
	}
	for i, seed := range g.Seeds {
		if slices.Contains(g.Seeds[:i], seed) {
			return fmt.Errorf("seed %d stands there twice", seed)
		}
	}
	for name, v := range g.Margins {
		if !(v > 0 && v < 1) {
			return fmt.Errorf("the margin of %s is %v: want a share such as 0.02 for 2 pp", name, v)
		}
	}
	names := map[string]bool{}
	for i := range g.Pairs {
		p := &g.Pairs[i]
		if p.Base == "" || p.Tuned == "" {
			return fmt.Errorf("pair %d: base and tuned are needed", i+1)
		}
		if p.Name == "" {
			p.Name = p.Tuned
		}
		if names[p.Name] {
			return fmt.Errorf("two pairs are called %q: give them a name each", p.Name)
		}
		names[p.Name] = true
	}
	for i, group := range g.Groups {
		if group.Tensors == "" || len(group.Alphas) == 0 {
			return fmt.Errorf("group %d: tensors and alphas are needed", i+1)
		}
		for _, other := range g.Groups[:i] {
			if other.Tensors == group.Tensors {
				return fmt.Errorf("group %d: %s has alphas of its own already", i+1, group.Tensors)
			}
		}
		if _, err := merge.ParseRules(group.Tensors + "=1"); err != nil {
			return fmt.Errorf("group %d: %w", i+1, err)
		}
	}
	return nil
}

// axes is the product that a grid asks for.
func (g *gridFile) axes() merge.Grid {
	grid := merge.Grid{Alphas: g.Alphas}
	for _, m := range g.Methods {
		grid.Methods = append(grid.Methods, m.Method)
	}
	for _, group := range g.Groups {
		grid.Groups = append(grid.Groups, merge.Group{Pattern: group.Tensors, Alphas: group.Alphas})
	}
	return grid
}
