package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"surgeon/merge"
	"surgeon/probe/audit"
	"surgeon/probe/record"
)

func auditCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "audit",
		Usage:     "what a fine-tune forgot, where, what repairs it, and whether the gap closes",
		ArgsUsage: "BASE CHEM",
		Description: `One run folder holds the whole audit. The plan is written and hashed first: tasks, margins, seeds,
the candidates and the rule by which one is chosen. Then come the drift of the weights, the tasks
on both models, where the harm sits (each group of tensors reverted in CHEM, and put into BASE,
by the cross-entropy of reference answers), and the repairs, each carried out and scored without
being written: merges over alpha, LiNeS both ways, groups reverted by their exchange rate, alphas
by group, low-rank extractions, and candidates of your own (--candidate replay=DIR, a run with
replay for instance). Candidates are chosen on 40 % of the items and judged on the others.

--domain names the tasks that CHEM was made for, --safety those that must not be lost at all;
all others are general. Without models the embedded pair is audited.
A killed audit goes on with the same command. --gate ends with exit code 1 unless the fine-tune
may be shipped as it is, or the candidate of --ship.

Examples:
   surgeon audit --plan-only
   surgeon audit base chem-mild --limit 6 --repairs interpolation,training --candidate replay=chem-replay --out quick-look`,
		Flags: common(append(benchFlags(),
			&cli.StringSliceFlag{Name: "domain", Usage: "the `TASKS` that CHEM was made for, as a list"},
			&cli.StringSliceFlag{Name: "safety", Usage: "the `TASKS` that must not be lost, as a list; refusal and safety are always among them"},
			&cli.StringSliceFlag{Name: "candidate", Usage: "a repair of your own, `NAME=MODEL`: a model or an adapter; may be repeated"},
			&cli.StringSliceFlag{Name: "repeat", Usage: "another fine-tune of CHEM's recipe with another seed, `NAME=MODEL`, to see how far it is luck; may be repeated"},
			&cli.StringSliceFlag{Name: "margin", DefaultText: "0.02, safety 0.01", Usage: "the largest loss that does not matter, a `SHARE`, or TASK=SHARE"},
			&cli.Float64Flag{Name: "retention", Value: 0.8, Usage: "the `SHARE` of the domain's gain that a repair must keep"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Value: "surgeon-audit", Usage: "the run folder, `DIR`"},
			&cli.StringSliceFlag{Name: "reuse", Usage: "answers in the run folder `DIR` serve where the question is the same; may be repeated"},
			&cli.StringSliceFlag{Name: "repairs", DefaultText: "all", Usage: "the `CLASSES` of repairs to try, as a list of " + strings.Join(repairClasses, ", ")},
			&cli.StringFlag{Name: "finalists", DefaultText: "all of the embedded pair, best of others", Usage: "judge `WHICH` candidates on the report items: all, or the best of each class"},
			&cli.IntFlag{Name: "references", DefaultText: fmt.Sprintf("%d, embedded %d", fewReferences, manyReferences), Usage: "find the harm by `N` answers of either kind, at most"},
			&cli.StringFlag{Name: "ship", Value: "tuned", Usage: "--gate is for `NAME`: tuned, or a candidate"},
			&cli.StringFlag{Name: "date", Usage: "the memo's date, `YYYY-MM-DD`; none: left to be filled in"},
			&cli.StringFlag{Name: "author", Usage: "the memo's author, `NAME`"},
			&cli.StringFlag{Name: "owner", Usage: "`NAME` of who decides"},
			&cli.BoolFlag{Name: "plan-only", Usage: "print what would be asked and what it costs, and ask nothing"},
			&cli.BoolFlag{Name: "gate", Usage: "exit code 1 unless the fine-tune may be shipped"})...),
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			if len(args) == 0 {
				args = embedded.Models[:2]
			}
			if len(args) != 2 {
				return usagef("audit takes a base and a fine-tune, or none for the embedded pair, and %d were given: surgeon audit --help", len(args))
			}
			opt, err := parseAudit(c)
			if err != nil {
				return err
			}
			opt.progress = func(title, unit string) (func(done, total int64), func()) { return env.progress(c, title, unit) }
			return runAudit(c.Context, env, opt, args[0], args[1])
		},
	}
}

// auditOptions are the choices of audit.
type auditOptions struct {
	json, planOnly, gate bool
	out, ship            string
	repairs              []string
	finalists            string // "": by the pair
	references           int    // 0: by the pair
	date, author, owner  string
	domain, safety       []string
	candidates, repeats  []namedModel
	margins              margins
	retention            float64
	reuse                []string
	bench                benchOptions
	progress             func(title, unit string) (step func(done, total int64), finish func())
}

// namedModel is a repair that the user brings.
type namedModel struct{ name, model string }

func parseAudit(c *cli.Context) (opt auditOptions, err error) {
	opt = auditOptions{json: c.Bool("json"), planOnly: c.Bool("plan-only"), gate: c.Bool("gate"), out: c.String("out"),
		domain: splitTasks(c.StringSlice("domain")), safety: splitTasks(c.StringSlice("safety")), retention: c.Float64("retention"), reuse: c.StringSlice("reuse")}
	if !(opt.retention > 0 && opt.retention <= 1) {
		return opt, usagef("--retention %v: want a share above 0 and at most 1", opt.retention)
	}
	if opt.candidates, err = parseNamed(c, "candidate"); err != nil {
		return opt, err
	}
	if opt.repeats, err = parseNamed(c, "repeat"); err != nil {
		return opt, err
	}
	if err := opt.parseScope(c); err != nil {
		return opt, err
	}
	if opt.margins, err = parseMargins(c.StringSlice("margin")); err != nil {
		return opt, err
	}
	opt.bench, err = parseBench(c)
	return opt, err
}

// parseNamed reads models of the user's, NAME=MODEL.
func parseNamed(c *cli.Context, flag string) (list []namedModel, err error) {
	for _, text := range c.StringSlice(flag) {
		name, model, ok := strings.Cut(text, "=")
		if !ok || name == "" || model == "" {
			return nil, usagef("--%s %q: want NAME=MODEL", flag, text)
		}
		if slices.ContainsFunc(list, func(n namedModel) bool { return n.name == name }) {
			return nil, usagef("--%s %s is given twice", flag, name)
		}
		list = append(list, namedModel{name, model})
	}
	return list, nil
}

// parseScope reads what of an audit is asked for.
func (opt *auditOptions) parseScope(c *cli.Context) error {
	opt.repairs, opt.finalists, opt.references, opt.ship = splitTasks(c.StringSlice("repairs")), c.String("finalists"), c.Int("references"), c.String("ship")
	opt.date, opt.author, opt.owner = c.String("date"), c.String("author"), c.String("owner")
	for _, class := range opt.repairs {
		if !slices.Contains(repairClasses, class) {
			return usagef("--repairs %s: there is no such class: %s", class, strings.Join(repairClasses, ", "))
		}
	}
	if len(opt.repairs) == 0 {
		opt.repairs = repairClasses
	}
	if opt.finalists != "" && opt.finalists != finalistsAll && opt.finalists != finalistsBest {
		return usagef("--finalists %s: want %s or %s", opt.finalists, finalistsAll, finalistsBest)
	}
	if c.IsSet("references") && opt.references < 1 {
		return usagef("--references %d: want at least 1", opt.references)
	}
	if opt.date != "" {
		if _, err := time.Parse(time.DateOnly, opt.date); err != nil {
			return usagef("--date %s: want YYYY-MM-DD", opt.date)
		}
	}
	return nil
}

func runAudit(ctx context.Context, env environment, opt auditOptions, baseName, tunedName string) error {
	in, err := openMerge(merge.Refuse, baseName, tunedName)
	if err != nil {
		return err
	}
	defer in.close()
	if err := in.sameArchitecture(); err != nil {
		return err
	}
	a := &auditing{env: env, opt: opt, in: in, base: baseName, tuned: tunedName}
	defer a.close()
	if err := a.prepare(ctx); err != nil {
		return err
	}
	if opt.planOnly {
		return a.printPlan(ctx)
	}
	result, paths, err := a.result(ctx)
	if err != nil {
		return err
	}
	if opt.json {
		err = env.printJSON(result)
	} else if err = result.print(env); err == nil {
		err = env.footnotes(append(append(a.said, a.timesNote()...), "memo: "+join(paths)))
	}
	if err == nil && opt.gate {
		err = result.gate(opt.ship)
	}
	return err
}

// result carries the audit out and writes what it comes to, and its memo, but for one of
// this plan that has ended before with all answers: repairs need not be made again to be
// read.
func (a *auditing) result(ctx context.Context) (r *auditResult, paths []string, err error) {
	if r := a.finished(); r != nil {
		paths, err := r.writeMemo()
		return r, paths, err
	}
	if err := a.run(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, nil, suspended{a.opt.out, err}
		}
		return nil, nil, err
	}
	err = a.timed(ctx, partDecided, func() (err error) {
		if r, err = auditOf(a.opt.out); err != nil {
			return err
		}
		if err := r.write(); err != nil {
			return err
		}
		paths, err = r.writeMemo()
		return err
	})
	return r, paths, err
}

// finished is the audit of the run folder, if it is of this plan and has ended with the
// answers of every candidate.
func (a *auditing) finished() *auditResult {
	run, err := record.Read(a.opt.out)
	if err != nil || run.Plan == nil || run.Plan.Hash() != a.plan().Hash() {
		return nil
	}
	if _, err := os.Stat(filepath.Join(a.opt.out, resultsFile)); err != nil {
		return nil
	}
	if r, err := auditOf(a.opt.out); err == nil && r.unchanged() == nil && r.complete() {
		return r
	}
	return nil
}

// complete reports whether no candidate lacks an answer that was to be asked for.
func (r *auditResult) complete() bool {
	for _, c := range r.planned {
		judged := r.Rule.Finalists == finalistsAll || slices.Contains(r.Best, c.Name) || c.Class == classRepeat || c.Class == classRelearned
		why := c.Class == classIsolation && r.unrouted != ""
		if r.Where != nil {
			_, not := r.Where.made(c.Name)
			why = why || not != ""
		}
		if !why && !(r.m.has(c.Name, r.m.selected) && (!judged || r.m.has(c.Name, r.m.report))) {
			return false
		}
	}
	return true
}

// suspended is the error of an audit that was interrupted.
type suspended struct {
	dir string
	error
}

// Error implements error.
func (s suspended) Error() string {
	return fmt.Sprintf("interrupted: what was answered and found is kept in %s, the same command goes on from there", s.dir)
}

// Unwrap returns the reason.
func (s suspended) Unwrap() error { return s.error }

// gate is the error of a model that must not be shipped: all but what the rule of the
// decision would ship without conditions.
func (r *auditResult) gate(name string) error {
	d, err := r.decisionOn(name)
	if err != nil || d.Word == audit.Ship {
		return err
	}
	return gateError{strings.Join(append([]string{fmt.Sprintf("%s: %s: %s", name, d.Word, d.Why)}, d.Conditions[:min(1, len(d.Conditions))]...), " ")}
}

// decisionOn is what would be decided if a candidate were the one to ship.
func (r *auditResult) decisionOn(name string) (audit.Decision, error) {
	e := r.trials()
	if name == e.Tuned.Name {
		d := audit.Decide(e.Tuned, e.Tuned, r.rule)
		if d.Word == audit.Hold {
			d.Why = e.Tuned.Verdict.Sentence
		}
		return d, nil
	}
	for _, t := range e.Candidates {
		if t.Name == name {
			return audit.Decide(e.Tuned, t, r.rule), nil
		}
	}
	for _, c := range r.Candidates {
		if c.Name == name {
			return audit.Decision{}, gateError{fmt.Sprintf("%s was not judged: %s", name, cmp.Or(c.Error, "it was not among the best of its class"))}
		}
	}
	return audit.Decision{}, usagef("--ship %s: there is no such candidate", name)
}
