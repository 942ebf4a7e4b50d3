package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"surgeon/probe/record"
	"surgeon/probe/train"
)

// trainingLog is log.jsonl: a line for each step, as it was made. Who has it open
// trains; nobody else may.
type trainingLog struct {
	file   *os.File
	unlock func() error // nil: closed
}

func openTrainingLog(dir string) (*trainingLog, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, trainingLogName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	unlock, err := record.Lock(file, path)
	if err != nil {
		file.Close()
		return nil, err
	}
	return &trainingLog{file, unlock}, nil
}

func (l *trainingLog) close() error {
	if l.unlock == nil {
		return nil
	}
	err := errors.Join(l.unlock(), l.file.Close())
	l.unlock = nil
	return err
}

// cut cuts away what the log says of steps behind one, which are made again, and
// returns what it says of those before.
func (l *trainingLog) cut(step int) ([]train.Report, error) {
	data, err := io.ReadAll(l.file)
	if err != nil {
		return nil, err
	}
	kept, size := keptLog(data, step)
	if err := l.file.Truncate(size); err != nil {
		return nil, err
	}
	_, err = l.file.Seek(size, io.SeekStart)
	return kept, err
}

// keptLog are the reports of a log up to a step, and the bytes that they take. A
// line that is torn ends them.
func keptLog(data []byte, step int) (kept []train.Report, size int64) {
	for last := 0; ; {
		line, rest, whole := bytes.Cut(data, []byte{'\n'})
		var r train.Report
		if !whole || json.Unmarshal(line, &r) != nil || r.Step <= last || r.Step > step {
			return kept, size
		}
		kept, size, last, data = append(kept, r), size+int64(len(line))+1, r.Step, rest
	}
}

// note takes over what a step was, and writes it into the log.
func (t *training) note(r train.Report) error {
	t.reports = append(t.reports, r)
	line, err := json.Marshal(r)
	if err == nil {
		_, err = t.log.file.Write(append(line, '\n'))
	}
	return err
}

// curvePoints are the most lines of training.jsonl.
const curvePoints = 200

// curve is training.jsonl: the reports of all steps, or means over pieces of them
// that are as long as each other.
func (t *training) curve() (curve []byte, err error) {
	n := len(t.reports)
	points := min(curvePoints, n)
	for i := range points {
		line, err := json.Marshal(meanReport(t.reports[n*i/points : n*(i+1)/points]))
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

// meanLoss is that of some steps.
func meanLoss(reports []train.Report) (mean number) {
	for _, r := range reports {
		mean += number(r.Loss / float64(len(reports)))
	}
	return mean
}
