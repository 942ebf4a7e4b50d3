package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/stat"
)

// TestCompareClusters: the standard error is of clusters, by the formula.
func TestCompareClusters(t *testing.T) {
	dir := t.TempDir()
	var texts [2]strings.Builder
	sums, total, n := map[int]float64{}, 0.0, 0
	var differences []struct {
		cluster int
		d       float64
	}
	for side := range texts {
		texts[side].WriteString("task,item,seed,score,cluster\n")
	}
	for cluster := range 12 {
		for i := range 5 + cluster%3 {
			a, b := float64((i+cluster)%2), float64((i*cluster+cluster/3)%2)
			fmt.Fprintf(&texts[0], "t,%d-%d,0,%v,c%d\n", cluster, i, a, cluster)
			fmt.Fprintf(&texts[1], "t,%d-%d,0,%v,c%d\n", cluster, i, b, cluster)
			differences = append(differences, struct {
				cluster int
				d       float64
			}{cluster, b - a})
			total, n = total+b-a, n+1
		}
	}
	mean := total / float64(n)
	for _, d := range differences {
		sums[d.cluster] += d.d - mean
	}
	variance := 0.0
	for c := range 12 {
		variance += sums[c] * sums[c]
	}
	want := math.Sqrt(12. / 11 * variance / float64(n*n))
	got := decoded[comparison](t, "compare", "--json", write(t, dir, "a.csv", texts[0].String()), write(t, dir, "b.csv", texts[1].String())).Tasks[0]
	if got.N != n || got.Clusters != 12 || !near(float64(got.Diff), mean) || math.Abs(float64(got.SE)-want) > 1e-12 {
		t.Errorf("%d items, %d clusters, %v ± %v, want %v ± %v", got.N, got.Clusters, got.Diff, got.SE, mean, want)
	}
	if got.Design == 1 || got.Method == "Tango's score interval" {
		t.Errorf("design effect %v, %s", got.Design, got.Method)
	}
}

// TestCompareSeeds: scores are means over seeds, and the variance has its parts.
func TestCompareSeeds(t *testing.T) {
	dir := t.TempDir()
	var texts [2]strings.Builder
	total := 0.0
	for side := range texts {
		texts[side].WriteString("task,item,seed,score\n")
	}
	for item := range 40 {
		for seed := range 4 {
			a, b := float64((item+seed)%3%2), float64((item*seed+1)%2)
			fmt.Fprintf(&texts[0], "t,%d,%d,%v\n", item, seed, a)
			fmt.Fprintf(&texts[1], "t,%d,%d,%v\n", item, seed, b)
			total += b - a
		}
	}
	a, b := write(t, dir, "a.csv", texts[0].String()), write(t, dir, "b.csv", texts[1].String())
	got := decoded[comparison](t, "compare", "--json", a, b).Tasks[0]
	if got.N != 40 || got.Seeds != 4 || !near(float64(got.Diff), total/160) || got.Components == nil || got.Components.SDDiff <= 0 || got.Components.Buy == "" {
		t.Errorf("%+v, components %+v", got, got.Components)
	}
	says(t, "table", done(t, "compare", a, b), "│ 40 x 4 │")
	one := decoded[comparison](t, "compare", "--json", scoresFile(t, "a", "t", []float64{0, 1, 1}), scoresFile(t, "b", "t", []float64{1, 1, 0})).Tasks[0]
	if one.Components != nil {
		t.Errorf("one seed has components %+v", one.Components)
	}
}

// TestCompareMargins: a margin for one task, for a group by its name, and for the
// others.
func TestCompareMargins(t *testing.T) {
	file := write(t, t.TempDir(), "a.csv", "task,item,seed,score\nquiz,1,0,1\nquiz,2,0,0\ngsm8k,1,0,1\ngsm8k,2,0,0\nmmlu_anatomy,1,0,1\nmmlu_anatomy,2,0,0\n")
	check := func(want map[string]number, args ...string) {
		t.Helper()
		for _, task := range decoded[comparison](t, append([]string{"compare", "--json", file, file}, args...)...).Tasks {
			if task.Margin != want[task.Task] {
				t.Errorf("%v: the margin of %s is %v, want %v", args, task.Task, task.Margin, want[task.Task])
			}
		}
	}
	check(map[string]number{"quiz": 0.02, "gsm8k": 0.03, "mmlu_anatomy": 0.02})
	check(map[string]number{"quiz": 0.1, "gsm8k": 0.1, "mmlu_anatomy": 0.1}, "--margin", "0.1")
	check(map[string]number{"quiz": 0.02, "gsm8k": 0.2, "mmlu_anatomy": 0.02}, "--margin", "gsm8k=0.2")
	check(map[string]number{"quiz": 0.3, "gsm8k": 0.3, "mmlu_anatomy": 0.04}, "--margin", "mmlu=0.04", "--margin", "0.3")
	check(map[string]number{"quiz": 0.02, "gsm8k": 0.03, "mmlu_anatomy": 0.05}, "--margin", "mmlu=0.04", "--margin", "mmlu_anatomy=0.05")
}

// TestCompareUnknownMargin: a margin of a task that is not there is a mistake.
func TestCompareUnknownMargin(t *testing.T) {
	file := scoresFile(t, "a", "quiz", []float64{0, 1, 1})
	text, errs, _ := surgeon(t, "compare", file, file, "--margin", "qiuz=0.1")
	says(t, "compare", text+errs, "qiuz")
}

// TestCompareHolm: p values of the primary rows are adjusted together, those of
// the parts of a group among themselves.
func TestCompareHolm(t *testing.T) {
	var texts [2]strings.Builder
	for side := range texts {
		texts[side].WriteString("task,item,seed,score\n")
	}
	for _, task := range []struct {
		name         string
		lost, gained int
	}{{"alpha", 20, 5}, {"beta", 12, 9}, {"gamma", 30, 8}, {"mmlu_anatomy", 9, 2}, {"mmlu_virology", 14, 3}} {
		base, tuned := pairedScores(200, 90, task.lost, task.gained)
		for side, scores := range [][]float64{base, tuned} {
			for i, s := range scores {
				fmt.Fprintf(&texts[side], "%s,%d,0,%v\n", task.name, i, s)
			}
		}
	}
	dir := t.TempDir()
	a, b := write(t, dir, "a.csv", texts[0].String()), write(t, dir, "b.csv", texts[1].String())
	got := decoded[comparison](t, "compare", "--json", a, b)
	p, holm, bh, parts := []float64{}, []float64{}, []float64{}, []float64{}
	for _, t := range slices.Concat(got.Groups, got.Tasks) {
		switch {
		case t.Adjusted != nil && t.FDR == nil && t.Group == "":
			p, holm = append(p, float64(t.P)), append(holm, float64(*t.Adjusted))
		case t.FDR != nil && t.Adjusted == nil && t.Group == "mmlu":
			parts, bh = append(parts, float64(t.P)), append(bh, float64(*t.FDR))
		}
	}
	if len(got.Groups) != 1 || got.Groups[0].Task != "mmlu" || got.Groups[0].N != 400 || len(p) != 4 || len(parts) != 2 {
		t.Fatalf("groups %+v, %d primary rows, %d parts", got.Groups, len(p), len(parts))
	}
	// Holm by hand: the k-th smallest times what is left, never falling.
	order := []int{0, 1, 2, 3}
	slices.SortFunc(order, func(i, j int) int {
		if p[i] < p[j] {
			return -1
		}
		return 1
	})
	largest := 0.0
	for k, i := range order {
		if largest = max(largest, min(1, float64(4-k)*p[i])); math.Abs(holm[i]-largest) > 1e-15 {
			t.Errorf("Holm of %v is %v, want %v", p[i], holm[i], largest)
		}
	}
	if want := stat.BenjaminiHochberg(parts); !slices.Equal(bh, want) {
		t.Errorf("Benjamini and Hochberg of %v are %v, want %v", parts, bh, want)
	}
	table := wide(t, "compare", a, b)
	says(t, "table", table, "\nmmlu ", "\n  mmlu_anatomy ", "\nalpha ", "largest regression: ", "runner-up: ")
}
