package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"surgeon/probe"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
	"surgeon/probe/token"
)

func probeCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "probe",
		Usage:     "ask a model directly: log-likelihoods, logits, token ids, a line for a line",
		ArgsUsage: "MODEL REQUESTS.jsonl",
		Description: `A request a line: {"id", "prompt" or "prompt_ids", "continuations" or "continuation_ids", "logits": true}.
An answer a line: {"id", "prompt_ids", "logprobs" in nats, "greedy", "logits" after the prompt}.
REQUESTS.jsonl may be -, standard input. Lines that cannot be answered do not stop the others;
the exit code is 3 then.

Examples:
   surgeon probe base requests.jsonl`,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress bar"}, &cli.BoolFlag{Name: "json", Usage: "answers are JSON lines with and without it"}},
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

// probeRequest is a line of the requests.
type probeRequest struct {
	ID              json.RawMessage `json:"id"`
	Prompt          *string         `json:"prompt"`
	PromptIDs       []int32         `json:"prompt_ids"`
	Continuations   []string        `json:"continuations"`
	ContinuationIDs [][]int32       `json:"continuation_ids"`
	Logits          bool            `json:"logits"`
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
	asked, bad, err := readRequests(env, m, config, file)
	if err != nil {
		return err
	}
	var requests []decoder.Request
	for _, a := range asked {
		if a.asksModel() {
			requests = append(requests, a.request)
		}
	}
	responses, err := d.Score(ctx, requests, decoder.Options{Progress: opt.step})
	opt.finish()
	if err != nil {
		return fmt.Errorf("%s: %w", modelName, err)
	}
	if err := printAnswers(env, asked, responses); err != nil {
		return err
	}
	return bad.report()
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

// asked is a request as the model gets it, and what its answer repeats.
type asked struct {
	id        json.RawMessage
	promptIDs []int32
	request   decoder.Request
}

// asksModel reports whether the model is needed: a request for nothing but the
// ids of its prompt may be of any length, none included.
func (a asked) asksModel() bool { return a.request.Logits || len(a.request.Continuations) > 0 }

// readRequests reads and checks every line before anything is computed. Lines
// that cannot be answered do not stop the others.
func readRequests(env environment, m *model, config decoder.Config, file string) (list []asked, bad badLines, err error) {
	var in io.Reader = env.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		in = f
	}
	var tokenizer *token.Tokenizer // read when the first text asks for it
	err = task.EachLine(file, in, func(number int, text []byte) error {
		var r probeRequest
		err := json.Unmarshal(text, &r)
		if err != nil {
			err = fmt.Errorf("not a request: %w", err)
		} else if tokenizer == nil && (r.Prompt != nil || r.Continuations != nil) {
			if tokenizer, err = m.tokenizer(); err != nil {
				return err // it concerns every line
			}
		}
		var a asked
		if err == nil {
			a, err = r.resolve(tokenizer)
		}
		if err == nil && a.asksModel() {
			err = a.request.Check(config)
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%d: %w", file, number, err))
			return nil
		}
		list = append(list, a)
		return nil
	})
	return list, bad, err
}

// resolve turns texts into token ids.
func (r probeRequest) resolve(t *token.Tokenizer) (asked, error) {
	a := asked{id: r.ID}
	switch {
	case len(r.ID) == 0 || string(r.ID) == "null":
		return a, errors.New(`"id" is missing`)
	case (r.Prompt == nil) == (r.PromptIDs == nil):
		return a, errors.New(`needs one of "prompt" and "prompt_ids"`)
	case r.Continuations != nil && r.ContinuationIDs != nil:
		return a, errors.New(`"continuations" and "continuation_ids" exclude each other`)
	case r.Prompt == nil && r.Continuations != nil:
		return a, errors.New(`"continuations" need "prompt" as text: a token may span the join; "continuation_ids" go with "prompt_ids"`)
	}
	a.request = decoder.Request{Prompt: r.PromptIDs, Continuations: r.ContinuationIDs, Logits: r.Logits}
	if r.Prompt == nil {
		a.promptIDs = r.PromptIDs
		return a, nil
	}
	a.promptIDs = t.Encode(*r.Prompt)
	a.request.Prompt = a.promptIDs
	if r.Continuations == nil {
		return a, nil
	}
	encoded, err := probe.Encode(t, *r.Prompt, r.Continuations)
	if err == nil && r.Logits && len(encoded.Prompt) < len(a.promptIDs) {
		err = errors.New("a token spans the end of the prompt: ask for its logits in a request of their own")
	}
	encoded.Logits = r.Logits
	a.request = encoded
	return a, err
}

func printAnswers(env environment, asked []asked, responses []decoder.Response) error {
	encoder := json.NewEncoder(env.out)
	encoder.SetEscapeHTML(false)
	for _, a := range asked {
		answer := probeAnswer{ID: a.id, PromptIDs: append([]int32{}, a.promptIDs...), LogProbs: []number{}, Greedy: []bool{}}
		if a.asksModel() {
			r := responses[0]
			responses = responses[1:]
			answer.Greedy, answer.Logits = append(answer.Greedy, r.Greedy...), r.Logits
			for _, v := range r.LogProbs {
				answer.LogProbs = append(answer.LogProbs, number(v))
			}
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}
