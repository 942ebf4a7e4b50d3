package audit

import (
	"fmt"
	"slices"
	"testing"
)

func TestSplit(t *testing.T) {
	whole := []Task{task("facts", General, 2000), task("chemistry", Domain, 500)}
	for i := range whole[1].Items {
		whole[1].Items[i].Cluster = fmt.Sprint("molecule ", i/6)
	}
	selected, report := Split(whole, 0.4, "salt")
	side := map[string]bool{}
	for at, task := range whole {
		if len(selected[at])+len(report[at]) != len(task.Items) || !slices.IsSorted(selected[at]) || !slices.IsSorted(report[at]) {
			t.Fatalf("%s: %d and %d of %d items", task.Name, len(selected[at]), len(report[at]), len(task.Items))
		}
		for _, i := range selected[at] {
			side[task.Items[i].ID] = true
		}
	}
	// 2000 draws at 0.4 have a standard deviation of 0.011.
	near(t, "the share selected", float64(len(selected[0]))/2000, 0.4, 0.035)
	clusters := map[string]bool{}
	for _, item := range whole[1].Items {
		if was, seen := clusters[item.Cluster]; seen && was != side[item.ID] {
			t.Fatalf("%s is on both sides", item.Cluster)
		}
		clusters[item.Cluster] = side[item.ID]
	}
	fewer := []Task{whole[0]}
	fewer[0].Items = slices.Clone(whole[0].Items[500:700])
	slices.Reverse(fewer[0].Items)
	chosen, _ := Split(fewer, 0.4, "salt")
	for i, item := range fewer[0].Items {
		if slices.Contains(chosen[0], i) != side[item.ID] {
			t.Fatalf("%s changes sides with the other items", item.ID)
		}
	}
	other, _ := Split(whole, 0.4, "another salt")
	if slices.Equal(other[0], selected[0]) {
		t.Error("the salt changes nothing")
	}
	all, none := Split(whole, 1, "")
	if len(all[0]) != 2000 || len(none[0]) != 0 {
		t.Error("a share of 1 leaves items out")
	}
}

// A few items lie on both sides, and items of a cluster on the same in every task.
func TestSplitFew(t *testing.T) {
	for n := 2; n < 12; n++ {
		for salt := range 40 {
			selected, report := Split([]Task{task("few", General, n)}, 0.4, fmt.Sprint(salt))
			if len(selected[0]) == 0 || len(report[0]) == 0 {
				t.Errorf("%d items: %d are selected and %d reported", n, len(selected[0]), len(report[0]))
			}
		}
	}
	selected, report := Split([]Task{task("one", General, 1)}, 0.4, "salt")
	if len(selected[0])+len(report[0]) != 1 {
		t.Error("one item is lost")
	}
	facts := []Task{task("asked", General, 90), task("chosen", Safety, 90)}
	for i := range 90 {
		facts[0].Items[i].Cluster, facts[1].Items[89-i].Cluster = fmt.Sprint("fact ", i), fmt.Sprint("fact ", i)
	}
	selected, _ = Split(facts, 0.4, "salt")
	for _, i := range selected[0] {
		if !slices.Contains(selected[1], 89-i) {
			t.Errorf("fact %d is on both sides", i)
		}
	}
}

// A pinned digest, computed by Python:
//
//	m = b"".join(struct.pack(">Q", len(s)) + s for s in (b"s", b"t", b"item", b"x"))
//	int.from_bytes(hashlib.sha256(m).digest()[:8], "big") / 2**64
func TestPlace(t *testing.T) {
	near(t, "the place", place("s", "t", Item{ID: "x"}), 0.4965007037402952, 1e-15)
}

func TestSub(t *testing.T) {
	tasks, base, _ := usual()
	selected, report := Split(tasks, 0.4, "salt")
	part, scores := Sub(tasks, base, selected)
	rest, others := Sub(tasks, base, report)
	for at := range tasks {
		if len(part[at].Items)+len(rest[at].Items) != len(tasks[at].Items) || len(scores.Scores[at]) != len(part[at].Items) {
			t.Fatalf("task %d: %d and %d items", at, len(part[at].Items), len(rest[at].Items))
		}
		right := 0.0
		for _, score := range append(slices.Clone(scores.Scores[at]), others.Scores[at]...) {
			right += score
		}
		near(t, "the items right in both parts", right, []float64{480, 590, 60}[at], 0)
		for k, i := range selected[at] {
			if part[at].Items[k] != tasks[at].Items[i] {
				t.Fatalf("task %d: item %d is not the one selected", at, k)
			}
		}
	}
	if part[0].Name != "facts" || part[1].Kind != Safety || scores.Name != "base" {
		t.Errorf("what the parts are called: %+v", part[0].Name)
	}
}

func TestMisusePanics(t *testing.T) {
	tasks, base, _ := usual()
	check := func(name string, do func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s does not panic", name)
			}
		}()
		do()
	}
	check("a share above 1", func() { Split(tasks, 1.1, "") })
	check("items of fewer tasks", func() { Sub(tasks, base, [][]int{{0}}) })
}
