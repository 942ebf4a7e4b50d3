package cli

import (
	"fmt"
	"math"

	"github.com/urfave/cli/v2"

	"surgeon/cli/table"
	"surgeon/lora"
)

func loraTruncateCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "truncate",
		Usage:     "cut an adapter to fewer directions",
		ArgsUsage: "ADAPTER",
		Description: `Every product keeps its leading singular directions: to --rank, or to the least that holds a
share of its squared norm (--energy 0.9 leaves a relative error of 0.32), or both. No product is
multiplied out: the cost is that of the factors.

Examples:
   surgeon lora truncate chem-lora --rank 4 -o small
   surgeon lora truncate chem-lora --energy 0.95 -o smaller`,
		Flags: editFlags(
			&cli.IntFlag{Name: "rank", Usage: "at most `N` directions"},
			&cli.Float64Flag{Name: "energy", Usage: "the least rank that holds this `SHARE` of the squared norm"}),
		Action: func(c *cli.Context) error {
			args, err := models(c, 1, 1, "an adapter")
			if err != nil {
				return err
			}
			e, err := parseEditing(env, c)
			if err != nil {
				return err
			}
			rank, energy := c.Int("rank"), c.Float64("energy")
			switch {
			case !c.IsSet("rank") && !c.IsSet("energy"):
				return usagef("lora truncate needs --rank N or --energy SHARE")
			case c.IsSet("rank") && rank < 1:
				return usagef("--rank %d: want at least 1", rank)
			case c.IsSet("energy") && !(energy > 0 && energy <= 1):
				return usagef("--energy %v: want a share of the squared norm, above 0 and at most 1", energy)
			}
			a, err := openAdapter(args[0])
			if err != nil {
				return err
			}
			defer a.Close()
			if err := e.into(args[0]); err != nil {
				return err
			}
			cut, list, err := a.Truncated(c.Context, rank, energy)
			if err != nil {
				return err
			}
			result := &edited{From: args}
			result.cut(a, list)
			return e.finish(c.Context, env, result, cut)
		},
	}
}

// cut describes what was cut off.
func (r *edited) cut(before *lora.Adapter, list []lora.Matrix) {
	worst, where := 0.0, ""
	for i, m := range list {
		lost := m.Optimum(m.Rank)
		r.Modules = append(r.Modules, editedModule{Tensor: m.Tensor, Before: before.LowRank[i].Rank, Rank: m.Rank, Norm: number(math.Sqrt(m.Norm2)), Error: number(lost)})
		if lost > worst {
			worst, where = lost, m.Tensor
		}
	}
	if worst > 1e-6 {
		r.Notes = append(r.Notes, fmt.Sprintf("largest relative error: %s, of %s", table.Sig(worst, 3), where))
	}
}

func loraApplyCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "apply",
		Usage:     "merge an adapter into its base: surgeon merge BASE ADAPTER --alpha 1",
		ArgsUsage: "BASE ADAPTER",
		Description: `What PEFT calls merge_and_unload, with one rounding. All else that surgeon merge does, rules for
alpha, other types, shards and resuming, it does for adapters too.

Examples:
   surgeon lora apply base chem-lora -o merged
   surgeon lora apply base chem-lora --alpha 0.5 -o half`,
		Flags: common(
			&cli.StringFlag{Name: "alpha", Value: "1", Usage: "the adapter's share `A`, or rules"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write the merged model to `OUT`, a directory or a .safetensors file"},
			&cli.StringFlag{Name: "out-dtype", Usage: "store weights as `TYPE`: F32, F16, BF16, F64, F8_E4M3 or F8_E5M2 (default: as the base does)"},
			&cli.StringFlag{Name: "shard-size", Value: "5GB", Usage: "most `BYTES` of weights in one file: 5GB, 500MB, 2GiB"},
			&cli.BoolFlag{Name: "resume", Usage: "go on with a merge that was stopped"},
			&cli.BoolFlag{Name: "force", Usage: "replace an OUT that surgeon has written before"}),
		Action: func(c *cli.Context) error {
			args, err := models(c, 2, 2, "a base and an adapter")
			if err != nil {
				return err
			}
			a, err := openAdapter(args[1])
			if err != nil {
				return err
			}
			a.Close()
			command := []string{"merge", args[0], args[1], "--alpha", c.String("alpha"), "--shard-size", c.String("shard-size")}
			for _, name := range []string{"out", "out-dtype"} {
				if c.IsSet(name) {
					command = append(command, "--"+name, c.String(name))
				}
			}
			for _, name := range []string{"resume", "force", "json", "quiet"} {
				if c.Bool(name) {
					command = append(command, "--"+name)
				}
			}
			again := env
			again.args = command[1:]
			app := newApp(again)
			if command, err = arrange(app, command); err != nil {
				return err
			}
			return app.RunContext(c.Context, append([]string{"surgeon"}, command...))
		},
	}
}
