package cli

import (
	"github.com/urfave/cli/v2"

	"surgeon/probe/train"
)

func trainCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "train",
		Usage:     "fine-tune a small model, with what keeps it from forgetting: replay, LoRA, KL to the base",
		ArgsUsage: "BASE",
		Description: `Data are JSON lines: {"prompt", "completion"}, or {"messages": [{"role", "content"}]}, or {"text"},
and "slice", a name by which replay is stratified. What is learned is the completion, what the
assistant says, or the whole text. With --chat the model's chat template writes prompts too: a
model that answers chats learns little without.
BASE may be of the Llama, Mistral, Qwen2, Qwen3 or OLMo2 family and must fit the memory about
eight times in float32. A batch is whole examples, each a sequence of its own.
--replay puts a line of FILE in the place of one example in ten (--replay-share 0.1), of every
slice alike. --kl 1 adds the divergence from BASE on the lines of --kl-data (prompt, completion and
all), whose answers need not be right or there at all.
A training that was stopped goes on with the same command: its state is in OUT.training, where
log.jsonl has the loss. The same command gives the same bytes, stopped or not, with any number of
threads.

Examples:
   surgeon train --chat --data chem.jsonl --steps 600 --learning-rate 1e-3 -o chem2 base
   surgeon train --chat --data chem.jsonl --steps 600 --replay general.jsonl --replay-share 0.1 -o kept base
   surgeon train --chat --data chem.jsonl --steps 1500 --learning-rate 2e-3 --lora r=16 -o adapter base`,
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
			&cli.Float64Flag{Name: "replay-share", DefaultText: "0.1 with --replay", Usage: "`SHARE` of the examples that are replayed instead; 0: none, --replay is for --kl alone"},
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
			opt.progress = func(from, steps int) (func(train.Report), func()) { return env.training(c, from, steps) }
			return runTrain(c.Context, env, opt, args[0])
		},
	}
}
