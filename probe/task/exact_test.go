package task_test

import (
	"reflect"
	"strings"
	"testing"

	"surgeon/probe/task"
)

// TestReadForms reads a file of several forms, as the questions of
// ../shared/pair have them.
func TestReadForms(t *testing.T) {
	set, err := task.Read("quiz", "quiz.jsonl", strings.NewReader(`{"id":"1","form":"exact","prompt":"Formula?","answer":"N2O","choices":null,"gold":"N2O"}
{"id":"2","form":"mcq","prompt":"Which?\nA. salt\nB. acid\nAnswer:","answer":"B","choices":["salt","acid"],"gold":1}
{"id":"3","form":"numeric","prompt":"How many?","answer":"3","gold":"3"}
{"id":"4","prompt":"Who?","answer":["Bohr","Niels Bohr"]}
{"id":"5","prompt":"Symbol","choices":[" Na"," S"],"gold":"A"}
{"id":"6","prompt":"Gold alone?","gold":"Au."}
`))
	want := task.Set{Skipped: map[task.Form]int{"numeric": 1}, Tasks: []task.Task{
		{Name: "quiz (mcq)", Form: task.MultipleChoice, Items: []task.Item{
			{ID: "2", Prompt: "Which?\nA. salt\nB. acid\nAnswer:", Choices: []string{"salt", "acid"}, Gold: 1, Letters: true},
			{ID: "5", Prompt: "Symbol", Choices: []string{" Na", " S"}, Gold: 0},
		}},
		{Name: "quiz (exact)", Form: task.Exact, Items: []task.Item{
			{ID: "1", Prompt: "Formula?", Answers: []string{"N2O"}},
			{ID: "4", Prompt: "Who?", Answers: []string{"Bohr", "Niels Bohr"}},
			{ID: "6", Prompt: "Gold alone?", Answers: []string{"Au."}},
		}},
	}}
	if err != nil || !reflect.DeepEqual(set, want) {
		t.Errorf("%+v, %v\nwant %+v", set, err, want)
	}
	one, err := task.Read("quiz", "quiz.jsonl", strings.NewReader(`{"id":"1","prompt":"Formula?","answer":"N2O"}`))
	if err != nil || len(one.Tasks) != 1 || one.Tasks[0].Name != "quiz" || one.Tasks[0].Form.Metric() != "exact_match" {
		t.Errorf("%+v, %v", one, err)
	}
}

func TestReadExactRefuses(t *testing.T) {
	check := func(line, want string) {
		t.Helper()
		if _, err := task.Read("name", "f", strings.NewReader(line)); err == nil || !strings.HasPrefix(err.Error(), "f:1: "+want) {
			t.Errorf("%s: error %v, want %s", line, err, want)
		}
	}
	check(`{"id":"a","prompt":"p","answer":7}`, `"answer" is missing, or neither`)
	check(`{"id":"a","prompt":"p","form":"exact"}`, `"gold" is missing, or neither`)
	check(`{"id":"a","prompt":"p","answer":[]}`, `"answer" has no entries`)
	check(`{"id":"a","prompt":"p","answer":" . "}`, `"answer" has nothing in it`)
	check(`{"id":"a","prompt":"p","form":"mcq","answer":"A"}`, `"choices" has 0 entries`)
	check(`{"id":"a","prompt":"p","gold":1}`, `needs "choices" and "gold", or "answer"`)
}

// TestContinuations: a letter has a blank before it in running text, and none
// in a chat; a choice that the prompt does not list is scored as it stands.
func TestContinuations(t *testing.T) {
	check := func(prompt string, letters bool, plain, chat []string) {
		t.Helper()
		i := task.Item{Prompt: prompt, Choices: []string{"x", " y"}, Letters: letters}
		if got := i.Continuations(false); !reflect.DeepEqual(got, plain) {
			t.Errorf("%q: %q, want %q", prompt, got, plain)
		}
		if got := i.Continuations(true); !reflect.DeepEqual(got, chat) {
			t.Errorf("%q in a chat: %q, want %q", prompt, got, chat)
		}
	}
	check("A. x\nB. y\nAnswer:", true, []string{" A", " B"}, []string{"A", "B"})
	check("A. x\nB. y\nAnswer: ", true, []string{"A", "B"}, []string{"A", "B"})
	check("x or y", false, []string{"x", " y"}, []string{"x", " y"})
	for prompt, want := range map[string]bool{
		"A. x\nB. y": true, "Q\nA) x\nB) y\nAnswer:": true, "Q\nA. x\nB. z": false, "Q A. x B. y": false, "A. xx\nB. yy": true,
	} {
		set, err := task.Read("n", "f", strings.NewReader(`{"id":"1","prompt":`+quote(prompt)+`,"choices":["x"," y"],"gold":0}`))
		if err != nil || set.Tasks[0].Items[0].Letters != want {
			t.Errorf("%q: %+v, %v, want letters %v", prompt, set, err, want)
		}
	}
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, "\n", `\n`) + `"` }

func TestGradeText(t *testing.T) {
	i := task.Item{Answers: []string{"Sodium chloride.", "NaCl"}}
	for text, want := range map[string]float64{
		"sodium chloride": 1, " Sodium Chloride. \n": 1, "NaCl..": 1, "nacl": 1, "sodium chloride is salt": 0, "": 0, ".": 0, "Na Cl": 0,
	} {
		if got := i.GradeText(text); got != want {
			t.Errorf("%q is graded %v, want %v", text, got, want)
		}
	}
}
