package stat

import "fmt"

// FormatSplit says how much of a difference is due to answers that could not
// be read, rather than to answers that were wrong. The three parts add up to
// the difference.
type FormatSplit struct {
	// Difference is the mean of tuned minus base over all runs of all items.
	Difference float64
	// Knowledge is the part of it from runs that could be read in both models,
	// Format that from runs that could be read in one of them only, and Unread
	// that from runs that could be read in neither: 0 if what cannot be read
	// scores the same in both. Each is the sum over its runs divided by the
	// number of all runs.
	Knowledge, Format, Unread float64
	// Both, BaseOnly, TunedOnly and Neither are the numbers of runs that could
	// be read in both models, in one, and in none. They add up to the number
	// of items times seeds.
	Both, BaseOnly, TunedOnly, Neither int
}

// SplitFormat splits the difference of two models by whether the answers could
// be read. The tables baseRead and tunedRead have the items and seeds of base
// and tuned, and score 1 where the answer could be read and 0 where not.
//
// It is an error if [Compare] would fail for any two of the tables, and if a
// table of what could be read has a score other than 0 and 1.
func SplitFormat(base, tuned, baseRead, tunedRead Table) (FormatSplit, error) {
	roles := []string{"base", "tuned", "base's readable answers", "tuned model's readable answers"}
	data, err := align(roles, base, tuned, baseRead, tunedRead)
	if err != nil {
		return FormatSplit{}, err
	}
	for at := range data.scores[0] {
		for m := 2; m < 4; m++ {
			if read := data.scores[m][at]; read != 0 && read != 1 {
				return FormatSplit{}, fmt.Errorf("stat: item %q with seed %d is %v in the %s, but must be 1 for readable or 0",
					data.items[at/len(data.seeds)], data.seeds[at%len(data.seeds)], read, roles[m])
			}
		}
	}
	return splitFormat(data.scores), nil
}

func splitFormat(scores [][]float64) FormatSplit {
	var s FormatSplit
	for at := range scores[0] {
		difference := scores[1][at] - scores[0][at]
		switch base, tuned := scores[2][at] == 1, scores[3][at] == 1; {
		case base && tuned:
			s.Knowledge += difference
			s.Both++
		case base:
			s.Format += difference
			s.BaseOnly++
		case tuned:
			s.Format += difference
			s.TunedOnly++
		default:
			s.Unread += difference
			s.Neither++
		}
	}
	runs := float64(len(scores[0]))
	s.Difference = (s.Knowledge + s.Format + s.Unread) / runs
	s.Knowledge, s.Format, s.Unread = s.Knowledge/runs, s.Format/runs, s.Unread/runs
	return s
}
