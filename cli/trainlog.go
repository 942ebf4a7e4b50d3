package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"surgeon/probe/train"
)

// openLog opens log.jsonl and keeps what it says of the steps that were made.
func (t *training) openLog() error {
	if err := os.MkdirAll(t.state(), 0o777); err != nil {
		return err
	}
	path := filepath.Join(t.state(), "log.jsonl")
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	kept := keptLog(old, t.run.Done())
	for _, r := range kept {
		t.count(r)
	}
	if t.log, err = os.Create(path); err != nil {
		return err
	}
	for _, r := range kept {
		if err := t.logLine(r); err != nil {
			return err
		}
	}
	return nil
}

// keptLog are the reports of a log up to a step.
func keptLog(data []byte, step int) (kept []train.Report) {
	for i := range step {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte{'\n'})
		var r train.Report
		if json.Unmarshal(line, &r) != nil || r.Step != i+1 {
			return kept // torn: the rest is not known
		}
		kept = append(kept, r)
	}
	return kept
}

// curvePoints are the most lines of training.jsonl.
const curvePoints = 200

// curve is training.jsonl: the reports of all steps, or means over pieces of them
// that are as long as each other.
func (t *training) curve() ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(t.state(), "log.jsonl"))
	if err != nil {
		return nil, err
	}
	reports := keptLog(data, t.run.Done())
	points := min(curvePoints, len(reports))
	var curve []byte
	for i := range points {
		piece := reports[len(reports)*i/points : len(reports)*(i+1)/points]
		line, err := json.Marshal(meanReport(piece))
		if err != nil {
			return nil, err
		}
		curve = append(append(curve, line...), '\n')
	}
	return curve, nil
}

// meanReport is what a piece of the steps comes to: means, and sums of what is
// counted, under the number of the last one.
func meanReport(piece []train.Report) train.Report {
	last, n := piece[len(piece)-1], float64(len(piece))
	sum := train.Report{Step: last.Step, LearningRate: last.LearningRate}
	for _, r := range piece {
		sum.Loss, sum.Divergence, sum.GradientNorm = sum.Loss+r.Loss/n, sum.Divergence+r.Divergence/n, sum.GradientNorm+r.GradientNorm/n
		sum.Learned, sum.Tokens, sum.Examples, sum.Replayed = sum.Learned+r.Learned, sum.Tokens+r.Tokens, sum.Examples+r.Examples, sum.Replayed+r.Replayed
	}
	return sum
}

func (t *training) logLine(r train.Report) error {
	line, err := json.Marshal(r)
	if err == nil {
		_, err = t.log.Write(append(line, '\n'))
	}
	return err
}

func (t *training) note(r train.Report) error {
	t.count(r)
	return t.logLine(r)
}

// count takes over what a step was.
func (t *training) count(r train.Report) {
	t.losses = append(t.losses, r.Loss)
	t.result.Tokens += int64(r.Tokens)
	if t.opt.options.KL > 0 {
		d := number(r.Divergence)
		t.result.Divergence = &d
	}
}
