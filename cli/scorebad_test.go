package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// TestScoreBadItems: a file that breaks a rule is refused with file, line and
// rule, and nothing is written.
func TestScoreBadItems(t *testing.T) {
	dir := t.TempDir()
	const good = `{"id":"1","prompt":"a","choices":["x","y"],"gold":0}` + "\n"
	check := func(content string, says ...string) {
		t.Helper()
		file, out := write(t, dir, "bad.jsonl", content), filepath.Join(dir, "run")
		refused(t, ExitInput, append(says, file), "score", "base", "--tasks", file, "--out", out, "--export", filepath.Join(dir, "export"))
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%s: left %v %v", content, entries, err)
		}
	}
	check(good+`{"id":"2",`, "bad.jsonl:2: ", "JSON")
	check(good+"\n"+good, "bad.jsonl:3: ", `id "1"`, "line 1")
	check(`{"id":"1","prompt":"a","choices":["x","y"],"gold":2}`, "bad.jsonl:1: ", `"gold" is 2`, "outside the 2 choices")
	check(`{"id":"1","prompt":"a","choices":["x","y"],"gold":-1}`, `"gold" is -1`)
	check(`{"id":"1","prompt":"a","choices":["x","y"],"gold":"C"}`, `"gold" is "C"`)
	check(`{"id":"1","prompt":"a","choices":["x","y"],"gold":"neither"}`, `"gold" is "neither"`)
	check(`{"id":"1","prompt":"a","choices":["x","y"],"gold":1.5}`, `"gold" is 1.5`)
	check(`{"id":"1","prompt":"a","choices":["x","y"]}`, `"gold" is missing`)
	check(`{"id":"1","prompt":"a","choices":["x"],"gold":0}`, `"choices" has 1 entries`)
	check(`{"id":"1","prompt":"a","choices":["x",""],"gold":0}`, "choice 1 is empty")
	check(`{"id":"1","prompt":"a"}`, `"choices" and "gold", or "answer"`)
	check(`{"id":"1","prompt":"","answer":"x"}`, `"prompt" is missing or empty`)
	check(`{"prompt":"a","answer":"x"}`, `"id" is missing`)
	check(`{"id":"1","prompt":"a","answer":" . "}`, "nothing in it")
	check(`{"id":"1","prompt":"a","answer":[]}`, "no entries")
	check(`{"id":"1","prompt":"a","form":"numeric","gold":"many"}`, "no number")
	check(`{"id":"1","prompt":"a","form":"numeric","gold":3,"tolerance":-1}`, `"tolerance" is -1`)
	check(`{"id":"1","prompt":"a","form":"refusal"}`, `"refuse" is missing`)
	check(`["a"]`, "must be an object, not array")
	check("{\"id\":\"\xff\"}", "not UTF-8")
	check("", "no items")
	check("\n \n", "no items")
}

// TestScoreNothingLeft: a file of which no item can be asked says why.
func TestScoreNothingLeft(t *testing.T) {
	file := write(t, t.TempDir(), "essays.jsonl", `{"id":"1","form":"essay","prompt":"Why?","answer":"so"}`+"\n"+`{"id":"2","form":"essay","prompt":"How?","answer":"so"}`+"\n")
	refused(t, ExitInput, []string{file, `"essay"`, "2 items"}, "score", "base", "--tasks", file)
}

// TestScoreUnknownTasks: a name that is near one is suggested.
func TestScoreUnknownTasks(t *testing.T) {
	refused(t, ExitInput, []string{`unknown task "ifevl"`, "did you mean ifeval", "gsm8k_cot", "instruct", "files .jsonl and .txt"}, "score", "base", "--tasks", "ifevl")
	refused(t, ExitInput, []string{`unknown task "mmlu_anatomi"`, "did you mean mmlu_anatomy"}, "score", "base", "--tasks", "symbols,mmlu_anatomi")
	refused(t, ExitInput, []string{`unknown task "nothing like it"`}, "score", "base", "--tasks", "nothing like it")
	refused(t, ExitInput, []string{"none.jsonl", "no such file"}, "score", "base", "--tasks", "none.jsonl")
}

// TestScoreSuggestsSymbols: the embedded task, too, and two letters that changed
// places.
func TestScoreSuggestsSymbols(t *testing.T) {
	refused(t, ExitInput, []string{`unknown task "symbol"`, "did you mean symbols"}, "score", "base", "--tasks", "symbol")
	refused(t, ExitInput, []string{`unknown task "mmul"`, "did you mean mmlu"}, "score", "base", "--tasks", "mmul")
}

// TestScoreMissingData: data that are not there are named with what to get, and
// nothing is downloaded.
func TestScoreMissingData(t *testing.T) {
	empty := t.TempDir()
	check := func(task, what string) {
		t.Helper()
		refused(t, ExitInput, []string{what, "no data folder is given", "want"}, "score", "base", "--tasks", task)
		refused(t, ExitInput, []string{what, empty}, "score", "base", "--tasks", task, "--data", empty)
	}
	check("mmlu", "cais/mmlu")
	check("mmlu_continuation", "hendrycks")
	check("gsm8k", "gsm8k")
	check("ifeval", "IFEval")
	refused(t, ExitInput, []string{"nowhere", "not there"}, "score", "base", "--tasks", "mmlu", "--data", filepath.Join(empty, "nowhere"))
	data := mmlu(t, map[string]int{"anatomy": 2})
	refused(t, ExitInput, []string{"virology", data}, "score", "base", "--tasks", "mmlu_virology", "--data", data)
	// A bad row of a benchmark, with file and line.
	const path = "test/anatomy_test.csv"
	write(t, data, path, "what?,one,two,three,four,A\r\nwhat?,one,two,three,four,E\r\n")
	refused(t, ExitInput, []string{path + ":2: "}, "score", "base", "--tasks", "mmlu_anatomy", "--data", data)
	write(t, data, path, "what?,one,two,three,four,A\r\nwhat?,one,two,A\r\n")
	refused(t, ExitInput, []string{path + ":2: "}, "score", "base", "--tasks", "mmlu_anatomy", "--data", data)
}

// TestScoreWrongFlags: values that no run can have are usage errors before any
// work.
func TestScoreWrongFlags(t *testing.T) {
	file := facts(t, t.TempDir(), 4)
	check := func(says string, args ...string) {
		t.Helper()
		refused(t, ExitUsage, []string{says}, append([]string{"score", "base", "--tasks", file}, args...)...)
	}
	check("--limit 0", "--limit", "0")
	check("--sample -3", "--sample=-3")
	check("give one of them", "--limit", "3", "--sample", "3")
	check("--num-fewshot -1", "--num-fewshot=-1")
	check(`--seeds "1,1"`, "--seeds", "1,1")
	check(`--seeds "1,x"`, "--seeds", "1,x")
	check("--shots-per never", "--shots-per", "never")
	check("--ifeval maybe", "--ifeval", "maybe")
	check("--stop", "--stop", "")
	check("--gen-kwargs foo=1", "--gen-kwargs", "foo=1")
	check("--gen-kwargs temperature=hot", "--gen-kwargs", "temperature=hot")
	check("--gen-kwargs max_gen_toks=0", "--gen-kwargs", "max_gen_toks=0")
	check("--margin 0", "--margin", "0")
	check("--margin 1", "--margin", "1")
	check("--margin facts=x", "--margin", "facts=x")
	check("of facts stands there already", "--margin", "facts=0.1", "--margin", "facts=0.2")
	refused(t, ExitInput, []string{"facts", "40 shots are wanted and there are 3"}, "score", "base", "--tasks", file, "--num-fewshot", "40")
	refused(t, ExitUsage, []string{"--gen-kwargs temperature=-1"}, "score", "base", "--tasks", sayings(t, t.TempDir(), 2), "--gen-kwargs", "temperature=-1")
	refused(t, ExitUsage, []string{"score takes a model, or none for the embedded pair, and 2 were given"}, "score", "base", "chem")
	for _, flags := range [][]string{{"--out", "run"}, {"--reuse", "run"}, {"--export", "run"}, {"--budget", "1m"}, {"--against", "run"}} {
		refused(t, ExitUsage, []string{flags[0] + " is for one model: without any, score scores base and chem"}, append([]string{"score"}, flags...)...)
	}
}
