//go:build unix

package stat

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// audit returns 20 candidates compared with one base on 14,042 items, the size
// of MMLU, with five seeds and 57 subjects.
func audit(clustered bool) (pairs []Pair) {
	random := rand.New(rand.NewPCG(95, 1))
	const items, seeds, subjects = 14042, 5, 57
	base, tuned := manyRuns(random, items, seeds, 0.2, 0.02)
	for i := range base.Items {
		base.Items[i] = fmt.Sprintf("mmlu/%d/%d", i%subjects, i*7919%items)
		if clustered {
			base.Clusters = append(base.Clusters, fmt.Sprint("subject", i%subjects))
		}
	}
	for j := range 20 {
		candidate := base
		candidate.Scores = append([]float64{}, base.Scores...)
		for at := range candidate.Scores {
			if random.Float64() < 0.05*float64(j+1) {
				candidate.Scores[at] = tuned.Scores[at]
			}
		}
		pairs = append(pairs, Pair{Name: fmt.Sprint("candidate", j), Base: base, Tuned: candidate, Chance: 0.25})
	}
	return pairs
}

// analyse does all statistics of an audit.
func analyse(t testing.TB, pairs []Pair) (ranking Ranking, adjusted []float64) {
	for _, pair := range pairs {
		adjusted = append(adjusted, compare(t, pair.Base, pair.Tuned, Options{Margin: 0.02, Chance: pair.Chance}).P)
	}
	return largest(t, pairs, Options{}), Holm(adjusted)
}

// TestSpeed: the statistics of 14,042 items, 5 seeds and 20 candidates, with
// 10,000 sign flips and bootstrap samples each, take less than 5 seconds on two
// processors: 10 seconds of processor time, which other programs do not change
// as much as they change the time on the clock.
func TestSpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	for _, clustered := range []bool{false, true} {
		pairs := audit(clustered)
		started, used := time.Now(), processorSeconds()
		ranking, _ := analyse(t, pairs)
		took, cost := time.Since(started), processorSeconds()-used
		t.Logf("clustered %v: %.2f s, %.2f s of processor time", clustered, took.Seconds(), cost)
		if cost > 10 || len(ranking.Entries) != 20 {
			t.Errorf("clustered %v: %.2f s of processor time, %d entries", clustered, cost, len(ranking.Entries))
		}
	}
}

// processorSeconds returns the processor time this program has used.
func processorSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func BenchmarkAudit(b *testing.B) {
	for _, clustered := range []bool{false, true} {
		pairs := audit(clustered)
		b.Run(fmt.Sprintf("clustered=%v", clustered), func(b *testing.B) {
			for b.Loop() {
				analyse(b, pairs)
			}
		})
	}
}
