package cli

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"surgeon/probe"
	"surgeon/probe/record"
	"surgeon/tensors/kernel"
)

func scoreCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "score",
		Usage:     "score a model on tasks: benchmarks, instructions, safety, your own questions",
		ArgsUsage: "[MODEL]",
		Description: `Without a model the embedded base and chem are scored, one after the other.
Tasks are asked and graded as lm-evaluation-harness does: mmlu and its groups and subjects,
mmlu_continuation, gsm8k, gsm8k_cot, ifeval, chembench, safety, whose files are found in --data;
instruct and refusal, which are part of surgeon; and files of JSON lines. There a line with
"choices" and "gold" (an index from 0, a letter or the choice) is multiple choice; one with
"answer" (a text or a list) is answered by a text that is compared, in lower case, without the
blanks around it and the full stops behind it; with "tolerance" or "relative_tolerance" by a
number; "form" may say mcq, cloze, exact, numeric or refusal (with "refuse": true or false).
With --out the plan is written into a run folder before the first score, and every answer as it
comes; a run that was stopped goes on when it is given again, with and without --out.
With --responses answers that another program wrote are graded, without a model.

Examples:
   surgeon score
   surgeon score base
   surgeon score chem --tasks pair_facts --json
   surgeon score base --tasks pair_facts,refusal --out run-base
   surgeon score chem --tasks pair_facts,refusal --out run-chem
   surgeon score --responses answers.jsonl --tasks ifeval`,
		Flags: common(append(benchFlags(),
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "a run folder, `DIR`: plan, answers and results, for compare"},
			&cli.StringSliceFlag{Name: "reuse", Usage: "answers in the run folder `DIR` serve where the question is the same; may be repeated"},
			&cli.StringFlag{Name: "export", Usage: "write results and samples to `DIR` as lm-evaluation-harness does"},
			&cli.StringFlag{Name: "responses", Usage: "grade the answers in `FILE.jsonl`, without a model"},
			&cli.DurationFlag{Name: "budget", Usage: "stop asking after `TIME`, as 30m: items come in a random order then"},
			&cli.StringFlag{Name: "against", Usage: "the `RUN` of the base: a task ends when its comparison is decided, with the error spent over twenty looks"},
			&cli.StringSliceFlag{Name: "margin", DefaultText: "0.02, 0.03 for gsm8k and ifeval, 0.01 for safety and refusal", Usage: "planned for compare: the largest loss that does not matter, a `SHARE`, or TASK=SHARE"},
			&cli.BoolFlag{Name: "all", Usage: "a row for every task of a group, such as the subjects of mmlu"},
		)...),
		Action: func(c *cli.Context) error { return scoreAction(env, c) },
	}
}

// scoreOptions are what the flags of score say beside those of the bench.
type scoreOptions struct {
	bench    benchOptions
	out      string
	reuse    []string
	export   string
	budget   time.Duration
	against  string
	margins  margins
	all      bool
	json     bool
	again    bool // another model was scored so before: what holds of both is said already
	progress func(title string) (step func(done, total int64), finish func())
}

func scoreAction(env environment, c *cli.Context) error {
	bench, err := parseBench(c)
	if err != nil {
		return err
	}
	if c.IsSet("responses") {
		if _, err := models(c, 0, 0, "no model with --responses"); err != nil {
			return err
		}
		for _, flag := range []string{"out", "export", "reuse", "budget", "against", "margin", "seeds", "limit", "sample", "num-fewshot", "shots-per", "shuffle-options", "apply-chat-template", "system-instruction", "gen-kwargs", "max-tokens", "stop", "all"} {
			if c.IsSet(flag) {
				return usagef("--%s says how a model is asked, and with --responses none is", flag)
			}
		}
		return runResponses(env, bench, c.String("responses"), c.Bool("json"))
	}
	args, err := models(c, 0, 1, "a model, or none for the embedded pair")
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = orPair(args)
		for _, flag := range []string{"out", "reuse", "export", "budget", "against"} {
			if c.IsSet(flag) {
				return usagef("--%s is for one model: without any, score scores %s and %s", flag, args[0], args[1])
			}
		}
	}
	opt := scoreOptions{bench: bench, out: c.String("out"), reuse: c.StringSlice("reuse"), export: c.String("export"), budget: c.Duration("budget"), against: c.String("against"),
		all: c.Bool("all"), json: c.Bool("json")}
	if opt.margins, err = parseMargins(c.StringSlice("margin")); err != nil {
		return err
	}
	for _, flag := range []string{"out", "export", "against"} {
		if c.IsSet(flag) && c.String(flag) == "" {
			return usagef("--%s: the name is empty", flag)
		}
	}
	switch {
	case opt.budget < 0:
		return usagef("--budget %v: want a time such as 30m", opt.budget)
	case len(opt.reuse) > 0 && opt.out == "":
		return usagef("--reuse copies answers into a run folder: give --out DIR")
	}
	opt.progress = func(title string) (func(done, total int64), func()) { return env.progress(c, title, "rows") }
	return runScore(c.Context, env, opt, args...)
}

// runScore scores models and prints a table for each, or their JSON: a list of
// several.
func runScore(ctx context.Context, env environment, opt scoreOptions, names ...string) error {
	var results []*scoredModel
	for i, name := range names {
		result, err := scoreModel(ctx, env, opt, name)
		if err != nil {
			return err
		}
		results, opt.again = append(results, result), true
		if opt.json {
			continue
		}
		if i > 0 {
			env.printf("\n")
		}
		if err := result.print(env, opt.all); err != nil {
			return err
		}
	}
	switch {
	case !opt.json:
		return nil
	case len(results) == 1:
		return env.printJSON(results[0])
	}
	return env.printJSON(results)
}

// scoreModel scores one model.
func scoreModel(ctx context.Context, env environment, opt scoreOptions, name string) (*scoredModel, error) {
	start := time.Now()
	m, err := openModel(name)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	opt.bench.suit(m.embedded)
	bench, set, err := newBench(m, opt.bench)
	if err != nil {
		return nil, err
	}
	if err := opt.margins.check(set.names()); err != nil {
		return nil, err
	}
	identity, err := m.identity(ctx)
	if err != nil {
		return nil, err
	}
	var finish func()
	bench.Progress, finish = opt.progress("score " + name)
	defer finish()
	e := &evaluation{bench: bench, candidates: []probe.Candidate{{ID: name, Source: m}}, identities: []string{identity}, dir: opt.out, reuse: opt.reuse}
	if e.asked, err = bench.Ask(); err != nil {
		return nil, err
	}
	if e.limits, err = opt.limits(start); err != nil {
		return nil, err
	}
	e.plan = planOfScore(env, e, set, opt, name)
	if !opt.again {
		for _, note := range powerNotes(set) {
			env.complain("note: " + note)
		}
	}
	scores, err := e.run(ctx)
	finish()
	if err == nil && scores[0].Err != nil {
		err = fmt.Errorf("%s: %w", name, scores[0].Err)
	}
	if err != nil {
		return nil, err
	}
	result := &scoredModel{Model: name, Rate: env.rate(scores[0].Tokens, scores[0].Time), Notes: append(notes(m.embedded), set.notes...)}
	if err := result.summarise(e, set, scores[0]); err != nil {
		return nil, err
	}
	result.Notes = append(result.Notes, e.warnings...)
	result.Notes = append(result.Notes, e.limits.notes()...)
	result.Rerun = e.again
	result.Notes = append(result.Notes, e.again.note()...)
	result.Notes = append(result.Notes, seedNotes(bench, e.asked)...)
	result.Notes = append(result.Notes, runNotes(e.kept, scores[0].Truncated)...)
	if err := e.write(*result); err != nil {
		return nil, err
	}
	if opt.export != "" {
		if err := exportRun(opt.export, e, set, scores, opt.bench, time.Now().UTC()); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// limits are those of --budget and --against; nil without.
func (opt scoreOptions) limits(start time.Time) (*limits, error) {
	if opt.budget == 0 && opt.against == "" {
		return nil, nil
	}
	l := &limits{rules: opt.planned()}
	if opt.budget > 0 {
		l.until = start.Add(opt.budget)
	}
	if opt.against == "" {
		return l, nil
	}
	run, err := record.Read(opt.against)
	if err != nil {
		return nil, err
	}
	if len(run.Models()) > 1 {
		return nil, fmt.Errorf("%s has answers of %d models: --against takes a run of one", opt.against, len(run.Models()))
	}
	l.against = &run
	return l, nil
}

// planned are the margins.
func (opt scoreOptions) planned() margins { return usualMargins.with(opt.margins) }

// planOfScore is the plan of one model's run.
func planOfScore(env environment, e *evaluation, set *taskSet, opt scoreOptions, name string) record.Plan {
	plan := newPlan(env, "score", e.bench, set, opt.bench)
	plan.Questions = len(e.asked)
	plan.Models = []record.Model{{Input: record.Input{Name: filepath.Base(filepath.Clean(name)), Path: name, Digest: e.identities[0]}}}
	plan.Margins = asJSON(opt.planned())
	if opt.budget > 0 || opt.against != "" {
		plan.Rule = asJSON(map[string]any{"against": e.limits.base(), "looks": parts, "spending": "O'Brien-Fleming"})
	}
	return plan
}

// runNotes say what of a run was taken from an earlier one, and which prompts
// were cut.
func runNotes(kept, truncated int) (list []string) {
	if kept > 0 {
		list = append(list, fmt.Sprintf("%s were there already and were not computed again", plural(kept, "answer")))
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

// defined formats what depends on a number, which one item alone does not give.
func defined(n number, format string, values ...any) string {
	if math.IsNaN(float64(n)) {
		return "-"
	}
	return fmt.Sprintf(format, values...)
}
