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
--keep is what is left of each. Of an adapter the result is an adapter; of a fine-tune a model.

Examples:
   surgeon lora shrink base chem-lora --keep 0.5 -o calmer
   surgeon lora shrink base chem --limit 0.9 --keep 0.75 -o calmer-model`,
		Flags: editFlags(
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
	if err := in.checkTarget(e.out, e.force); err != nil {
		return err
	}
	t := in.tuned[0]
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
