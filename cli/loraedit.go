package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/merge"
	"surgeon/tensors"
)

// openAdapter finds what an adapter's name means: a directory, or the name of an
// embedded one.
func openAdapter(name string) (*lora.Adapter, error) {
	dir, ok := openAdapterFS(name)
	if !ok {
		if m, err := openModel(name); err == nil {
			m.Close()
			return nil, fmt.Errorf("%s: is a model, and an adapter is expected: a directory with adapter_config.json; surgeon lora extract makes one", name)
		} else if errors.Is(err, fs.ErrNotExist) || !exists(name) {
			return nil, fmt.Errorf("%s: no such directory, and no embedded adapter of that name", name)
		}
		return nil, fmt.Errorf("%s: holds no adapter_config.json: it is no adapter", name)
	}
	return lora.OpenFS(dir, name)
}

// edited is what a command says that makes an adapter of others, and its JSON.
type edited struct {
	Out     string           `json:"out"`
	From    []string         `json:"from"`
	Modules []editedModule   `json:"modules"`
	Whole   int              `json:"saved_whole"`
	Bytes   int64            `json:"bytes"`
	Loaders []loaded         `json:"loaders"`
	Files   []tensors.Digest `json:"files"`
	Notes   []string         `json:"notes,omitempty"`
}

// editedModule is a product before and after.
type editedModule struct {
	Tensor string `json:"tensor"`
	Before int    `json:"rank_before"`
	Rank   int    `json:"rank"`
	Norm   number `json:"norm"`                     // of the product now
	Factor number `json:"factor,omitempty"`         // by which it was multiplied
	Error  number `json:"relative_error,omitempty"` // of what was cut off
}

// editing is what the commands share that make an adapter of others.
type editing struct {
	json, force, uniform bool
	out                  string
	command              []string
}

// editFlags are the flags of those commands.
func editFlags(more ...cli.Flag) []cli.Flag {
	return common(append(more,
		&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write the adapter to `OUT`"},
		&cli.BoolFlag{Name: "uniform", Usage: "pad all products to one rank and scale, for loaders that know no other"},
		&cli.BoolFlag{Name: "force", Usage: "replace an OUT that surgeon has written before"})...)
}

func parseEditing(env environment, c *cli.Context) (editing, error) {
	e := editing{json: c.Bool("json"), force: c.Bool("force"), uniform: c.Bool("uniform"), out: c.String("out"), command: append([]string{"surgeon", "lora"}, env.recorded()...)}
	if e.out == "" {
		return e, usagef("lora %s needs -o OUT, where the adapter is written", c.Command.Name)
	}
	return e, nil
}

// finish writes an edited adapter and says so.
func (e editing) finish(ctx context.Context, env environment, result *edited, a *lora.Adapter) (err error) {
	if len(a.LowRank)+len(a.Replaced)+len(a.Rows) == 0 {
		return fmt.Errorf("%s: not written: nothing is left of %s, the sum is zero", e.out, strings.Join(result.From, ", "))
	}
	if e.uniform {
		a = a.Uniform()
	}
	result.Out, result.Bytes, result.Whole = e.out, a.Bytes(), len(a.Replaced)+len(a.Rows)
	for _, l := range a.Loaders() {
		result.Loaders = append(result.Loaders, loaded{l.Name, l.Problems})
		if len(l.Problems) > 0 {
			result.Notes = append(result.Notes, l.Name+" "+strings.Join(l.Problems, "; "))
		}
	}
	from := adapterSource{Command: e.command, Base: a.Config.Base, From: result.From}
	if result.Files, err = writeAdapter(ctx, e.out, a, e.force, from, func() any { return result.Modules }); err != nil {
		return err
	}
	if e.json {
		return env.printJSON(result)
	}
	return result.print(env)
}

func (r *edited) print(env environment) error {
	low, high := math.MaxInt, 0
	for _, m := range r.Modules {
		low, high = min(low, m.Rank), max(high, m.Rank)
	}
	ranks := fmt.Sprintf("rank %d", high)
	if low < high {
		ranks = fmt.Sprintf("ranks %d to %d", low, high)
	}
	if len(r.Modules) == 0 {
		ranks = "no products"
	}
	if err := env.printf("%s: %s of %s, %s", r.Out, plural(len(r.Modules), "module"), ranks, table.Bytes(r.Bytes)); err != nil {
		return err
	}
	env.printf("\n")
	return env.footnotes(r.Notes)
}

// into refuses a target that is one of the adapters, or must not be replaced.
func (e editing) into(names ...string) error {
	var paths []string
	for _, name := range names {
		for _, file := range adapterFiles {
			paths = append(paths, located(name+"/"+file)...)
		}
	}
	return vacant(e.out, e.force, paths)
}

func loraRescaleCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "rescale",
		Usage:     "turn an adapter up or down, as a whole, by layers or by parts",
		ArgsUsage: "ADAPTER",
		Description: `--alpha is a number or rules as surgeon merge has them, of which the first that matches a
tensor decides. --lines LOW:HIGH rises in a line from the first layer to the last (LiNeS; a
falling one is HIGH:LOW). One factor for all changes lora_alpha and no tensor; different
ones go into the factors, which every loader understands, or with --patterns into
alpha_pattern, which is exact and which PEFT alone reads. What an adapter saves whole is moved
between the base and itself, for which --base is needed. --cap 0.05 turns down what is larger
than this share of the base's norm, tensor by tensor.

Examples:
   surgeon lora rescale chem-lora --alpha 0.5 -o half
   surgeon lora rescale chem-lora --alpha layers.0-1=0.2,mlp=0.8,*=1 -o by-part
   surgeon lora rescale chem-lora --lines 0.4:1 -o lines
   surgeon lora rescale chem-lora --base base --cap 0.2 -o capped`,
		Flags: editFlags(
			&cli.StringFlag{Name: "alpha", Usage: "the factor `A`, or rules PATTERN=NUMBER"},
			&cli.StringFlag{Name: "lines", Usage: "factors from `LOW:HIGH` along the layers"},
			&cli.Float64Flag{Name: "cap", Usage: "no change beyond this `SHARE` of the base's norm"},
			&cli.StringFlag{Name: "base", Usage: "the `MODEL` that the adapter is for"},
			&cli.BoolFlag{Name: "patterns", Usage: "different factors into alpha_pattern, not into the factors"}),
		Action: func(c *cli.Context) error {
			args, err := models(c, 1, 1, "an adapter")
			if err != nil {
				return err
			}
			e, err := parseEditing(env, c)
			if err != nil {
				return err
			}
			return rescale(c, env, e, args[0])
		},
	}
}

func rescale(c *cli.Context, env environment, e editing, name string) error {
	given := 0
	for _, flag := range []string{"alpha", "lines", "cap"} {
		if c.IsSet(flag) {
			given++
		}
	}
	if given != 1 {
		return usagef("lora rescale takes one of --alpha, --lines and --cap, and %d were given", given)
	}
	if c.IsSet("cap") && (!(c.Float64("cap") > 0) || !c.IsSet("base")) {
		return usagef("--cap takes a share above 0, of the norms of --base BASE, which must be given")
	}
	a, err := openAdapter(name)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := e.into(name); err != nil {
		return err
	}
	var base tensors.Source
	if c.IsSet("base") {
		m, err := openModel(c.String("base"))
		if err != nil {
			return err
		}
		defer m.Close()
		if _, err := a.Over(m); err != nil {
			return err
		}
		base = m
	}
	factor, notes, err := factors(c, a, base)
	if err != nil {
		return err
	}
	scaled, err := a.Rescaled(factor, base)
	if err != nil {
		return err
	}
	result := &edited{From: []string{name}, Notes: notes}
	for _, l := range a.LowRank {
		result.Modules = append(result.Modules, editedModule{Tensor: l.Tensor, Before: l.Rank, Rank: l.Rank, Factor: number(factor(l.Tensor))})
	}
	if !c.Bool("patterns") {
		scaled = folded(a, scaled, factor)
	}
	return e.finish(c.Context, env, result, scaled)
}

// folded puts factors that differ into the products, so that their scales are
// those of before.
func folded(before, scaled *lora.Adapter, factor func(string) float64) *lora.Adapter {
	scales, one := map[string]float64{}, true
	for _, l := range before.LowRank {
		scales[l.Tensor] = l.Scale
		one = one && factor(l.Tensor) == factor(before.LowRank[0].Tensor)
	}
	if one {
		return scaled
	}
	for i, l := range scaled.LowRank {
		scaled.LowRank[i] = l.Folded(scales[l.Tensor])
	}
	return scaled
}

// factors are those that the flags of rescale ask for.
func factors(c *cli.Context, a *lora.Adapter, base tensors.Source) (factor func(tensor string) float64, notes []string, err error) {
	var names []string
	layers := 0
	for _, name := range a.Tensors() {
		names = append(names, name)
		layers = max(layers, tensors.KeyOf(name).Layer+1)
	}
	switch {
	case c.IsSet("lines"):
		low, high, ok := strings.Cut(c.String("lines"), ":")
		first, errFirst := strconv.ParseFloat(low, 64)
		last, errLast := strconv.ParseFloat(high, 64)
		if !ok || errFirst != nil || errLast != nil || first-first != 0 || last-last != 0 {
			return nil, nil, usagef("--lines %q: want two numbers LOW:HIGH", c.String("lines"))
		}
		return lora.Lines(first, last, layers), nil, nil
	case c.IsSet("cap"):
		return capped(c.Context, a, base, c.Float64("cap"))
	}
	rules, err := merge.ParseRules(c.String("alpha"))
	if err != nil {
		return nil, nil, usageError{err}
	}
	unused, err := rules.Check(names)
	if err != nil {
		return nil, nil, usageError{err}
	}
	for _, rule := range unused {
		notes = append(notes, fmt.Sprintf("the rule %s never applies: earlier rules match all that it matches", rule))
	}
	return rules.At, notes, nil
}

// capped are the factors that keep every change within a share of the base's norm.
func capped(ctx context.Context, a *lora.Adapter, base tensors.Source, limit float64) (func(tensor string) float64, []string, error) {
	delta, err := a.Over(base)
	if err != nil {
		return nil, nil, err
	}
	by, list, err := lora.Capped(ctx, base, delta, limit)
	if err != nil {
		return nil, nil, err
	}
	note := fmt.Sprintf("%d of %s beyond %s of the base's norm", len(list), plural(len(delta.Names()), "tensor"), table.Percent(limit))
	return by, []string{note}, nil
}
