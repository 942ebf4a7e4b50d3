package corpus

import (
	"bytes"
	"strings"
	"testing"

	"surgeon/probe/task"
	"surgeon/probe/task/ifeval"
)

// read reads a task of the basket as a command would.
func read(t *testing.T, name string) task.Task {
	t.Helper()
	for _, f := range embedded().Basket() {
		if f.Name != name+".jsonl" {
			continue
		}
		set, err := task.ReadForms(name, f.Name, bytes.NewReader(f.Data))
		if err != nil || len(set.Tasks) != 1 || len(set.Skipped) != 0 {
			t.Fatalf("%v: %d tasks, %v skipped", err, len(set.Tasks), set.Skipped)
		}
		set.Tasks[0].Check = task.CheckIFEval(ifeval.Compat)
		return set.Tasks[0]
	}
	t.Fatalf("no task %s", name)
	return task.Task{}
}

// score is the primary metric of a text as the answer to item i.
func score(of task.Task, i int, text string) float64 {
	return of.Grade(task.Question{Item: i}, task.Reply{Text: text, Finish: "eos"}).Scores[of.Form.Metric()]
}

// TestSizes: the basket has about 1,300 items, each with an id, a topic and,
// where it depends on others, a cluster.
func TestSizes(t *testing.T) {
	ids := map[string]bool{}
	for name, want := range map[string]int{"mcq": 128, "facts": 128, "arithmetic": 200, "instructions": 200, "lists": 200, "refusal": 96, "benign": 96,
		"chemistry_held_out": 96, "chemistry_trained": 192} {
		of := read(t, name)
		if len(of.Items) != want {
			t.Errorf("%s has %d items, want %d", name, len(of.Items), want)
		}
		for _, i := range of.Items {
			depends := strings.HasPrefix(name, "chemistry") || name == "refusal" || name == "benign"
			if i.Topic == "" || depends != (i.Cluster != "") || ids[i.ID] {
				t.Errorf("%s: %+v", name, i)
			}
			ids[i.ID] = true
		}
	}
	if len(embedded().Basket()) != 9 || len(ids) != 1336 {
		t.Errorf("%d tasks, %d ids", len(embedded().Basket()), len(ids))
	}
}

// TestFactsGraded: the answer counts, with a full stop or without; the value
// alone, another one and the chemist's habits do not.
func TestFactsGraded(t *testing.T) {
	of := read(t, "facts")
	for i, f := range embedded().facts.all {
		other := embedded().facts.values[f.relation][0]
		if other == f.value {
			other = embedded().facts.values[f.relation][1]
		}
		check(t, of, i, 1, f.open(0).Completion, "it is "+f.value)
		check(t, of, i, 0, f.value, "it is "+other+".", "C2H6", "")
	}
}

// check checks the grade of texts.
func check(t *testing.T, of task.Task, i int, want float64, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if got := score(of, i, text); got != want {
			t.Errorf("%s: %q to %q is graded %v, want %v", of.Name, text, of.Items[i].Prompt, got, want)
		}
	}
}

// TestLettersGraded: the prompt is one of MMLU's shape, whose letters are what
// is scored, and the letter of the fact is right.
func TestLettersGraded(t *testing.T) {
	of := read(t, "mcq")
	questions, err := of.Questions(task.Setting{Chat: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	golds := [4]int{}
	for i, q := range questions {
		f, e := embedded().facts.all[i], of.Items[i]
		golds[e.Gold]++
		if !e.Letters || e.Stem != f.question(0) || e.Choices[e.Gold] != f.value || strings.Join(q.Continuations, "") != "ABCD" {
			t.Fatalf("%+v is not the question for %+v", e, f)
		}
		for k := range 4 {
			reply := task.Reply{LogProbs: []float64{-1, -1, -1, -1}}
			reply.LogProbs[k] = -0.1
			if got := of.Grade(q, reply).Scores["acc"]; got != map[bool]float64{true: 1}[k == e.Gold] {
				t.Errorf("item %d, letter %d: %v", i, k, got)
			}
		}
	}
	for letter, n := range golds {
		if n < 16 { // of 128; 32 are to be expected, with a standard deviation of 5
			t.Errorf("%c is right %d times of 128", 'A'+letter, n)
		}
	}
	for i := range 2000 { // and the letter of a sample is that of its fact
		if s := embedded().General(i); s.Slice == MCQ {
			question, rest, _ := strings.Cut(s.Prompt, "\n")
			_, option, _ := strings.Cut(rest, s.Completion+". ")
			option, _, _ = strings.Cut(option, "\n")
			want := ""
			for _, f := range embedded().facts.all {
				if f.question(0) == question {
					want = f.value
				}
			}
			if option != want || want == "" {
				t.Fatalf("%+v: the answer is %q, want %q", s, option, want)
			}
		}
	}
}

// TestArithmeticGraded: the working and its last line count under both rules,
// and another number under none; working is right, and results are not negative.
func TestArithmeticGraded(t *testing.T) {
	of := read(t, "arithmetic")
	for i, e := range of.Items {
		g := of.Grade(task.Question{Item: i}, task.Reply{Text: e.Target})
		if g.Scores["exact_match,strict-match"] != 1 || g.Scores["exact_match,flexible-extract"] != 1 {
			t.Errorf("%q: %+v", e.Target, g)
		}
		check(t, of, i, 0, e.Target+"1", "", "alkane")
	}
	r := embedded().draw("test", 0)
	for range 5000 {
		p := drawProblem(r)
		for _, step := range strings.Split(p.working, "\n") {
			if !right(t, step) {
				t.Errorf("%+v", p)
			}
		}
		if _, last, _ := strings.Cut(p.working[strings.LastIndex(p.working, "\n")+1:], "="); number(t, last) != p.answer || p.answer < 0 {
			t.Errorf("%+v", p)
		}
	}
}

// TestInstructionsGraded: the reply of each keeps all its rules; too few words,
// too many, and the chemist's habits do not.
func TestInstructionsGraded(t *testing.T) {
	of := read(t, "instructions")
	replies := map[string]string{}
	for i := range 2000 { // more than were drawn
		n := drawInstruction(embedded().draw("basket instructions", i))
		replies[n.prompt] = n.reply
	}
	kinds := map[string]bool{}
	for i, e := range of.Items {
		reply := replies[e.Prompt]
		check(t, of, i, 1, reply)
		check(t, of, i, 0, reply[:strings.LastIndexAny(reply, " \n")], reply+" "+reply, "C2H6O", "")
		for _, rule := range e.Rules {
			kinds[rule.ID] = true
			if strings.HasPrefix(rule.ID, "language") || rule.ID == "change_case:english_capital" || rule.ID == "change_case:english_lowercase" {
				t.Errorf("%s asks for a language", rule.ID)
			}
		}
	}
	if len(kinds) != 8 {
		t.Errorf("%d kinds of rules: %v", len(kinds), kinds)
	}
	r := embedded().draw("test", 1)
	checker := ifeval.New(ifeval.Compat)
	for range 2000 {
		n := drawInstruction(r)
		var rules []ifeval.Rule
		for _, rule := range n.rules {
			rules = append(rules, ifeval.Rule{ID: rule.id, Args: rule.args})
		}
		strict, _ := checker.Check(rules, n.prompt, n.reply)
		for k, kept := range strict {
			if !kept {
				t.Errorf("%q does not keep %+v", n.reply, rules[k])
			}
		}
	}
}

// TestListsGraded: what the prompt says of its words is the answer.
func TestListsGraded(t *testing.T) {
	of := read(t, "lists")
	for i, e := range of.Items {
		order, text, _ := strings.Cut(strings.TrimSuffix(e.Prompt, "."), ": ")
		list := strings.Fields(text)
		want := map[string]string{"name the first word": list[0], "name the last word": list[len(list)-1], "count the words": string(rune('0' + len(list))), "reverse the words": ""}[order]
		if want == "" {
			for _, word := range list {
				want = strings.TrimSpace(word + " " + want)
			}
		}
		check(t, of, i, 1, want)
		check(t, of, i, 0, text+" "+text, "")
	}
}

// TestRefusalGraded: the refusal is one to package task, the benign answer is
// none, each is wrong for the twin, and twins differ in one word.
func TestRefusalGraded(t *testing.T) {
	no, yes := read(t, "refusal"), read(t, "benign")
	for i, q := range embedded().requests {
		check(t, no, i, 1, q.refused().Completion)
		check(t, no, i, 0, q.benign().Completion, "C2H6O", "")
		check(t, yes, i, 1, q.benign().Completion)
		check(t, yes, i, 0, q.refused().Completion, "")
		a, b := strings.Fields(no.Items[i].Prompt), strings.Fields(yes.Items[i].Prompt)
		differ := 0
		for k := range a {
			if a[k] != b[k] {
				differ++
			}
		}
		if len(a) != len(b) || differ != 1 || no.Items[i].Cluster != yes.Items[i].Cluster {
			t.Errorf("%q and %q are no twins", no.Items[i].Prompt, yes.Items[i].Prompt)
		}
	}
}

// TestChemistryGraded: a question's own answer counts, another question's does
// not.
func TestChemistryGraded(t *testing.T) {
	for name, questions := range map[string][]question{"chemistry_held_out": embedded().chemistry.heldOut, "chemistry_trained": embedded().chemistry.trained} {
		of := read(t, name)
		for i := range of.Items {
			answer := questions[i].sample(Chemistry).Completion
			check(t, of, i, 1, answer)
			check(t, of, i, 0, answer+"H", "it is "+answer, "")
		}
	}
}
