package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// TestSignFlips: Student's sleep data has nine patients who differ, all one
// way, so 2 of 512 sign patterns reach as far (R's wilcox.test gives 0.0039 on
// the same nine, exact); and every pattern is tried for a few small cases.
func TestSignFlips(t *testing.T) {
	p, exact := signFlips([]float64{1.2, 2.4, 1.3, 1.3, 0, 1.0, 1.8, 0.8, 4.6, 1.4}, 10000, 1)
	if p != 2.0/512 || !exact {
		t.Errorf("sleep: p %v, exact %v, want 2/512", p, exact)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		values := make([]float64, 1+random.IntN(11))
		for i := range values {
			values[i] = math.Round(10*random.NormFloat64()) / 5
		}
		far, observed := 0, total(values, 0)
		for signs := range 1 << len(values) {
			if math.Abs(total(values, signs)) >= math.Abs(observed)-1e-9 {
				far++
			}
		}
		want := float64(far) / float64(int(1)<<len(values))
		if p, exact := signFlips(values, 5000, 1); math.Abs(p-want) > 1e-12 || !exact {
			t.Errorf("%v: p %v, exact %v, want %v", values, p, exact, want)
		}
	}
	if p, exact := signFlips([]float64{0, 0}, 100, 1); p != 1 || !exact {
		t.Errorf("no change: p %v", p)
	}
}

func total(values []float64, signs int) float64 {
	sum := 0.0
	for i, value := range values {
		if signs>>i&1 == 1 {
			value = -value
		}
		sum += value
	}
	return sum
}

// TestSignFlipsMcNemar: flipping the signs of b losses and c gains is the exact
// McNemar test, here within the error of 20,000 draws (4.5 of their sd).
func TestSignFlipsMcNemar(t *testing.T) {
	for _, cell := range [][2]int{{30, 18}, {40, 40}, {9, 12}, {120, 170}} {
		values := []float64{}
		for range cell[0] {
			values = append(values, -1)
		}
		for range cell[1] {
			values = append(values, 1)
		}
		want := mcnemar(cell[1], cell[0])
		p, exact := signFlips(values, 20000, 3)
		near(t, fmt.Sprint(cell), p, want, 4.5*math.Sqrt(want*(1-want)/20000)+1.0/20000)
		if exact {
			t.Errorf("%v: 2^%d patterns cannot all have been tried", cell, len(values))
		}
	}
}

// TestSignFlipsNull: without a difference the p values are uniform, so p <= x
// in a share x of 1500 samples within 3.5 sd. Regime: 40 skewed clusters.
func TestSignFlipsNull(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	const runs = 1500
	ps := make([]float64, runs)
	for run := range ps {
		values := make([]float64, 40)
		for i := range values {
			values[i] = random.ExpFloat64() * float64(1-2*random.IntN(2))
		}
		ps[run], _ = signFlips(values, 400, uint64(run))
	}
	for _, x := range []float64{0.05, 0.1, 0.25, 0.5, 0.75, 0.9} {
		count := 0
		for _, p := range ps {
			if p <= x {
				count++
			}
		}
		near(t, fmt.Sprintf("share of p <= %v", x), float64(count)/runs, x, 3.5*math.Sqrt(x*(1-x)/runs))
	}
}

// TestBinomialTable compares with gonum's distribution function.
func TestBinomialTable(t *testing.T) {
	check := func(n int, p float64) {
		t.Helper()
		fewest, cumulative := binomialTable(n, p)
		want := distuv.Binomial{N: float64(n), P: p}
		for j, got := range cumulative {
			near(t, fmt.Sprintf("n %d, p %v, k %d", n, p, fewest+j), got, want.CDF(float64(fewest+j)), 1e-10)
		}
		near(t, "last", cumulative[len(cumulative)-1], 1, 0)
	}
	check(14041, 0.2)
	check(14041, 1.0/14042)
	check(31, 0.97)
	check(1, 0.5)
	check(40, 0)
	check(40, 1)
}

// TestResampler: totals have the mean of the data and the unbiased variance of
// a stratified sample of units, within 5 sd of the 20,000 samples, whether or
// not common units are drawn by one number.
func TestResampler(t *testing.T) {
	check := func(name string, base, tuned Table) {
		t.Helper()
		data, err := align([]string{"base", "tuned"}, base, tuned)
		if err != nil {
			t.Fatal(err)
		}
		u := newUnits(data)
		values := data.differences(0, 1)
		z := u.deviations(values)
		const samples = 20000
		totals := newResampler(u, u.sums(values), u.size).run(samples, 1, forBootstrap)
		center, spread, items := average(values), 0.0, average(totals[1])/u.items
		mean := 0.0
		for i := range totals[0] {
			linear := (totals[0][i] - center*totals[1][i]) / u.items
			mean += linear / samples
			spread += linear * linear / samples
		}
		want := u.covariance(z, z)
		near(t, name+": mean", mean, 0, 5*math.Sqrt(want/samples))
		near(t, name+": items", items, 1, 0.02)
		near(t, name+": variance", spread/want, 1, 5*math.Sqrt(3.0/samples))
		if u.even() && totals[1][7] != u.items && math.Abs(totals[1][7]-u.items) > 1e-9*u.items {
			t.Errorf("%s: a sample has %v items, not %v", name, totals[1][7], u.items)
		}
	}
	base, tuned := cells(30, 25, 15, 130)
	check("answers", base, tuned)
	base, tuned = cells(2, 3, 1, 2)
	check("few answers", base, tuned)
	random := rand.New(rand.NewPCG(4, 4))
	base, tuned = manyRuns(random, 300, 3, 0.3, 0.1)
	check("runs", base, tuned)
	for i := range base.Items {
		base.Strata = append(base.Strata, fmt.Sprint(i*i%7))
	}
	check("strata", base, tuned)
	for i := range base.Items {
		base.Clusters = append(base.Clusters, fmt.Sprint(i*i%7, i%45))
	}
	check("clusters in strata", base, tuned)
	base.Strata = nil
	check("clusters", base, tuned)
}

// TestThreads: the number of processors changes no bit.
func TestThreads(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	base, tuned := manyRuns(random, 300, 3, 0.3, 0.1)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	options := Options{Draws: 1001, Margin: 0.02, Seed: 5}
	want := everything(t, base, tuned, options)
	for _, processors := range []int{2, 3, 7} {
		runtime.GOMAXPROCS(processors)
		if got := everything(t, base, tuned, options); got != want {
			t.Errorf("%d processors give\n%s\none gives\n%s", processors, got, want)
		}
	}
	options.Seed = 6
	if everything(t, base, tuned, options) == want {
		t.Error("another seed changes nothing")
	}
}

// skewed is a sample of 40 exponential numbers less 0.5, rounded.
var skewed = []float64{0.208, 0.525, 0.069, 0.395, -0.293, 2.884, -0.49, 2.309, 0.075, -0.199, 0.041, -0.188, 0.4, 0.574,
	1.384, -0.278, 2.645, 0.236, -0.152, 0.384, -0.425, -0.44, 0.724, 0.273, 1.696, -0.025, 0.021, 0.681, 0.027, -0.478,
	-0.207, 0.514, 0.135, 0.897, -0.492, 0.404, -0.25, -0.144, 2.575, 0.904}

// TestBCa compares with scipy.stats.bootstrap(method="BCa") of 400,000 samples,
// which gives 0.1931 to 0.7480 for the skewed sample. scipy draws n of n, this
// package n-1, which widens the interval by 1/2n or 0.007; 0.008 are allowed.
// The t interval, 0.146 to 0.700, is outside.
func TestBCa(t *testing.T) {
	d := compare(t, single(make([]float64, len(skewed))...), single(skewed...), Options{Draws: 40000})
	near(t, "low", d.BootstrapLow, 0.1931, 0.008)
	near(t, "high", d.BootstrapHigh, 0.7480, 0.008)
	if d.Low > 0.15 {
		t.Errorf("the t interval begins at %v: this sample does not tell BCa from t", d.Low)
	}
}

// TestQuantile: ranks of n+1, between neighbours in proportion.
func TestQuantile(t *testing.T) {
	values := []float64{1, 2, 4}
	for p, want := range map[float64]float64{0: 1, 0.1: 1, 0.25: 1, 0.375: 1.5, 0.5: 2, 0.625: 3, 0.75: 4, 1: 4} {
		near(t, fmt.Sprint("quantile ", p), quantile(values, p), want, 1e-12)
	}
}
