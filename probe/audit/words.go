package audit

import (
	"fmt"
	"math"
)

// points prints a share as percentage points with one decimal, without a minus
// before zero.
func points(x float64) string {
	return fmt.Sprintf("%.1f", math.Round(1000*x)/10+0)
}

// percent prints a share as a whole percentage.
func percent(x float64) string {
	return fmt.Sprintf("%.0f", math.Round(100*x)+0)
}

// shareIn prints an interval of a share, such as "86 % (80 to 92)".
func shareIn(i Interval) string {
	return fmt.Sprintf("%s %% (%s to %s)", percent(i.Value), percent(i.Low), percent(i.High))
}

// lossIn prints a difference as a loss, such as "5.1 points (3.2 to 7.0)".
func lossIn(i Interval) string {
	return fmt.Sprintf("%s points (%s to %s)", points(0-i.Value), points(0-i.High), points(0-i.Low))
}

// nothing and unsure say why a share of a gap or of a gain is undefined.
func nothing(what string, from, to float64) string {
	return fmt.Sprintf("no %s: %s %% against %s %%", what, points(from), points(to))
}

func unsure(what string, whole float64) string {
	return fmt.Sprintf("no %s is shown: it measures %s points, but its interval reaches 0", what, points(whole))
}

// wants says what keeps a task from being decided, and how many items or what
// else would decide it.
func (t TaskVerdict) wants(who string, rule Rule) string {
	g := gateOf(t, rule)
	switch {
	case g.Shows == ShowsAboveChance && g.N > 0:
		return fmt.Sprintf("By %d items of %s the base is not shown to score above chance: %d would show it, or easier ones.", t.N, t.Task, g.N)
	case g.Shows == ShowsAboveChance:
		return fmt.Sprintf("The base scores no better than chance on %s: easier items are needed.", t.Task)
	case t.blind():
		return fmt.Sprintf("On %s the base scores %s points above chance and could not lose the %s that are allowed: easier items are needed.", t.Task, points(t.Base-t.Chance), points(t.Margin))
	}
	return openSentence(who, t.Task, t.LowerBound, t.Margin, t.N, g.N)
}

// openSentence says what a model may have lost at most, and how many items show,
// with the power of a [Gate], that it has not.
func openSentence(who, task string, bound, margin float64, asked, needed int) string {
	text := fmt.Sprintf("On %s the %s may have lost up to %s points, of %s allowed, by %d items", task, who, points(0-bound), points(margin), asked)
	switch {
	case needed == 0:
		return text + "; no number of items would show that it has not."
	case needed <= asked:
		return text + fmt.Sprintf(", though %d show four times in five that it has not, if nothing is lost.", needed)
	}
	return text + fmt.Sprintf("; %d would show four times in five that it has not, if nothing is lost.", needed)
}

// ofGap says in words what a verdict is about.
func (w Word) ofGap() string {
	switch w {
	case Insufficient:
		return "whether the gap is closed is open"
	case NoGap:
		return "there is no gap to close"
	}
	return "the gap is " + string(w)
}
