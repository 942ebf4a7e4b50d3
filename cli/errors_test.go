package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// write makes a file in dir and returns its path.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// pico makes a model directory.
func pico(t *testing.T, dir, name string, p tensorstest.Pico) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := p.Write(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestErrors checks exit codes and that an error is one sentence that names
// what is wrong.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	check := func(code int, says string, args ...string) {
		t.Helper()
		out, errs, got := surgeon(t, args...)
		line := "surgeon " + strings.Join(args, " ")
		if got != code {
			t.Errorf("%s: exit code %d, want %d: %s", line, got, code, errs)
		}
		if !strings.Contains(errs, says) || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "surgeon: ") {
			t.Errorf("%s: says %q, want one line with %q", line, errs, says)
		}
		if out != "" {
			t.Errorf("%s: prints %q to standard output", line, out)
		}
	}
	model, err := os.ReadFile("../testdata/pico/base/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	wide := pico(t, dir, "wide", tensorstest.Pico{Seed: 1, Hidden: 64})
	unknown := pico(t, dir, "unknown", tensorstest.Pico{Seed: 1})
	write(t, unknown, "config.json", `{"model_type": "mamba"}`)
	odd := pico(t, dir, "odd", tensorstest.Pico{Seed: 1})
	write(t, odd, "tokenizer.json", `{"model": {"type": "Unigram", "vocab": []}}`)
	bare := pico(t, dir, "bare", tensorstest.Pico{Seed: 1})
	if err := os.Remove(filepath.Join(bare, "config.json")); err != nil {
		t.Fatal(err)
	}
	taken := write(t, dir, "taken/file", "x")
	short := write(t, dir, "short.safetensors", string(model[:len(model)-100]))
	empty := filepath.Dir(write(t, dir, "empty/readme", "x"))
	task := write(t, dir, "task.jsonl", "{\"id\":\"a\",\"prompt\":\"p\",\"choices\":[\"x\",\"y\"],\"gold\":0}\n{\"id\":\"b\"}\n")
	requests := write(t, dir, "requests.jsonl", "{\"id\":1,\"prompt_ids\":[1,2]}\n")

	check(ExitUsage, `did you mean "merge"`, "mrge")
	check(ExitUsage, "lists them", "zzz")
	check(ExitUsage, "did you mean --alpha", "merge", "base", "chem", "--alpa", "1")
	check(ExitUsage, "needs a value", "merge", "base", "chem", "--alpha")
	check(ExitUsage, "1 were given", "diff", "base")
	check(ExitUsage, "3 were given", "diff", "base", "chem", "extra")
	check(ExitUsage, "-o OUT", "merge", "base", "chem", "--alpha", "1")
	check(ExitUsage, "--alpha A", "merge", "base", "chem", "-o", "out")
	check(ExitUsage, "neither a decimal number", "merge", "base", "chem", "--alpha", "NaN", "-o", "out")
	check(ExitUsage, "LOW:HIGH:STEP", "merge", "--alpha-sweep=1:0:0.1")
	check(ExitUsage, "writes nothing", "merge", "--alpha-sweep", "-o", "out")
	check(ExitUsage, "--tasks", "merge", "--alpha-sweep", wide, wide)
	check(ExitUsage, "float32", "merge", "base", "chem", "--alpha", "1e39", "-o", "out")
	check(ExitUsage, "-o OUT", "merge", "base", "chem", "--alpha", "1", "-o", "")
	check(ExitUsage, "lists them", "hepl")
	check(ExitInput, "its directory does not exist", "diff", "base", "chem", "--plot", filepath.Join(dir, "none", "x.png"))
	check(ExitUsage, ".png", "diff", "base", "chem", "--plot", "drift.pdf")

	check(ExitInput, "nowhere: no such file", "diff", "nowhere", "chem")
	check(ExitInput, empty+": a directory without weights", "inspect", empty)
	check(ExitInput, short+": the tensors take", "diff", short, "chem")
	check(ExitInput, `config.json: hidden_size is 48 in base and 64 in `, "merge", "base", wide, "--alpha", "1", "-o", filepath.Join(dir, "out"))
	check(ExitInput, filepath.Join(unknown, "config.json")+`: model_type "mamba"`, "probe", unknown, requests)
	check(ExitInput, "tokenizer.json", "merge", "--alpha-sweep=0,1", odd, odd, "--tasks", task)
	check(ExitInput, filepath.Join(bare, "config.json")+": not there", "probe", bare, requests)
	check(ExitInput, task+":2: ", "merge", "--alpha-sweep", "base", "chem", "--tasks", task)
	check(ExitInput, "no such file", "probe", "base", filepath.Join(dir, "none.jsonl"))
	check(ExitInput, "exists", "merge", "base", "chem", "--alpha", "1", "-o", filepath.Dir(taken))
	check(ExitInput, "not a directory", "merge", "base", "chem", "--alpha", "1", "-o", filepath.Join(taken, "out"))
}

// TestInterrupted checks that a cancelled command says so and leaves nothing.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, args := range [][]string{
		{"diff", "base", "chem"},
		{"merge", "base", "chem", "--alpha", "0.5", "-o", filepath.Join(dir, "out")},
		{"merge", "--alpha-sweep"},
	} {
		var out, errs bytes.Buffer
		code := run(ctx, environment{out: &out, err: &errs, width: 80}, args)
		if code != ExitInterrupted || out.Len() != 0 || !strings.Contains(errs.String(), "interrupted") {
			t.Errorf("surgeon %s: exit code %d, %q, %q", strings.Join(args, " "), code, &out, &errs)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestArrange moves flags before models, whatever their order was.
func TestArrange(t *testing.T) {
	app := newApp(environment{})
	check := func(line, want string) {
		t.Helper()
		got, err := arrange(app, strings.Fields(line))
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v, want %q", line, got, err, want)
		}
	}
	check("diff a b", "diff -- a b")
	check("diff a --json b", "diff --json -- a b")
	check("diff a b --plot x.png", "diff --plot x.png -- a b")
	check("diff a b --plot=x.png", "diff --plot=x.png -- a b")
	check("merge a b --alpha -0.5 -o out", "merge --alpha -0.5 -o out -- a b")
	check("merge --alpha-sweep a b", "merge --alpha-sweep=0:1:0.1 -- a b")
	check("merge --alpha-sweep 0:1:0.5 a b", "merge --alpha-sweep=0:1:0.5 -- a b")
	check("merge --alpha-sweep 0.5 a b", "merge --alpha-sweep=0.5 -- a b")
	check("help diff", "diff --help")
	check("help", "--help")
	check("merge --alpha-sweep=0,1 a b", "merge --alpha-sweep=0,1 -- a b")
	check("probe base -", "probe -- base -")
	check("diff -- --json b", "diff -- --json b")
	check("unknown a --flag", "unknown a --flag")
}

func TestParseSweep(t *testing.T) {
	check := func(text string, want ...float64) {
		t.Helper()
		got, err := parseSweep(text)
		if (err == nil) != (want != nil) || len(got) != len(want) {
			t.Fatalf("%q: %v, %v, want %v", text, got, err, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q: %v, want %v", text, got, want)
			}
		}
	}
	check("0:1:0.1", 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
	check("0:1:0.4", 0, 0.4, 0.8)
	check("-0.5:0.5:0.5", -0.5, 0, 0.5)
	check("0.3:0.3:1", 0.3)
	check("0.7,0,1.5", 0.7, 0, 1.5)
	check("2", 2)
	for _, wrong := range []string{"", "x", "1:0:0.1", "0:1", "0:1:0", "0:1:-1", "0:1:0.1:2", "0:1,2", "0::1:0.5", "0,,1", "0,0.5,0", "0:1:1e-9", "NaN", "0:Inf:1"} {
		check(wrong)
	}
}

// TestProbe asks by text and by ids, from a file and from standard input.
func TestProbe(t *testing.T) {
	in := `{"id":"text","prompt":"The symbol of iron is","continuations":[" Fe"," Au"]}

{"id":2,"prompt_ids":[65,66],"continuation_ids":[[67],[68,69]],"logits":true}
`
	out, errs, code := surgeonIn(t, in, "probe", "base", "-")
	if code != ExitDone || errs != "" {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d answers, want 2: %s", len(lines), out)
	}
	check := func(line, want string) {
		t.Helper()
		if !strings.Contains(line, want) {
			t.Errorf("%.200s: want %s", line, want)
		}
	}
	check(lines[0], `"id":"text","prompt_ids":[`)
	check(lines[0], `"greedy":[`)
	check(lines[1], `"id":2,"prompt_ids":[65,66],"logprobs":[-`)
	check(lines[1], `"logits":[`)
	if strings.Contains(lines[0], "logits") {
		t.Error("logits were not asked for")
	}
	if n := strings.Count(lines[1][strings.Index(lines[1], `"logits"`):], ","); n != 319 {
		t.Errorf("%d logits, want 320", n+1)
	}
}

// TestProbeTextAfterIDs encodes a text by itself after given ids, and takes
// empty lists for none.
func TestProbeTextAfterIDs(t *testing.T) {
	out, errs, code := surgeonIn(t, `{"id":1,"prompt":"The symbol of","continuations":[" iron"]}
{"id":2,"prompt":"The symbol of"}
`, "probe", "base", "-")
	if code != ExitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	var text, ids struct {
		PromptIDs []int32   `json:"prompt_ids"`
		LogProbs  []float64 `json:"logprobs"`
	}
	lines := strings.Split(out, "\n")
	if err := errors.Join(json.Unmarshal([]byte(lines[0]), &text), json.Unmarshal([]byte(lines[1]), &ids)); err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(ids.PromptIDs)
	if err != nil {
		t.Fatal(err)
	}
	out, errs, code = surgeonIn(t, `{"id":1,"prompt_ids":`+string(list)+`,"continuations":[" iron"],"continuation_ids":[]}`, "probe", "base", "-")
	if code != ExitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if err := json.Unmarshal([]byte(out), &ids); err != nil {
		t.Fatal(err)
	}
	if len(ids.LogProbs) != 1 || ids.LogProbs[0] != text.LogProbs[0] {
		t.Errorf("%v by ids, %v by text", ids.LogProbs, text.LogProbs)
	}
}

// TestProbeInterrupted stops while it waits for its input.
func TestProbeInterrupted(t *testing.T) {
	in, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	var out, errs bytes.Buffer
	if code := run(ctx, environment{out: &out, err: &errs, in: in}, []string{"probe", "base", "-"}); code != ExitInterrupted {
		t.Errorf("exit code %d: %s", code, &errs)
	}
}

// TestPairsThatDisagree are not scored, and merged with a note.
func TestPairsThatDisagree(t *testing.T) {
	dir := t.TempDir()
	base, tuned := pico(t, dir, "base", tensorstest.Pico{Seed: 1}), pico(t, dir, "tuned", tensorstest.Pico{Seed: 1, Drift: 0.1})
	config, err := os.ReadFile(filepath.Join(tuned, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, tuned, "config.json", strings.Replace(string(config), `"rope_theta": 10000`, `"rope_theta": 50000`, 1))
	task := write(t, dir, "task.jsonl", string(tensorstest.Items()))
	_, errs, code := surgeon(t, "merge", "--alpha-sweep=0,1", base, tuned, "--tasks", task)
	if code != ExitInput || !strings.Contains(errs, "disagree on RoPE") || !strings.Contains(errs, filepath.Join(tuned, "config.json")) {
		t.Errorf("exit code %d: %s", code, errs)
	}
	out, errs, code := surgeon(t, "merge", base, tuned, "--alpha", "0.5", "-o", filepath.Join(dir, "out"))
	if code != ExitDone || !strings.Contains(out, "note: config.json: rope_theta is 10000 in ") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

// TestUntrustedNames: what a file calls its tensors does not reach the terminal
// as it is, and a weight that was all zero does not spoil the figure.
func TestUntrustedNames(t *testing.T) {
	dir := t.TempDir()
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	for i, m := range []*tensorstest.Memory{base, tuned} {
		m.Add("model.layers.0.mlp.up_proj.bias", tensors.F32, []int{2}, []float32{0, float32(i)})
		m.Add("model.layers.0.mlp.up_proj.weight", tensors.F32, []int{2}, []float32{1, 2 + float32(i)})
		m.Add("evil\x1b[31m\nrm -rf", tensors.F32, []int{1 + i}, make([]float32, 1+i))
	}
	for name, m := range map[string]*tensorstest.Memory{"base.safetensors": base, "tuned.safetensors": tuned} {
		if _, err := tensors.Write(context.Background(), filepath.Join(dir, name), m, tensors.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	figure := filepath.Join(dir, "map.svg")
	out, errs, code := surgeon(t, "diff", filepath.Join(dir, "base.safetensors"), filepath.Join(dir, "tuned.safetensors"), "--plot", figure)
	if code != ExitDone || !strings.Contains(out, "unmatched: evil\ufffd[31m\ufffdrm -rf: shape [1] in the base, [2] in the tuned model\n") {
		t.Errorf("exit code %d: %s%q", code, errs, out)
	}
	if _, err := os.Stat(figure); err != nil {
		t.Error(err)
	}
}

// TestProbeBadLines answers the good lines and then reports the bad ones.
func TestProbeBadLines(t *testing.T) {
	in := strings.Join([]string{
		`{"id":1,"prompt_ids":[320],"logits":true}`,
		`{"id":2,"prompt_ids":[1],"continuation_ids":[[2]]}`,
		`{bad`,
		`{"id":3,"prompt":""}`,
		`{"id":4,"prompt":"","logits":true}`,
		`{"prompt":"x"}`,
		`{"id":5,"prompt":"x","prompt_ids":[1]}`,
		`{"id":6,"prompt_ids":[1],"generate":{"max_tokens":3}}`,
		`{"id":7,"prompt_ids":[1],"continuation_ids":[[]]}`,
		`{"id":8,"prompt_ids":[400,1]}`,
		`{"id":9,"prompt_ids":[-1]}`,
		`{"id":10,"prompt_ids":[310,1]}`,
	}, "\n")
	out, errs, code := surgeonIn(t, in, "probe", "base", "-")
	var bad []string
	for _, line := range strings.Split(strings.TrimSpace(errs), "\n") {
		bad = append(bad, strings.TrimPrefix(line, "surgeon: -:"))
	}
	for i, want := range []string{"1: prompt: token id 320 is outside the vocabulary of 320", "3: not a request", "5: the prompt is empty", `6: "id" is missing`,
		"7: needs one of", "9: continuation 1 is empty", "10: prompt: token id 400 is outside the vocabulary of 320", `11: "prompt_ids" holds a negative number`} {
		if code != ExitInput || len(bad) != 8 || !strings.HasPrefix(bad[i], want) {
			t.Errorf("exit code %d, line %d of %q is not %q", code, i, bad, want)
		}
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], `{"id":2,"prompt_ids":[1],"logprobs":[-`) ||
		lines[1] != `{"id":3,"prompt_ids":[],"logprobs":[],"greedy":[],"tokens":0}` || lines[3] != `{"id":10,"prompt_ids":[310,1],"logprobs":[],"greedy":[],"tokens":0}` {
		t.Errorf("answers:\n%s", out)
	}
}

// TestDiffAdapter counts what an adapter leaves alone in the total, so that it
// compares with the total of a whole fine-tune.
func TestDiffAdapter(t *testing.T) {
	dir := t.TempDir()
	base := pico(t, dir, "base", tensorstest.Pico{Seed: 1})
	factors := tensorstest.NewMemory()
	const name = "base_model.model.model.layers.1.self_attn.q_proj"
	ones := make([]float32, 48)
	for i := range ones {
		ones[i] = 1
	}
	factors.Add(name+".lora_A.weight", tensors.F32, []int{1, 48}, ones)
	factors.Add(name+".lora_B.weight", tensors.F32, []int{48, 1}, ones)
	adapter := filepath.Dir(write(t, dir, "adapter/adapter_config.json", `{"peft_type": "LORA", "r": 1, "lora_alpha": 0.5}`))
	if _, err := tensors.Write(context.Background(), filepath.Join(adapter, "adapter_model.safetensors"), factors, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	out, errs, code := surgeon(t, "diff", "--json", base, adapter)
	if code != ExitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	var diff struct {
		Tensors []struct {
			Name      string
			DeltaNorm float64 `json:"delta_norm"`
		}
		Total struct {
			N         int64
			DeltaNorm float64 `json:"delta_norm"`
		}
	}
	if err := json.Unmarshal([]byte(out), &diff); err != nil {
		t.Fatal(err)
	}
	moved := 0
	for _, row := range diff.Tensors {
		if row.DeltaNorm != 0 {
			moved++
		}
	}
	// 48 x 48 elements, each moved by 0.5: a norm of 24.
	if len(diff.Tensors) != 20 || moved != 1 || diff.Total.N != 57072 || diff.Total.DeltaNorm != 24 {
		t.Errorf("%d tensors of which %d moved, total %+v", len(diff.Tensors), moved, diff.Total)
	}
}

// TestNotFinite: weights that are not numbers are said to be so.
func TestNotFinite(t *testing.T) {
	dir := t.TempDir()
	m := tensorstest.Pico{Seed: 1}.Weights()
	norm := make([]float32, 48)
	norm[7] = float32(math.NaN())
	m.Add("model.norm.weight", tensors.BF16, []int{48}, norm)
	broken := filepath.Join(dir, "broken.safetensors")
	if _, err := tensors.Write(context.Background(), broken, m, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	out, errs, code := surgeon(t, "diff", pico(t, dir, "base", tensorstest.Pico{Seed: 1}), broken)
	if code != ExitDone || !strings.Contains(out, "note: model.norm.weight has values that are not finite numbers: 0 in the base, 1 in the tuned model\n") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
}
