package cli

import (
	"os"
	"path/filepath"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestTargetIsAnInput: no merge writes over what it reads, also with --force.
func TestTargetIsAnInput(t *testing.T) {
	dir := t.TempDir()
	base := pico(t, dir, "base", tensorstest.Pico{Seed: 1})
	tuned := filepath.Join(dir, "tuned") // made by surgeon, so that --force would replace it
	done(t, "merge", "base", "chem", "--alpha", "1", "-o", tuned, "--shard-size", "60KB")
	single := filepath.Join(dir, "single.safetensors")
	done(t, "merge", "base", "chem", "--alpha", "1", "-o", single)
	link, linkedFile := filepath.Join(dir, "link"), filepath.Join(dir, "linked.safetensors")
	hard := filepath.Join(dir, "hard.safetensors")
	for _, err := range []error{os.Symlink(tuned, link), os.Symlink(single, linkedFile), os.Link(single, hard)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before := tree(t, dir)
	check := func(out string, models ...string) {
		t.Helper()
		for _, flags := range [][]string{{"--force"}, {"--force", "--resume"}, {}} {
			refused(t, ExitInput, []string{out + ": "}, append(append([]string{"merge", "--alpha", "0.5", "-o", out}, models...), flags...)...)
		}
		refused(t, ExitInput, []string{"is one of the inputs"}, append([]string{"merge", "--alpha", "0.5", "--force", "-o", out}, models...)...)
	}
	check(base, base, "chem")
	check(tuned, base, tuned)
	check(tuned, tuned, "chem")
	check(tuned, base, "chem", tuned)
	check(tuned+"/", base, tuned)
	check(filepath.Join(dir, "base", "..", "tuned"), base, tuned)
	check(filepath.Join(dir, "tuned"), base, filepath.Join(tuned, "model.safetensors.index.json"))
	check(filepath.Join(tuned, opened(t, tuned).Files()[1].Name), base, tuned)
	check(filepath.Join(base, "model.safetensors"), base, tuned)
	check(single, base, single)
	check(link, base, tuned)
	check(tuned, base, link)
	check(linkedFile, base, single)
	check(single, base, linkedFile)
	check(hard, base, single)
	sameTree(t, "inputs", tree(t, dir), before)
}

// TestTargetIsAnAdapter: its files are inputs too.
func TestTargetIsAnAdapter(t *testing.T) {
	dir := t.TempDir()
	base, lora := pico(t, dir, "base", tensorstest.Pico{Seed: 1}), adapter(t, dir, 1, 2)
	refused(t, ExitInput, []string{"is one of the inputs"}, "merge", base, lora, "--alpha", "1", "-o", lora, "--force")
	refused(t, ExitInput, []string{"is one of the inputs"}, "merge", base, lora, "--alpha", "1", "-o", filepath.Join(lora, "adapter_model.safetensors"), "--force")
}

// TestTargetHoldsAnInput: the directory that is replaced has an input below
// it.
func TestTargetHoldsAnInput(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	done(t, "merge", "base", "chem", "--alpha", "1", "-o", out)
	inner := pico(t, out, "inner", tensorstest.Pico{Seed: 7})
	before := tree(t, out)
	refused(t, ExitInput, []string{out}, "merge", inner, "chem", "--alpha", "0.5", "-o", out, "--force")
	sameTree(t, "an input below the target", tree(t, out), before)
}

// TestForce replaces what surgeon wrote and nothing else.
func TestForce(t *testing.T) {
	dir := t.TempDir()
	merge := func(out, alpha string, flags ...string) []string {
		return append([]string{"merge", "base", "chem", "--alpha", alpha, "-o", out}, flags...)
	}
	for _, name := range []string{"out", "out.safetensors"} {
		out := filepath.Join(dir, name)
		done(t, merge(out, "1")...)
		refused(t, ExitInput, []string{out, "exists", "--force"}, merge(out, "0")...)
		refused(t, ExitInput, []string{out, "exists"}, merge(out, "0", "--resume")...)
		sameTensor(t, "refused", opened(t, out), embedding, tensorstest.Pico{Seed: 7, Drift: 0.05}.Weights(), embedding)
		done(t, merge(out, "0", "--force")...)
		sameTensor(t, "replaced", opened(t, out), embedding, tensorstest.Pico{Seed: 7}.Weights(), embedding)
		done(t, "inspect", out, "--verify")
	}
	if hidden, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(hidden) != 0 {
		t.Errorf("left: %q %v", hidden, err)
	}
	foreign := filepath.Join(dir, "foreign")
	write(t, foreign, "thesis.tex", "years of work")
	write(t, dir, "notes", "x")
	pico(t, dir, "model", tensorstest.Pico{Seed: 1})
	before := tree(t, dir)
	for _, out := range []string{"foreign", "notes", "model", "foreign/thesis.tex", "notes/below"} {
		refused(t, ExitInput, []string{filepath.Join(dir, out)}, merge(filepath.Join(dir, out), "0.5", "--force")...)
	}
	sameTree(t, "refused", tree(t, dir), before)
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	done(t, merge(empty, "0.5")...)
}

// TestBesideASingleFile: what stands there under the name of the provenance is
// not surgeon's to replace.
func TestBesideASingleFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "half."+tensors.Provenance, "precious")
	refused(t, ExitInput, []string{"half.surgeon.json", "is there already"}, "merge", "base", "chem", "--alpha", "0.5", "-o", filepath.Join(dir, "half.safetensors"))
	if read(t, filepath.Join(dir, "half.surgeon.json")) != "precious" {
		t.Error("half.surgeon.json is lost")
	}
}

// TestWorkingDirectory: -o . is refused by name, before any work.
func TestWorkingDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	refused(t, ExitInput, []string{"surgeon: .: "}, "merge", "base", "chem", "--alpha", "0.5", "-o", ".")
}
