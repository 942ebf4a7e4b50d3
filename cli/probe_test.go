package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"surgeon/tensors/tensorstest"
	"testing"
)

const generations = `{"id":1,"prompt":"The symbol","generate":{"max_tokens":4}}
{"id":2,"prompt":"The symbol","generate":{"max_tokens":4,"temperature":1,"seed":3,"top_k":50,"top_p":0.9,"ignore_eos":true}}
{"id":3,"prompt_ids":[5],"continuation_ids":[[6],[7,8]],"logits":false,"generate":{"max_tokens":2,"stop":"\n"}}
`

// TestProbeGenerate answers in the order of the lines, the same every time.
func TestProbeGenerate(t *testing.T) {
	out, errs, code := surgeonIn(t, generations, "probe", "base", "-")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != ExitDone || len(lines) != 3 {
		t.Fatalf("exit code %d, %s%s", code, out, errs)
	}
	for i, want := range []string{`"tokens":4,"text":"`, `"finish":"length"`, `"tokens":5,"text":"`} {
		if !strings.HasPrefix(lines[i], `{"id":`+string(rune('1'+i))) || !strings.Contains(lines[i], want) {
			t.Errorf("answer %d is %s, without %s", i+1, lines[i], want)
		}
	}
	if again, _, _ := surgeonIn(t, generations, "probe", "--memory", "1MB", "base", "-"); again != out {
		t.Errorf("with little memory:\n%s\nwant\n%s", again, out)
	}
}

// TestProbeResume: a file of answers that was cut in the middle of a line is
// completed to the bytes of an uncut run, and only what is missing is computed;
// answers of another model stay beside it.
func TestProbeResume(t *testing.T) {
	dir := t.TempDir()
	file, requests := filepath.Join(dir, "answers.jsonl"), write(t, dir, "requests.jsonl", generations)
	run := func(model, want string) {
		t.Helper()
		if out, errs, code := surgeon(t, "probe", "--out", file, model, requests); code != ExitDone || out != want {
			t.Fatalf("exit code %d, %q, want %q: %s", code, out, want, errs)
		}
	}
	content := func() string {
		t.Helper()
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	run("base", file+": 3 answers, 0 of them from before\n")
	whole := content()
	if strings.Count(whole, `"key":"`) != 3 {
		t.Fatalf("answers without keys: %s", whole)
	}
	lines := strings.SplitAfter(whole, "\n")
	write(t, dir, "answers.jsonl", lines[2]+lines[0][:40])
	run("base", file+": 3 answers, 1 of them from before\n")
	if got := content(); got != whole {
		t.Errorf("a run that continued gives\n%s\nwant\n%s", got, whole)
	}
	// An answer that is there is not computed: what it says stays.
	write(t, dir, "answers.jsonl", strings.Replace(whole, `"finish":"length"`, `"finish":"never"`, 1))
	run("base", file+": 3 answers, 3 of them from before\n")
	run("chem", file+": 3 answers, 0 of them from before\n")
	if got := content(); strings.Count(got, "\n") != 6 || !strings.Contains(got, "never") {
		t.Errorf("answers of two models:\n%s", got)
	}
	write(t, dir, "answers.jsonl", "my notes\n")
	if _, errs, code := surgeon(t, "probe", "--out", file, "base", requests); code != ExitInput || !strings.Contains(errs, "no answer of surgeon's") || content() != "my notes\n" {
		t.Errorf("a file of something else: exit code %d, %s", code, errs)
	}
	if _, errs, code := surgeon(t, "probe", "--out", dir, "base", requests); code != ExitInput || !strings.Contains(errs, "no ordinary file") {
		t.Errorf("a directory: exit code %d, %s", code, errs)
	}
}

// TestProbeTokensOnly reads a tokenizer without a model.
func TestProbeTokensOnly(t *testing.T) {
	dir := t.TempDir()
	f, err := openFolder("base")
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, _, err := f.side("tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "tokenizer.json", string(tokenizer))
	want := `{"id":1,"prompt_ids":[73,73],"logprobs":[],"greedy":[],"tokens":0}` + "\n"
	for _, name := range []string{dir, filepath.Join(dir, "tokenizer.json"), "base"} {
		out, errs, code := surgeonIn(t, `{"id":1,"prompt":"HH","generate":{}}`, "probe", "--tokens-only", name, "-")
		if code != ExitDone || out != want {
			t.Errorf("%s: exit code %d, %s%s, want %s", name, code, out, errs, want)
		}
	}
	for name, words := range map[string]string{t.TempDir(): "tokenizer.json: not there", filepath.Join(dir, "none"): "no such file"} {
		if _, errs, code := surgeonIn(t, `{"id":1,"prompt":"HH"}`, "probe", "--tokens-only", name, "-"); code != ExitInput || !strings.Contains(errs, words) {
			t.Errorf("%s: exit code %d, %s", name, code, errs)
		}
	}
}

// TestProbeGenerateBadLines names what is wrong with what is to be generated.
func TestProbeGenerateBadLines(t *testing.T) {
	check := func(generate, words string) {
		t.Helper()
		_, errs, code := surgeonIn(t, `{"id":1,"prompt":"a","generate":`+generate+`}`, "probe", "base", "-")
		if code != ExitInput || !strings.Contains(errs, "-:1: ") || !strings.Contains(errs, words) {
			t.Errorf("%s: exit code %d, %s", generate, code, errs)
		}
	}
	check(`{"max_new_tokens":3}`, `"max_new_tokens"`)
	check(`{"max_tokens":0}`, "max_tokens is 0")
	check(`{"stop":[""]}`, `"stop"`)
	check(`{"stop":7}`, `"stop"`)
	check(`{"temperature":-1}`, "temperature -1")
	check(`[]`, `"generate"`)
}

// TestProbeSpecial: a prompt is taken as it is written, which is said where the
// tokenizer would begin it otherwise, and --special begins it so.
func TestProbeSpecial(t *testing.T) {
	dir := t.TempDir()
	model := pico(t, dir, "base", tensorstest.Pico{Seed: 1})
	write(t, dir, "base/tokenizer.json", `{"version": "1.0", "truncation": null, "padding": null, "normalizer": null, "decoder": null, "added_tokens": [],
		"pre_tokenizer": {"type": "Whitespace"},
		"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
			"pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
			"special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
		"model": {"type": "WordLevel", "vocab": {"<s>": 0, "a": 1, "b": 2, "<unk>": 3}, "unk_token": "<unk>"}}`)
	const line = `{"id":1,"prompt":"a","continuations":[" b"]}`
	out, errs, code := surgeonIn(t, line, "probe", model, "-")
	if code != ExitDone || !strings.Contains(out, `"prompt_ids":[1],`) || !strings.Contains(errs, "--special adds them") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	begun, errs, code := surgeonIn(t, line, "probe", "--special", model, "-")
	if code != ExitDone || !strings.Contains(begun, `"prompt_ids":[0,1],`) || errs != "" {
		t.Errorf("exit code %d, %s%s", code, begun, errs)
	}
	given, _, _ := surgeonIn(t, `{"id":1,"prompt_ids":[0,1],"continuation_ids":[[2]]}`, "probe", model, "-")
	if given != begun {
		t.Errorf("with --special %s, with the ids %s", begun, given)
	}
}

// TestProbeMessages writes a conversation by the template of the folder.
func TestProbeMessages(t *testing.T) {
	dir := t.TempDir()
	model := pico(t, dir, "base", tensorstest.Pico{Seed: 1})
	write(t, dir, "base/tokenizer_config.json", `{"chat_template": "{% if messages[0].role != 'user' %}{{ raise_exception('the user begins') }}{% endif %}{{ messages[0].content }}{% if add_generation_prompt %}!{% endif %}"}`)
	ask := func(message string) (out, errs string, code int) {
		return surgeonIn(t, `{"id":1,"messages":[`+message+`]}`, "probe", "--tokens-only", model, "-")
	}
	want, _, _ := surgeonIn(t, `{"id":1,"prompt":"Hi!"}`, "probe", "--tokens-only", model, "-")
	if out, errs, code := ask(`{"role":"user","content":"Hi"}`); code != ExitDone || out != want {
		t.Errorf("exit code %d, %s%s, want %s", code, out, errs, want)
	}
	for message, words := range map[string]string{
		`{"role":"assistant","content":"Hi"}`: "-:1: the chat template refuses the conversation: the user begins",
		`{"role":"user"}`:                     `"messages": number 1 needs`,
		``:                                    `"messages" has no entries`,
	} {
		if _, errs, code := ask(message); code != ExitInput || !strings.Contains(errs, words) {
			t.Errorf("%s: exit code %d, %s", message, code, errs)
		}
	}
	if _, errs, code := surgeonIn(t, `{"id":1,"messages":[{"role":"user","content":"Hi"}]}`, "probe", "--tokens-only", pico(t, dir, "plain", tensorstest.Pico{Seed: 1}), "-"); code != ExitInput || !strings.Contains(errs, "there is no chat template") {
		t.Errorf("without a template: exit code %d, %s", code, errs)
	}
}

// TestProbeStopped says how many answers are kept, and where.
func TestProbeStopped(t *testing.T) {
	check := func(s stopped, want string) {
		t.Helper()
		var errs strings.Builder
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if code := report(ctx, environment{err: &errs}, fmt.Errorf("base: %w", s)); code != ExitInterrupted || errs.String() != "surgeon: "+want+"\n" {
			t.Errorf("exit code %d: %s, want %s", code, errs.String(), want)
		}
	}
	check(stopped{2, "answers.jsonl", context.Canceled}, "interrupted: 2 answers are kept in answers.jsonl, the same command goes on from there")
	check(stopped{1, "", context.Canceled}, "interrupted: 1 answer is kept, the same command goes on from there")
	check(stopped{0, "answers.jsonl", context.Canceled}, "interrupted before the first answer was finished")
}
