package cli

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/merge"
	"surgeon/tensors"
)

func mergeCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "interpolate between a base and fine-tunes; score every alpha without writing one",
		ArgsUsage: "BASE CHEM...",
		Description: `Task arithmetic: base + alpha * (CHEM - BASE), computed block by block, rounded once.
--alpha is a number or a list of rules PATTERN=NUMBER, of which the first that matches a
tensor decides: * (all), embed, lm_head, norm (the final one), norms (all of them), layers.7,
layers.0-9, layers.20-, layers.0-9.mlp, self_attn, mlp.up_proj, /REGEXP/, or a tensor's name.
--explain prints what every tensor gets and writes nothing. Several fine-tunes are added
with one --alpha each. With --alpha-sweep every alpha is scored on the tasks and nothing is
written but, with --write-best, the one that scores highest on a task; without models it
sweeps the embedded pair. A sweep that was stopped goes on when it is given again.

Beside the weights stand the base's side files, surgeon.json (inputs, recipe and digests;
surgeon inspect OUT --verify checks them) and a model card. A merge that was stopped goes on
with --resume.

Examples:
   surgeon merge base chem --alpha 0.4 -o merged
   surgeon merge base chem --alpha layers.0=0.3,embed=0,*=0.6 --explain
   surgeon merge base chem --alpha 0.4 -o half.safetensors --out-dtype F16
   surgeon merge base chem chem --alpha 0.3 --alpha 0.1 -o two --shard-size 64KB
   surgeon merge --alpha-sweep
   surgeon merge --alpha-sweep=0:1:0.25 base chem
   surgeon merge --alpha-sweep=0,0.5,1 base chem --json
   surgeon merge --alpha-sweep=0:1:0.5 base chem --tasks pair_refusal --write-best best --maximize pair_refusal`,
		Flags: common(append(benchFlags(),
			&cli.StringSliceFlag{Name: "alpha", Usage: "the fine-tune's share `A`: 0 is the base, 1 is CHEM, below 0 and above 1 are legal; or rules; once for all fine-tunes or once for each"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write the merged model to `OUT`, a directory or a .safetensors file"},
			&cli.BoolFlag{Name: "explain", Usage: "print the alpha of every tensor and the rule that gave it, and write nothing"},
			&cli.StringFlag{Name: "on-mismatch", Value: string(merge.Refuse), Usage: "`POLICY` for tensors that the models do not share: refuse, base or tuned"},
			&cli.StringFlag{Name: "out-dtype", Usage: "store weights as `TYPE`: F32, F16, BF16, F64, F8_E4M3 or F8_E5M2 (default: as the base does)"},
			&cli.BoolFlag{Name: "stochastic", Usage: "round at random, so that small changes survive on average"},
			&cli.Uint64Flag{Name: "seed", Usage: "`SEED` of --stochastic"},
			&cli.BoolFlag{Name: "allow-nonfinite", Usage: "merge weights that are NaN or infinite as they are"},
			&cli.StringFlag{Name: "shard-size", Value: "5GB", Usage: "most `BYTES` of weights in one file: 5GB, 500MB, 2GiB"},
			&cli.BoolFlag{Name: "resume", Usage: "go on with a merge that was stopped"},
			&cli.BoolFlag{Name: "force", Usage: "replace an OUT that surgeon has written before"},
			&cli.StringFlag{Name: "alpha-sweep", Usage: "score `LOW:HIGH:STEP` or a list A,B,C instead of writing; 0:1:0.1 if left out"},
			&cli.StringFlag{Name: "write-best", Usage: "after a sweep, write the best candidate to `OUT`"},
			&cli.StringFlag{Name: "maximize", Usage: "the `TASK` on whose score the best candidate is highest, the smallest alpha among equals"},
			&cli.BoolFlag{Name: "all", Usage: "after a sweep of many tasks, a table with intervals for each"},
			&cli.StringFlag{Name: "plot", Usage: "draw the sweep's curve into `FILE`.png or .svg"})...),
		Action: func(c *cli.Context) error {
			if c.IsSet("alpha-sweep") {
				return sweepAction(env, c)
			}
			return mergeAction(env, c)
		},
	}
}

// mergeOptions are the choices of merge.
type mergeOptions struct {
	json, explain  bool
	alphas         []merge.Rules // one for each tuned model
	policy         merge.Policy
	stored         merge.Options
	allowNonfinite bool

	out           string
	shardSize     int64
	resume, force bool
	command       []string // as surgeon.json says it

	progress func(title string) (step func(done, total int64), finish func())
}

func mergeAction(env environment, c *cli.Context) error {
	args := c.Args().Slice()
	switch {
	case len(args) < 2:
		return usagef("merge takes a base and at least one tuned model, and %d were given: surgeon merge --help", len(args))
	case !c.IsSet("alpha"):
		return usagef("merge needs --alpha A, or --alpha-sweep")
	case c.String("out") == "" && !c.Bool("explain"):
		return usagef("merge needs -o OUT, where the merged model is written")
	}
	for _, flag := range []string{"tasks", "chat", "max-tokens", "stop", "memory", "write-best", "maximize", "plot", "all"} {
		if c.IsSet(flag) {
			return usagef("--%s belongs to --alpha-sweep", flag)
		}
	}
	opt, err := parseMerge(c, len(args)-1)
	if err != nil {
		return err
	}
	opt.command = append([]string{"surgeon", "merge"}, env.recorded()...)
	opt.progress = func(title string) (func(done, total int64), func()) { return env.progress(c, title, "bytes") }
	if opt.explain {
		return runExplain(env, opt, args[0], args[1:])
	}
	return runMerge(c.Context, env, opt, args[0], args[1:])
}

func parseMerge(c *cli.Context, tuned int) (mergeOptions, error) {
	opt := mergeOptions{json: c.Bool("json"), explain: c.Bool("explain"), out: c.String("out"), resume: c.Bool("resume"), force: c.Bool("force"),
		allowNonfinite: c.Bool("allow-nonfinite"), policy: merge.Policy(c.String("on-mismatch")),
		stored: merge.Options{Stochastic: c.Bool("stochastic"), Seed: c.Uint64("seed")}}
	if !slices.Contains(merge.Policies, opt.policy) {
		return opt, usagef("--on-mismatch %q: want refuse, base or tuned", opt.policy)
	}
	if c.IsSet("seed") && !opt.stored.Stochastic {
		return opt, usagef("--seed belongs to --stochastic")
	}
	if c.IsSet("shard-size") && strings.HasSuffix(opt.out, ".safetensors") {
		return opt, usagef("--shard-size belongs to a model directory, and %s is one file", opt.out)
	}
	var err error
	if opt.alphas, err = parseAlphas(c.StringSlice("alpha"), tuned); err != nil {
		return opt, err
	}
	if opt.stored.DType, err = parseDType(c.String("out-dtype")); err != nil {
		return opt, err
	}
	opt.shardSize, err = parseBytes("--shard-size", c.String("shard-size"))
	return opt, err
}

// parseAlphas reads one alpha for all tuned models, or one for each.
func parseAlphas(texts []string, tuned int) ([]merge.Rules, error) {
	if len(texts) != 1 && len(texts) != tuned {
		return nil, usagef("there are %d tuned models and %d --alpha: give one for all or one for each", tuned, len(texts))
	}
	var list []merge.Rules
	for _, text := range texts {
		rules, err := merge.ParseRules(text)
		if err != nil {
			return nil, usageError{err}
		}
		list = append(list, rules)
	}
	for len(list) < tuned {
		list = append(list, list[0])
	}
	return list, nil
}

// parseDType reads a number type, by the format's name or by PyTorch's.
func parseDType(text string) (tensors.DType, error) {
	if text == "" {
		return "", nil
	}
	d := tensors.DType(strings.ToUpper(text))
	if known, ok := torchTypes[strings.ToLower(text)]; ok {
		d = known
	}
	if !d.Float() {
		return "", usagef("--out-dtype %q: want F64, F32, F16, BF16, F8_E4M3 or F8_E5M2", text)
	}
	return d, nil
}

// torchTypes are the names of number types in PyTorch and in config.json.
var torchTypes = map[string]tensors.DType{
	"float64": tensors.F64, "float32": tensors.F32, "float16": tensors.F16, "bfloat16": tensors.BF16,
	"float8_e4m3fn": tensors.F8E4M3, "float8_e5m2": tensors.F8E5M2,
}

var byteSize = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?([KMGT]?)(i?)B?$`)

// parseBytes reads the value of a flag: 5GB (decimal), 2GiB (binary) or a
// number of bytes.
func parseBytes(flag, text string) (int64, error) {
	found := byteSize.FindStringSubmatch(text)
	if found == nil {
		return 0, usagef("%s %q: want a number of bytes such as 5GB, 500MB or 2GiB", flag, text)
	}
	v, err := strconv.ParseFloat(found[1], 64)
	unit := 1000.0
	if found[3] != "" {
		unit = 1024
	}
	if found[2] != "" {
		v *= math.Pow(unit, float64(1+strings.Index("KMGT", found[2])))
	}
	if err != nil || v > math.MaxInt64/2 || v != 0 && v < 1 {
		return 0, usagef("%s %q: want a number of bytes such as 5GB, 500MB or 2GiB", flag, text)
	}
	return int64(v), nil
}

// recorded is the command line as surgeon.json keeps it: without the flags
// that do not change what is written.
func (e environment) recorded() []string {
	unchanged := []string{"--resume", "--force", "--json", "--quiet", "-q"}
	return slices.DeleteFunc(slices.Clone(e.args), func(arg string) bool { return slices.Contains(unchanged, arg) })
}
