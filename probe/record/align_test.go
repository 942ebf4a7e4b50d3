package record_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/record"
)

// runOf is a run of records.
func runOf(records ...record.Record) record.Run { return record.Run{Records: records} }

// cell is a record of one task with a score of acc.
func cell(item string, seed int64, acc float64) record.Record {
	return scored("m", "t", item, "", seed, map[string]float64{"acc": acc})
}

func align(t *testing.T, a, b record.Run) record.Alignment {
	t.Helper()
	got, err := record.Align(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// notes checks that an alignment has these notes, in order, by their words.
func notes(t *testing.T, got record.Alignment, want ...string) {
	t.Helper()
	if len(got.Notes) != len(want) {
		t.Fatalf("notes %q, want %d", got.Notes, len(want))
	}
	for i := range want {
		if !strings.Contains(got.Notes[i], want[i]) {
			t.Errorf("note %q, want one with %q", got.Notes[i], want[i])
		}
	}
}

func TestAlign(t *testing.T) {
	a := runOf(cell("x", 1, 1), cell("x", 0, 0.5), cell("w", 0, 0), cell("w", 1, 1))
	b := runOf(cell("w", 1, 0.25), cell("w", 0, 1), cell("x", 0, 0), cell("x", 1, 0.75))
	a.Records[2].Cluster = "c" // known on one side
	b.Records[2].Flags = []string{record.Unparseable}
	got := align(t, a, b)
	notes(t, got)
	want := record.Series{Task: "t", Metric: "acc", Items: []string{"w", "x"}, Clusters: []string{"c", ""}, Seeds: []int64{0, 1},
		A: []float64{0, 1, 0.5, 1}, B: []float64{1, 0.25, 0, 0.75},
		ParsedA: []bool{true, true, true, true}, ParsedB: []bool{true, true, false, true}}
	if len(got.Series) != 1 || !reflect.DeepEqual(got.Series[0], want) {
		t.Errorf("aligned %+v, want %+v", got.Series, want)
	}
	slices.Reverse(a.Records) // the order of a log is chance
	if again := align(t, a, b); !reflect.DeepEqual(again, got) {
		t.Errorf("in another order, aligned %+v", again)
	}
}

func TestAlignNamesWhatIsMissing(t *testing.T) {
	var a, b record.Run
	for i := range 10 {
		a.Records = append(a.Records, cell(fmt.Sprint("a", i), 0, 1))
	}
	a.Records = append(a.Records, cell("x", 0, 1), scored("m", "only", "x", "", 0, map[string]float64{"acc": 1}))
	b.Records = append(b.Records, cell("x", 0, 1), cell("y", 0, 1))
	b.Records[0].Scores["acc_norm"] = 1
	got := align(t, a, b)
	notes(t, got, "1 task only in the first run: only", "t: 10 items only in the first run: a0, a1, a2, a3, a4 and 5 more",
		"t: 1 item only in the second run: y", "t: 1 metric only in the second run: acc_norm")
	if len(got.Series) != 1 || !slices.Equal(got.Series[0].Items, []string{"x"}) {
		t.Errorf("aligned %+v", got.Series)
	}
}

// TestAlignRectangle: items without some of the seeds are dropped, or seeds
// without many of the items, whichever keeps more.
func TestAlignRectangle(t *testing.T) {
	grid := func(rows ...string) (run record.Run) { // '1' where an item has a score with a seed
		for i, row := range rows {
			for seed, mark := range row {
				if mark == '1' {
					run.Records = append(run.Records, cell(fmt.Sprint("i", i), int64(seed), 1))
				}
			}
		}
		return run
	}
	check := func(a, b record.Run, items []string, seeds []int64, words ...string) {
		t.Helper()
		got := align(t, a, b)
		if s := got.Series[0]; !slices.Equal(s.Items, items) || !slices.Equal(s.Seeds, seeds) || len(s.A) != len(items)*len(seeds) {
			t.Errorf("aligned %v with seeds %v, want %v and %v", s.Items, s.Seeds, items, seeds)
		}
		notes(t, got, words...)
	}
	full := grid("111", "111", "111", "111")
	check(full, full, []string{"i0", "i1", "i2", "i3"}, []int64{0, 1, 2})
	check(full, grid("111", "101", "111", "111"), []string{"i0", "i2", "i3"}, []int64{0, 1, 2},
		"t: 1 item left out for want of a score in both runs with each of the seeds [0 1 2]: i1")
	check(grid("111", "110", "110", "110"), full, []string{"i0", "i1", "i2", "i3"}, []int64{0, 1},
		"t: seeds that too few items have in both runs are left out: [2]")
	check(grid("011", "011", "010", "000"), grid("111", "001", "111", "111"), []string{"i0", "i2"}, []int64{1},
		"1 item only in the second run: i3", "1 seed only in the second run: 0", "1 item left out for want of a score in both runs with each of the seeds [1]: i1", "left out: [2]")
}

func TestAlignParts(t *testing.T) {
	part := func(item, cluster string, parts ...bool) record.Record {
		r := scored("m", "ifeval", item, cluster, 0, map[string]float64{"inst": 0.5, "prompt": 0})
		r.Parts = map[string][]bool{"inst": parts}
		return r
	}
	a := runOf(part("7", "", true, false), part("8", "group", true))
	got := align(t, a, runOf(part("8", "group", false), part("7", "", true, true)))
	want := record.Series{Task: "ifeval", Metric: "inst", Items: []string{"7#1", "7#2", "8#1"}, Clusters: []string{"7", "7", "group"}, Seeds: []int64{0},
		A: []float64{1, 0, 1}, B: []float64{1, 1, 0}, ParsedA: []bool{true, true, true}, ParsedB: []bool{true, true, true}}
	if len(got.Series) != 2 || !reflect.DeepEqual(got.Series[0], want) || got.Series[1].Metric != "prompt" {
		t.Errorf("aligned %+v, want %+v", got.Series, want)
	}
	if _, err := record.Align(a, runOf(part("7", "", true))); err == nil || !strings.Contains(err.Error(), `item "7" of task "ifeval" has 2 verdicts of "inst" in one answer and 1 in another`) {
		t.Errorf("other verdicts: %v", err)
	}
}

func TestAlignByDocument(t *testing.T) {
	with := func(item, hash string, seed int64, acc float64) record.Record {
		r := cell(item, seed, acc)
		r.DocHash = hash
		return r
	}
	a := runOf(with("anatomy/0", "h0", 1234, 1), with("anatomy/1", "h1", 1234, 0), with("anatomy/2", "same", 1234, 1), with("anatomy/3", "same", 1234, 1))
	b := runOf(with("1", "h1", 0, 1), with("0", "h0", 0, 0.5), with("2", "same", 0, 1))
	got := align(t, a, b)
	notes(t, got, "t: the runs call items by different names; 2 were matched by their documents", "t: each run has one seed, 1234 in the first and 0 in the second",
		"2 items only in the first run: anatomy/2, anatomy/3", "1 item only in the second run: 2")
	if s := got.Series[0]; !slices.Equal(s.Items, []string{"anatomy/0", "anatomy/1"}) || !slices.Equal(s.A, []float64{1, 0}) || !slices.Equal(s.B, []float64{0.5, 1}) || !slices.Equal(s.Seeds, []int64{1234}) {
		t.Errorf("aligned %+v", s)
	}
	if _, err := record.Align(runOf(with("x", "aaaa", 0, 1)), runOf(with("x", "bbbb", 0, 1))); err == nil || !strings.Contains(err.Error(), `item "x" of task "t" is another document in the first run (doc_hash aaaa) than in the second (bbbb)`) {
		t.Errorf("other documents: %v", err)
	}
}

func TestAlignPrompts(t *testing.T) {
	with := func(item, prompt string) record.Record {
		r := cell(item, 0, 1)
		r.PromptHash = prompt
		return r
	}
	got := align(t, runOf(with("a", "1"), with("b", "2"), with("c", ""), with("d", "4")), runOf(with("a", "1"), with("b", "x"), with("c", "3"), with("d", "y")))
	if got.PromptsCompared != 3 || got.PromptsDiffer != 2 {
		t.Errorf("%d of %d prompts differ, want 2 of 3", got.PromptsDiffer, got.PromptsCompared)
	}
	notes(t, got, "2 of 3 pairs of answers were given to different prompts")
}

func TestAlignRefuses(t *testing.T) {
	check := func(a, b record.Run, want string) {
		t.Helper()
		if _, err := record.Align(a, b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	one, other := runOf(cell("x", 0, 1)), runOf(cell("y", 0, 1))
	check(one, runOf(), "the second run has no answers")
	check(one, other, "the runs share nothing: the first has t (1 item, seed 0), the second t (1 item, seed 0)")
	check(runOf(cell("x", 0, 1), cell("x", 1, 1)), runOf(cell("x", 2, 1), cell("x", 3, 1)), "the runs share nothing")
	check(runOf(cell("x", 0, 1), cell("x", 0, 1)), one, `the first run has item "x" of task "t" twice with seed 0`)
	two := runOf(cell("x", 0, 1), cell("y", 0, 1))
	two.Records[1].Model = "n"
	check(one, two, "the second run has answers of 2 models (m, n): name the one to compare")
	clusters := runOf(cell("x", 0, 1))
	clusters.Records[0].Cluster = "c"
	others := runOf(cell("x", 0, 1))
	others.Records[0].Cluster = "d"
	check(clusters, others, `item "x" of task "t" is in cluster "c" and in "d"`)
}
