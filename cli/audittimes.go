package cli

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// timesFile has the wall time of an audit. It stands beside the results and is none of
// them: no two audits take the same time.
const timesFile = "times.json"

// auditTimes is the wall time of the parts of an audit, over all its starts.
type auditTimes struct {
	Parts  []partTime `json:"parts"`
	Reused []string   `json:"reused,omitempty"` // run folders whose answers were taken, in no time
}

type partTime struct {
	Part    string  `json:"part"`
	Seconds seconds `json:"seconds"`
}

// The parts of an audit, of which the plan says what they cost and times.json what they
// took.
const (
	partModels  = "base and fine-tune"
	partWhere   = "where the harm sits"
	partChoose  = "repairs, to choose one"
	partJudge   = "repairs, to judge them"
	partDecided = "statistics and memo"
)

// timed carries out a part of an audit and adds its wall time to what the run folder
// says of it, also if it was interrupted. A part that fails otherwise leaves the folder as
// it is: it may be another run's.
func (a *auditing) timed(ctx context.Context, part string, do func() error) error {
	start := time.Now()
	err := do()
	if err != nil && (ctx.Err() == nil || !errors.Is(err, ctx.Err())) {
		return err
	}
	if failed := a.took(part, time.Since(start)); err == nil {
		err = failed
	}
	return err
}

func (a *auditing) took(part string, t time.Duration) error {
	path := filepath.Join(a.opt.out, timesFile)
	times := &auditTimes{}
	if _, err := readJSON(path, times); err != nil {
		times = &auditTimes{} // damaged: nothing but times is lost
	}
	for _, dir := range a.opt.reuse {
		if !slices.Contains(times.Reused, dir) {
			times.Reused = append(times.Reused, dir)
		}
	}
	add := seconds(t.Seconds())
	for i := range times.Parts {
		if times.Parts[i].Part == part {
			times.Parts[i].Seconds += add
			return writeJSON(path, times)
		}
	}
	times.Parts = append(times.Parts, partTime{part, add})
	return writeJSON(path, times)
}

// timesNote says how long an audit took.
func (a *auditing) timesNote() []string {
	times := &auditTimes{}
	if there, err := readJSON(filepath.Join(a.opt.out, timesFile), times); err != nil || !there || a.env.timeless {
		return nil
	}
	total, parts := seconds(0), []string{}
	for _, p := range times.Parts {
		total, parts = total+p.Seconds, append(parts, p.Part+" "+lasting(p.Seconds))
	}
	note := "wall time " + lasting(total) + ": " + strings.Join(parts, "; ")
	if len(times.Reused) > 0 {
		note += "; answers of " + join(times.Reused) + " were taken"
	}
	return []string{note}
}
