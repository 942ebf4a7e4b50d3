package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"surgeon/cli/plot"
	"surgeon/cli/table"
	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/stat"
)

// scoredRank is the base with the adapter at a rank, the base, or the fine-tune.
type scoredRank struct {
	ID     string      `json:"id"`
	Rank   int         `json:"rank,omitempty"`
	Bytes  int64       `json:"bytes"` // of the adapter's tensors, of the fine-tune's
	Tasks  []rankScore `json:"tasks"`
	Error  string      `json:"error,omitempty"`
	Tokens number      `json:"tokens_per_second,omitempty"`
}

// rankScore is a score on a task with the paired difference from the fine-tune.
type rankScore struct {
	sweepTask
	ToTuned *sweepDifference `json:"difference_from_tuned,omitempty"`
}

// score scores the base, the adapter at every rank, and the fine-tune, from one
// decomposition.
func (x *extraction) score(ctx context.Context, env environment, opt extractOptions) error {
	if err := x.in.sameArchitecture(); err != nil {
		return err
	}
	tuned, err := x.in.merged(merge.Number(1))
	if err != nil {
		return err
	}
	candidates := []probe.Candidate{{ID: "base", Source: x.in.from}}
	x.Ranks = []scoredRank{{ID: "base"}}
	for _, rank := range opt.at {
		a := x.whole(rank, opt)
		a.Sparse = x.adapter.Sparse // of the highest rank, which is then the only one
		delta, err := a.Over(x.in.base)
		if err != nil {
			return err
		}
		m, err := merge.Apply(x.in.base, merge.Term{Label: x.Tuned, Delta: delta, Alpha: merge.Number(1)})
		if err != nil {
			return err
		}
		id := fmt.Sprintf("rank=%d", rank)
		candidates = append(candidates, probe.Candidate{ID: id, Source: m})
		x.Ranks = append(x.Ranks, scoredRank{ID: id, Rank: rank, Bytes: a.Bytes()})
	}
	candidates = append(candidates, probe.Candidate{ID: "tuned", Source: tuned})
	x.Ranks = append(x.Ranks, scoredRank{ID: "tuned", Bytes: bytesOf(tuned)})
	identities, err := x.identities(ctx, opt)
	if err != nil {
		return err
	}
	scores, notes, err := scoreAll(ctx, env, "lora extract", x.in.base, opt.bench, candidates, identities, opt.progress)
	x.Notes = append(x.Notes, notes...)
	if err != nil {
		return err
	}
	return x.summarise(env, scores)
}

// identities are digests of all that decides the answers of each candidate.
func (x *extraction) identities(ctx context.Context, opt extractOptions) ([]string, error) {
	base, err := x.in.base.identity(ctx)
	if err != nil {
		return nil, err
	}
	tuned, err := x.in.tuned[0].identity(ctx)
	if err != nil {
		return nil, err
	}
	list := []string{base}
	for _, rank := range opt.at {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %s extracted to rank %d of %+v %s %s %s %v", base, tuned, rank, opt.ranks, opt.dtype, opt.embedding, opt.rest, opt.remainder))
		list = append(list, hex.EncodeToString(sum[:]))
	}
	return append(list, mergeIdentity(base, tuned, merge.Point{Method: merge.Method{Name: "linear"}, Alpha: 1}, x.in.tuned[0].adapter == nil)), nil
}

// scoreAll scores candidates that have a base's architecture, tokenizer and side
// files on the tasks of a bench. It returns notes on what was scored, with an
// error too.
func scoreAll(ctx context.Context, env environment, command string, base *model, opt benchOptions, candidates []probe.Candidate, identities []string,
	progress func(title, unit string) (func(done, total int64), func())) (scores []probe.Scores, notes []string, err error) {
	opt.suit(base.embedded)
	bench, set, err := newBench(base, opt)
	if err != nil {
		return nil, nil, err
	}
	notes = set.notes
	e := &evaluation{bench: bench, candidates: candidates, identities: identities, plan: newPlan(env, command, bench, set, opt)}
	if e.asked, err = bench.Ask(); err != nil {
		return nil, notes, err
	}
	for _, note := range powerNotes(set) {
		env.complain("note: " + note)
	}
	var finish func()
	bench.Progress, finish = progress("score", "rows")
	scores, err = e.run(ctx)
	finish()
	if err != nil {
		return nil, notes, err
	}
	notes = append(notes, e.again.note()...)
	notes = append(notes, seedNotes(bench, e.asked)...)
	return scores, append(notes, runNotes(e.kept, scores[0].Truncated)...), nil
}

// summarise turns the scores of items into means and paired differences from the
// base and from the fine-tune.
func (x *extraction) summarise(env environment, scores []probe.Scores) error {
	first, last := scores[0], scores[len(scores)-1]
	for i := range x.Ranks {
		c := &x.Ranks[i]
		c.Tokens = env.rate(scores[i].Tokens, scores[i].Time)
		if err := scores[i].Err; err != nil {
			c.Error = err.Error()
			x.failed = append(x.failed, fmt.Errorf("%s: %w", c.ID, err))
			continue
		}
		runs := overSeeds(scores[i].Tasks)
		means, err := summary(runs)
		if err != nil {
			return err
		}
		for k, mean := range means {
			one := rankScore{sweepTask: mean}
			if first.Err == nil && i > 0 {
				if one.ToBase, err = pairedTo(overSeeds(first.Tasks)[k], runs[k]); err != nil {
					return err
				}
			}
			if last.Err == nil && i < len(scores)-1 {
				if one.ToTuned, err = pairedTo(overSeeds(last.Tasks)[k], runs[k]); err != nil {
					return err
				}
			}
			c.Tasks = append(c.Tasks, one)
		}
	}
	return nil
}

// pairedTo is the difference of a score from another's, item by item.
func pairedTo(from, to probe.TaskScore) (*sweepDifference, error) {
	d, err := stat.Paired(from.Sample, to.Sample, confidence)
	if err != nil {
		return nil, err
	}
	return &sweepDifference{number(d.Difference), number(d.SE), number(d.Low), number(d.High), d.Better, d.Worse, number(d.P), d.Warnings, d.Needed}, nil
}

// printRanks prints one table: a line for each rank, a column for each task.
func (x *extraction) printRanks(env environment) error {
	columns := []table.Column{{Name: "adapter"}, {Name: "size", Right: true}}
	var tasks []rankScore
	for _, c := range x.Ranks {
		if c.Error == "" {
			tasks = c.Tasks
		}
	}
	for _, t := range tasks {
		columns = append(columns, table.Column{Name: fmt.Sprintf("%s (%d)", t.Task, t.N), Right: true})
	}
	marked := false
	var rows [][]string
	for _, c := range x.Ranks {
		row := []string{c.ID, table.Bytes(c.Bytes)}
		if c.Bytes == 0 {
			row[1] = "none"
		}
		for k := range tasks {
			if c.Error != "" {
				row = append(row, "failed")
				continue
			}
			cell := fmt.Sprintf("%.1f", 100*float64(c.Tasks[k].Score))
			if d := c.Tasks[k].ToTuned; d != nil && d.told() {
				cell, marked = cell+"*", true
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	if err := env.printf("\nscore (%%) of the base with the adapter at each rank\n\n"); err != nil {
		return err
	}
	if err := env.printTable(columns, rows); err != nil {
		return err
	}
	if marked {
		x.Notes = append(x.Notes, "* differs from "+x.Tuned+": the 95 % interval of the paired difference leaves 0 out")
	}
	return env.printf("\n")
}

// curve is the score of each task over the rank, with its interval. The base stands
// at rank 0, the fine-tune in the table alone.
func (x *extraction) curve() plot.Curve {
	c := plot.Curve{Title: fmt.Sprintf("%s with an adapter extracted from %s", x.Base, x.Tuned), XLabel: "rank of the adapter, 0 is the base", YLabel: "score, 95 % interval"}
	if len(x.Ranks) == 0 || len(x.Ranks[0].Tasks) == 0 {
		return c
	}
	for k, first := range x.Ranks[0].Tasks {
		line := plot.Line{Name: fmt.Sprintf("%s (n = %d)", first.Task, first.N)}
		for _, r := range x.Ranks {
			if r.Error != "" || r.ID == "tuned" {
				continue
			}
			t := r.Tasks[k]
			line.X, line.Y = append(line.X, float64(r.Rank)), append(line.Y, float64(t.Score))
			line.Low, line.High = append(line.Low, float64(t.Low)), append(line.High, float64(t.High))
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}
