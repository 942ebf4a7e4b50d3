package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"surgeon/probe/decoder"
)

func probeCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "probe",
		Usage:     "ask a model directly: log-likelihoods, logits, token ids, a line for a line",
		ArgsUsage: "MODEL REQUESTS.jsonl",
		Description: `A request a line: {"id", "prompt" or "prompt_ids", "continuations" or "continuation_ids", "logits": true}.
An answer a line: {"id", "prompt_ids", "logprobs" in nats, "greedy", "logits" after the prompt}.
Where a token would span the end of the prompt, all continuations are scored from the last
whole token that they share.
REQUESTS.jsonl may be -, standard input. Lines that cannot be answered do not stop the others;
the exit code is 3 then.

Examples:
   surgeon probe base requests.jsonl`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "answers are JSON lines with and without it"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress bar"}},
		Action: func(c *cli.Context) error {
			args, err := models(c, 2, 2, "a model and a file of requests")
			if err != nil {
				return err
			}
			step, finish := env.progress(c, "probe", "rows")
			defer finish()
			return runProbe(c.Context, env, probeOptions{step, finish}, args[0], args[1])
		},
	}
}

type probeOptions struct {
	step   func(done, total int64)
	finish func()
}

// probeAnswer is a line of the answers.
type probeAnswer struct {
	ID        json.RawMessage `json:"id"`
	PromptIDs []int32         `json:"prompt_ids"`
	LogProbs  []number        `json:"logprobs"`
	Greedy    []bool          `json:"greedy"`
	Logits    []float32       `json:"logits,omitempty"`
}

func runProbe(ctx context.Context, env environment, opt probeOptions, modelName, file string) error {
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
	list, bad, err := readRequests(ctx, env, m, config, file)
	if err != nil {
		return err
	}
	var requests []decoder.Request
	for _, a := range list {
		requests = append(requests, a.requests...)
	}
	responses, err := d.Score(ctx, requests, decoder.Options{Progress: opt.step})
	opt.finish()
	if err != nil {
		return fmt.Errorf("%s: %w", modelName, locate(err, file, list))
	}
	if err := printAnswers(env, list, responses); err != nil {
		return err
	}
	return bad.report()
}

// locate replaces the number of a request by the line that it came from.
func locate(err error, file string, list []asked) error {
	var failed *decoder.RequestError
	if !errors.As(err, &failed) {
		return err
	}
	at := failed.Request
	for _, a := range list {
		if at -= len(a.requests); at < 0 {
			return fmt.Errorf("%s:%d: %w", file, a.line, failed.Err)
		}
	}
	return err
}

// badLines are the lines of a file that could not be answered.
type badLines []error

// report is the first bad line and how many there were.
func (b badLines) report() error {
	switch len(b) {
	case 0:
		return nil
	case 1:
		return b[0]
	}
	return fmt.Errorf("%w (and %d more lines that could not be answered)", b[0], len(b)-1)
}

func printAnswers(env environment, list []asked, responses []decoder.Response) error {
	encoder := json.NewEncoder(env.out)
	encoder.SetEscapeHTML(false)
	for _, a := range list {
		answer := probeAnswer{ID: a.id, PromptIDs: append([]int32{}, a.promptIDs...), LogProbs: []number{}, Greedy: []bool{}}
		for range a.requests {
			answer.Greedy = append(answer.Greedy, responses[0].Greedy...)
			for _, v := range responses[0].LogProbs {
				answer.LogProbs = append(answer.LogProbs, number(v))
			}
			if responses[0].Logits != nil {
				answer.Logits = responses[0].Logits
			}
			responses = responses[1:]
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}
