package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/probe"
	"surgeon/probe/task"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

const quiz = `{"id":"1","form":"exact","prompt":"The symbol","answer":"x"}
{"id":"2","prompt":"Which?\nA. H\nB. He\nAnswer:","choices":["H","He"],"gold":"B"}
{"id":"3","form":"essay","prompt":"Why?","answer":"so"}
`

// TestScoreCommand scores both forms and says what it leaves out.
func TestScoreCommand(t *testing.T) {
	file := write(t, t.TempDir(), "quiz.jsonl", quiz)
	out, errs, code := surgeon(t, "score", "base", "--tasks", file, "--tasks", "symbols", "--max-tokens", "5")
	if code != ExitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	for _, want := range []string{"\nquiz (mcq)   │ acc         │     1 │", "\nquiz (exact) │ exact_match │     1 │", "\nsymbols      │ acc         │    24 │ 33.3 % │ 9.8 pp │ 18.0 to 53.3",
		"note: " + file + ": 1 item of the form \"essay\" is not asked"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, _, code = surgeon(t, "score", "--json", "chem")
	var result struct {
		Model string
		Tasks []struct {
			Task, Metric         string
			N                    int
			Score, SE, Low, High float64
		}
	}
	if err := json.Unmarshal([]byte(out), &result); code != ExitDone || err != nil || result.Model != "chem" || result.Tasks[0].N != 24 || result.Tasks[0].SE <= 0 {
		t.Errorf("exit code %d, %v: %s", code, err, out)
	}
	refused(t, ExitUsage, []string{"need --tasks"}, "score", pico(t, t.TempDir(), "base", tensorstest.Pico{Seed: 1}))
	other := write(t, t.TempDir(), "quiz.jsonl", quiz)
	refused(t, ExitInput, []string{"a task called quiz", "rename the file"}, "score", "base", "--tasks", file+","+other)
	if once := done(t, "score", "base", "--tasks", "symbols,symbols"); strings.Count(once, "\nsymbols") != 1 {
		t.Errorf("a task that is named twice: %s", once)
	}
	refused(t, ExitUsage, []string{"--max-tokens 0"}, "score", "base", "--max-tokens", "0")
	refused(t, ExitUsage, []string{"--memory"}, "score", "base", "--memory", "lots")
	refused(t, ExitInput, []string{"none.jsonl"}, "score", "base", "--tasks", "none.jsonl")
}

// TestScoreTruncates says that a prompt lost its beginning.
func TestScoreTruncates(t *testing.T) {
	file := write(t, t.TempDir(), "long.jsonl", `{"id":"1","prompt":"`+strings.Repeat("1", 600)+`","choices":["H","He"],"gold":0}`)
	out, errs, code := surgeon(t, "score", "base", "--tasks", file)
	if code != ExitDone || !strings.Contains(out, "warning: 1 prompt too long for the model's context lost their beginning") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
}

// TestScoreContinues stops a run after some answers: the same command goes on
// from them and prints what an undisturbed one prints, and then forgets them.
func TestScoreContinues(t *testing.T) {
	var many strings.Builder // more than are generated at once
	for i := range 100 {
		fmt.Fprintf(&many, `{"id":"many-%d","prompt":"The symbol %d","answer":"x"}`+"\n", i, i)
	}
	opt := benchOptions{tasks: []string{"symbols", write(t, t.TempDir(), "many.jsonl", many.String())}, maxTokens: 4, memory: 1 << 30, seeds: []int64{1234},
		setting: task.Setting{Shots: -1, Draw: task.Stock, MultiTurn: true}}
	args := []string{"score", "base", "--tasks", opt.tasks[0], "--tasks", opt.tasks[1], "--max-tokens", "4"}
	want, errs, code := surgeon(t, args...)
	if code != ExitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	m, err := openModel("base")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	bench, set, err := newBench(m, opt)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := m.identity(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	env := environment{args: args[1:]}
	e := &evaluation{bench: bench, candidates: []probe.Candidate{{ID: "base", Source: m}}, identities: []string{identity}}
	if e.asked, err = bench.Ask(); err != nil {
		t.Fatal(err)
	}
	e.plan = planOfScore(env, e, set, scoreOptions{bench: opt}, "base")
	ctx, stop := context.WithCancel(context.Background())
	bench.Progress = func(done, total int64) {
		if e.log.Len() > 24 { // the choices are answered, and some texts
			stop()
		}
	}
	if _, err := e.run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	data, err := os.ReadFile(e.path)
	if err != nil {
		t.Fatal(err)
	}
	kept := bytes.Count(data, []byte("\n"))
	got, errs, code := surgeon(t, args...)
	note := fmt.Sprintf("note: %s were there already and were not computed again\n", plural(kept, "answer"))
	if code != ExitDone || got != want+note || kept <= 24 || kept >= 124 {
		t.Errorf("exit code %d, %d answers kept, prints\n%s%s\nwant\n%s%s", code, kept, got, errs, want, note)
	}
	if again, _, _ := surgeon(t, args...); again != want {
		t.Errorf("the journal was not removed: %s", again)
	}
}

// TestSweepWritesBest writes the candidate that the table shows as the best,
// the bytes that merge writes.
func TestSweepWritesBest(t *testing.T) {
	dir := t.TempDir()
	best, plain := filepath.Join(dir, "best"), filepath.Join(dir, "plain")
	out, errs, code := surgeon(t, "merge", "--alpha-sweep=0.25,0.5,1", "base", "chem", "--write-best", best, "--maximize", "symbols", "--json")
	var result struct {
		Candidates []struct {
			Alpha float64
			Tasks []struct{ Score float64 }
		}
		Best struct{ Alpha float64 }
	}
	if err := json.Unmarshal([]byte(out), &result); code != ExitDone || err != nil {
		t.Fatalf("exit code %d, %v: %s%s", code, err, out, errs)
	}
	want, top := 0.0, -1.0
	for _, c := range result.Candidates {
		if c.Tasks[0].Score > top {
			want, top = c.Alpha, c.Tasks[0].Score
		}
	}
	if result.Best.Alpha != want {
		t.Errorf("alpha %v was written, the best is %v", result.Best.Alpha, want)
	}
	if _, errs, code := surgeon(t, "merge", "base", "chem", "--alpha", "0.25", "-o", plain); code != ExitDone {
		t.Fatal(errs)
	}
	if want == 0.25 {
		a, errA := os.ReadFile(filepath.Join(best, "model.safetensors"))
		b, errB := os.ReadFile(filepath.Join(plain, "model.safetensors"))
		if err := errors.Join(errA, errB); err != nil || !bytes.Equal(a[len(a)-50000:], b[len(b)-50000:]) {
			t.Errorf("the best candidate's weights differ from the merge's: %v", err)
		}
	}
	refused(t, ExitUsage, []string{"go together"}, "merge", "--alpha-sweep=0,1", "--write-best", best)
	refused(t, ExitUsage, []string{"--maximize nothing"}, "merge", "--alpha-sweep=0,1", "--write-best", filepath.Join(dir, "new"), "--maximize", "nothing")
	refused(t, ExitInput, []string{best}, "merge", "--alpha-sweep=0,1", "--write-best", best, "--maximize", "symbols")
}

// TestSweepGoesOn: a candidate with a value that is not finite is named, and
// the others have their scores; the exit code is 3.
func TestSweepGoesOn(t *testing.T) {
	dir := t.TempDir()
	base := pico(t, dir, "base", tensorstest.Pico{Seed: 7})
	tuned := pico(t, dir, "tuned", tensorstest.Pico{Seed: 7, Drift: 0.05})
	m := tensorstest.Pico{Seed: 7, Drift: 0.05}.Weights()
	huge := make([]float32, 48)
	for i := range huge {
		huge[i] = 3e38
	}
	m.Add("model.layers.1.post_attention_layernorm.weight", tensors.BF16, []int{48}, huge)
	weights := filepath.Join(tuned, "model.safetensors")
	if err := os.Remove(weights); err != nil {
		t.Fatal(err)
	}
	if _, err := tensors.Write(context.Background(), weights, m, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	out, errs, code := surgeon(t, "merge", "--alpha-sweep=0,1", base, tuned, "--tasks", "symbols")
	if code != ExitInput || !strings.Contains(errs, "alpha=1: layer 1 gives a value that is not finite") || !strings.Contains(out, "│ failed │") || !strings.Contains(out, "0 │ 0.000 │ ") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
}
