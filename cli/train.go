package cli

import (
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/probe/train"
	"surgeon/tensors"
)

func trainCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "train",
		Usage:     "fine-tune a small model, with what keeps it from forgetting: replay, LoRA, KL to the base",
		ArgsUsage: "BASE",
		Description: `Data are JSON lines: {"prompt", "completion"}, or {"messages": [{"role", "content"}]}, or {"text"},
and "slice", a name by which replay is stratified. What is learned is the completion, what the
assistant says, or the whole text. With --chat the model's chat template writes prompts too.
BASE may be of the Llama, Mistral, Qwen2, Qwen3 or OLMo2 family and must fit the memory about
eight times in float32. A batch is whole examples, each a sequence of its own.
--replay-share 0.1 puts a line of --replay in the place of one example in ten, of every slice
alike. --kl 1 adds the divergence from BASE on the lines of --kl-data (prompt, completion and
all), whose answers need not be right or there at all.
A training that was stopped goes on with the same command: its state is in OUT.training, where
log.jsonl has the loss. The same command gives the same bytes, stopped or not, with any number of
threads.

Examples:
   surgeon train --chat --data chem.jsonl --learning-rate 1e-3 -o chem2 base
   surgeon train --chat --data chem.jsonl --replay general.jsonl --replay-share 0.1 -o kept base
   surgeon train --chat --data chem.jsonl --lora r=16 -o adapter base`,
		Flags: common(
			&cli.StringSliceFlag{Name: "data", Usage: "JSON lines in `FILE` to learn; may be repeated"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write the trained model, or the adapter, to `OUT`"},
			&cli.IntFlag{Name: "steps", DefaultText: "three passes over the data", Usage: "`N` steps in all"},
			&cli.Float64Flag{Name: "learning-rate", DefaultText: "1e-3 below 10 M parameters, else 2e-5; ten times that with --lora", Usage: "the peak, `RATE`, after the warm-up; it falls to a tenth as a cosine"},
			&cli.IntFlag{Name: "warm-up", DefaultText: "50, a tenth of the steps if that is less", Usage: "`N` steps of linear growth"},
			&cli.IntFlag{Name: "batch-tokens", Value: 768, Usage: "`N` tokens of examples a step, prompts included"},
			&cli.Float64Flag{Name: "weight-decay", Usage: "AdamW's `RATE`, of matrices but the embedding"},
			&cli.Float64Flag{Name: "clip", Value: 1, Usage: "longest gradient, `NORM`; 0: not clipped"},
			&cli.StringFlag{Name: "seed", Value: "0", Usage: "`N` of the order of the data and of what is drawn"},
			&cli.BoolFlag{Name: "apply-chat-template", Aliases: []string{"chat"}, Usage: "prompts are what a user says: the model's chat template writes them"},
			&cli.StringSliceFlag{Name: "replay", Usage: "JSON lines in `FILE` of what BASE can do; may be repeated"},
			&cli.Float64Flag{Name: "replay-share", DefaultText: "0.1 with --replay", Usage: "`SHARE` of the examples that are replayed instead"},
			&cli.StringFlag{Name: "lora", Usage: "train an adapter: `r=16,alpha=32,targets=q_proj+v_proj`; alpha is 2r and targets are all projections unless it says so"},
			&cli.Float64Flag{Name: "kl", Usage: "`WEIGHT` of the divergence from BASE"},
			&cli.StringSliceFlag{Name: "kl-data", DefaultText: "those of --replay", Usage: "JSON lines in `FILE` that the divergence is measured on; may be repeated"},
			&cli.Float64Flag{Name: "l2-sp", Usage: "pull weights back to BASE: `WEIGHT` times the learning rate of their change, every step"},
			&cli.StringSliceFlag{Name: "freeze", Usage: "tensors that match `PATTERN` (model.embed_tokens.*, *.layers.[0-3].*) stay as they are; may be repeated"},
			&cli.BoolFlag{Name: "from-scratch", Usage: "BASE is a folder with config.json and tokenizer, weights are drawn by --seed"},
			&cli.StringFlag{Name: "out-dtype", DefaultText: "as BASE stores them; an adapter F32", Usage: "`TYPE` of the trained weights: F32, BF16 or F16"},
			&cli.IntFlag{Name: "checkpoint-every", Value: 500, Usage: "save the state every `N` steps; 0: only when stopped by Ctrl-C"},
			&cli.BoolFlag{Name: "force", Usage: "replace OUT if surgeon made it"},
		),
		Action: func(c *cli.Context) error {
			args, err := models(c, 1, 1, "a base")
			if err != nil {
				return err
			}
			opt, err := parseTrain(c)
			if err != nil {
				return err
			}
			opt.progress = func() (func(train.Report), func()) { return env.training(c, opt.options.Steps) }
			return runTrain(c.Context, env, opt, args[0])
		},
	}
}

// trainOptions are what those flags say.
type trainOptions struct {
	options              train.Options
	data, replay, klData []string
	freeze               []string
	out                  string
	chat, scratch        bool
	dtype                tensors.DType // "": as the base stores them
	every                int           // steps from one saved state to the next
	force, json          bool
	progress             func() (step func(train.Report), finish func())
}

func parseTrain(c *cli.Context) (opt trainOptions, err error) {
	opt = trainOptions{data: c.StringSlice("data"), replay: c.StringSlice("replay"), klData: c.StringSlice("kl-data"), freeze: c.StringSlice("freeze"),
		out: c.String("out"), chat: c.Bool("apply-chat-template"), scratch: c.Bool("from-scratch"), every: c.Int("checkpoint-every"), force: c.Bool("force"), json: c.Bool("json")}
	o := &opt.options
	o.Steps, o.LearningRate, o.WarmUp, o.BatchTokens = c.Int("steps"), c.Float64("learning-rate"), c.Int("warm-up"), c.Int("batch-tokens")
	o.WeightDecay, o.ClipNorm, o.KL, o.L2SP, o.ReplayShare = c.Float64("weight-decay"), c.Float64("clip"), c.Float64("kl"), c.Float64("l2-sp"), c.Float64("replay-share")
	if o.ClipNorm == 0 {
		o.ClipNorm = -1
	}
	if len(opt.klData) == 0 && o.KL > 0 {
		opt.klData = opt.replay
	}
	if len(opt.replay) > 0 && !c.IsSet("replay-share") && !(o.KL > 0 && !c.IsSet("kl-data")) {
		o.ReplayShare = 0.1
	}
	switch {
	case len(opt.data) == 0:
		return opt, usagef("train needs --data FILE.jsonl: what is to be learned")
	case opt.out == "":
		return opt, usagef("train needs -o OUT: where the trained model goes")
	case c.IsSet("steps") && o.Steps < 1:
		return opt, usagef("--steps %d: want at least 1", o.Steps)
	case c.IsSet("warm-up") && o.WarmUp < 0:
		return opt, usagef("--warm-up %d: want 0 or more", o.WarmUp)
	case o.BatchTokens < 2:
		return opt, usagef("--batch-tokens %d: want at least 2", o.BatchTokens)
	case c.IsSet("learning-rate") && !(o.LearningRate > 0):
		return opt, usagef("--learning-rate %g: want a positive number", o.LearningRate)
	case o.ReplayShare > 0 && len(opt.replay) == 0:
		return opt, usagef("--replay-share needs --replay FILE.jsonl: what is replayed")
	case !(o.ReplayShare >= 0 && o.ReplayShare < 1):
		return opt, usagef("--replay-share %g: want from 0 to below 1", o.ReplayShare)
	case o.KL > 0 && len(opt.klData) == 0:
		return opt, usagef("--kl needs --kl-data FILE.jsonl, or --replay: what the divergence is measured on")
	case len(opt.klData) > 0 && !(o.KL > 0):
		return opt, usagef("--kl-data needs --kl WEIGHT")
	case opt.every < 0:
		return opt, usagef("--checkpoint-every %d: want 0 or more", opt.every)
	case c.IsSet("lora") && strings.HasSuffix(opt.out, ".safetensors"):
		return opt, usagef("-o %s: an adapter is a folder", opt.out)
	case c.IsSet("lora") && len(opt.freeze) > 0:
		return opt, usagef("--freeze does not go with --lora: an adapter leaves all weights as they are")
	case opt.scratch && c.IsSet("lora"):
		return opt, usagef("--lora stands beside weights that were trained before: it does not go with --from-scratch")
	}
	for _, name := range []string{"learning-rate", "weight-decay", "clip", "kl", "l2-sp"} {
		if v := c.Float64(name); !(v >= 0) || math.IsInf(v, 0) {
			return opt, usagef("--%s %g: want a finite number from 0", name, v)
		}
	}
	if c.IsSet("warm-up") {
		o.WarmUp = max(1, o.WarmUp) // one step of growth is none
	}
	if o.Seed, err = strconv.ParseUint(c.String("seed"), 10, 64); err != nil {
		return opt, usagef("--seed %s: want a whole number from 0", c.String("seed"))
	}
	for _, pattern := range opt.freeze {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return opt, usagef("--freeze %s: not a pattern: brackets must be closed", pattern)
		}
	}
	if name := c.String("out-dtype"); name != "" {
		opt.dtype = tensors.DType(strings.ToUpper(name))
		if !slices.Contains([]tensors.DType{tensors.F32, tensors.BF16, tensors.F16}, opt.dtype) {
			return opt, usagef("--out-dtype %s: want F32, BF16 or F16", name)
		}
	}
	if c.IsSet("lora") {
		o.LowRank, err = parseLowRank(c.String("lora"))
	}
	return opt, err
}

// parseLowRank reads r=16,alpha=32,targets=q_proj+v_proj.
func parseLowRank(text string) (*train.LowRank, error) {
	l := &train.LowRank{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		var err error
		switch key {
		case "r":
			l.Rank, err = strconv.Atoi(value)
		case "alpha":
			l.Alpha, err = strconv.ParseFloat(value, 64)
		case "targets":
			l.Targets = strings.Split(value, "+")
		default:
			ok = false
		}
		if !ok || err != nil {
			return nil, usagef("--lora %s: %q is not understood: want r=16,alpha=32,targets=q_proj+v_proj", text, part)
		}
	}
	if l.Rank < 1 {
		return nil, usagef("--lora %s: want a rank of at least 1, r=16", text)
	}
	if l.Alpha == 0 {
		l.Alpha = float64(2 * l.Rank)
	}
	return l, nil
}
