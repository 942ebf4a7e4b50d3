package cli

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"

	"surgeon/probe/train"
)

// progress returns a function that libraries report to, and one that takes the
// bar away. Without a terminal, or with --quiet, both do nothing. unit is
// "bytes" or what is counted.
func (e environment) progress(c *cli.Context, title, unit string) (step func(done, total int64), finish func()) {
	if !e.errTerminal || c.Bool("quiet") {
		return nil, func() {}
	}
	var bar *progressbar.ProgressBar
	step = func(done, total int64) {
		if bar == nil {
			bar = progressbar.NewOptions64(total, append(counted(unit),
				progressbar.OptionSetWriter(e.err), progressbar.OptionSetDescription(title),
				progressbar.OptionUseANSICodes(true), progressbar.OptionSetWidth(20), progressbar.OptionSetPredictTime(true),
				progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())...)
		}
		bar.Set64(min(done, total)) // an error here is one of drawing: the work goes on
	}
	return step, func() {
		if bar != nil {
			bar.Clear()
		}
	}
}

// training shows how far a training is, from a step on, how long it still takes, and
// its loss, and takes the bar away.
func (e environment) training(c *cli.Context, from, steps int) (step func(train.Report), finish func()) {
	if !e.errTerminal || c.Bool("quiet") {
		return func(train.Report) {}, func() {}
	}
	bar := progressbar.NewOptions(steps, append(counted("steps"), progressbar.OptionSetWriter(e.err), progressbar.OptionSetWidth(20), progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetPredictTime(false), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())...)
	start := time.Now()
	return func(r train.Report) {
		bar.Describe(fmt.Sprintf("loss %.3f, %v left", r.Loss, left(r.Step-from, steps-r.Step, time.Since(start))))
		bar.Set(r.Step) // an error here is one of drawing: the work goes on
	}, func() { bar.Clear() }
}

// left is how long as many steps take as are to be made, when so many took so long.
func left(made, more int, took time.Duration) time.Duration {
	return time.Duration(float64(took) / float64(max(1, made)) * float64(more)).Round(time.Second)
}

// counted shows how much is done and how fast, in the unit.
func counted(unit string) []progressbar.Option {
	if unit == "bytes" {
		return []progressbar.Option{progressbar.OptionShowBytes(true), progressbar.OptionUseIECUnits(true)}
	}
	return []progressbar.Option{progressbar.OptionSetItsString(unit), progressbar.OptionShowIts(), progressbar.OptionShowCount()}
}
