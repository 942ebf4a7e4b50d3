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

// trainOptions are what the flags of train say.
type trainOptions struct {
	options              train.Options
	data, replay, klData []string
	freeze               []string
	out                  string
	chat, scratch        bool
	dtype                tensors.DType // "": as the base stores them
	every                int           // steps from one saved state to the next
	force, json          bool
	progress             func(from, steps int) (step func(train.Report), finish func())
}

// parseTrain reads the flags and refuses what needs no model to be seen wrong.
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
	if len(opt.replay) > 0 && !c.IsSet("replay-share") {
		o.ReplayShare = 0.1
	}
	for _, check := range []func(*cli.Context, trainOptions) error{checkTrainNumbers, checkTrainData, checkTrainTarget} {
		if err := check(c, opt); err != nil {
			return opt, err
		}
	}
	if c.IsSet("warm-up") {
		o.WarmUp = max(1, o.WarmUp) // one step of growth is none
	}
	if o.Seed, err = strconv.ParseUint(c.String("seed"), 10, 64); err != nil {
		return opt, usagef("--seed %s: want a whole number from 0", c.String("seed"))
	}
	if opt.dtype, err = parseTrainedDType(c.String("out-dtype")); err != nil {
		return opt, err
	}
	if c.IsSet("lora") {
		o.LowRank, err = parseLowRank(c.String("lora"))
	}
	return opt, err
}

// mostBatchTokens is what package train allows.
const mostBatchTokens = 1 << 20

func checkTrainNumbers(c *cli.Context, opt trainOptions) error {
	o := opt.options
	switch {
	case c.IsSet("steps") && o.Steps < 1:
		return usagef("--steps %d: want at least 1", o.Steps)
	case c.IsSet("warm-up") && o.WarmUp < 0:
		return usagef("--warm-up %d: want 0 or more", o.WarmUp)
	case o.BatchTokens < 2 || o.BatchTokens > mostBatchTokens:
		return usagef("--batch-tokens %d: want at least 2 and at most %d", o.BatchTokens, mostBatchTokens)
	case c.IsSet("learning-rate") && !(o.LearningRate > 0):
		return usagef("--learning-rate %g: want a positive number", o.LearningRate)
	case opt.every < 0:
		return usagef("--checkpoint-every %d: want 0 or more", opt.every)
	}
	for _, name := range []string{"learning-rate", "weight-decay", "clip", "kl", "l2-sp"} {
		if v := c.Float64(name); !(v >= 0) || math.IsInf(v, 0) {
			return usagef("--%s %g: want a finite number from 0", name, v)
		}
	}
	return nil
}

func checkTrainData(_ *cli.Context, opt trainOptions) error {
	o := opt.options
	switch {
	case len(opt.data) == 0:
		return usagef("train needs --data FILE.jsonl: what is to be learned")
	case o.ReplayShare > 0 && len(opt.replay) == 0:
		return usagef("--replay-share needs --replay FILE.jsonl: what is replayed")
	case !(o.ReplayShare >= 0 && o.ReplayShare < 1):
		return usagef("--replay-share %g: want from 0 to below 1", o.ReplayShare)
	case o.KL > 0 && len(opt.klData) == 0:
		return usagef("--kl needs --kl-data FILE.jsonl, or --replay: what the divergence is measured on")
	case len(opt.klData) > 0 && !(o.KL > 0):
		return usagef("--kl-data needs --kl WEIGHT")
	}
	return nil
}

func checkTrainTarget(c *cli.Context, opt trainOptions) error {
	switch {
	case opt.out == "":
		return usagef("train needs -o OUT: where the trained model goes")
	case c.IsSet("lora") && strings.HasSuffix(opt.out, ".safetensors"):
		return usagef("-o %s: an adapter is a folder", opt.out)
	case c.IsSet("lora") && len(opt.freeze) > 0:
		return usagef("--freeze does not go with --lora: an adapter leaves all weights as they are")
	case opt.scratch && c.IsSet("lora"):
		return usagef("--lora stands beside weights that were trained before: it does not go with --from-scratch")
	}
	for _, pattern := range opt.freeze {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return usagef("--freeze %s: not a pattern: brackets must be closed", pattern)
		}
	}
	return nil
}

func parseTrainedDType(name string) (tensors.DType, error) {
	d := tensors.DType(strings.ToUpper(name))
	if !slices.Contains([]tensors.DType{"", tensors.F32, tensors.BF16, tensors.F16}, d) {
		return "", usagef("--out-dtype %s: want F32, BF16 or F16", name)
	}
	return d, nil
}

// parseLowRank reads r=16,alpha=32,targets=q_proj+v_proj.
func parseLowRank(text string) (*train.LowRank, error) {
	l := &train.LowRank{Alpha: math.NaN()}
	all := l.Projections()
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		var err error
		switch key {
		case "r":
			l.Rank, err = strconv.Atoi(value)
		case "alpha":
			if l.Alpha, err = strconv.ParseFloat(value, 64); err == nil && !(l.Alpha > 0 && !math.IsInf(l.Alpha, 0)) {
				return nil, usagef("--lora %s: want a finite alpha above 0", text)
			}
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
	for _, target := range l.Targets {
		if !slices.Contains(all, target) {
			return nil, usagef("--lora %s: there is no projection %q to adapt: there are %s", text, target, strings.Join(all, ", "))
		}
	}
	if math.IsNaN(l.Alpha) { // not given
		l.Alpha = float64(2 * l.Rank)
	}
	return l, nil
}
