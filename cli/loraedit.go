package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
		f := number(factor(l.Tensor))
		result.Modules = append(result.Modules, editedModule{Tensor: l.Tensor, Before: l.Rank, Rank: l.Rank, Factor: &f})
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
	names, layers := a.Tensors(), 0
	counted := names
	if base != nil {
		counted = base.Names()
	}
	for _, name := range counted {
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
		if base == nil {
			notes = append(notes, fmt.Sprintf("the line ends at layer %d, the last that the adapter changes: with --base at the base's last one", layers-1))
		}
		return lora.Lines(first, last, layers), notes, nil
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
