package task_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/task"
)

// quiz is a task of two questions under letters with two shots.
func quiz() task.Task {
	item := func(id, stem string, gold int, options ...string) task.Item {
		prompt := stem
		for k, option := range options {
			prompt += fmt.Sprintf("\n%c. %s", 'A'+k, option)
		}
		return task.Item{ID: id, Stem: stem, Options: options, Choices: options, Gold: gold, Letters: true, Prompt: prompt + "\nAnswer:", Target: string(rune('A' + gold))}
	}
	return task.Task{Name: "quiz", Form: task.MultipleChoice, Description: "About metals.\n\n", FirstShots: true, Delimiter: " ",
		Pool:  []task.Item{item("s0", "S0?", 1, "a", "b"), item("s1", "S1?", 0, "c", "d")},
		Items: []task.Item{item("q0", "Q0?", 2, "iron", "zinc", "gold"), item("q1", "Q1?", 0, "x", "y", "z", "w")}}
}

// TestPlain and the tests after it: the parts of a prompt as
// lm-evaluation-harness puts them together.
func TestPlain(t *testing.T) {
	of := quiz()
	questions, err := of.Questions(task.Setting{Shots: 2, System: "Be brief."}, nil)
	if err != nil {
		t.Fatal(err)
	}
	q := questions[0]
	const shared = "Be brief.\n\nAbout metals.\n\nS0?\nA. a\nB. b\nAnswer: B\n\nS1?\nA. c\nB. d\nAnswer: A\n\n"
	if want := shared + "Q0?\nA. iron\nB. zinc\nC. gold\nAnswer:"; q.Text != want || q.Prefix != len(shared) || q.Messages != nil {
		t.Errorf("%q, prefix %d, %v\nwant %q, %d", q.Text, q.Prefix, q.Messages, want, len(shared))
	}
	if !slices.Equal(q.Continuations, []string{" A", " B", " C"}) || q.Gold != 2 || !slices.Equal(q.Order, []int{0, 1, 2}) || !slices.Equal(q.Shots, []int{0, 1}) {
		t.Errorf("%+v", q)
	}
	if questions[1].Item != 1 || questions[1].Prefix != len(shared) || questions[1].Gold != 0 {
		t.Errorf("%+v", questions[1])
	}
}

func TestChat(t *testing.T) {
	of := quiz()
	check := func(s task.Setting, prefix int, want ...task.Message) {
		t.Helper()
		s.Chat = true
		questions, err := of.Questions(s, []int{0})
		if err != nil || !reflect.DeepEqual(questions[0].Messages, want) || questions[0].Prefix != prefix || questions[0].Text != "" {
			t.Errorf("%v, %+v\nwant %v, prefix %d", err, questions[0], want, prefix)
		}
		if got := questions[0].Continuations; !slices.Equal(got, []string{"A", "B", "C"}) {
			t.Errorf("continuations %q", got)
		}
	}
	const s0, s1, q0 = "S0?\nA. a\nB. b\nAnswer:", "S1?\nA. c\nB. d\nAnswer:", "Q0?\nA. iron\nB. zinc\nC. gold\nAnswer:"
	system := task.Message{Role: "system", Content: "About metals.\n\n"}
	check(task.Setting{Shots: 2, MultiTurn: true}, 5, system, task.Message{Role: "user", Content: s0}, task.Message{Role: "assistant", Content: "B"},
		task.Message{Role: "user", Content: s1}, task.Message{Role: "assistant", Content: "A"}, task.Message{Role: "user", Content: q0})
	check(task.Setting{Shots: 2}, 1, system, task.Message{Role: "user", Content: s0 + " B\n\n" + s1 + " A\n\n" + q0})
	check(task.Setting{Shots: 0, MultiTurn: true, System: "Hi.\n"}, 1, task.Message{Role: "system", Content: "Hi.\nAbout metals.\n\n"}, task.Message{Role: "user", Content: q0})
	of.Description = ""
	check(task.Setting{Shots: 0}, 0, task.Message{Role: "user", Content: q0})
}

// TestCloze: the choices stand behind the delimiter, and in a chat bare.
func TestCloze(t *testing.T) {
	of := task.Task{Form: task.Cloze, Delimiter: " ", Items: []task.Item{{Prompt: "Question: q\nAnswer:", Choices: []string{"a", " b"}, Gold: 1}}}
	for _, chat := range []bool{false, true} {
		q, err := of.Questions(task.Setting{Shots: -1, Chat: chat, ShuffleOptions: true}, nil)
		want := []string{" a", "  b"}
		if chat {
			want = []string{"a", " b"}
		}
		if err != nil || !slices.Equal(q[0].Continuations, want) || q[0].Gold != 1 {
			t.Errorf("%v, %+v, want %q", err, q, want)
		}
	}
}

// TestShuffle: prompt, right answer and order agree; the choice of a reply is
// found again; orders depend on the seed and the item, and every option gets to
// every place about equally often; shots keep their order.
func TestShuffle(t *testing.T) {
	of := quiz()
	places := [4][4]int{}
	const seeds = 4000
	for seed := range int64(seeds) {
		questions, err := of.Questions(task.Setting{Shots: 1, Seed: seed, ShuffleOptions: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range questions {
			item := of.Items[i]
			prompt := item.Stem
			for k, option := range q.Order {
				prompt += fmt.Sprintf("\n%c. %s", 'A'+k, item.Options[option])
			}
			if q.Order[q.Gold] != item.Gold || q.Text != "About metals.\n\nS0?\nA. a\nB. b\nAnswer: B\n\n"+prompt+"\nAnswer:" {
				t.Fatalf("seed %d: order %v, gold %d: %s", seed, q.Order, q.Gold, q.Text)
			}
			reply := task.Reply{LogProbs: make([]float64, len(q.Order))}
			for k := range reply.LogProbs {
				reply.LogProbs[k] = -1
			}
			reply.LogProbs[q.Gold] = -0.5
			if g := of.Grade(q, reply); g.Scores["acc"] != 1 || g.Chosen != item.Gold {
				t.Fatalf("seed %d: grade %+v", seed, g)
			}
		}
		for place, option := range questions[1].Order {
			places[place][option]++
		}
	}
	// Counts are binomial with a standard deviation of sqrt(4000 * 1/4 * 3/4) = 27.
	for place := range places {
		for option, n := range places[place] {
			if math.Abs(float64(n)-seeds/4) > 4*28 {
				t.Errorf("option %d is %d times at place %d of %d", option, n, place, seeds)
			}
		}
	}
	some, _ := of.Questions(task.Setting{Seed: 3, ShuffleOptions: true}, []int{1})
	all, _ := of.Questions(task.Setting{Seed: 3, ShuffleOptions: true}, nil)
	if !slices.Equal(some[0].Order, all[1].Order) {
		t.Errorf("orders %v and %v of one item", some[0].Order, all[1].Order)
	}
}

// TestPerplexityQuestion: a text stands alone, whatever the setting.
func TestPerplexityQuestion(t *testing.T) {
	of := task.Task{Form: task.Perplexity, FixedShots: true, Items: []task.Item{{Prompt: "A text."}}}
	q, err := of.Questions(task.Setting{Shots: 5, System: "x", Chat: true}, nil)
	if err != nil || q[0].Text != "A text." || q[0].Messages != nil || q[0].Continuations != nil || q[0].Gold != -1 {
		t.Errorf("%v, %+v", err, q)
	}
}

func TestQuestionsPanics(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); got != "task: quiz has no item 2" {
			t.Errorf("panic %q", got)
		}
	}()
	of := quiz()
	of.Questions(task.Setting{}, []int{2})
}

// TestSubsets: the sizes are the shares, and no choice depends on what else is
// asked.
func TestSubsets(t *testing.T) {
	var tasks []task.Task
	for k, sizes := range [][]int{{100, 50}, {30}, {7, 7, 6}} {
		of := task.Task{Name: fmt.Sprint("task", k)}
		for c, size := range sizes {
			for range size {
				of.Items = append(of.Items, task.Item{Cluster: fmt.Sprint(c)})
			}
		}
		tasks = append(tasks, of)
	}
	count := func(n int) (counts []int) {
		for k, items := range task.Stratified(tasks, n, 1) {
			clusters := map[string]int{}
			for j, i := range items {
				if j > 0 && items[j-1] >= i {
					t.Errorf("items %v are not in ascending order", items)
				}
				clusters[tasks[k].Items[i].Cluster]++
			}
			for c := range map[int]int{0: 2, 1: 1, 2: 3}[k] {
				counts = append(counts, clusters[fmt.Sprint(c)])
			}
		}
		return counts
	}
	check := func(n int, want ...int) {
		t.Helper()
		if got := count(n); !slices.Equal(got, want) {
			t.Errorf("%d of 200: %v, want %v", n, got, want)
		}
	}
	check(20, 10, 5, 3, 1, 1, 0) // 10, 5, 3, 0.7, 0.7, 0.6
	check(21, 10, 5, 3, 1, 1, 1) // 10.5, 5.25, 3.15, 0.735, 0.735, 0.63: the remainder of the last is larger than 0.5
	check(200, 100, 50, 30, 7, 7, 6)
	check(1000, 100, 50, 30, 7, 7, 6)
	check(0, 0, 0, 0, 0, 0, 0)
	check(1, 1, 0, 0, 0, 0, 0)
	a, b := task.Stratified(tasks, 20, 1), task.Stratified(tasks, 20, 1)
	if !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, task.Stratified(tasks, 20, 2)) {
		t.Error("the choice does not depend on the seed alone")
	}
	if alone := task.Stratified(tasks[1:2], 3, 1)[0]; !slices.Equal(alone, a[1]) {
		t.Errorf("task1 alone: %v, among others %v", alone, a[1])
	}
	if got := task.First(tasks, 2); !reflect.DeepEqual(got, [][]int{{0, 1}, {0, 1}, {0, 1}}) {
		t.Errorf("the first two: %v", got)
	}
	if got := task.First(tasks, 1000); len(got[2]) != 20 {
		t.Errorf("the first thousand of 20: %v", got[2])
	}
	if got := task.Stratified(nil, 5, 1); len(got) != 0 {
		t.Errorf("of no tasks %v", got)
	}
}

// TestIntroduction: system text and description are joined by two line feeds,
// unless white space stands between them.
func TestIntroduction(t *testing.T) {
	check := func(system, description, want string) {
		t.Helper()
		of := task.Task{Form: task.Exact, Description: description, Items: []task.Item{{Prompt: "Q"}}}
		q, err := of.Questions(task.Setting{System: system}, nil)
		if err != nil || q[0].Text != want+"Q" || q[0].Prefix != len(want) {
			t.Errorf("%q and %q: %v, %q", system, description, err, q[0].Text)
		}
	}
	check("S", "D", "S\n\nD")
	check("S ", "D", "S D")
	check("S", "\nD ", "S\nD ")
	check("S", "", "S")
	check("", "D", "D")
	check(strings.Repeat("S", 3)+"\u2003", "D", "SSS\u2003D")
}
