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
