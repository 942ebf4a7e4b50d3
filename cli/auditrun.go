package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"surgeon/probe"
	"surgeon/probe/attribute"
	"surgeon/probe/audit"
	"surgeon/probe/record"
	"surgeon/probe/task"
	"surgeon/probe/task/dataset"
)

// auditing is an audit that runs.
type auditing struct {
	env         environment
	opt         auditOptions
	in          *inputs
	base, tuned string
	others      []*inputs // of the user's candidates

	bench           *probe.Bench
	set             *taskSet
	asked           []probe.Asked
	kinds           map[string]audit.Kind // by unit
	digests         [2]string             // of base and tuned
	files           [2][]record.Input     // of their weights
	candidates      []auditCandidate
	groups          []attribute.Group
	found           *attribution // nil before it was looked for
	selected        map[string]bool
	said            []string
	frozen          string            // why there are no gradients; "" if there are
	missing         map[string]string // benchmarks of which there are no data, and why
	general, domain []reference       // answers by which the harm is found
}

func (a *auditing) close() {
	for _, in := range a.others {
		in.close()
	}
}

// prepare opens the tasks and lists the candidates, before any question.
func (a *auditing) prepare(ctx context.Context) (err error) {
	a.opt.bench.suit(a.in.base.embedded)
	a.present()
	if a.bench, a.set, err = newBench(a.in.base, a.opt.bench); err != nil {
		return err
	}
	if err := a.sortTasks(); err != nil {
		return err
	}
	if err := a.opt.margins.check(a.set.units()); err != nil {
		return err
	}
	if a.asked, err = a.bench.Ask(); err != nil {
		return err
	}
	if err := a.bothSides(); err != nil {
		return err
	}
	for i, m := range []func(context.Context) (string, error){a.in.base.identity, a.in.tuned[0].identity} {
		if a.digests[i], err = m(ctx); err != nil {
			return err
		}
	}
	for i, m := range []weighed{a.in.base, a.in.tuned[0]} {
		if a.files[i], err = a.filesOf(ctx, m); err != nil {
			return err
		}
	}
	if a.opt.finalists == "" {
		if a.opt.finalists = finalistsBest; a.in.base.embedded {
			a.opt.finalists = finalistsAll
		}
	}
	if a.opt.references == 0 {
		if a.opt.references = fewReferences; a.in.base.embedded {
			a.opt.references = manyReferences
		}
	}
	a.groups = attribute.Groups(a.in.tuned[0].delta.Names(), depthBands)
	if err := a.listCandidates(ctx); err != nil {
		return err
	}
	if !slices.ContainsFunc(a.candidates, func(c auditCandidate) bool { return c.Name == a.opt.ship && shippable(c.Class) }) {
		return usagef("--ship %s: there is no such candidate that could be shipped", a.opt.ship)
	}
	return nil
}

// weighed is a model or an adapter, whose weights are files.
type weighed interface {
	weightFiles(ctx context.Context, progress func(done, total int64)) ([]record.Input, error)
}

func (a *auditing) filesOf(ctx context.Context, m weighed) ([]record.Input, error) {
	step, finish := a.opt.progress("digests", "bytes")
	defer finish()
	return m.weightFiles(ctx, step)
}

// present leaves out the benchmarks of which there are no data: an audit of the others
// is worth more than none, if it says what it did not ask.
func (a *auditing) present() {
	a.missing = map[string]string{}
	alone := a.opt.bench
	alone.sample = nil
	var kept []string
	for _, name := range a.opt.bench.tasks {
		alone.tasks = []string{name}
		_, err := openTasks(alone, a.in.base.embedded)
		var absent *dataset.AbsentError
		if errors.As(err, &absent) || errors.Is(err, task.ErrNoData) {
			a.missing[name] = err.Error()
			a.said = append(a.said, fmt.Sprintf("warning: %s is not tested: %v", name, err))
			continue
		}
		kept = append(kept, name) // other errors come again
	}
	if len(kept) > 0 {
		a.opt.bench.tasks = kept
		for name := range a.missing {
			delete(a.opt.bench.sample, name)
			delete(a.opt.margins, name)
		}
		gone := func(name string) bool { return a.missing[name] != "" }
		a.opt.domain, a.opt.safety = slices.DeleteFunc(a.opt.domain, gone), slices.DeleteFunc(a.opt.safety, gone)
	}
}

// depthBands is how many bands of layers the attribution tells apart.
const depthBands = 4

// The answers of either kind whose cross-entropy is measured, of a small model and of
// any other.
const (
	manyReferences = 256
	fewReferences  = 32
)

// stage names a part of an audit for its progress.
func stage(n int, what string) string { return fmt.Sprintf("%d/4 %s", n, what) }

// run carries out the audit: base and fine-tune first, then where the harm sits,
// then the repairs on the items that choose one, then those on the others that came
// so far.
func (a *auditing) run(ctx context.Context) error {
	var scores []probe.Scores
	err := a.timed(ctx, partModels, func() (err error) {
		scores, err = a.scored(ctx, stage(1, partModels), a.candidates[:2], a.asked)
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range scores {
		if s.Err != nil {
			return fmt.Errorf("%s: %w", s.ID, s.Err)
		}
	}
	err = a.timed(ctx, partWhere, func() error {
		if err := a.attribute(ctx, scores); err != nil {
			return err
		}
		return a.routes(ctx)
	})
	if err != nil {
		return err
	}
	var made []auditCandidate
	for _, c := range a.candidates[2:] {
		if c.source != nil {
			made = append(made, c)
		}
	}
	chosen, judged := a.parts()
	err = a.timed(ctx, partChoose, func() error { return a.repairs(ctx, stage(3, partChoose), made, chosen) })
	if err != nil {
		return err
	}
	if a.opt.finalists != finalistsAll {
		names, err := finalistsOf(a.opt.out)
		if err != nil {
			return err
		}
		made = slices.DeleteFunc(made, func(c auditCandidate) bool {
			return !slices.Contains(names, c.Name) && c.Class != classRepeat && c.Class != classRelearned
		})
	}
	return a.timed(ctx, partJudge, func() error { return a.repairs(ctx, stage(4, partJudge), made, judged) })
}

// repairs asks some questions of repairs. One that fails is left out.
func (a *auditing) repairs(ctx context.Context, title string, list []auditCandidate, asked []probe.Asked) error {
	if len(list) == 0 || len(asked) == 0 {
		return nil
	}
	scores, err := a.scored(ctx, title, list, asked)
	if err != nil {
		return err
	}
	for _, s := range scores {
		if s.Err != nil {
			a.said = append(a.said, fmt.Sprintf("%s failed and is left out: %v", s.ID, s.Err))
		}
	}
	return nil
}

// parts are the questions to choose a candidate by, and those to judge it by.
func (a *auditing) parts() (chosen, judged []probe.Asked) {
	for _, q := range a.asked {
		t := &a.bench.Tasks[q.Task]
		if a.selects(t.Name, t.Items[q.Item]) {
			chosen = append(chosen, q)
		} else {
			judged = append(judged, q)
		}
	}
	return chosen, judged
}

// scored asks candidates in the run folder.
func (a *auditing) scored(ctx context.Context, title string, list []auditCandidate, asked []probe.Asked) ([]probe.Scores, error) {
	e := &evaluation{bench: a.bench, asked: asked, dir: a.opt.out, reuse: a.opt.reuse, plan: a.plan()}
	for _, c := range list {
		e.candidates = append(e.candidates, probe.Candidate{ID: c.Name, Source: c.source})
		e.identities = append(e.identities, c.identity)
	}
	var finish func()
	a.bench.Progress, finish = a.opt.progress(title, "rows")
	scores, err := e.run(ctx)
	finish()
	if note := e.again.note(); len(note) > 0 {
		a.said = append(a.said, fmt.Sprintf("%s: %s", title, join(note)))
	}
	return scores, err
}
