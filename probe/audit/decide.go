package audit

import (
	"fmt"
	"strings"

	"surgeon/probe/stat"
)

// decide sets the word, and says why and what is left open.
func (v *Verdict) decide(p panel) {
	failed, open, gaps := v.parts(p)
	switch {
	case len(p.protected) == 0:
		v.Word, v.Sentence = Insufficient, "No protected task was tested, so nothing is known about what was lost."
	case len(gaps) == 0:
		v.noGap(p, failed)
	default:
		v.gap(failed, open, gaps)
	}
}

// parts returns the protected tasks that have failed, those that are open, and
// those with a gap.
func (v *Verdict) parts(p panel) (failed, open, gaps []TaskVerdict) {
	for _, t := range p.protected {
		task, gap := v.Tasks[t], v.Regression.Tasks[t]
		switch task.standing() {
		case 0:
			failed = append(failed, task)
		case 1:
			open = append(open, task)
			v.Open = append(v.Open, task.wants("candidate", v.rule))
		}
		if gap.Shown || gap.Word == stat.Material {
			gaps = append(gaps, task)
		}
	}
	return failed, open, gaps
}

// noGap decides where tuning shows no loss that matters.
func (v *Verdict) noGap(p panel, failed []TaskVerdict) {
	wide := false
	for _, t := range p.protected {
		gap, margin := v.Regression.Tasks[t], p.tasks[t].margin()
		if gap.Word == stat.Retained || gap.Gap.half() <= margin || gap.Lost+gap.Gained == 0 && !gap.Few {
			continue
		}
		if gap.Gap.High > margin {
			wide = true
			v.Open = append(v.Open, openSentence("tuned model", gap.Task, gap.LowerBound, margin, gap.N, gap.Needed))
		}
	}
	switch {
	case len(failed) > 0:
		v.Word = NotClosed
		v.Sentence = fmt.Sprintf("Tuning shows no loss that matters, but the candidate loses %s on %s.", lossIn(v.worst().Difference), v.Worst)
	case wide:
		v.Word = Insufficient
		v.Sentence = fmt.Sprintf("No loss of %s points or more is shown, but too few items were asked to exclude one that matters.", points(p.rule.LeastGap))
	default:
		v.Word = NoGap
		v.Sentence = fmt.Sprintf("Tuning shows no loss of %s points or more on any protected task.", points(p.rule.LeastGap))
	}
}

// gap decides where tuning has lost something.
func (v *Verdict) gap(failed, open, gaps []TaskVerdict) {
	kept := v.Retention.Defined && v.Retention.Low >= v.rule.Retention
	spent := v.Retention.Defined && v.Retention.High < v.rule.Retention
	if !kept && !spent {
		v.Open = append(v.Open, v.retentionOpen())
	}
	partly := v.partly(failed, gaps)
	switch {
	case len(failed) == 0 && len(open) == 0 && kept:
		worst := v.worst()
		v.Word = Closed
		v.Sentence = fmt.Sprintf("No protected task lost its margin against the base, the nearest being %s with at most %s of %s points lost, and %s of the domain gain is kept.",
			v.Worst, points(max(0, -worst.LowerBound)), points(worst.Margin), shareIn(v.Retention))
	case len(failed) == 0 && !spent:
		v.Word = Insufficient
		v.Sentence = fmt.Sprintf("Whether the gap is closed is open, since %s%s.", v.whyOpen(open), v.partlyShown(partly))
	case partly:
		v.Word = PartlyClosed
		v.Sentence = fmt.Sprintf("Every gap is closed by %s %% at least or to within its margin%s, but %s.", percent(v.rule.Partly), v.ofLargest(), v.whyNot(failed, spent))
	default:
		v.Word = NotClosed
		v.Sentence = fmt.Sprintf("The gap is not closed%s: %s.", v.ofLargest(), v.whyNot(failed, spent))
	}
}

// partly reports whether every gap is closed by the share that the rule calls
// partly, or altogether, and nothing else has failed.
func (v *Verdict) partly(failed, gaps []TaskVerdict) bool {
	has := map[string]bool{}
	for _, task := range gaps {
		has[task.Task] = true
		if !task.NonInferior && !(task.Closed.Defined && task.Closed.Low >= v.rule.Partly) {
			return false
		}
	}
	for _, task := range failed {
		if !has[task.Task] {
			return false
		}
	}
	return true
}

// whyNot says what rules closed out.
func (v *Verdict) whyNot(failed []TaskVerdict, spent bool) string {
	var reasons []string
	if len(failed) > 0 {
		worst := v.worst()
		text := fmt.Sprintf("%s still loses %s against the base", v.Worst, lossIn(worst.Difference))
		if worst.Difference.Value > -worst.Margin {
			text = fmt.Sprintf("%s may lose up to %s points against the base and %s are allowed", v.Worst, points(0-worst.LowerBound), points(worst.Margin))
		}
		reasons = append(reasons, text)
	}
	if spent {
		reasons = append(reasons, fmt.Sprintf("only %s of the domain gain is kept", shareIn(v.Retention)))
	}
	return strings.Join(reasons, ", and ")
}

// whyOpen says what keeps closed from being decided.
func (v *Verdict) whyOpen(open []TaskVerdict) string {
	if len(open) == 0 {
		if !v.Retention.Defined {
			return v.Retention.Why
		}
		return fmt.Sprintf("the domain gain kept is %s", shareIn(v.Retention))
	}
	worst := v.worst()
	return fmt.Sprintf("the candidate may have lost up to %s points on %s, where %s are allowed and %d items were asked",
		points(0-worst.LowerBound), v.Worst, points(worst.Margin), worst.N)
}

func (v *Verdict) retentionOpen() string {
	if !v.Retention.Defined {
		return fmt.Sprintf("The share of the domain gain that is kept is unknown: %s.", v.Retention.Why)
	}
	return fmt.Sprintf("The domain gain kept is %s, on both sides of the %s %% asked for.", shareIn(v.Retention), percent(v.rule.Retention))
}

// partlyShown tells of a part that is closed where the whole is open.
func (v *Verdict) partlyShown(partly bool) string {
	if !partly {
		return ""
	}
	return fmt.Sprintf("; every gap is closed by %s %% at least or to within its margin%s", percent(v.rule.Partly), v.ofLargest())
}

// ofLargest tells how much of the largest regression is closed.
func (v *Verdict) ofLargest() string {
	if !v.GapClosed.Defined {
		return ""
	}
	return fmt.Sprintf(", %s of the largest, %s", shareIn(v.GapClosed), v.Largest)
}

// worst returns the task on which the verdict rests.
func (v *Verdict) worst() TaskVerdict {
	for _, task := range v.Tasks {
		if task.Task == v.Worst {
			return task
		}
	}
	return TaskVerdict{}
}

// warn says which tasks prove little.
func (v *Verdict) warn() {
	for _, task := range v.Tasks {
		if task.Floor && task.Kind != Domain {
			v.Warnings = append(v.Warnings, fmt.Sprintf("On %s the base is not shown to score above chance, so that nothing lost there proves nothing.", task.Task))
		}
		if task.Few {
			v.Warnings = append(v.Warnings, fmt.Sprintf("On %s %s.", task.Task, fewWarning(task.N)))
		}
	}
}
