package stat

import (
	"fmt"
	"slices"
)

// collapse makes one seed of several if all of them gave every model the same
// scores, since copies of one run are not a sample of runs. It also returns
// what to say about seeds that changed something less than everywhere.
func (a *aligned) collapse(roles ...string) (warnings []string) {
	seeds := len(a.seeds)
	if seeds < 2 {
		return nil
	}
	idle := make([]bool, len(a.scores))
	for m, scores := range a.scores {
		idle[m] = true
		for at, score := range scores {
			idle[m] = idle[m] && score == scores[at-at%seeds]
		}
	}
	if !slices.Contains(idle, false) {
		a.collapsed, a.seeds = seeds, a.seeds[:1]
		for m, scores := range a.scores {
			a.scores[m] = column(scores, seeds, 0)
		}
		return []string{fmt.Sprintf("all %d seeds gave the same scores, so seeds change nothing here: they count as one run, not as %d", seeds, seeds)}
	}
	for m := range idle {
		if idle[m] {
			warnings = append(warnings, fmt.Sprintf("all %d seeds gave the %s the same scores, so seeds change nothing there", seeds, roles[m]))
		}
	}
	if one, other, found := a.twins(); found {
		warnings = append(warnings, fmt.Sprintf("seeds %d and %d gave the same scores throughout, which suggests one run counted twice", one, other))
	}
	return warnings
}

// twins returns two seeds with the same scores in all models.
func (a *aligned) twins() (one, other int64, found bool) {
	seeds := len(a.seeds)
	for k := range seeds {
		for l := range k {
			if a.equalColumns(k, l) {
				return a.seeds[l], a.seeds[k], true
			}
		}
	}
	return 0, 0, false
}

func (a *aligned) equalColumns(k, l int) bool {
	for _, scores := range a.scores {
		for at := 0; at < len(scores); at += len(a.seeds) {
			if scores[at+k] != scores[at+l] {
				return false
			}
		}
	}
	return true
}
