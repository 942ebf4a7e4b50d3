package cli

import (
	"context"
	"fmt"
	"math"
	"time"
)

// steps makes all steps, or those that are left.
func (t *training) steps(ctx context.Context) error {
	total := t.run.Options().Steps
	step, finish := t.opt.progress(t.run.Done(), total)
	defer finish()
	start := time.Now()
	for t.run.Done() < total {
		if ctx.Err() != nil {
			return t.stop(ctx)
		}
		report, err := t.run.Step()
		if err == nil {
			err = t.note(report)
		}
		if err != nil {
			return err
		}
		step(report)
		if done := t.run.Done(); t.opt.every > 0 && done%t.opt.every == 0 && done < total {
			if err := t.save(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	t.summarise(time.Since(start))
	return nil
}

// save saves the state. The log is on the disk before it: what a state stands
// behind is known.
func (t *training) save(ctx context.Context) error {
	if err := t.log.file.Sync(); err != nil {
		return err
	}
	return t.run.Save(ctx, t.state())
}

// stop saves the state of a training that was interrupted.
func (t *training) stop(ctx context.Context) error {
	if err := t.save(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return halted{t.run.Done(), t.run.Options().Steps, t.state()}
}

// halted is the error of a training that was interrupted.
type halted struct {
	done, steps int
	state       string
}

// Error implements error.
func (h halted) Error() string {
	return fmt.Sprintf("interrupted: %d of %d steps are saved in %s: repeat the command to go on", h.done, h.steps, h.state)
}

// summarise takes over what the training did. What rests on steps whose log was
// lost is not a number.
func (t *training) summarise(took time.Duration) {
	r := &t.result
	r.Steps, r.Options = t.run.Done(), t.run.Options()
	r.Trained, r.Parameters = t.run.Parameters()
	r.Passes = number(t.run.Epochs())
	for _, d := range t.run.Doses() {
		r.Replayed = append(r.Replayed, replayed{d.Slice, d.Pool, d.Drawn, number(d.Epoch)})
	}
	n := len(t.reports)
	few, tokens, made := min(10, n), 0, 0
	for _, report := range t.reports {
		if tokens += report.Tokens; report.Step > r.Resumed {
			made += report.Tokens
		}
	}
	r.Tokens, r.First, r.Last = number(tokens), meanLoss(t.reports[:few]), meanLoss(t.reports[n-few:])
	if t.lost > 0 {
		r.Tokens, r.First, r.Last = number(math.NaN()), number(math.NaN()), number(math.NaN())
	}
	if n > 0 && t.opt.options.KL > 0 && t.reports[n-1].Step == r.Steps {
		last := number(t.reports[n-1].Divergence)
		r.Divergence = &last
	}
	if r.Seconds = number(took.Seconds()); made > 0 {
		r.PerSecond = number(float64(made) / took.Seconds())
	}
}
