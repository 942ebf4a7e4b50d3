package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/cli/table"
	"surgeon/tensors"
)

func inspectCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "inspect",
		Usage:     "what a checkpoint holds: files, types, parameters, architecture, tokenizer",
		ArgsUsage: "MODEL",
		Description: `Examples:
   surgeon inspect base
   surgeon inspect --json base`,
		Flags: common(&cli.BoolFlag{Name: "tensors", Usage: "list every tensor"}),
		Action: func(c *cli.Context) error {
			args, err := models(c, 1, 1, "one model")
			if err != nil {
				return err
			}
			return runInspect(c.Context, env, inspectOptions{c.Bool("json"), c.Bool("tensors")}, args[0])
		},
	}
}

type inspectOptions struct{ json, tensors bool }

// inspection is what inspect says, and its JSON.
type inspection struct {
	Model        string            `json:"model"`
	Embedded     bool              `json:"embedded"`
	Files        []inspectedFile   `json:"files"`
	Parameters   int64             `json:"parameters"`
	Bytes        int64             `json:"bytes"`
	DTypes       []inspectedType   `json:"dtypes"`
	Metadata     map[string]string `json:"metadata"`
	Architecture string            `json:"architecture"`
	Tokenizer    string            `json:"tokenizer"`
	Tensors      []inspectedTensor `json:"tensors"`
	Notes        []string          `json:"notes,omitempty"`
}

type inspectedFile struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

type inspectedType struct {
	DType      tensors.DType `json:"dtype"`
	Tensors    int           `json:"tensors"`
	Parameters int64         `json:"parameters"`
}

type inspectedTensor struct {
	Name  string        `json:"name"`
	DType tensors.DType `json:"dtype"`
	Shape []int         `json:"shape"`
}

func runInspect(_ context.Context, env environment, opt inspectOptions, name string) error {
	m, err := openModel(name)
	if err != nil {
		return err
	}
	defer m.Close()
	i := inspect(m)
	if opt.json {
		return env.printJSON(i)
	}
	return i.print(env, opt)
}

func inspect(m *model) inspection {
	i := inspection{Model: m.name, Embedded: m.embedded, Parameters: parameters(m), Metadata: m.Metadata(), Notes: notes(m.embedded)}
	for _, f := range m.Files() {
		i.Files = append(i.Files, inspectedFile{f.Name, f.Bytes})
		i.Bytes += f.Bytes
	}
	for _, name := range m.Names() {
		info, _ := m.Info(name)
		i.Tensors = append(i.Tensors, inspectedTensor{name, info.DType, append([]int{}, info.Shape...)})
		at := slices.IndexFunc(i.DTypes, func(t inspectedType) bool { return t.DType == info.DType })
		if at < 0 {
			at = len(i.DTypes)
			i.DTypes = append(i.DTypes, inspectedType{DType: info.DType})
		}
		i.DTypes[at].Tensors++
		i.DTypes[at].Parameters += int64(info.Len())
	}
	i.Architecture, i.Tokenizer = architecture(m), tokenizerSummary(m)
	return i
}

// architecture says in a line what the model is, or why surgeon cannot run it.
func architecture(m *model) string {
	c, err := m.config()
	if err != nil {
		return "cannot be run: " + err.Error()
	}
	head := "own head"
	if c.Tied {
		head = "tied head"
	}
	return fmt.Sprintf("llama, %d layers, width %d, %d heads of %d (%d for keys and values), MLP %d, vocabulary %d, context %d, %s",
		c.Layers, c.Hidden, c.Heads, c.HeadDim, c.KVHeads, c.Intermediate, c.Vocabulary, c.Context, head)
}

func tokenizerSummary(m *model) string {
	t, err := m.tokenizer()
	if err != nil {
		return "cannot be used: " + err.Error()
	}
	return fmt.Sprintf("byte-level BPE, %d tokens", t.Len())
}

func (i inspection) print(env environment, opt inspectOptions) error {
	var types []string
	for _, t := range i.DTypes {
		types = append(types, fmt.Sprintf("%s (%d tensors, %s parameters)", t.DType, t.Tensors, table.Count(t.Parameters)))
	}
	env.printf("model         %s\n", i.Model)
	for _, f := range i.Files {
		env.printf("file          %s, %s\n", f.Name, table.Bytes(f.Bytes))
	}
	env.printf("parameters    %s in %d tensors\n", table.Count(i.Parameters), len(i.Tensors))
	env.printf("types         %s\n", strings.Join(types, ", "))
	env.printf("architecture  %s\n", i.Architecture)
	if err := env.printf("tokenizer     %s\n", i.Tokenizer); err != nil {
		return err
	}
	if opt.tensors {
		rows := make([][]string, 0, len(i.Tensors))
		for _, t := range i.Tensors {
			rows = append(rows, []string{t.Name, string(t.DType), fmt.Sprint(t.Shape)})
		}
		env.printf("\n")
		if err := env.printTable([]table.Column{{Name: "tensor"}, {Name: "type"}, {Name: "shape"}}, rows); err != nil {
			return err
		}
	}
	return env.footnotes(i.Notes)
}
