package cli

import (
	"fmt"
	"strings"
	"testing"

	"surgeon/probe"
	"surgeon/probe/record"
	"surgeon/probe/task"
)

// TestAgainst: against a base that gets everything right a model that gets
// hardly anything right is found out before all items are asked, with words and
// a number; against a base of its own answers nothing is ever decided, and its
// score is that of a run without looks.
func TestAgainst(t *testing.T) {
	dir := t.TempDir()
	basket, err := task.Open([]string{"instruct"}, task.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var perfect strings.Builder
	perfect.WriteString("task,item,seed,score,metric\n")
	for _, item := range basket.Tasks[0].Items {
		fmt.Fprintf(&perfect, "instruct,%s,1234,1,prompt_level_strict_acc\n", item.ID)
	}
	args := []string{"score", "chem", "--tasks", "instruct", "--max-tokens", "8", "--json"}
	type scored struct {
		Tasks []struct {
			N     int
			Score float64
		}
		Notes []string
	}
	early := decoded[scored](t, append(args, "--against", write(t, dir, "perfect.csv", perfect.String()))...)
	if n := early.Tasks[0].N; n >= 100 || !strings.Contains(strings.Join(early.Notes, "\n"), fmt.Sprintf("instruct: MATERIAL after %d of 170 items: ", n)) {
		t.Errorf("%d items, %q", n, early.Notes)
	}
	own := dir + "/own"
	whole := decoded[scored](t, append(args, "--out", own)...)
	late := decoded[scored](t, append(args, "--against", own)...)
	if late.Tasks[0].N != 170 || late.Tasks[0].Score != whole.Tasks[0].Score {
		t.Errorf("against itself %+v, alone %+v", late.Tasks, whole.Tasks)
	}
	refused(t, ExitInput, []string{"nothing"}, append(args, "--against", dir+"/nothing")...)
}

// TestBudget: a run without time asks one part of every subject and says so; one
// with more than enough asks everything, and its score is that of a run without.
func TestBudget(t *testing.T) {
	args := []string{"score", "base", "--tasks", "symbols", "--max-tokens", "8"}
	out := done(t, append(args, "--budget", "1ns")...)
	if !strings.Contains(out, "symbols: the time was used up after ") || !strings.Contains(out, " of 24 items, a random sample of them") {
		t.Error(out)
	}
	want := done(t, args...)
	if got := done(t, append(args, "--budget", "1h")...); withoutRates(got) != withoutRates(want) {
		t.Errorf("with an hour:\n%s\nwithout a budget:\n%s", got, want)
	}
	refused(t, ExitUsage, []string{"--budget"}, append(args, "--budget=-1s")...)
}

// TestDivide: every part has its share of every cluster, all seeds of an item
// are in one part, and nothing is left out.
func TestDivide(t *testing.T) {
	e := &evaluation{}
	for item := range 95 {
		for _, seed := range []int64{1, 2} {
			e.base = append(e.base, record.Record{Task: "t", Item: fmt.Sprint(item), Cluster: []string{"a", "b"}[item%2], Seed: seed})
		}
	}
	e.asked = make([]probe.Asked, len(e.base))
	seen, where := map[int]bool{}, map[string]int{}
	for n, part := range e.divide() {
		clusters := map[string]int{}
		for _, i := range part {
			seen[i] = true
			clusters[e.base[i].Cluster]++
			if at, ok := where[e.base[i].Item]; ok && at != n {
				t.Errorf("item %s is in parts %d and %d", e.base[i].Item, at, n)
			}
			where[e.base[i].Item] = n
		}
		if a, b := clusters["a"], clusters["b"]; a < 4 || a > 6 || b < 4 || b > 6 {
			t.Errorf("part %d has %v", n, clusters)
		}
	}
	if len(seen) != 190 {
		t.Errorf("%d of 190 questions are in a part", len(seen))
	}
}
