package cli

import (
	"fmt"

	"surgeon/probe/audit"
)

// repairedWords say what merges by one alpha and what training anew came to, on the mean
// of all gaps: the verdicts are by the worst task, and do not say how near a repair came.
func (r *auditResult) repairedWords() (words []string) {
	words = append(words, r.mergedWords()...)
	for _, c := range r.Candidates {
		if c.Class == classTraining && c.Name == r.bestOf(classTraining) && c.Verdict != nil && c.Verdict.GapClosedMean.Defined {
			words = append(words, fmt.Sprintf("Of the models that were trained otherwise %s %s.", c.Name, cameTo(c.Verdict)))
		}
	}
	return words
}

// mergedWords are those of merges by alpha.
func (r *auditResult) mergedWords() []string {
	judged, most, both := 0, -1, -1
	for i, c := range r.Candidates {
		if c.Class != classInterpolation || c.Verdict == nil || !c.Verdict.GapClosedMean.Defined {
			continue
		}
		judged++
		if !(c.Verdict.GapClosedMean.Low >= r.Rule.Partly) {
			continue
		}
		most = i // alphas ascend
		if kept := c.Verdict.Retention; kept.Defined && kept.Low >= r.Rule.Retention {
			both = i
		}
	}
	switch {
	case judged < 3:
		return nil // too few to speak of the way
	case most < 0:
		return []string{fmt.Sprintf("Merging by one alpha repairs little: none is shown to close %s of the gaps on the mean.", wholePercent(r.Rule.Partly))}
	case both >= 0:
		c := r.Candidates[both]
		return []string{fmt.Sprintf("Of the merges by one alpha %s %s.", c.Name, cameTo(c.Verdict))}
	}
	c := r.Candidates[most]
	return []string{fmt.Sprintf("Merging by one alpha repairs in part: no alpha is shown to close %s of the gaps on the mean and to keep %s of the domain gain; %s, the largest that closes so much, %s.",
		wholePercent(r.Rule.Partly), wholePercent(r.Rule.Retention), c.Name, cameTo(c.Verdict))}
}

// cameTo is what a repair closes and keeps on the mean, and the verdict by its worst task.
func cameTo(v *audit.Verdict) string {
	text := "closes " + shareWithin(v.GapClosedMean) + " of the gaps on the mean"
	if v.Retention.Defined {
		text += " and keeps " + shareWithin(v.Retention) + " of the gain"
	}
	for _, t := range v.Tasks {
		if t.Task == v.Worst {
			text += fmt.Sprintf("; by its worst task, %s (%+.1f pp), the gap is %s", t.Task, 100*t.Difference.Value, v.Word)
		}
	}
	return text
}

// shareWithin is a share with its interval, in whole per cent.
func shareWithin(i audit.Interval) string {
	return fmt.Sprintf("%s (%.0f to %.0f)", wholePercent(i.Value), 100*i.Low, 100*i.High)
}

func wholePercent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// bestOf is the best candidate of a class, "" if there is none.
func (r *auditResult) bestOf(class string) string {
	for _, name := range r.Best {
		for _, c := range r.Candidates {
			if c.Name == name && c.Class == class {
				return name
			}
		}
	}
	return ""
}
