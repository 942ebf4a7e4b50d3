package cli

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"surgeon/lora"
	"surgeon/merge"
	"surgeon/tensors"
)

// blends are the ways in which adapters are added up.
var blends = []string{"cat", "svd", "ties"}

func loraAddCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "add",
		Usage:     "blend adapters: the weighted sum of what they change",
		ArgsUsage: "ADAPTER...",
		Description: `What is added up is what the adapters change, not their factors: there are no cross terms of one's
A and another's B, and every scale (rslora, patterns) counts. cat is exact, and ranks add up; svd
cuts the sum to --rank; ties trims every change to --density of its elements, elects a sign for
each and averages what agrees (TIES), then decomposes that to --rank.

Examples:
   surgeon lora add chem-lora chem-lora --weight 0.7 --weight 0.3 -o sum
   surgeon lora add chem-lora chem-lora --method svd --rank 8 -o cut
   surgeon lora add chem-lora chem-lora --method ties --density 0.5 --rank 8 -o elected`,
		Flags: editFlags(
			&cli.StringSliceFlag{Name: "weight", DefaultText: "1 for each", Usage: "an adapter's weight `W`; once for each, in their order"},
			&cli.StringFlag{Name: "method", Value: "cat", Usage: "`HOW`: cat, svd or ties"},
			&cli.IntFlag{Name: "rank", DefaultText: "the highest of theirs", Usage: "the rank `N` of svd and ties"},
			&cli.Float64Flag{Name: "density", Value: 0.2, Usage: "the `SHARE` of elements that ties keeps of every change"}),
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			if len(args) < 1 {
				return usagef("lora add takes adapters, and none was given: surgeon lora add --help")
			}
			e, err := parseEditing(env, c)
			if err != nil {
				return err
			}
			weights, err := parseWeights(c.StringSlice("weight"), len(args))
			if err != nil {
				return err
			}
			how, err := parseBlend(c)
			if err != nil {
				return err
			}
			return blend(c, env, e, how, args, weights)
		},
	}
}

func loraSubtractCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "subtract",
		Usage:     "what one adapter changes beyond another",
		ArgsUsage: "ADAPTER OTHER",
		Description: `ADAPTER - OTHER, exactly; ranks add up, but not where the two share factors.

Examples:
   surgeon lora subtract tuned-further chem-lora -o rest`,
		Flags: editFlags(),
		Action: func(c *cli.Context) error {
			args, err := models(c, 2, 2, "two adapters")
			if err != nil {
				return err
			}
			e, err := parseEditing(env, c)
			if err != nil {
				return err
			}
			return blend(c, env, e, blending{method: "cat"}, args, []float64{1, -1})
		},
	}
}

// blending is how adapters are added up.
type blending struct {
	method  string
	rank    int // 0 for the highest of theirs
	density float64
}

func parseBlend(c *cli.Context) (blending, error) {
	b := blending{c.String("method"), c.Int("rank"), c.Float64("density")}
	switch {
	case !slices.Contains(blends, b.method):
		return b, usagef("--method %q: want cat, svd or ties", b.method)
	case c.IsSet("rank") && b.rank < 1:
		return b, usagef("--rank %d: want at least 1", b.rank)
	case c.IsSet("rank") && b.method == "cat":
		return b, usagef("--rank belongs to --method svd and ties: cat is exact")
	case c.IsSet("density") && b.method != "ties":
		return b, usagef("--density belongs to --method ties")
	case !(b.density > 0 && b.density <= 1):
		return b, usagef("--density %v: want a share above 0 and at most 1", b.density)
	}
	return b, nil
}

// parseWeights reads a weight for each of n adapters.
func parseWeights(texts []string, n int) ([]float64, error) {
	if len(texts) == 0 {
		return slices.Repeat([]float64{1}, n), nil
	}
	if len(texts) != n {
		return nil, usagef("there are %d adapters and %d --weight: give one for each", n, len(texts))
	}
	var list []float64
	for _, text := range texts {
		w, err := strconv.ParseFloat(text, 64)
		if err != nil || w-w != 0 {
			return nil, usagef("--weight %q: want a number", text)
		}
		list = append(list, w)
	}
	return list, nil
}

func blend(c *cli.Context, env environment, e editing, how blending, names []string, weights []float64) error {
	var list []*lora.Adapter
	result := &edited{From: names}
	for _, name := range names {
		a, err := openAdapter(name)
		if err != nil {
			return err
		}
		defer a.Close()
		list = append(list, a)
	}
	if err := e.into(names...); err != nil {
		return err
	}
	for _, a := range list[1:] {
		if a.Config.Base != list[0].Config.Base {
			result.Notes = append(result.Notes, fmt.Sprintf("%s says that it is for %q, and %s for %q", names[0], list[0].Config.Base, a.Path, a.Config.Base))
		}
	}
	if how.rank == 0 {
		for _, a := range list {
			how.rank = max(how.rank, a.Highest())
		}
	}
	sum, err := how.sum(c, list, weights, result)
	if err != nil {
		return err
	}
	if len(result.Modules) == 0 {
		for _, l := range sum.LowRank {
			result.Modules = append(result.Modules, editedModule{Tensor: l.Tensor, Rank: l.Rank})
		}
	}
	return e.finish(c.Context, env, result, sum)
}

// sum adds adapters up.
func (b blending) sum(c *cli.Context, list []*lora.Adapter, weights []float64, result *edited) (*lora.Adapter, error) {
	all, err := lora.Concatenated(list, weights)
	if err != nil || b.method == "cat" {
		return all, err
	}
	if b.method == "svd" {
		cut, matrices, err := all.Truncated(c.Context, b.rank, 0)
		if err == nil {
			result.cut(all, matrices)
		}
		return cut, err
	}
	var trimmed []tensors.Delta
	for _, a := range list {
		if at := slices.IndexFunc(a.LowRank, func(l lora.LowRank) bool { return l.Bias != nil }); at >= 0 {
			return nil, fmt.Errorf("%s: trains the bias of %s (lora_bias), of which ties elects nothing: add the adapters by cat or svd", a.Path, a.LowRank[at].Tensor)
		}
		trimmed = append(trimmed, merge.Trim(a.Products(), b.density))
	}
	elected, err := merge.Ties(trimmed, weights)
	if err != nil {
		return nil, err
	}
	d, err := lora.Decompose(c.Context, elected, lora.DecomposeOptions{Ranks: lora.Ranks{Rank: b.rank}, Embedding: true, Conv1D: list[0].Conv1D()})
	if err != nil {
		return nil, err
	}
	sum := d.Adapter(0, nil)
	sum.Config = list[0].Config
	return sum, nil
}
