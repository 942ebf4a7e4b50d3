package task_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/task"
)

// TestGSM8KHarness compares prompts with those that Jinja2 renders from the YAML
// files of lm-evaluation-harness 0.4.13 and the data beside this checkout.
func TestGSM8KHarness(t *testing.T) {
	basket := open(t, "gsm8k", "gsm8k_cot", "gsm8k_cot_zeroshot")
	check := func(k, shots int, seed int64, row int, hash, answer string) {
		t.Helper()
		of := &basket.Tasks[k]
		questions, err := of.Questions(task.Setting{Shots: shots, Seed: seed}, []int{row})
		if err != nil || task.PromptHash(questions[0].Text) != hash {
			t.Errorf("%s, %d shots, row %d: %v, %s, want %s", of.Name, shots, row, err, task.PromptHash(questions[0].Text), hash)
		}
		if got := of.Items[row].Answers[0]; !strings.HasSuffix(got, answer) {
			t.Errorf("%s, row %d: answer %q, want %q", of.Name, row, got, answer)
		}
	}
	check(0, 5, 0, 0, "81542179388ffab1dd7a43e69ff63da10b7d475800759d1ada939607aded017e", "#### 18")
	check(0, 5, 0, 1, "0a64814a7c51b0debe43d3d689d98e045c89a4f00221e584c3cc9041bfd2d285", "#### 3")
	check(0, 5, 0, 2, "97778efbcf6b6732bf3a936eba34fa73da875696c2e449da6bd23392f79ac16f", "")
	check(0, -1, 42, 0, "74b5e9ebb6a21b517bf71e4eda946f65c6a9af5f2db4354a6a01b2a575b35401", "#### 18")
	check(0, -1, 42, 1, "b0a0ea9736fe6ba6d2dae6ef3f2f9411c9e5c560b39832db892e8b409880cf4f", "#### 3")
	check(0, -1, 42, 2, "717b8d5a337203092239174397e4408add6c8be1aa929db07587a76da0017a28", "")
	for _, seed := range []int64{0, 1234} { // the first shots of a list depend on no seed
		check(1, -1, seed, 0, "901fead9abd2535b6d0610c3c90125f38cad81678c4b2b98ec8fb818e3948bde", "18")
		check(1, 8, seed, 1, "d8ef3245c80f640811539185b957683e5036aab3d96e0ecf13cd5728c88cf30f", "3")
		check(1, 8, seed, 1318, "5b060fe1533ea37693f7f1637b6b057c5157b664596298cb43190e4dd7df8efd", "14")
		check(1, 3, seed, 0, "0b497c67e7b10cd6ad9945cea0561ef167ced9a4d1c0222c9a9f371b6357110e", "18")
		check(1, 3, seed, 1, "6c88ba02d1ea1e01249e3221cc2a52dacf9756fc89a92992e7080aa53f77aa4b", "3")
		check(1, 3, seed, 1318, "e6aaa284ee9b38d18431dff89d6a4fd1d90ab19ecce13b293aa33bfda6bfc766", "14")
	}
	for _, shots := range []int{-1, 0, 5} { // a task that says none ignores the run
		check(2, shots, 1234, 0, "3ecf69624b1ce95ae0b41a1fc9ccaf38e0c07a2bb6c7c959ffc1c5a749dc049b", "market.\n#### 18")
		check(2, shots, 1234, 1, "058ffcd1083d621e0798bff7669f73b6efa699d532e5d6db4585499bb01f8897", "#### 3")
		check(2, shots, 1234, 1318, "7215c46893e3df96add8de7d5a08f9e4e4b8dc1757073637a4087641e856e300", "#### 14")
	}
}

// pool is a task of items whose documents are numbers, which are shots of each
// other.
func pool(documents ...int) task.Task {
	t := task.Task{Name: "pool", Form: task.Exact, OwnPool: true, Delimiter: " "}
	for i, d := range documents {
		t.Items = append(t.Items, task.Item{ID: fmt.Sprint(i), Doc: fmt.Appendf(nil, `{"i":%d}`, d), Prompt: fmt.Sprint("q", i), Target: fmt.Sprint("a", i), Answers: []string{"x"}})
	}
	t.Pool = t.Items
	return t
}

func shots(t *testing.T, of task.Task, s task.Setting, items []int) (rows [][]int) {
	t.Helper()
	questions, err := of.Questions(s, items)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		rows = append(rows, q.Shots)
	}
	return rows
}

// TestOwnPool compares with the samplers default and first_n of
// lm-evaluation-harness 0.4.13 where the split of the shots is asked itself; in
// the second the copies of a document leave too few of a draw.
func TestOwnPool(t *testing.T) {
	check := func(of task.Task, s task.Setting, want [][]int) {
		t.Helper()
		if got := shots(t, of, s, nil)[:len(want)]; !reflect.DeepEqual(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	twelve := pool(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	check(twelve, task.Setting{Shots: 3, Seed: 7}, [][]int{{5, 2, 6}, {8, 11, 5}, {9, 0, 8}, {0, 1, 6}, {1, 3, 11}, {6, 0, 9}, {3, 10, 9}, {9, 11, 6}, {3, 0, 2}, {4, 6, 2}, {1, 9, 4}, {10, 2, 1}})
	check(pool(0, 0, 0, 1, 2, 3), task.Setting{Shots: 2, Seed: 1234}, [][]int{{3, 4}, {4, 5}, {5, 4}, {2, 1}, {0, 5}, {4, 3}})
	first := pool(0, 0, 1, 1, 4, 5, 6)
	first.FirstShots = true
	check(first, task.Setting{Shots: 3, Seed: 7}, [][]int{{2, 3, 4}, {2, 3, 4}, {0, 1, 4}, {0, 1, 4}, {0, 1, 2}})
}

// TestDraws: some items get the shots that they have in a full run, whatever the
// draw; per seed all have the same, per item another; an item is no shot of its
// own; another seed is another draw.
func TestDraws(t *testing.T) {
	own := pool(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
	other := own
	other.OwnPool, other.Items = false, slices.Clone(own.Items)
	for _, of := range []task.Task{own, other} {
		for _, draw := range []task.Draw{task.Stock, task.PerSeed, task.PerItem} {
			s := task.Setting{Shots: 4, Draw: draw, Seed: 99}
			all := shots(t, of, s, nil)
			if some := shots(t, of, s, []int{17, 3, 3}); !reflect.DeepEqual(some, [][]int{all[17], all[3], all[3]}) {
				t.Errorf("%s: items 17 and 3 have shots %v, and %v, %v among all", draw, some, all[17], all[3])
			}
			same := 0
			for i, rows := range all {
				if len(rows) != 4 || len(slices.Compact(slices.Sorted(slices.Values(rows)))) != 4 || of.OwnPool && slices.Contains(rows, i) {
					t.Errorf("%s: item %d has shots %v", draw, i, rows)
				}
				if slices.Equal(rows, all[0]) {
					same++
				}
			}
			if want := draw == task.PerSeed; (same > 10) != want || want && !of.OwnPool && same != len(all) {
				t.Errorf("%s: %d of %d items have the shots of the first", draw, same, len(all))
			}
			s.Seed++
			if reflect.DeepEqual(shots(t, of, s, nil), all) {
				t.Errorf("%s: seeds 99 and 100 are one draw", draw)
			}
		}
	}
	perSeed, stock := task.Setting{Shots: 4, Draw: task.PerSeed, Seed: 5}, task.Setting{Shots: 4, Seed: 5}
	if a, b := shots(t, other, perSeed, nil)[0], shots(t, other, stock, nil)[0]; !slices.Equal(a, b) {
		t.Errorf("per seed %v, and the first stock draw is %v", a, b)
	}
}

func TestShotsRefuse(t *testing.T) {
	check := func(s task.Setting, want string) {
		t.Helper()
		of := pool(1, 2, 3)
		if _, err := of.Questions(s, nil); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	check(task.Setting{Shots: 3}, "pool: 3 shots are wanted and there are 2 to draw from: ask for fewer, or add the split that they come from to the data folder")
	check(task.Setting{Shots: 1, Draw: "dice"}, `pool: shots are drawn by "dice": want stock, seed or item`)
	check(task.Setting{Shots: 100}, "pool: 100 shots are wanted and there are 2 to draw from: ask for fewer, or add the split that they come from to the data folder")
}
