package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors"
)

// TestVerify passes on what merge has written, whatever its form, and on
// models that nothing is known of.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	check := func(model string, files int, provenance string) {
		t.Helper()
		type report struct{ Verified verification }
		if got := decoded[report](t, "inspect", model, "--verify", "--json").Verified; got.Files != files || got.Provenance != provenance || got.Nonfinite != 0 || got.Bytes == 0 {
			t.Errorf("%s: %+v", model, got)
		}
		done(t, "inspect", model, "--verify")
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	done(t, "merge", "base", "chem", "--alpha", "0.5", "-o", at("one"))
	done(t, "merge", "base", "chem", "--alpha", "0.5", "-o", at("shards"), "--shard-size", "40KB")
	done(t, "merge", "base", "chem", "--alpha", "0.5", "-o", at("single.safetensors"))
	check(at("one"), 4, "surgeon.json")
	check(at("shards"), 8, "surgeon.json")
	check(at("shards/model.safetensors.index.json"), 8, "surgeon.json")
	check(at("single.safetensors"), 1, "single.surgeon.json")
	check("base", 0, "")
	check("../testdata/pico/chem", 0, "")
	check("../testdata/pico/chem/model.safetensors", 0, "")
}

// TestVerifyFindsChanges spoils one thing at a time in a model that surgeon
// wrote; the message names the file.
func TestVerifyFindsChanges(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	done(t, "merge", "base", "chem", "--alpha", "0.5", "-o", good, "--shard-size", "40KB")
	check := func(file, says string, spoil func(model, path string)) {
		t.Helper()
		model := filepath.Join(t.TempDir(), "model")
		if err := os.CopyFS(model, os.DirFS(good)); err != nil {
			t.Fatal(err)
		}
		spoil(model, filepath.Join(model, file))
		refused(t, ExitInput, []string{filepath.Join(model, file) + ": ", says}, "inspect", model, "--verify")
	}
	flip := func(at int) func(model, path string) {
		return func(model, path string) {
			data := []byte(read(t, path))
			data[(at+len(data))%len(data)] ^= 1
			write(t, model, filepath.Base(path), string(data))
		}
	}
	replace := func(content string) func(model, path string) {
		return func(model, path string) { write(t, model, filepath.Base(path), content) }
	}
	remove := func(_, path string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	check("model-00002-of-00004.safetensors", "it was changed since surgeon wrote it", flip(-1))
	check("model-00001-of-00004.safetensors", "it was changed since surgeon wrote it", flip(-20000))
	check("config.json", "it was changed since", flip(-2))
	check("README.md", "it was changed since", flip(50))
	check("tokenizer.json", "it was changed since", flip(100))
	check("README.md", "it cannot be read: ", remove)
	check("config.json", "it cannot be read: ", remove)
	check("model-00003-of-00004.safetensors", "no such file", remove)
	check("surgeon.json", "cannot be read as the provenance of a model: ", replace(""))
	check("surgeon.json", "cannot be read as the provenance of a model: ", replace("garbage"))
	check("surgeon.json", "it names no files", replace("{}"))
	check("surgeon.json", "cannot be read as the provenance of a model: ", replace(`{"files": [{"name": 1}]}`))
	check("../../etc/passwd", "surgeon.json names it", func(model, _ string) {
		write(t, model, "surgeon.json", `{"files": [{"name": "../../etc/passwd", "sha256": ""}]}`)
	})
	check("config.json", "it was changed", func(model, _ string) { write(t, model, "surgeon.json", `{"files": [{"name": "config.json"}]}`) })
	check("model-00001-of-00004.safetensors", "is not one of the files that surgeon.json names", func(model, _ string) {
		write(t, model, "surgeon.json", `{"files": [{"name": "config.json", "sha256": "`+sum(read(t, filepath.Join(model, "config.json")))+`"}]}`)
	})
}

// TestVerifyFindsFilesThatWereAdded: what a loader would use and surgeon did
// not write.
func TestVerifyFindsFilesThatWereAdded(t *testing.T) {
	for _, name := range []string{"model-00009-of-00009.safetensors", "modeling_evil.py", "chat_template.jinja", "pytorch_model.bin"} {
		model := filepath.Join(t.TempDir(), "model")
		done(t, "merge", "base", "chem", "--alpha", "0.5", "-o", model, "--shard-size", "40KB")
		write(t, model, name, "x")
		refused(t, ExitInput, []string{filepath.Join(model, name)}, "inspect", model, "--verify")
	}
}

// TestVerifyWeightsOfADirectory: the file of weights stands beside the
// surgeon.json of its directory.
func TestVerifyWeightsOfADirectory(t *testing.T) {
	model := filepath.Join(t.TempDir(), "model")
	done(t, "merge", "base", "chem", "--alpha", "0.5", "-o", model)
	if out := done(t, "inspect", filepath.Join(model, "model.safetensors"), "--verify"); !strings.Contains(out, "files are what surgeon.json says") {
		t.Errorf("%s", out)
	}
}

// TestVerifySingleFile: beside a single file the digests stand under its name.
func TestVerifySingleFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "half.safetensors")
	done(t, "merge", "base", "chem", "--alpha", "0.5", "-o", file)
	if out := done(t, "inspect", file, "--verify"); !strings.Contains(out, "1 files are what half.surgeon.json says") {
		t.Errorf("%s", out)
	}
	data := []byte(read(t, file))
	data[len(data)-1] ^= 1
	write(t, dir, "half.safetensors", string(data))
	refused(t, ExitInput, []string{file, "half.surgeon.json says", "it was changed"}, "inspect", file, "--verify")
	write(t, dir, "half.surgeon.json", "{")
	refused(t, ExitInput, []string{filepath.Join(dir, "half.surgeon.json"), "cannot be read"}, "inspect", file, "--verify")
}

// TestDigests compares with sha256sum where there is one, and the digests of
// tensors with their bytes.
func TestDigests(t *testing.T) {
	model := filepath.Join(t.TempDir(), "model")
	done(t, "merge", "base", "chem", "--alpha", "0.5", "-o", model, "--shard-size", "40KB")
	i := decoded[inspection](t, "inspect", model, "--digests", "--json")
	if len(i.Files) != 4 || len(i.Tensors) != 20 || i.Verified != nil {
		t.Errorf("%d files, %d tensors", len(i.Files), len(i.Tensors))
	}
	for _, f := range i.Files {
		if f.SHA256 != sum(read(t, filepath.Join(model, f.Name))) {
			t.Errorf("%+v", f)
		}
		if out, err := exec.Command("sha256sum", filepath.Join(model, f.Name)).Output(); err == nil && !strings.HasPrefix(string(out), f.SHA256+" ") {
			t.Errorf("%+v, sha256sum says %s", f, out)
		}
	}
	m := opened(t, model)
	for _, d := range i.Tensors {
		if raw, err := tensors.Raw(m, d.Name); err != nil || d.SHA256 != sum(string(raw)) {
			t.Errorf("%+v %v", d, err)
		}
	}
	text := done(t, "inspect", model, "--digests")
	for _, want := range []string{"sha256 " + i.Files[0].SHA256, i.Tensors[0].SHA256[:16]} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for _, flag := range []string{"--digests", "--tensors", "--verify"} {
		refused(t, ExitUsage, []string{"are for one model"}, "inspect", model, "chem", flag)
	}
}
