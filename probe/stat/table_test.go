package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// tableOf returns a table with the scores of one row per item.
func tableOf(rows ...[]float64) Table {
	var t Table
	for i, row := range rows {
		t.Items = append(t.Items, fmt.Sprintf("q%04d", i))
		t.Scores = append(t.Scores, row...)
	}
	for k := range rows[0] {
		t.Seeds = append(t.Seeds, int64(k))
	}
	return t
}

// single returns a table of one run.
func single(scores ...float64) Table {
	rows := make([][]float64, len(scores))
	for i := range scores {
		rows[i] = scores[i : i+1]
	}
	return tableOf(rows...)
}

// cells returns the tables of two models with the given numbers of items right
// in both, lost, gained, and wrong in both.
func cells(both, lost, gained, neither int) (base, tuned Table) {
	var b, t []float64
	for range both {
		b, t = append(b, 1), append(t, 1)
	}
	for range lost {
		b, t = append(b, 1), append(t, 0)
	}
	for range gained {
		b, t = append(b, 0), append(t, 1)
	}
	for range neither {
		b, t = append(b, 0), append(t, 0)
	}
	return single(b...), single(t...)
}

// compare is Compare for tables that must not fail.
func compare(t testing.TB, base, tuned Table, options Options) Difference {
	t.Helper()
	d, err := Compare(base, tuned, options)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestTableErrors checks that each error names what it is about, in which
// table.
func TestTableErrors(t *testing.T) {
	good := tableOf([]float64{1, 0}, []float64{0, 1}, []float64{1, 1})
	check := func(change func(*Table), want ...string) {
		t.Helper()
		bad := tableOf([]float64{1, 0}, []float64{0, 1}, []float64{1, 1})
		change(&bad)
		_, err := Compare(good, bad, Options{})
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("error %v lacks %q", err, part)
			}
		}
		if err := bad.Check(); len(want) == 2 && (err == nil || !strings.Contains(err.Error(), want[0])) {
			t.Errorf("Check: error %v lacks %q", err, want[0])
		}
	}
	check(func(b *Table) { *b = Table{} }, "no items", "in the tuned")
	check(func(b *Table) { b.Seeds, b.Scores = nil, nil }, "no seeds", "in the tuned")
	check(func(b *Table) { b.Scores = b.Scores[1:] }, "5 scores, but 3 items with 2 seeds need 6", "in the tuned")
	check(func(b *Table) { b.Clusters = []string{"a"} }, "clusters of 1 items, but has 3", "in the tuned")
	check(func(b *Table) { b.Strata = []string{"a"} }, "strata of 1 items, but has 3", "in the tuned")
	check(func(b *Table) { b.Items[2] = "q0000" }, `item "q0000" comes twice`, "in the tuned")
	check(func(b *Table) { b.Seeds[1] = 0 }, "seed 0 comes twice", "in the tuned")
	check(func(b *Table) { b.Scores[3] = math.NaN() }, `item "q0001" with seed 1 is NaN`, "in the tuned")
	check(func(b *Table) { b.Scores[4] = math.Inf(-1) }, `item "q0002" with seed 0 is -Inf`, "in the tuned")
	check(func(b *Table) { b.Scores[4] = 1e51 }, `at most 1e+50`, "in the tuned")
	check(func(b *Table) { b.Items[2] = "zz" }, `item "q0002" is scored in the base but not in the tuned`)
	check(func(b *Table) { b.Items[2] = "a" }, `item "a" is scored in the tuned but not in the base`)
	check(func(b *Table) { b.Items, b.Scores = b.Items[:2], b.Scores[:4] }, `item "q0002" is scored in the base but not`)
	check(func(b *Table) { b.Seeds[1] = 7 }, "seed 1 is scored in the base but not in the tuned")

	good.Clusters = []string{"a", "a", "b"}
	check(func(b *Table) { b.Clusters = []string{"a", "b", "b"} }, `item "q0001" is in cluster "a" in the base but in "b"`)
	good.Clusters, good.Strata = nil, []string{"a", "a", "b"}
	check(func(b *Table) { b.Strata = []string{"a", "a", "x"} }, `item "q0002" is in stratum "b" in the base but in "x"`)
}

func TestOptionErrors(t *testing.T) {
	base, tuned := cells(3, 2, 1, 4)
	check := func(options Options, want string) {
		t.Helper()
		if _, err := Compare(base, tuned, options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
		if _, err := Largest([]Pair{{Base: base, Tuned: tuned}}, options); err == nil {
			t.Errorf("Largest accepts %+v", options)
		}
	}
	check(Options{Confidence: 0.4}, "confidence is 0.4")
	check(Options{Confidence: 1}, "confidence is 1")
	check(Options{Confidence: math.NaN()}, "confidence is NaN")
	check(Options{OneSided: 0.3}, "one-sided confidence is 0.3")
	check(Options{Margin: -0.02}, "margin is -0.02")
	check(Options{Margin: math.NaN()}, "margin is NaN")
	check(Options{Draws: 10}, "10 draws are too few")
	check(Options{Chance: 1}, "guessing is 1")
	check(Options{Chance: -0.1}, "guessing is -0.1")
}

// TestPlaces: neither the order of the items nor that of the seeds, nor which
// table tells the clusters, changes a bit of any result.
func TestPlaces(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	base, tuned := manyRuns(random, 60, 4, 0.3, 0.05)
	for i := range base.Items {
		base.Clusters = append(base.Clusters, fmt.Sprintf("c%d", i%13))
		base.Strata = append(base.Strata, fmt.Sprintf("s%d", i%13%3))
	}
	options := Options{Draws: 500, Margin: 0.1}
	want := everything(t, base, tuned, options)
	for range 5 {
		base, tuned = jumbled(random, base), jumbled(random, tuned)
		base.Clusters, tuned.Clusters = tuned.Clusters, base.Clusters
		if base.Clusters != nil {
			base.Clusters = regroup(base.Items, tuned.Items, base.Clusters)
		} else {
			tuned.Clusters = regroup(tuned.Items, base.Items, tuned.Clusters)
		}
		if got := everything(t, base, tuned, options); got != want {
			t.Fatalf("another order gives\n%s\nnot\n%s", got, want)
		}
	}
}

// regroup carries clusters named in the order of some items to another order.
func regroup(items, from []string, clusters []string) []string {
	of := map[string]string{}
	for i, item := range from {
		of[item] = clusters[i]
	}
	var result []string
	for _, item := range items {
		result = append(result, of[item])
	}
	return result
}

// everything prints every bit of every result about two tables.
func everything(t testing.TB, base, tuned Table, options Options) string {
	t.Helper()
	d := compare(t, base, tuned, options)
	text := ""
	if d.Components != nil {
		text = fmt.Sprintf("%v", *d.Components)
	}
	d.Components = nil
	ranking, err := Largest([]Pair{{Name: "one", Base: base, Tuned: tuned}, {Name: "other", Base: tuned, Tuned: base}}, options)
	if err != nil {
		t.Fatal(err)
	}
	retention, err := Retention(base, tuned, options)
	if err != nil {
		t.Fatal(err)
	}
	gap, err := GapClosed(base, tuned, base, options)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v %s %v %v %v", d, text, ranking, retention, gap)
}

// jumbled returns the table with its items and seeds in another order.
func jumbled(random *rand.Rand, t Table) Table {
	items, seeds := random.Perm(len(t.Items)), random.Perm(len(t.Seeds))
	result := Table{Items: pick(t.Items, items), Clusters: pick(t.Clusters, items), Strata: pick(t.Strata, items)}
	for _, k := range seeds {
		result.Seeds = append(result.Seeds, t.Seeds[k])
	}
	for _, i := range items {
		for _, k := range seeds {
			result.Scores = append(result.Scores, t.Scores[i*len(t.Seeds)+k])
		}
	}
	return result
}

// manyRuns returns two models' answers: each item has a difficulty of its own,
// the tuned model answers a share of the runs anew and loses some.
func manyRuns(random *rand.Rand, items, seeds int, anew, loss float64) (base, tuned Table) {
	b, t := make([][]float64, items), make([][]float64, items)
	for i := range b {
		p := random.Float64()
		for range seeds {
			right := one(random.Float64() < p)
			b[i], t[i] = append(b[i], right), append(t[i], right)
			if random.Float64() < anew {
				t[i][len(t[i])-1] = one(random.Float64() < p-loss)
			}
		}
	}
	return tableOf(b...), tableOf(t...)
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// TestCollapse: copies of one run count as one run, in words and in numbers.
func TestCollapse(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	base, tuned := manyRuns(random, 80, 1, 0.3, 0.1)
	want := compare(t, base, tuned, Options{Draws: 200})
	copied := func(t Table) Table {
		var rows [][]float64
		for _, score := range t.Scores {
			rows = append(rows, []float64{score, score, score})
		}
		return tableOf(rows...)
	}
	got := compare(t, copied(base), copied(tuned), Options{Draws: 200})
	if got.Seeds != 1 || got.Components != nil || len(got.Warnings) == 0 || !strings.Contains(got.Warnings[0], "all 3 seeds gave the same scores, so seeds change nothing here") {
		t.Errorf("copies of a run: %d seeds, components %v, warnings %q", got.Seeds, got.Components, got.Warnings)
	}
	got.Warnings = want.Warnings
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("three copies give %+v, one gives %+v", got, want)
	}

	half := compare(t, copied(base), jitter(random, copied(tuned)), Options{Draws: 200})
	if half.Seeds != 3 || !strings.Contains(strings.Join(half.Warnings, "\n"), "all 3 seeds gave the base the same scores") {
		t.Errorf("seeds that change one model: %d, warnings %q", half.Seeds, half.Warnings)
	}
	twins := copied(base)
	for i := 2; i < len(twins.Scores); i += 6 {
		twins.Scores[i] = 1 - twins.Scores[i]
	}
	both := compare(t, copied(base), twins, Options{Draws: 200})
	if !strings.Contains(strings.Join(both.Warnings, "\n"), "seeds 0 and 1 gave the same scores throughout") {
		t.Errorf("twin seeds: warnings %q", both.Warnings)
	}
}

// jitter turns a tenth of the answers.
func jitter(random *rand.Rand, t Table) Table {
	for i := range t.Scores {
		if random.Float64() < 0.1 {
			t.Scores[i] = 1 - t.Scores[i]
		}
	}
	return t
}
