package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

var update = flag.Bool("update", false, "write the golden files again")

// surgeon runs a command line in process.
func surgeon(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	return surgeonIn(t, "", args...)
}

// surgeonIn runs a command line with a standard input.
func surgeonIn(t *testing.T, in string, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), environment{out: &o, err: &e, in: strings.NewReader(in), width: 80, timeless: true}, args)
	return o.String(), e.String(), code
}

// golden compares with a file of testdata and leaves a .got beside it where
// they differ.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		os.Remove(path + ".got")
		return
	}
	if err := os.WriteFile(path+".got", []byte(got), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Errorf("the output is not %s: see %s.got", path, path)
}

func TestGoldenOutput(t *testing.T) {
	check := func(name string, args ...string) {
		t.Helper()
		out, errs, code := surgeon(t, args...)
		if code != ExitDone || errs != "" {
			t.Errorf("surgeon %s: exit code %d, standard error %q", strings.Join(args, " "), code, errs)
		}
		golden(t, name, out)
	}
	check("inspect.golden", "inspect", "base", "--tensors")
	check("diff.golden", "diff", "base", "chem", "--tensors")
	check("diff.json.golden", "diff", "--json", "base", "chem")
	check("sweep.golden", "merge", "--alpha-sweep=0:1:0.25")
	check("sweep.json.golden", "merge", "--alpha-sweep=0,0.5,1", "base", "chem", "--json")
}

// TestTablesFit reads the widest line of what is printed for 80 columns.
func TestTablesFit(t *testing.T) {
	for _, args := range [][]string{{"diff", "base", "chem"}, {"merge", "--alpha-sweep"}} {
		out, _, _ := surgeon(t, args...)
		for line := range strings.Lines(out) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 && strings.Contains(line, "│") {
				t.Errorf("surgeon %s: a table line has %d columns: %s", strings.Join(args, " "), n, line)
			}
		}
	}
}

// TestHelpExamples runs every example of every help text. Those of train stand
// beside a base that has a chat template.
func TestHelpExamples(t *testing.T) {
	withPair(t)
	withoutGradients(t)
	dir, school := t.TempDir(), t.TempDir()
	write(t, pico(t, school, "base", tensorstest.Pico{Seed: 7, Layers: 1}), "chat_template.jinja", chatTemplate)
	lessons(t, school, "chem", 8)
	lessons(t, school, "general", 6)
	t.Chdir(dir)
	if err := os.WriteFile("requests.jsonl", []byte(`{"id":1,"prompt":"The symbol of iron is","continuations":[" Fe"," Au"]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"answers.jsonl": `{"id":7,"prompt":"Say hello without commas.","instruction_id_list":["punctuation:no_comma"],"kwargs":[{}],"response":"Hello there"}`,
		"g.yml":         "alphas: [0, 0.5, 1]\ntasks: [pair_mcq]\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	example, steps := regexp.MustCompile(`(?m)^ +surgeon (.*)$`), regexp.MustCompile(`--steps [0-9]+`)
	ran := 0
	for _, command := range newApp(environment{}).Commands {
		in := dir
		if command.Name == "train" {
			in = school
		}
		if err := os.Chdir(in); err != nil { // t.Chdir goes back at the end
			t.Fatal(err)
		}
		for _, match := range example.FindAllStringSubmatch(command.Description, -1) {
			ran++
			line := steps.ReplaceAllString(match[1], "--steps 5") // enough to see that it runs
			if out, errs, code := surgeon(t, strings.Fields(line)...); code != ExitDone || out == "" {
				t.Errorf("surgeon %s: exit code %d: %s", match[1], code, errs)
			}
		}
	}
	if ran < 10 {
		t.Errorf("only %d examples found", ran)
	}
	for _, made := range []string{dir + "/merged/model.safetensors", dir + "/merged/config.json", dir + "/drift.png", school + "/chem2/model.safetensors", school + "/kept/surgeon.json", school + "/adapter/adapter_config.json"} {
		if _, err := os.Stat(made); err != nil {
			t.Errorf("the examples did not make %s", made)
		}
	}
}

// TestReadme runs the examples of the README that need nothing but the program
// and compares what it shows.
func TestReadme(t *testing.T) {
	withPair(t)
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```console\n\\$ go run ./cli/surgeon ([^\n]*)\n(.*?)```")
	matches := block.FindAllStringSubmatch(string(readme), -1)
	if len(matches) == 0 {
		t.Fatal("no example found")
	}
	for _, match := range matches {
		out, errs, code := surgeon(t, strings.Fields(match[1])...)
		if code != ExitDone || out != withoutRates(match[2]) {
			t.Errorf("README: surgeon %s: exit code %d, %s, prints\n%s", match[1], code, errs, out)
		}
	}
	for _, figure := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(string(readme), -1) {
		if _, err := os.Stat(filepath.Join("..", figure[1])); err != nil {
			t.Errorf("README points to %s, which is not there", figure[1])
		}
	}
}

// withoutRates cuts the column tok/s, the last one, from a table.
func withoutRates(text string) string {
	if !strings.Contains(text, "tok/s\n") {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if at := strings.LastIndex(line, " │"); at >= 0 {
			lines[i] = line[:at]
		} else if at := strings.LastIndex(line, "─┼"); at >= 0 {
			lines[i] = line[:at]
		}
	}
	return strings.Join(lines, "\n")
}

// keys lists the fields of a JSON object, sorted.
func keys(t *testing.T, data []byte) []string {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	list := make([]string, 0, len(object))
	for key := range object {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

// TestJSON checks the fields that scripts rely on.
func TestJSON(t *testing.T) {
	check := func(data json.RawMessage, want ...string) {
		t.Helper()
		have := keys(t, data)
		for _, key := range want {
			if !slices.Contains(have, key) {
				t.Errorf("field %q is missing, there are %q", key, have)
			}
		}
	}
	out, _, _ := surgeon(t, "diff", "--json", "base", "chem")
	var diff struct{ Tensors, Layers, Parts []json.RawMessage }
	if err := json.Unmarshal([]byte(out), &diff); err != nil {
		t.Fatal(err)
	}
	check([]byte(out), "tensors", "layers", "parts", "total", "unmatched")
	check(diff.Tensors[0], "name", "layer", "part", "dtype", "shape", "n", "base_norm", "delta_norm", "rel", "cosine", "max_abs", "changed", "sign_flips")
	if len(diff.Tensors) != 20 || len(diff.Layers) != 4 || len(diff.Parts) != 11 {
		t.Errorf("%d tensors, %d layers, %d parts", len(diff.Tensors), len(diff.Layers), len(diff.Parts))
	}

	target := filepath.Join(t.TempDir(), "out")
	out, _, _ = surgeon(t, "merge", "--json", "base", "chem", "--alpha", "0.5", "-o", target)
	var merge struct {
		Tensors, Files json.RawMessage
	}
	if err := json.Unmarshal([]byte(out), &merge); err != nil {
		t.Fatal(err)
	}
	check([]byte(out), "out", "alpha", "effective_alpha", "tensors", "bytes", "files")
	check(merge.Tensors, "merged", "copied")

	out, _, _ = surgeon(t, "merge", "--json", "--alpha-sweep=0,1")
	var sweep struct {
		Candidates []struct{ Tasks []json.RawMessage }
	}
	if err := json.Unmarshal([]byte(out), &sweep); err != nil {
		t.Fatal(err)
	}
	check([]byte(out), "base", "tuned", "candidates")
	check(sweep.Candidates[1].Tasks[0], "task", "metric", "n", "score", "se")
}

// TestMergeWrites checks what stands in the target: the bytes that a lazy
// merge has, the base's side files, the digests that were printed.
func TestMergeWrites(t *testing.T) {
	dir := t.TempDir()
	check := func(alpha string, want *tensorstest.Memory) {
		t.Helper()
		target := filepath.Join(dir, "alpha"+alpha)
		if _, errs, code := surgeon(t, "merge", "base", "chem", "--alpha", alpha, "-o", target); code != ExitDone {
			t.Fatalf("exit code %d: %s", code, errs)
		}
		got, err := tensors.Open(target)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		for _, name := range want.Names() {
			a, _ := tensors.Raw(want, name)
			if b, err := tensors.Raw(got, name); err != nil || !bytes.Equal(a, b) {
				t.Errorf("alpha %s: tensor %s differs: %v", alpha, name, err)
			}
		}
		for _, side := range []string{"config.json", "tokenizer.json"} {
			if _, err := os.Stat(filepath.Join(target, side)); err != nil {
				t.Errorf("alpha %s: %s was not copied", alpha, side)
			}
		}
	}
	check("0", tensorstest.Pico{Seed: 7}.Weights())
	check("1", tensorstest.Pico{Seed: 7, Drift: 0.05}.Weights())
}
