package cli

import (
	"context"
	"fmt"
	"math"

	"github.com/urfave/cli/v2"

	"surgeon/cli/table"
	"surgeon/probe"
	"surgeon/probe/stat"
	"surgeon/tensors/kernel"
)

func scoreCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "score",
		Usage:     "score a model on tasks: multiple choice and exact answers",
		ArgsUsage: "MODEL",
		Description: `A task is a file of JSON lines. With "choices" and "gold" (an index from 0, a letter or the
choice) the most likely choice after the prompt counts: of the letters A, B, ... where the
prompt lists the choices under letters, or else of their texts. With "answer" (a text or a
list) a text is generated after the prompt and compared, in lower case, without the blanks
around it and the full stops behind it.
Prompts that are too long for the model lose their beginning, which is said. A run that was
stopped goes on when it is given again.

Examples:
   surgeon score base
   surgeon score chem --tasks symbols --json`,
		Flags: common(benchFlags()...),
		Action: func(c *cli.Context) error {
			args, err := models(c, 1, 1, "a model")
			if err != nil {
				return err
			}
			opt, err := parseBench(c)
			if err != nil {
				return err
			}
			progress, finish := env.progress(c, "score", "rows")
			defer finish()
			return runScore(c.Context, env, opt, c.Bool("json"), progress, finish, args[0])
		},
	}
}

// scoredModel is what score says, and its JSON.
type scoredModel struct {
	Model string      `json:"model"`
	Tasks []sweepTask `json:"tasks"`
	Rate  number      `json:"tokens_per_second,omitempty"` // that went through the model
	Notes []string    `json:"notes,omitempty"`
}

func runScore(ctx context.Context, env environment, opt benchOptions, asJSON bool, progress func(done, total int64), finish func(), name string) error {
	m, err := openModel(name)
	if err != nil {
		return err
	}
	defer m.Close()
	bench, taskNotes, err := newBench(m, opt)
	if err != nil {
		return err
	}
	bench.Progress = progress
	in := inputs{base: m}
	scores, kept, err := scored(ctx, bench, in.identity(mergeOptions{}), []probe.Candidate{{ID: name, Source: m}})
	finish()
	if err == nil && scores[0].Err != nil {
		err = fmt.Errorf("%s: %w", name, scores[0].Err)
	}
	if err != nil {
		return err
	}
	result := scoredModel{Model: name, Rate: env.rate(scores[0].Tokens, scores[0].Time), Notes: append(notes(m.embedded), taskNotes...)}
	if result.Tasks, err = summary(scores[0]); err != nil {
		return err
	}
	result.Notes = append(result.Notes, runNotes(kept, scores[0].Truncated)...)
	if asJSON {
		return env.printJSON(result)
	}
	return result.print(env)
}

// runNotes say what of a run was taken from an earlier one, and which prompts
// were cut.
func runNotes(kept, truncated int) (list []string) {
	if kept > 0 {
		list = append(list, fmt.Sprintf("%s of a run that was stopped were not computed again", plural(kept, "answer")))
	}
	if truncated > 0 {
		list = append(list, fmt.Sprintf("warning: %s too long for the model's context lost their beginning", plural(truncated, "prompt")))
	}
	if !kernel.Portable() {
		list = append(list, unportable())
	}
	return list
}

// unportable says what the instruction set in use changes.
func unportable() string {
	return fmt.Sprintf("SURGEON_ISA=%s: sums in another order than elsewhere, so last digits differ", kernel.Instructions())
}

// summary turns the scores of items into means.
func summary(scores probe.Scores) (list []sweepTask, err error) {
	for _, scored := range scores.Tasks {
		mean, err := stat.Mean(scored.Sample, confidence)
		if err != nil {
			return nil, err
		}
		list = append(list, sweepTask{Task: scored.Task, Metric: scored.Metric, N: mean.N, Score: number(mean.Mean), SE: number(mean.SE),
			Low: number(mean.Low), High: number(mean.High)})
	}
	return list, nil
}

func (s *scoredModel) print(env environment) error {
	env.printf("%s, 95 %% intervals\n\n", s.Model)
	columns := []table.Column{{Name: "task"}, {Name: "metric"}, {Name: "items", Right: true}, {Name: "score", Right: true},
		{Name: "se", Right: true}, {Name: "interval (%)", Right: true}}
	var rows [][]string
	for _, t := range s.Tasks {
		rows = append(rows, append([]string{t.Task, t.Metric, fmt.Sprint(t.N)}, t.cells()...))
	}
	if err := env.printTable(columns, rows); err != nil {
		return err
	}
	if s.Rate > 0 {
		env.printf("\n%v tokens/s\n", float64(s.Rate))
	}
	env.printf("\n")
	return env.footnotes(s.Notes)
}

// cells are the score, its standard error and its interval.
func (t sweepTask) cells() []string {
	return []string{fmt.Sprintf("%.1f %%", 100*float64(t.Score)), defined(t.SE, "%.1f pp", 100*float64(t.SE)),
		fmt.Sprintf("%.1f to %.1f", 100*float64(t.Low), 100*float64(t.High))}
}

// defined formats what depends on a number, which one item alone does not give.
func defined(n number, format string, values ...any) string {
	if math.IsNaN(float64(n)) {
		return "-"
	}
	return fmt.Sprintf(format, values...)
}
