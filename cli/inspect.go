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
		Usage:     "what a checkpoint holds; with two, whether they can be merged",
		ArgsUsage: "MODEL [CHEM]",
		Description: `Files, types, parameters, architecture, tokenizer and metadata of a model, or of an adapter
(surgeon lora show says more of one). --verify reads every byte: it digests all files, compares
what surgeon wrote with its surgeon.json, and counts the weights that are no finite numbers.
With two models it compares what stands beside
their weights and how their tensors match, before a merge.

Examples:
   surgeon inspect base
   surgeon inspect base --verify
   surgeon inspect base chem
   surgeon inspect --json base`,
		Flags: common(
			&cli.BoolFlag{Name: "tensors", Usage: "list every tensor"},
			&cli.BoolFlag{Name: "digests", Usage: "list the SHA-256 of every file and tensor"},
			&cli.BoolFlag{Name: "verify", Usage: "read every byte and compare with surgeon.json where there is one"}),
		Action: func(c *cli.Context) error {
			args, err := models(c, 1, 2, "one model, or two to compare")
			if err != nil {
				return err
			}
			opt := inspectOptions{json: c.Bool("json"), tensors: c.Bool("tensors"), digests: c.Bool("digests"), verify: c.Bool("verify")}
			opt.progress = func(title string) (func(done, total int64), func()) { return env.progress(c, title, "bytes") }
			if len(args) == 1 {
				return runInspect(c.Context, env, opt, args[0])
			}
			if opt.tensors || opt.digests || opt.verify {
				return usagef("--tensors, --digests and --verify are for one model: two were given")
			}
			return runLint(env, opt, args[0], args[1])
		},
	}
}

type inspectOptions struct {
	json, tensors, digests, verify bool
	progress                       func(title string) (step func(done, total int64), finish func())
}

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
	Verified     *verification     `json:"verified,omitempty"`
	Notes        []string          `json:"notes,omitempty"`
}

type inspectedFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256,omitempty"`
}

type inspectedType struct {
	DType      tensors.DType `json:"dtype"`
	Tensors    int           `json:"tensors"`
	Parameters int64         `json:"parameters"`
}

type inspectedTensor struct {
	Name   string        `json:"name"`
	DType  tensors.DType `json:"dtype"`
	Shape  []int         `json:"shape"`
	SHA256 string        `json:"sha256,omitempty"`
}

func runInspect(ctx context.Context, env environment, opt inspectOptions, name string) error {
	m, err := openInspected(name)
	if err != nil {
		return err
	}
	defer m.Close()
	i := inspect(m)
	if opt.digests {
		if err := i.digest(ctx, opt, m); err != nil {
			return err
		}
	}
	if opt.verify {
		if err := i.verify(ctx, opt, m); err != nil {
			return err
		}
	}
	if opt.json {
		return env.printJSON(i)
	}
	return i.print(env, opt)
}

func inspect(m *model) *inspection {
	i := &inspection{Model: m.name, Embedded: m.embedded, Parameters: parameters(m), Metadata: m.Metadata(), Notes: notes(m.embedded)}
	for _, f := range m.Files() {
		i.Files = append(i.Files, inspectedFile{Name: f.Name, Bytes: f.Bytes})
		i.Bytes += f.Bytes
	}
	for _, name := range m.Names() {
		info, _ := m.Info(name)
		i.Tensors = append(i.Tensors, inspectedTensor{Name: name, DType: info.DType, Shape: append([]int{}, info.Shape...)})
		at := slices.IndexFunc(i.DTypes, func(t inspectedType) bool { return t.DType == info.DType })
		if at < 0 {
			at = len(i.DTypes)
			i.DTypes = append(i.DTypes, inspectedType{DType: info.DType})
		}
		i.DTypes[at].Tensors++
		i.DTypes[at].Parameters += int64(info.Len())
	}
	i.Architecture, i.Tokenizer = architecture(m), tokenizerSummary(m)
	i.describeAdapter(m)
	return i
}

// digest adds the digests of files and tensors.
func (i *inspection) digest(ctx context.Context, opt inspectOptions, m *model) error {
	step, finish := opt.progress("digest tensors")
	list, err := tensors.DigestTensors(ctx, m, step)
	finish()
	if err != nil {
		return err
	}
	for k, d := range list {
		i.Tensors[k].SHA256 = d.SHA256
	}
	return i.digestFiles(ctx, opt, m)
}

func (i *inspection) digestFiles(ctx context.Context, opt inspectOptions, m *model) error {
	step, finish := opt.progress("digest files")
	defer finish()
	list, err := m.DigestFiles(ctx, step)
	for k, d := range list {
		i.Files[k].SHA256 = d.SHA256
	}
	return err
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
	return fmt.Sprintf("%s, %d layers, width %d, %d heads of %d (%d for keys and values), MLP %d, vocabulary %d, context %d, %s",
		c.Family, c.Layers, c.Hidden, c.Heads, c.HeadDim, c.KVHeads, c.Intermediate, c.Vocabulary, c.Context, head)
}

func tokenizerSummary(m *model) string {
	t, err := m.folder().tokenizer()
	if err != nil {
		return "cannot be used: " + err.Error()
	}
	return fmt.Sprintf("%d tokens", t.Len())
}

func (i *inspection) print(env environment, opt inspectOptions) error {
	var types []string
	for _, t := range i.DTypes {
		types = append(types, fmt.Sprintf("%s (%d tensors, %s parameters)", t.DType, t.Tensors, table.Count(t.Parameters)))
	}
	env.printf("model         %s\n", i.Model)
	for _, f := range i.Files {
		env.printf("file          %s, %s\n", f.Name, table.Bytes(f.Bytes))
		if f.SHA256 != "" {
			env.printf("              sha256 %s\n", f.SHA256)
		}
	}
	env.printf("parameters    %s in %d tensors\n", table.Count(i.Parameters), len(i.Tensors))
	env.printf("types         %s\n", strings.Join(types, ", "))
	env.printf("architecture  %s\n", table.Printable(i.Architecture))
	env.printf("tokenizer     %s\n", table.Printable(i.Tokenizer))
	if made := i.Metadata["surgeon"]; made != "" {
		env.printf("made by       surgeon %s\n", table.Printable(made))
	}
	if i.Verified != nil {
		i.Verified.print(env)
	}
	if opt.tensors || opt.digests {
		if err := i.printTensors(env, opt); err != nil {
			return err
		}
	}
	return env.footnotes(i.Notes)
}

func (i *inspection) printTensors(env environment, opt inspectOptions) error {
	columns := []table.Column{{Name: "tensor", Tail: true}, {Name: "type"}, {Name: "shape"}}
	if opt.digests {
		columns = append(columns, table.Column{Name: "sha256 (16 of 64)"})
	}
	rows := make([][]string, 0, len(i.Tensors))
	for _, t := range i.Tensors {
		rows = append(rows, []string{t.Name, string(t.DType), fmt.Sprint(t.Shape), t.SHA256[:min(16, len(t.SHA256))]}[:len(columns)])
	}
	env.printf("\n")
	return env.printTable(columns, rows)
}
