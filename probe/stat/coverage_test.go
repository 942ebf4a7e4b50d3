package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestCoverageT: the t interval, the clustered t interval and the BCa interval
// hold the truth in 93 to 97 % of 1000 samples. Regimes: 40 normal items; 60
// clusters of 4 to 12 items of three runs each, which gain or lose together
// (the interval that ignores clusters holds it in two thirds only); 80
// exponential items for BCa. With 30 clusters BCa, which knows no t, covers 93 %.
func TestCoverageT(t *testing.T) {
	t.Parallel()
	const runs = 1000
	random := rand.New(rand.NewPCG(11, 1))
	normal, bootstrap, clustered, boot, naive := 0, 0, 0, 0, 0
	for run := range runs {
		values := make([]float64, 40)
		for i := range values {
			values[i] = random.NormFloat64()
		}
		d := prepared(t, single(make([]float64, 40)...), single(values...)).describe()
		normal += within(d.Low, d.High, 0)

		exponential := make([]float64, 80)
		for i := range exponential {
			exponential[i] = random.ExpFloat64() - 1
		}
		p := prepared(t, single(make([]float64, 80)...), single(exponential...))
		means := p.units.bootstrapped(p.differences, 400, uint64(run), forBootstrap)
		bootstrap += within2(bca(average(exponential), means, acceleration(p.deviations), 0.95))

		base, tuned := clusteredAnswers(random, 60, 0)
		p = prepared(t, base, tuned)
		d = p.describe()
		clustered += within(d.Low, d.High, 0)
		naive += within(d.Difference-1.96*d.SESimple, d.Difference+1.96*d.SESimple, 0)
		means = p.units.bootstrapped(p.differences, 400, uint64(run), forBootstrap)
		boot += within2(bca(d.Difference, means, acceleration(p.deviations), 0.95))
	}
	report := func(name string, count int, least, most float64) {
		t.Helper()
		t.Logf("%s covers %.3f", name, float64(count)/runs)
		if share := float64(count) / runs; share < least || share > most {
			t.Errorf("%s covers %.3f", name, share)
		}
	}
	report("t", normal, 0.93, 0.97)
	report("BCa, skewed", bootstrap, 0.93, 0.97)
	report("clustered t", clustered, 0.93, 0.97)
	report("clustered BCa", boot, 0.93, 0.97)
	report("ignoring clusters", naive, 0, 0.88)
}

func within2(low, high float64) int { return within(low, high, 0) }

// clusteredAnswers returns two models' answers in clusters of unequal size that
// gain or lose together, with the given expected difference.
func clusteredAnswers(random *rand.Rand, clusters int, difference float64) (base, tuned Table) {
	var b, u [][]float64
	var names []string
	for cluster := range clusters {
		turn := 0.6 * random.NormFloat64() * 0.5
		for range 4 + random.IntN(9) {
			var x, y []float64
			for range 3 {
				right := random.Float64() < 0.5
				change := random.Float64() < min(0.9, math.Abs(turn))
				after := right
				if change {
					after = turn > 0
				}
				if random.Float64() < math.Abs(difference) {
					after = difference > 0
				}
				x, y = append(x, one(right)), append(y, one(after))
			}
			b, u, names = append(b, x), append(u, y), append(names, fmt.Sprint("c", cluster))
		}
	}
	base, tuned = tableOf(b...), tableOf(u...)
	base.Clusters = names
	return base, tuned
}

// TestRareCoverage: where hardly any item changes, t alone is too certain, and
// the rule of three beside it holds the truth in at least 93 % of 1000 samples.
// Regime: 100 items, three runs each, of which 2 % are lost in all three.
func TestRareCoverage(t *testing.T) {
	random := rand.New(rand.NewPCG(12, 1))
	const runs = 1000
	covered, naive := 0, 0
	for range runs {
		b, u := make([][]float64, 100), make([][]float64, 100)
		for i := range b {
			after := one(random.Float64() >= 0.02)
			b[i], u[i] = []float64{1, 1, 1}, []float64{after, after, after}
		}
		b[0], u[0] = []float64{0, 1, 0}, []float64{0, 1, 0} // so that the seeds do something
		d := prepared(t, tableOf(b...), tableOf(u...)).describe()
		covered += within(d.Low, d.High, -0.0198)
		naive += within(d.Difference-1.984*d.SE, d.Difference+1.984*d.SE, -0.0198)
	}
	t.Logf("covers %.3f, t alone %.3f", float64(covered)/runs, float64(naive)/runs)
	if float64(covered)/runs < 0.93 || float64(naive)/runs > 0.9 {
		t.Errorf("covers %.3f, t alone %.3f", float64(covered)/runs, float64(naive)/runs)
	}
}
