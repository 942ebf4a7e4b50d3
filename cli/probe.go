package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v2"

	"surgeon/probe/decoder"
)

func probeCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "probe",
		Usage:     "ask a model directly: log-likelihoods, logits, token ids, a line for a line",
		ArgsUsage: "MODEL REQUESTS.jsonl",
		Description: `A request a line: {"id", "prompt" or "prompt_ids" or "messages" [{"role", "content"}],
"continuations" or "continuation_ids", "logits": true, "generate": {"max_tokens" (256), "stop",
"temperature" (0: greedy), "top_p", "top_k", "seed", "ignore_eos"}}.
An answer a line: {"id", "prompt_ids", "logprobs" in nats, "greedy", "tokens" scored or generated,
"text", "ids" and "finish" (eos, stop, length or context) of what was generated, "logits" after
the prompt}.
A prompt is taken as it is written; messages are written by the model's chat template. Where a
token would span the end of the prompt, all continuations are scored from the last whole token
that they share.
REQUESTS.jsonl may be -, standard input. Lines that cannot be answered do not stop the others;
the exit code is 3 then. With --out, answers that are in the file already are not computed again.

Examples:
   surgeon probe base requests.jsonl
   surgeon probe --tokens-only base requests.jsonl
   surgeon probe --out answers.jsonl base requests.jsonl`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "add the answers to `FILE`, with a key by which a later run knows them"},
			&cli.BoolFlag{Name: "tokens-only", Usage: "answer with the token ids of the prompts; MODEL may be a folder without weights"},
			&cli.BoolFlag{Name: "special", Usage: "prompts get the tokens that the tokenizer puts around a text, such as <s>"},
			memoryFlag(),
			&cli.BoolFlag{Name: "json", Usage: "answers are JSON lines with and without it"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress bar"}},
		Action: func(c *cli.Context) error {
			args, err := models(c, 2, 2, "a model and a file of requests")
			if err != nil {
				return err
			}
			if c.String("out") == "-" {
				return usagef("--out - : want a file; without --out answers go to standard output")
			}
			if c.Bool("tokens-only") && c.IsSet("out") {
				return usagef("--tokens-only computes nothing that could be continued: --out does not go with it")
			}
			memory, err := memoryOf(c)
			if err != nil {
				return err
			}
			opt := probeOptions{out: c.String("out"), special: c.Bool("special"), tokensOnly: c.Bool("tokens-only"), memory: memory}
			opt.progress = func(title, unit string) (func(done, total int64), func()) { return env.progress(c, title, unit) }
			return runProbe(c.Context, env, opt, args[0], args[1])
		},
	}
}

type probeOptions struct {
	out        string
	special    bool
	tokensOnly bool
	memory     int64 // bytes for packed weights, keys and values
	progress   func(title, unit string) (step func(done, total int64), finish func())
}

// probeAnswer is a line of the answers.
type probeAnswer struct {
	ID        json.RawMessage `json:"id"`
	PromptIDs []int32         `json:"prompt_ids"`
	LogProbs  []number        `json:"logprobs"`
	Greedy    []bool          `json:"greedy"`
	Tokens    int             `json:"tokens"` // that were scored or generated
	Text      *string         `json:"text,omitempty"`
	IDs       []int32         `json:"ids,omitempty"`
	Finish    decoder.Finish  `json:"finish,omitempty"`
	Logits    []float32       `json:"logits,omitempty"`
	Key       string          `json:"key,omitempty"`
}

func runProbe(ctx context.Context, env environment, opt probeOptions, modelName, file string) error {
	if opt.tokensOnly {
		return runTokens(ctx, env, opt, modelName, file)
	}
	m, err := openModel(modelName)
	if err != nil {
		return err
	}
	defer m.Close()
	config, err := m.config()
	if err != nil {
		return err
	}
	d, err := decoder.Open(config, m)
	if err != nil {
		return fmt.Errorf("%s: %w", modelName, err)
	}
	r := &reader{folder: m.folder(), config: &config, special: opt.special}
	list, bad, err := r.lines(ctx, env, file)
	if err != nil {
		return err
	}
	r.note(env)
	out := newAnswers(env.out, len(list))
	if opt.out != "" {
		if out, err = resumeProbe(ctx, opt.out, m, list); err != nil {
			return err
		}
		defer out.close()
	}
	p := &probing{opt: opt, model: d, reader: r, file: file, list: list, out: out}
	if err := p.run(ctx); err != nil {
		env.complain(bad.some()...)
		err = fmt.Errorf("%s: %w", modelName, err)
		if opt.out != "" {
			err = stopped{out.count(), opt.out, err}
		}
		return err
	}
	if err := out.finish(); err != nil {
		return err
	}
	if opt.out != "" {
		if err := env.printf("%s: %s, %d of them from before\n", opt.out, plural(len(list), "answer"), out.kept); err != nil {
			return err
		}
	}
	return bad.report()
}

// runTokens answers with the ids of the prompts alone.
func runTokens(ctx context.Context, env environment, opt probeOptions, name, file string) error {
	f, err := openFolder(name)
	if err != nil {
		return err
	}
	r := &reader{folder: f, special: opt.special, tokensOnly: true}
	list, bad, err := r.lines(ctx, env, file)
	if err != nil {
		return err
	}
	r.note(env)
	out := newAnswers(env.out, len(list))
	for i := range list {
		if err := out.add(i, list[i].answer()); err != nil {
			return err
		}
	}
	return bad.report()
}

// resumeProbe prepares a file of answers. An answer in it counts if it is to
// the same line, asked of the same weights, configuration and tokenizer.
func resumeProbe(ctx context.Context, path string, m *model, list []asked) (*answers, error) {
	identity, err := m.identity(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(list))
	for i, a := range list {
		keys[i] = keyOf(identity, a.text)
	}
	return resume(path, keys)
}

// answer is the answer to a line as far as it is known without the model.
func (a *asked) answer() *probeAnswer {
	return &probeAnswer{ID: a.id, PromptIDs: append([]int32{}, a.promptIDs...), LogProbs: []number{}, Greedy: []bool{}}
}
