package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// verdict is a line of what score --responses --json says.
type verdict struct {
	ID         json.RawMessage
	Strict     []bool
	Loose      []bool
	ExactMatch map[string]float64 `json:"exact_match"`
	Extracted  map[string]string
	Scores     map[string]float64
	Flags      []string
}

// verdicts parses them.
func verdicts(t *testing.T, out string) (list []verdict) {
	t.Helper()
	for line := range strings.Lines(out) {
		list = append(list, parsed[verdict](t, line))
	}
	return list
}

// lines reads a file of JSON lines.
func lines[T any](t *testing.T, path string) (list []T) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		list = append(list, parsed[T](t, scanner.Text()))
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// asLines makes a file of JSON lines.
func asLines(t *testing.T, objects ...map[string]any) string {
	t.Helper()
	var text strings.Builder
	for _, object := range objects {
		data, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(data, '\n'))
	}
	return write(t, t.TempDir(), "responses.jsonl", text.String())
}

// gsm8kLine is an answer with its item.
func gsm8kLine(id, answer, response string) map[string]any {
	return map[string]any{"id": id, "question": "How many?", "answer": "so many\n#### " + answer, "response": response}
}

// TestResponsesBadLines: each says its line and what is wrong; the others have
// verdicts, and the exit code is 3.
func TestResponsesBadLines(t *testing.T) {
	good := read(t, asLines(t, gsm8kLine("a", "18", "#### 18"), gsm8kLine("b", "18", "It is 18")))
	bad := []struct{ line, says string }{
		{`not JSON`, "invalid character"},
		{`[1]`, "must be an object, not array"},
		{`{"id":"c","answer":"#### 3"}`, `"response" is missing`},
		{`{"id":"c","answer":"#### 3","response":null}`, `"response" is missing`},
		{`{"id":"c","answer":"#### 3","response":7}`, `"response" must be text, not number`},
		{`{"id":"c","answer":7,"response":"7"}`, `"answer" must be text`},
		{`{"id":"a","answer":"#### 3","response":"3"}`, "a is answered on line 1 already"},
		{`{"id":"nowhere","response":"3"}`, `no --data DIR to find "nowhere" in`},
	}
	text := good
	for _, b := range bad {
		text += b.line + "\n"
	}
	file := write(t, t.TempDir(), "mixed.jsonl", text+"\n"+read(t, asLines(t, gsm8kLine("z", "3", "3"))))
	out, errs, code := surgeon(t, "score", "--responses", file, "--tasks", "gsm8k", "--json")
	got := verdicts(t, out)
	if code != ExitInput || len(got) != 3 || string(got[2].ID) != `"z"` {
		t.Errorf("exit code %d, %d verdicts: %s", code, len(got), out)
	}
	for i, b := range bad {
		line := strings.Split(errs, "\n")[i]
		if want := fmt.Sprintf("surgeon: %s:%d: ", file, i+3); !strings.HasPrefix(line, want) || !strings.Contains(line, b.says) {
			t.Errorf("%s: says %q, want %q and %q", b.line, line, want, b.says)
		}
	}
	// The table is of the lines that could be graded.
	out, _, code = surgeon(t, "score", "--responses", file, "--tasks", "gsm8k")
	says(t, "table", out, "gsm8k, 3 answers of ", "exact_match,flexible-extract │ 3 │ 100.0 %", "exact_match,strict-match     │ 3 │  33.3 %")
	if code != ExitInput {
		t.Errorf("exit code %d", code)
	}
	rules := asLines(t,
		map[string]any{"key": 1, "prompt": "p", "instruction_id_list": []string{"punctuation:no_comm"}, "kwargs": []any{map[string]any{}}, "response": "x"},
		map[string]any{"key": 2, "prompt": "p", "instruction_id_list": []string{"punctuation:no_comma"}, "kwargs": []any{}, "response": "x"},
		map[string]any{"key": 3, "prompt": "p", "instruction_id_list": []string{"keywords:existence"}, "kwargs": []any{map[string]any{}}, "response": "x"},
		map[string]any{"key": 4, "prompt": "p", "instruction_id_list": []string{"punctuation:no_comma"}, "kwargs": []any{nil}, "response": "a, b"})
	out, errs, code = surgeon(t, "score", "--responses", rules, "--tasks", "ifeval", "--json")
	if code != ExitInput || out != `{"id":4,"strict":[false],"loose":[false]}`+"\n" {
		t.Errorf("exit code %d: %s", code, out)
	}
	says(t, "standard error", errs, ":1: \"punctuation:no_comm\" is no instruction", ":2: ", `"kwargs"`, ":3: keywords:existence", `"keywords" is missing`)
}

// TestResponsesStandardInput: - is standard input, and an empty one is an error.
func TestResponsesStandardInput(t *testing.T) {
	file := asLines(t, gsm8kLine("a", "18", "#### 18"), gsm8kLine("b", "18", "no"))
	out, errs, code := surgeonIn(t, read(t, file), "score", "--responses", "-", "--tasks", "gsm8k", "--json")
	if want := done(t, "score", "--responses", file, "--tasks", "gsm8k", "--json"); code != ExitDone || out != want || errs != "" {
		t.Errorf("exit code %d: %q%s, want %q", code, out, errs, want)
	}
	if list := verdicts(t, out); list[1].Flags == nil || list[1].Extracted["flexible"] != "[invalid]" {
		t.Errorf("an answer without a number: %+v", list[1])
	}
	if out, errs, code := surgeonIn(t, "\n\n", "score", "--responses", "-", "--tasks", "gsm8k"); code != ExitInput || out != "" || !strings.Contains(errs, "no lines") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

// TestResponsesOfFiles: items of a file, of the instructions and requests that are
// part of surgeon, by id.
func TestResponsesOfFiles(t *testing.T) {
	dir := t.TempDir()
	file := sayings(t, dir, 4)
	responses := asLines(t, map[string]any{"id": 1, "response": "1."}, map[string]any{"key": "2", "response": "It is 2"}, map[string]any{"id": "3", "response": "none"})
	got := verdicts(t, done(t, "score", "--responses", responses, "--tasks", file, "--json"))
	for i, want := range []map[string]float64{{"exact_match": 1, "contains": 1}, {"exact_match": 0, "contains": 1}, {"exact_match": 0, "contains": 0}} {
		if !maps.Equal(got[i].Scores, want) {
			t.Errorf("%s: %v, want %v", got[i].ID, got[i].Scores, want)
		}
	}
	unknown := asLines(t, map[string]any{"id": 9, "response": "9"})
	refused(t, ExitInput, []string{unknown + ":1: ", `sayings has no item "9"`}, "score", "--responses", unknown, "--tasks", file)
	requests := asLines(t, map[string]any{"id": "nerve-agent-refuse", "response": "I cannot help with that."}, map[string]any{"id": "nerve-agent-benign", "response": "They block an enzyme."})
	for _, v := range verdicts(t, done(t, "score", "--responses", requests, "--tasks", "refusal", "--json")) {
		if v.Scores["acc"] != 1 || (v.Scores["refused"] == 1) != strings.Contains(string(v.ID), "refuse") {
			t.Errorf("%s: %v", v.ID, v.Scores)
		}
	}
}

// TestResponsesWrongFlags: one task of texts, and no model.
func TestResponsesWrongFlags(t *testing.T) {
	file := asLines(t, gsm8kLine("a", "18", "18"))
	refused(t, ExitUsage, []string{"one task", "0 are given"}, "score", "--responses", file)
	refused(t, ExitUsage, []string{"one task", "2 are given"}, "score", "--responses", file, "--tasks", "gsm8k,ifeval")
	refused(t, ExitUsage, []string{"no model with --responses"}, "score", "base", "--responses", file, "--tasks", "gsm8k")
	refused(t, ExitUsage, []string{"symbols is answered by likelihood"}, "score", "--responses", file, "--tasks", "symbols")
	refused(t, ExitInput, []string{"none.jsonl"}, "score", "--responses", "none.jsonl", "--tasks", "gsm8k")
	refused(t, ExitInput, []string{`unknown task "ifevl"`, "did you mean ifeval"}, "score", "--responses", file, "--tasks", "ifevl")
}

// TestResponsesIgnoreNothing: flags that grading cannot obey are refused.
func TestResponsesIgnoreNothing(t *testing.T) {
	file := asLines(t, gsm8kLine("a", "18", "18"))
	for _, flag := range []string{"--out", "--export", "--reuse"} {
		refused(t, ExitUsage, []string{flag, "--responses"}, "score", "--responses", file, "--tasks", "gsm8k", flag, filepath.Join(t.TempDir(), "new"))
	}
}

// TestResponsesWithoutNames: lines that hold their items need names all the same.
func TestResponsesWithoutNames(t *testing.T) {
	file := asLines(t, map[string]any{"answer": "#### 3", "response": "3"}, map[string]any{"answer": "#### 4", "response": "4"})
	_, errs, code := surgeon(t, "score", "--responses", file, "--tasks", "gsm8k", "--json")
	if code != ExitInput || !strings.Contains(errs, `"id"`) {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestResponsesContradict: an id and a hash of two documents are no name.
func TestResponsesContradict(t *testing.T) {
	dir := t.TempDir()
	file, out := sayings(t, dir, 3), filepath.Join(dir, "run")
	done(t, "score", "base", "--tasks", file, "--out", out, "--max-tokens", "1")
	for _, r := range records(t, out) {
		if r.Item == "0" {
			responses := asLines(t, map[string]any{"id": 1, "doc_hash": r.DocHash, "response": "1"})
			refused(t, ExitInput, []string{responses + ":1: ", "two different items", r.DocHash[:12]}, "score", "--responses", responses, "--tasks", file)
		}
	}
}

// TestResponsesTwice: one item has one answer, whatever it is called.
func TestResponsesTwice(t *testing.T) {
	file := sayings(t, t.TempDir(), 3)
	responses := asLines(t, map[string]any{"id": 1, "response": "1"}, map[string]any{"prompt": "Say 1:", "response": "2"})
	_, errs, code := surgeon(t, "score", "--responses", responses, "--tasks", file)
	if code != ExitInput || !strings.Contains(errs, responses+":2: ") || !strings.Contains(errs, "line 1") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
