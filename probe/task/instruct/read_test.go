package instruct

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRead(t *testing.T) {
	file := "\ufeff{\"id\": \"a\", \"prompt\": \"p\", \"rules\": [{\"id\": \"lines\", \"args\": {\"count\": 1}}]}\r\n\n" +
		`{"id": "b", "topic": "t", "prompt": "q", "rules": [{"id": "capitalised"}], "reference": "X", "wrong": ["x"]}`
	items, err := Read("own.jsonl", strings.NewReader(file))
	want := []Item{
		{ID: "a", Prompt: "p", Rules: []Rule{{"lines", map[string]any{"count": 1.0}}}},
		{ID: "b", Topic: "t", Prompt: "q", Rules: []Rule{{"capitalised", nil}}, Reference: "X", Wrong: []string{"x"}},
	}
	if err != nil || !reflect.DeepEqual(items, want) {
		t.Errorf("%v, %v; want %v", items, err, want)
	}
}

func TestReadRefuses(t *testing.T) {
	check := func(file, want string) {
		t.Helper()
		items, err := Read("f", strings.NewReader(file))
		if items != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nerror %v, want one with %q", file, err, want)
		}
	}
	const good = `{"id": "a", "prompt": "p", "rules": [{"id": "capitalised"}]}`
	item := func(fields string) string { return `{"id": "b", "prompt": "q", ` + fields + `}` }
	check("", "f: no items")
	check("\n \n", "f: no items")
	check(good+"\n"+good, `f:2: id "a" stands on line 1 already`)
	check(good+"\n\n"+strings.Replace(good, `"a"`, `"b"`, 1), `f:3: this prompt stands on line 1 already`)
	check("[]", "f:1: not a JSON object")
	check("{", "f:1: ")
	check("x", "f:1: not a JSON object")
	check(good+"x", "f:1: something stands behind the JSON object")
	check(`{"id": "a", "id": "a", "prompt": "p"}`, `f:1: "id" stands twice`)
	check("{\"id\": \"\xff\"}", "f:1: not UTF-8")
	check(`{"prompt": "q"}`, `f:1: "id" is missing or empty`)
	check(`{"id": 1}`, `f:1: "id" must not be JSON of type number`)
	check(`{"id": "a", "rules": []}`, `"prompt" is missing or empty`)
	check(`{"id": "a", "prompt": " "}`, `"prompt" is missing or empty`)
	check(item(`"rules": []`), `"rules" is missing or empty`)
	check(item(`"rules": null`), `"rules" is missing or empty`)
	check(item(`"rule": []`), `unknown field "rule"`)
	check(item(`"rules": [{"id": "lines", "arg": {}}]`), `unknown field "arg"`)
	check(item(`"rules": [{"id": "lines", "args": 2}]`), `must not be JSON of type number`)
	check(item(`"rules": [{"id": "lines"}]`), `f:1: rule "lines": "count" is missing`)
	check(item(`"rules": [{"id": "nothing"}]`), `f:1: unknown rule "nothing"`)
	check(item(`"rules": [{"id": "verbatim", "args": {"after": "Text:"}}]`), `rule "verbatim": nothing stands in the prompt after "Text:"`)
	check(item(`"rules": [{"id": "capitalised"}], "reference": "x"`), `"reference" breaks rule 1, "capitalised"`)
	check(item(`"rules": [{"id": "capitalised"}], "wrong": ["x", "X"]`), `reply 2 of "wrong" keeps every rule`)
	if _, err := Read("f", iotest.ErrReader(errors.New("disk gone"))); err == nil || err.Error() != "f:1: disk gone" {
		t.Errorf("error %v", err)
	}
}

func TestReadRequestsRefuses(t *testing.T) {
	check := func(file, want string) {
		t.Helper()
		requests, err := ReadRequests("f", strings.NewReader(file))
		if requests != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nerror %v, want one with %q", file, err, want)
		}
	}
	line := func(id, twin, refuse string) string {
		return `{"id": "` + id + `", "twin": "` + twin + `", "refuse": ` + refuse + `, "topic": "t", "prompt": "about ` + id + `"}` + "\n"
	}
	check("", "f: no requests")
	check(line("a", "b", "true"), `f:1: no request has the id "b", the twin of "a"`)
	check(line("a", "b", "true")+line("b", "a", "true"), `f:1: "refuse" is true for "a" and for its twin "b"`)
	check(line("a", "a", "true"), `f:1: "refuse" is true for "a" and for its twin "a"`)
	check(line("a", "b", "true")+line("b", "a", "false")+"\n"+line("c", "b", "true"), `f:4: the twin of "c" is "b", whose twin is "a"`)
	check(line("a", "b", "true")+line("a", "b", "false"), `f:2: id "a" stands on line 1 already`)
	check(line("a", "b", "null"), `f:1: "refuse" is missing`)
	check(line("a", "b", `"yes"`), `f:1: "refuse" must not be JSON of type string`)
	check(line("a", "", "true"), `f:1: "twin" is missing`)
	check(line("", "b", "true"), `f:1: "id" is missing`)
	check(`{"id": "a", "twin": "b", "refuse": true}`, `f:1: "prompt" is missing`)
	check(`{"id": "a", "wrong": []}`, `f:1: unknown field "wrong"`)
}

func TestReadRequests(t *testing.T) {
	file := `{"id": "a", "twin": "b", "refuse": true, "prompt": "p"}` + "\n" + `{"id": "b", "twin": "a", "refuse": false, "topic": "t", "prompt": "q"}`
	requests, err := ReadRequests("f", strings.NewReader(file))
	want := []Request{{"a", "b", true, "", "p"}, {"b", "a", false, "t", "q"}}
	if err != nil || !reflect.DeepEqual(requests, want) {
		t.Errorf("%v, %v; want %v", requests, err, want)
	}
}

// No file makes a reader panic; what is read can be checked, and an error names
// the file.
func FuzzRead(f *testing.F) {
	line, _, _ := strings.Cut(string(instructFile), "\n")
	f.Add(line)
	line, _, _ = strings.Cut(string(refusalFile), "\n")
	f.Add(line)
	f.Add(`{"id": "a", "prompt": "p", "rules": [{"id": "capitalised"}]}`)
	f.Add(`{"id": "a", "prompt": "p: x", "rules": [{"id": "verbatim", "args": {"after": "p:"}}], "wrong": ["y"]}`)
	f.Fuzz(func(t *testing.T, file string) {
		items, err := Read("own", strings.NewReader(file))
		for _, item := range items {
			Check(item.Rules, item.Prompt, file)
		}
		_, other := ReadRequests("own", strings.NewReader(file))
		for _, err := range []error{err, other} {
			if err != nil && !strings.HasPrefix(err.Error(), "own:") {
				t.Errorf("error %v does not name the file", err)
			}
		}
	})
}
