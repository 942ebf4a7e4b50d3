package stat

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// TestCompareGSM8K compares with the golden numbers of OpenAI's published GSM8K
// answers, 1319 questions, computed outside this project: 286 right for 6B
// finetuning, 515 for 6B verification, 458 for 175B finetuning.
func TestCompareGSM8K(t *testing.T) {
	check := func(both, lost, gained, neither int, difference, se, p, relative float64) Difference {
		t.Helper()
		base, tuned := cells(both, lost, gained, neither)
		d := compare(t, base, tuned, Options{})
		near(t, "Difference", d.Difference, difference, 5e-6)
		near(t, "SE", d.SE, se, 5e-6)
		near(t, "McNemar", d.McNemar, p, relative*p)
		if d.N != 1319 || d.Lost != lost || d.Gained != gained || d.P != d.McNemar || d.IntervalMethod != "Tango's score interval" {
			t.Errorf("%+v", d)
		}
		return d
	}
	// 515 - 209 = 306 = 458 - 152 are right in both.
	d := check(306, 209, 152, 652, -0.04321, 0.01436, 0.003151, 2e-4)
	near(t, "SEUnpaired", d.SEUnpaired, 0.01878, 5e-6)
	near(t, "Correlation", d.Correlation, 0.415, 5e-4)
	near(t, "Low", d.Low, d.Difference-1.96*d.SE, 3e-4)
	near(t, "High", d.High, d.Difference+1.96*d.SE, 3e-4)
	near(t, "BootstrapLow", d.BootstrapLow, d.Low, 0.001)
	near(t, "BootstrapHigh", d.BootstrapHigh, d.High, 0.001)
	near(t, "Permutation", d.Permutation, d.McNemar, 0.002)
	near(t, "Detectable", d.Detectable, 2.80*d.SE, 5e-5)
	near(t, "McNemarLoss", d.McNemarLoss, d.McNemar/2, 1e-12)
	check(286-88, 88, 260, 1319-286-260, 0.13040, 0.01368, 7.47e-21, 1e-3)
	check(286-64, 64, 293, 1319-286-293, 229.0/1319, math.Sqrt((357.0/1319-229.0*229/1319/1319)/1318), 2e-4, 1)
}

// TestCompareGSM8KFile computes the same from the published answers themselves,
// which hold the two models that finetuning alone made.
func TestCompareGSM8KFile(t *testing.T) {
	file, err := os.Open("../../../shared/data/gsm8k/example_model_solutions.jsonl")
	if err != nil {
		t.Skip("the published GSM8K answers are not there:", err)
	}
	defer file.Close()
	var base, tuned Table
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Small struct {
				Right bool `json:"is_correct"`
			} `json:"6b_finetuning"`
			Large struct {
				Right bool `json:"is_correct"`
			} `json:"175b_finetuning"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		base.Items = append(base.Items, fmt.Sprintf("gsm8k/%d", len(base.Items)))
		base.Scores = append(base.Scores, one(line.Small.Right))
		tuned.Scores = append(tuned.Scores, one(line.Large.Right))
	}
	base.Seeds, tuned.Seeds, tuned.Items = []int64{0}, []int64{0}, base.Items
	d := compare(t, base, tuned, Options{})
	near(t, "Base", d.Base, 286.0/1319, 1e-12)
	near(t, "Tuned", d.Tuned, 458.0/1319, 1e-12)
	near(t, "SE", d.SE, 0.01368, 5e-6)
	near(t, "McNemar", d.McNemar, 7.47e-21, 5e-24)
	if d.N != 1319 || d.Lost != 88 || d.Gained != 260 {
		t.Errorf("%d items, %d lost, %d gained", d.N, d.Lost, d.Gained)
	}
}

// TestCompareSleep is Student's own example as in TestPairedSleep: t = 4.0621,
// p = 0.002833, interval 0.7001142 to 2.4598858 by R's t.test.
func TestCompareSleep(t *testing.T) {
	first := single(0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
	second := single(1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
	d := compare(t, first, second, Options{})
	near(t, "Low", d.Low, 0.7001142, 5e-8)
	near(t, "High", d.High, 2.4598858, 5e-8)
	near(t, "t", d.Difference/d.SE, 4.0621, 5e-5)
	near(t, "Lower", d.Lower, 1.58-1.833113*d.SE, 1e-6) // t of 9 degrees of freedom at 95 %
	near(t, "Permutation", d.Permutation, 2.0/512, 1e-12)
	// Nine changed patients are few, so the larger p value stands.
	if d.P != d.Permutation || d.PMethod != "sign flips" || !d.PermutationExact {
		t.Errorf("p %v by %s", d.P, d.PMethod)
	}

	// The same with the patients in four clusters: the clustered standard error
	// of statsmodels (OLS on a constant, cov_type cluster, with its factor
	// C/(C-1) n/(n-1) less the latter, whose n-1 is the degrees of freedom it
	// takes off once more for the constant) is 0.30663768, the interval
	// 0.60414205 to 2.55585795 and p 0.01417142.
	first.Clusters = []string{"a", "a", "a", "b", "b", "c", "c", "c", "c", "d"}
	d = compare(t, first, second, Options{})
	near(t, "clustered SE", d.SE, 0.30663768, 5e-9)
	near(t, "clustered Low", d.Low, 0.60414205, 5e-8)
	near(t, "clustered High", d.High, 2.55585795, 5e-8)
	near(t, "design effect", d.DesignEffect, math.Pow(0.30663768/d.SESimple, 2), 1e-7)
	if d.Clusters != 4 || d.DF != 3 || !strings.Contains(d.IntervalMethod, "clustered") {
		t.Errorf("%d clusters, %v degrees of freedom, %s", d.Clusters, d.DF, d.IntervalMethod)
	}
	near(t, "clustered Permutation", d.Permutation, 2.0/16, 1e-12) // all four clusters gained

	// In two strata of four and six: sqrt(sum n_h s_h²)/n by numpy.
	first.Clusters, first.Strata = nil, []string{"a", "a", "a", "a", "b", "b", "b", "b", "b", "b"}
	d = compare(t, first, second, Options{})
	near(t, "stratified SE", d.SE, 0.4057256872978753, 1e-12)
	if d.DF != 8 || d.Clusters != 0 {
		t.Errorf("strata: %v degrees of freedom, %d clusters", d.DF, d.Clusters)
	}
}

// TestCompareUnits: clusters of one item each are items, one stratum is none,
// and doubling every item in its cluster changes nothing but the design effect.
func TestCompareUnits(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 1))
	base, tuned := manyRuns(random, 70, 1, 0.4, 0.1)
	want := compare(t, base, tuned, Options{Draws: 200})
	base.Clusters, base.Strata = base.Items, make([]string, 70)
	if got := compare(t, base, tuned, Options{Draws: 200}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("clusters of one item: %+v, want %+v", got, want)
	}
	double := func(t Table) Table {
		d := Table{Seeds: t.Seeds, Scores: append(t.Scores[:70:70], t.Scores...)}
		for copy := range 2 {
			for _, item := range t.Items {
				d.Items, d.Clusters = append(d.Items, fmt.Sprint(item, copy)), append(d.Clusters, item)
			}
		}
		return d
	}
	got := compare(t, double(base), double(tuned), Options{Draws: 200})
	near(t, "SE of doubled items", got.SE, want.SE, 1e-12)
	near(t, "design effect of doubled items", got.DesignEffect, 2*139.0/138, 1e-9)
}

// TestCompareMirror: exchanging the models turns the sign of everything that
// has one and keeps the rest.
func TestCompareMirror(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 2))
	base, tuned := manyRuns(random, 70, 3, 0.4, 0.1)
	there, back := compare(t, base, tuned, Options{}), compare(t, tuned, base, Options{})
	near(t, "Difference", back.Difference, -there.Difference, 0)
	near(t, "Low", back.Low, -there.High, 1e-15)
	near(t, "BootstrapLow", back.BootstrapLow, -there.BootstrapHigh, 1e-3)
	near(t, "P", back.P, there.P, 1e-12)
	near(t, "Permutation", back.Permutation, there.Permutation, 0)
	near(t, "SE", back.SE, there.SE, 1e-15)
	if back.Lost != there.Gained {
		t.Errorf("%d lost one way, %d gained the other", back.Lost, there.Gained)
	}
}

// TestNoSpread: what has no spread is not certain. Scores between 0 and 1 that
// never change get the interval of the rule of three; others get no verdict.
func TestNoSpread(t *testing.T) {
	rows := make([][]float64, 300)
	for i := range rows {
		rows[i] = []float64{one(i%2 == 0), one(i%3 == 0)}
	}
	same := tableOf(rows...)
	d := compare(t, same, same, Options{Margin: 0.02})
	// 1 - 0.025^(1/300) = 0.01222, one-sided 1 - 0.05^(1/300) = 0.00994.
	near(t, "High", d.High, 0.01222, 5e-6)
	near(t, "Low", d.Low, -0.01222, 5e-6)
	near(t, "BootstrapLow", d.BootstrapLow, -0.01222, 5e-6)
	near(t, "Lower", d.Lower, -0.00994, 5e-6)
	near(t, "Detectable", d.Detectable, 0.01222, 5e-6)
	if d.Verdict != Retained || d.P != 1 || !strings.Contains(strings.Join(d.Warnings, "\n"), "no item changed, which is compatible with changes in up to 0.99 %") {
		t.Errorf("%s, p %v, %q", d.Verdict, d.P, d.Warnings)
	}
	d = compare(t, same, same, Options{Margin: 0.005})
	// ln 0.05 / ln 0.995 = 597.6 items without a change show less than 0.5 %.
	if d.Verdict != Inconclusive || d.NeededItems != 598 {
		t.Errorf("%s, %d items needed, want INCONCLUSIVE and 598", d.Verdict, d.NeededItems)
	}

	margins := single(-3, 2, 7)
	d = compare(t, margins, margins, Options{Margin: 5})
	if d.SE != 0 || d.Verdict != Inconclusive || d.P != 1 || !strings.Contains(strings.Join(d.Warnings, "\n"), "decides nothing") {
		t.Errorf("%+v", d)
	}
	d = compare(t, single(0.3), single(0.4), Options{Margin: 0.5})
	if !math.IsNaN(d.SE) || d.Low != -1 || d.High != 1 || d.P != 1 || d.Verdict != Inconclusive {
		t.Errorf("a single item: %+v", d)
	}
	d = compare(t, single(-3), single(4), Options{Margin: 0.5})
	if !math.IsInf(d.Low, -1) || !math.IsInf(d.High, 1) || d.Verdict != Inconclusive {
		t.Errorf("a single margin: %+v", d)
	}
	one := single(0.2, 0.4, 0.6)
	one.Clusters = []string{"a", "a", "a"}
	d = compare(t, one, single(0.1, 0.3, 0.1), Options{})
	if !math.IsNaN(d.SE) || d.Low != -1 || d.Clusters != 1 || !strings.Contains(strings.Join(d.Warnings, "\n"), "no more than one cluster") {
		t.Errorf("a single cluster: %+v", d)
	}
}
