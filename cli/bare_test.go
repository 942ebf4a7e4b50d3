package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors/tensorstest"
)

// TestProbeBareModel: without a tokenizer, lines of token ids are answered, texts
// left out; lines that need it are named, and so are those that need a chat
// template where there is none.
func TestProbeBareModel(t *testing.T) {
	dir := pico(t, t.TempDir(), "model", tensorstest.Pico{Seed: 1})
	if err := os.Remove(filepath.Join(dir, "tokenizer.json")); err != nil {
		t.Fatal(err)
	}
	in := `{"id":1,"prompt_ids":[5],"continuation_ids":[[6],[7,8]],"logits":true,"generate":{"max_tokens":2}}
{"id":2,"prompt":"x"}
{"id":3,"prompt_ids":[5],"continuations":["x"]}
{"id":4,"prompt_ids":[5],"generate":{"max_tokens":2,"stop":"x"}}
{"id":5,"messages":[{"role":"user","content":"x"}]}
`
	out, errs, code := surgeonIn(t, in, "probe", dir, "-")
	if code != ExitInput || strings.Count(out, "\n") != 1 || !strings.Contains(out, `"ids":[`) || strings.Contains(out, `"text"`) {
		t.Errorf("exit code %d: %s", code, out)
	}
	lines := strings.Split(strings.TrimSpace(errs), "\n")
	for i, want := range []string{"2: " + dir + "/tokenizer.json: not there", "3: " + dir + "/tokenizer.json: not there", "4: " + dir + "/tokenizer.json: not there", "5: " + dir + ": there is no chat template"} {
		if len(lines) != 4 || !strings.HasPrefix(lines[i], "surgeon: -:"+want) {
			t.Errorf("line %d of %q is not %q", i, lines, want)
		}
	}
}

// TestProbeManyBadLines names every line: ten with the reason, the others by
// their numbers.
func TestProbeManyBadLines(t *testing.T) {
	var in strings.Builder
	for i := 1; i <= 30; i++ {
		if i == 20 || i == 25 {
			in.WriteString(`{"id":1,"prompt_ids":[5]}` + "\n")
			continue
		}
		fmt.Fprintln(&in, "{")
	}
	out, errs, code := surgeonIn(t, in.String(), "probe", "base", "-")
	if code != ExitInput || strings.Count(out, "\n") != 2 || strings.Count(errs, "\n") != 11 ||
		!strings.HasSuffix(errs, "surgeon: 18 lines more could not be answered: 11-19, 21-24, 26-30\n") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

// TestProbeNotes says which fields of the requests mean nothing.
func TestProbeNotes(t *testing.T) {
	_, errs, code := surgeonIn(t, `{"id":1,"prompt_ids":[5],"continuation":["x"],"topic":1,"Logits":false}`, "probe", "base", "-")
	if code != ExitDone || errs != "surgeon: note: requests have fields that mean nothing: continuation, topic\n" {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestScoreOneItem has no standard error, which is shown as such.
func TestScoreOneItem(t *testing.T) {
	file := write(t, t.TempDir(), "one.jsonl", `{"id":1,"prompt":"p","choices":["x","y"],"gold":1}`)
	out, errs, code := surgeon(t, "merge", "--alpha-sweep=0,1", "base", "chem", "--tasks", file)
	if code != ExitDone || strings.Contains(out, "NaN") || !strings.Contains(out, "over 1 item,") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}
