package cli

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/merge"
	"surgeon/tensors"
)

func loraShrinkCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "shrink",
		Usage:     "turn down intruder dimensions, in an adapter or in a whole fine-tune",
		ArgsUsage: "BASE CHEM",
		Description: `Intruders are leading singular directions of a changed weight that are like none of the base's.
They go with forgetting: turned down, general skills return at a small price (arXiv 2410.21228).
--keep is what is left of each. --cap turns down whole changes instead, where they exceed a share of
the base's norm. Of an adapter the result is an adapter; of a fine-tune a model.

Examples:
   surgeon lora shrink base chem-lora --keep 0.5 -o calmer
   surgeon lora shrink base chem --limit 0.9 --keep 0.75 -o calmer-model
   surgeon lora shrink base chem --cap 0.1 -o capped-model`,
		Flags: editFlags(
			&cli.Float64Flag{Name: "cap", Usage: "instead: no change beyond this `SHARE` of the base's norm, tensor by tensor"},
			&cli.Float64Flag{Name: "keep", Value: 0.75, Usage: "the `SHARE` of each intruder that is kept"},
			&cli.IntFlag{Name: "leading", Value: 10, Usage: "look at `N` leading directions of every weight"},
			&cli.Float64Flag{Name: "limit", Value: 0.5, Usage: "an intruder's `COSINE` with every direction of the base is below this"}),
		Action: func(c *cli.Context) error {
			args, err := models(c, 2, 2, "a base and an adapter or a fine-tune")
			if err != nil {
				return err
			}
			e, err := parseEditing(env, c)
			if err != nil {
				return err
			}
			switch {
			case !(c.Float64("keep") >= 0 && c.Float64("keep") <= 1):
				return usagef("--keep %v: want a share from 0 to 1", c.Float64("keep"))
			case c.IsSet("cap") && (!(c.Float64("cap") > 0) || c.IsSet("keep") || c.IsSet("leading") || c.IsSet("limit")):
				return usagef("--cap takes a share above 0, and goes with none of --keep, --leading and --limit")
			case c.Int("leading") < 1:
				return usagef("--leading %d: want at least 1", c.Int("leading"))
			case !(c.Float64("limit") > 0 && c.Float64("limit") <= 1):
				return usagef("--limit %v: want a cosine above 0 and at most 1", c.Float64("limit"))
			}
			return shrink(c, env, e, args[0], args[1])
		},
	}
}

func shrink(c *cli.Context, env environment, e editing, baseName, tunedName string) error {
	in, err := openMerge(merge.Refuse, baseName, tunedName)
	if err != nil {
		return err
	}
	defer in.close()
	if err := in.checkApart(e.out, e.force, baseName, tunedName); err != nil {
		return err
	}
	t := in.tuned[0]
	if c.IsSet("cap") {
		return capChanges(c, env, e, in)
	}
	step, finish := env.progress(c, "look for intruders", "elements")
	list, err := lora.Intruders(c.Context, in.from, t.delta, lora.IntruderOptions{Leading: c.Int("leading"), Limit: c.Float64("limit"), Progress: step})
	finish()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return fmt.Errorf("%s and %s: there are no intruders among the %d leading directions of any weight: nothing to shrink", baseName, tunedName, c.Int("leading"))
	}
	keep := c.Float64("keep")
	delta, correction, err := lora.Shrink(t.delta, list, keep)
	if err != nil {
		return err
	}
	var where []string
	for _, one := range list {
		if !slices.Contains(where, one.Tensor) {
			where = append(where, one.Tensor)
		}
	}
	note := fmt.Sprintf("%s in %s, of which %s is kept: %s", plural(len(list), "intruder"), plural(len(where), "tensor"), table.Percent(keep), some(where))
	if t.adapter == nil {
		t.name = fmt.Sprintf("%s with its intruders at %s", t.name, table.Percent(keep))
		return shrinkModel(c, env, e, in, delta, note)
	}
	sum, err := lora.Concatenated([]*lora.Adapter{t.adapter, correction}, []float64{1, 1})
	if err != nil {
		return err
	}
	result := &edited{From: []string{baseName, tunedName}, Notes: []string{note}}
	for _, l := range sum.LowRank {
		result.Modules = append(result.Modules, editedModule{Tensor: l.Tensor, Rank: l.Rank})
	}
	return e.finish(c.Context, env, result, sum)
}

// capChanges turns down what is larger than a share of the base's norm.
func capChanges(c *cli.Context, env environment, e editing, in *inputs) error {
	t, limit := in.tuned[0], c.Float64("cap")
	factor, list, err := lora.Capped(c.Context, in.from, t.delta, limit)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%d of %s beyond %s of the base's norm", len(list), plural(len(t.delta.Names()), "tensor"), table.Percent(limit))
	if t.adapter == nil {
		t.name = fmt.Sprintf("%s with changes up to %s", t.name, table.Percent(limit))
		return shrinkModel(c, env, e, in, merge.Scaled(t.delta, factor), note)
	}
	scaled, err := t.adapter.Rescaled(factor, in.base)
	if err != nil {
		return err
	}
	result := &edited{From: []string{in.base.name, t.name}, Notes: []string{note}}
	for _, l := range t.adapter.LowRank {
		f := number(factor(l.Tensor))
		result.Modules = append(result.Modules, editedModule{Tensor: l.Tensor, Before: l.Rank, Rank: l.Rank, Factor: &f})
	}
	return e.finish(c.Context, env, result, folded(t.adapter, scaled, factor))
}

// shrinkModel writes a fine-tune as a model, with the task vector that is given.
func shrinkModel(c *cli.Context, env environment, e editing, in *inputs, delta tensors.Delta, note string) error {
	in.tuned[0].delta = delta
	rules, err := merge.ParseRules("1")
	if err != nil {
		return err
	}
	opt := mergeOptions{json: e.json, alphas: []merge.Rules{rules}, policy: merge.Refuse, out: e.out, shardSize: bestShards, force: e.force, command: e.command,
		progress: func(title string) (func(done, total int64), func()) { return env.progress(c, title, "bytes") }}
	result := &merged{Out: e.out, Base: in.base.name, Tuned: in.tuned[0].name, Notes: append(in.notes(), note)}
	if err := result.write(c.Context, opt, in); err != nil {
		return err
	}
	if e.json {
		return env.printJSON(result)
	}
	return result.print(env)
}
