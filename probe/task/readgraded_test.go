package task_test

import (
	"reflect"
	"strings"
	"testing"

	"surgeon/probe/task"
	"surgeon/probe/task/ifeval"
)

// oneForm reads a file of items of one form.
func oneForm(t *testing.T, lines string) task.Task {
	t.Helper()
	set, err := task.ReadForms("name", "f", strings.NewReader(lines))
	if err != nil || len(set.Tasks) != 1 || len(set.Skipped) != 0 {
		t.Fatalf("%v: %+v", err, set)
	}
	return set.Tasks[0]
}

// TestArithmeticFile: an answer is a number or a solution, and replies to either
// are graded by gsm8k's two rules.
func TestArithmeticFile(t *testing.T) {
	of := oneForm(t, `{"id":"a","form":"arithmetic","prompt":"Question: 3*4?\nAnswer:","answer":"3*4=12\n#### 12","topic":"multiply"}
{"id":"b","form":"arithmetic","prompt":"p","answer":-7}
{"id":"c","form":"arithmetic","prompt":"p","gold":[" $1,234. ","1235"],"cluster":"money"}
`)
	check := func(item int, text string, flexible, strict float64) {
		t.Helper()
		g := of.Grade(task.Question{Item: item}, task.Reply{Text: text})
		if got := [2]float64{g.Scores["exact_match,flexible-extract"], g.Scores["exact_match,strict-match"]}; got != [2]float64{flexible, strict} {
			t.Errorf("item %d, %q: %v, want %v and %v", item, text, got, flexible, strict)
		}
	}
	check(0, "3*4=12\n#### 12", 1, 1)
	check(0, " It is 12.", 1, 0)
	check(0, "#### 12\nor is it 13", 0, 1)
	check(0, "3*4=13\n#### 13", 0, 0)
	check(0, "", 0, 0)
	check(1, "#### -7", 1, 1)
	check(1, "#### 7", 0, 0)
	check(2, "#### 1234", 1, 1)
	check(2, "#### $1,235.", 1, 0) // the strict pattern knows no dollar
	if a, c := of.Items[0], of.Items[2]; a.Topic != "multiply" || a.Target != "3*4=12\n#### 12" || c.Cluster != "money" || c.Target != "#### $1,234." {
		t.Errorf("%+v, %+v", a, c)
	}
	if of.Delimiter != " " || of.MaxTokens != 256 || of.Until[0] != "Question:" {
		t.Errorf("%+v is not asked as gsm8k", of)
	}
	q, err := of.Questions(task.Setting{Shots: 2, Seed: 1}, []int{0})
	if err != nil || strings.Count(q[0].Text, "#### ") != 2 || !strings.Contains(q[0].Text, "p #### -7\n\n") {
		t.Errorf("%v, shots %+v", err, q)
	}
}

// TestInstructionsFile: the rules are IFEval's, nulls left out, and decide with
// the Check that a caller brings.
func TestInstructionsFile(t *testing.T) {
	of := oneForm(t, `{"id":1,"form":"instructions","prompt":"say cat twice in quotes","instruction_id_list":["keywords:frequency","startend:quotation"],"kwargs":[{"keyword":"cat","frequency":2,"relation":"at least","num_words":null},{}]}
{"id":2,"form":"instructions","prompt":"no commas","instruction_id_list":["punctuation:no_comma"],"kwargs":[null]}
`)
	want := []task.Rule{{ID: "keywords:frequency", Args: map[string]any{"keyword": "cat", "frequency": 2., "relation": "at least"}}, {ID: "startend:quotation", Args: map[string]any{}}}
	if !reflect.DeepEqual(of.Items[0].Rules, want) || of.Check != nil || of.MaxTokens != 256 {
		t.Errorf("%+v\nwant the rules %+v", of, want)
	}
	of.Check = task.CheckIFEval(ifeval.Compat)
	check := func(item int, text string, kept ...bool) {
		t.Helper()
		if g := of.Grade(task.Question{Item: item}, task.Reply{Text: text}); !reflect.DeepEqual(g.Parts["inst_level_strict_acc"], kept) {
			t.Errorf("item %d, %q: %v, want %v", item, text, g.Parts, kept)
		}
	}
	check(0, `"cat cat"`, true, true)
	check(0, `cat cat`, true, false)
	check(0, `"cat"`, false, true)
	check(0, ``, false, false)
	check(1, "one two", true)
	check(1, "one, two", false)
	q, err := of.Questions(task.Setting{Shots: 1}, []int{0}) // which has no answers to show
	if err != nil || q[0].Text != "say cat twice in quotes" {
		t.Errorf("%v, %+v", err, q)
	}
}

func TestReadGradedRefuses(t *testing.T) {
	check := func(fields, want string) {
		t.Helper()
		if _, err := task.ReadForms("name", "f", strings.NewReader(`{"id":"a","prompt":"p",`+fields+`}`)); err == nil || err.Error() != "f:1: "+want {
			t.Errorf("%s: error %v, want %s", fields, err, want)
		}
	}
	const number = `: want a number in digits, or a text that ends in "#### " and one`
	check(`"form":"arithmetic"`, `"gold" is missing, or neither a number nor a text that ends in one`)
	check(`"form":"arithmetic","answer":[]`, `"answer" is missing, or neither a number nor a text that ends in one`)
	check(`"form":"arithmetic","answer":{"value":1}`, `"answer" is missing, or neither a number nor a text that ends in one`)
	check(`"form":"arithmetic","answer":"12 apples"`, `"answer" is "12 apples"`+number)
	check(`"form":"arithmetic","answer":"1+1=2"`, `"answer" is "1+1=2"`+number)
	check(`"form":"arithmetic","answer":"#### "`, `"answer" is "#### "`+number)
	check(`"form":"arithmetic","answer":["1","inf"]`, `"answer" is "inf"`+number)
	check(`"form":"arithmetic","answer":1e3`, `"answer" is "1e3"`+number)
	check(`"form":"instructions"`, `"instruction_id_list" is missing or empty`)
	check(`"form":"instructions","instruction_id_list":"startend:quotation","kwargs":[{}]`, `"instruction_id_list" must be a list of texts`)
	check(`"form":"instructions","instruction_id_list":["startend:quotation"],"kwargs":{}`, `"kwargs" must be a list of objects`)
	check(`"form":"instructions","instruction_id_list":["startend:quotation"]`, `"instruction_id_list" has 1 entries and "kwargs" 0: want one for each`)
	check(`"form":"instructions","instruction_id_list":["startend:quotation"],"kwargs":[{"keyword":"a"}]`, `startend:quotation: there is no argument "keyword": it takes none`)
	check(`"form":"instructions","instruction_id_list":["keywords:frequency"],"kwargs":[{"keyword":"a","frequency":1.5,"relation":"at least"}]`,
		`keywords:frequency: the argument "frequency" is 1.5: want a whole number from 1 to 2147483647`)
	_, err := task.ReadForms("name", "f", strings.NewReader("\n"+`{"id":"a","prompt":"p","form":"instructions","instruction_id_list":["be:nice"],"kwargs":[{}]}`))
	if err == nil || !strings.HasPrefix(err.Error(), `f:2: "be:nice" is no instruction of IFEval: known are change_case:`) {
		t.Errorf("an unknown rule: %v", err)
	}
}

// TestOtherFormsKeepTheirFields: what instructions need may be anything in items
// of other forms.
func TestOtherFormsKeepTheirFields(t *testing.T) {
	of := oneForm(t, `{"id":"a","prompt":"p","answer":"x","kwargs":7,"instruction_id_list":{"a":1}}`)
	if of.Form != task.Exact || of.Items[0].Rules != nil {
		t.Errorf("%+v", of)
	}
}
