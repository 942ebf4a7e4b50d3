package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/lora"
	"surgeon/merge"
	"surgeon/tensors"
)

func loraExtractCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "extract",
		Usage:     "turn a fine-tune into a base and a small adapter, and say what was lost",
		ArgsUsage: "BASE CHEM",
		Description: `The change of every matrix is decomposed (randomised SVD of CHEM - BASE in float32) and its
leading directions are written as an adapter. The rank is --rank; or, with --energy, the least
that holds this share of the squared norm of a matrix's change (0.9 leaves a relative error of
0.32); or, with --size, the bytes are spent where they hold most. Norms and biases that changed
are saved whole (modules_to_save) unless --rest skip; the embedding is saved, decomposed or
skipped. Nothing is written with --dry-run.

With --tasks the base with the adapter is scored at every rank of --ranks, from the one
decomposition and without being written, beside the base and CHEM.

Examples:
   surgeon lora extract base chem --rank 16 -o adapter
   surgeon lora extract base chem --energy 0.95 --dry-run
   surgeon lora extract base chem --size 300KB --embedding low-rank -o small
   surgeon lora extract base chem --rank 32 --ranks 4,16,32 --tasks pair_facts,pair_chemistry_trained --dry-run`,
		Flags: common(append(benchFlags(),
			&cli.IntFlag{Name: "rank", DefaultText: "16; 256 with --energy or --size", Usage: "`N` directions of every matrix; at most so many with --energy or --size"},
			&cli.Float64Flag{Name: "energy", Usage: "the least rank that holds this `SHARE` of the squared norm of a change"},
			&cli.StringFlag{Name: "size", Usage: "spend `BYTES` (20MB) on the whole adapter"},
			&cli.StringFlag{Name: "dtype", Value: "F32", Usage: "store the factors as `TYPE`: F32, BF16 or F16"},
			&cli.StringFlag{Name: "embedding", Value: "save", Usage: "`HOW` the input embedding goes: save, low-rank or skip"},
			&cli.StringFlag{Name: "rest", Value: "save", Usage: "`HOW` norms and biases go: save or skip"},
			&cli.Float64Flag{Name: "sparse-remainder", Usage: "keep this `SHARE` of the elements of what the ranks leave, the largest, in a file that surgeon reads"},
			&cli.BoolFlag{Name: "uniform", Usage: "pad all products to one rank, for loaders that know no other"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write the adapter to `OUT`"},
			&cli.BoolFlag{Name: "dry-run", Usage: "write nothing"},
			&cli.BoolFlag{Name: "modules", Usage: "a row for every module"},
			&cli.StringFlag{Name: "ranks", Usage: "with --tasks: score at each of these `RANKS`, as 4,8,16"},
			&cli.StringFlag{Name: "plot", Usage: "with --tasks: draw scores against ranks into `FILE`.png or .svg"},
			&cli.BoolFlag{Name: "force", Usage: "replace an OUT that surgeon has written before"})...),
		Action: func(c *cli.Context) error {
			args, err := models(c, 2, 2, "a base and a tuned model")
			if err != nil {
				return err
			}
			opt, err := parseExtract(c)
			if err != nil {
				return err
			}
			opt.command = append([]string{"surgeon", "lora"}, env.recorded()...)
			opt.progress = func(title, unit string) (func(done, total int64), func()) { return env.progress(c, title, unit) }
			return runExtract(c.Context, env, opt, args[0], args[1])
		},
	}
}

// extractOptions are the choices of lora extract.
type extractOptions struct {
	json, modules   bool
	ranks           lora.Ranks
	dtype           tensors.DType
	embedding, rest string
	remainder       float64
	uniform         bool

	out           string
	dryRun, force bool

	score bool // there are tasks
	at    []int
	plot  string
	bench benchOptions

	command  []string
	progress func(title, unit string) (step func(done, total int64), finish func())
}

// highestRank is the most that a rule may give a matrix that names no rank.
const highestRank = 256

func parseExtract(c *cli.Context) (opt extractOptions, err error) {
	opt = extractOptions{json: c.Bool("json"), modules: c.Bool("modules"), embedding: c.String("embedding"), rest: c.String("rest"),
		remainder: c.Float64("sparse-remainder"), uniform: c.Bool("uniform"), out: c.String("out"), dryRun: c.Bool("dry-run"), force: c.Bool("force"),
		score: c.IsSet("tasks"), plot: c.String("plot"), ranks: lora.Ranks{Rank: 16, Energy: c.Float64("energy")}}
	switch energy := c.Float64("energy"); {
	case c.IsSet("rank") && c.Int("rank") < 1:
		return opt, usagef("--rank %d: want at least 1", c.Int("rank"))
	case c.IsSet("energy") && c.IsSet("size"):
		return opt, usagef("--energy and --size are two rules for the ranks: choose one")
	case c.IsSet("energy") && !(energy > 0 && energy <= 1):
		return opt, usagef("--energy %v: want a share of the squared norm, above 0 and at most 1", energy)
	case c.IsSet("sparse-remainder") && !(opt.remainder > 0 && opt.remainder < 1):
		return opt, usagef("--sparse-remainder %v: want a share of the elements between 0 and 1", opt.remainder)
	case c.IsSet("size") && (opt.uniform || opt.remainder > 0):
		return opt, usagef("--size is spent on products alone: --uniform and --sparse-remainder do not go with it")
	case opt.remainder > 0 && c.IsSet("ranks"):
		return opt, usagef("--sparse-remainder is what the highest rank leaves: --ranks does not go with it")
	case opt.out == "" && !opt.dryRun:
		return opt, usagef("lora extract needs -o OUT, where the adapter is written, or --dry-run")
	case !opt.score && (c.IsSet("ranks") || c.IsSet("plot")):
		return opt, usagef("--ranks and --plot need --tasks")
	}
	if c.IsSet("energy") || c.IsSet("size") {
		opt.ranks.Rank = highestRank
	}
	if c.IsSet("rank") {
		opt.ranks.Rank = c.Int("rank")
	}
	if c.IsSet("size") {
		if opt.ranks.Bytes, err = parseBytes("--size", c.String("size")); err != nil {
			return opt, err
		}
	}
	if err := opt.checkHow(); err != nil {
		return opt, err
	}
	if opt.dtype, err = parseFactors(c.String("dtype")); err != nil {
		return opt, err
	}
	if err := checkPlot(c); err != nil || !opt.score {
		return opt, err
	}
	if opt.at, err = parseRanks(c.String("ranks"), opt.ranks.Rank); err != nil {
		return opt, err
	}
	opt.bench, err = parseBench(c)
	return opt, err
}

// checkHow checks how what is no matrix goes.
func (opt extractOptions) checkHow() error {
	switch {
	case !slices.Contains([]string{"save", "low-rank", "skip"}, opt.embedding):
		return usagef("--embedding %q: want save, low-rank or skip", opt.embedding)
	case !slices.Contains([]string{"save", "skip"}, opt.rest):
		return usagef("--rest %q: want save or skip", opt.rest)
	}
	return nil
}

// parseFactors reads the type of an adapter's factors.
func parseFactors(text string) (tensors.DType, error) {
	d, err := parseDType(text)
	if err == nil && !slices.Contains([]tensors.DType{tensors.F32, tensors.BF16, tensors.F16}, d) {
		return d, usagef("--dtype %s: an adapter is stored as F32, BF16 or F16", d)
	}
	return d, err
}

// parseRanks reads a list of ranks up to the highest, which stands for no list.
func parseRanks(text string, highest int) ([]int, error) {
	if text == "" {
		return []int{highest}, nil
	}
	var list []int
	for _, field := range strings.Split(text, ",") {
		var n int
		if _, err := fmt.Sscanf(field, "%d", &n); err != nil || fmt.Sprint(n) != field || n < 1 || slices.Contains(list, n) {
			return nil, usagef("--ranks %q: want different ranks of at least 1, as 4,8,16", text)
		}
		if n > highest {
			return nil, usagef("--ranks %q: the decomposition ends at rank %d: give --rank %d", text, highest, n)
		}
		list = append(list, n)
	}
	slices.Sort(list)
	return list, nil
}

func runExtract(ctx context.Context, env environment, opt extractOptions, baseName, tunedName string) error {
	in, err := openMerge(merge.Refuse, baseName, tunedName)
	if err != nil {
		return err
	}
	defer in.close()
	if opt.out != "" && !opt.dryRun {
		if err := in.checkApart(opt.out, opt.force, baseName, tunedName); err != nil {
			return err // before any work
		}
	}
	x := &extraction{Base: baseName, Tuned: tunedName, Out: opt.out, Notes: in.notes(), in: in}
	if opt.dryRun {
		x.Out = ""
	}
	if err := x.decompose(ctx, opt); err != nil {
		return err
	}
	if err := x.measure(ctx, opt); err != nil {
		return err
	}
	if opt.score {
		if err := x.score(ctx, env, opt); err != nil {
			return err
		}
	}
	if x.Out != "" {
		if err := x.write(ctx, opt); err != nil {
			return err
		}
	}
	if opt.json {
		return env.printJSON(x)
	}
	return x.print(env, opt)
}
