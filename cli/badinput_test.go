package cli

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// refuser checks that inspect, diff and merge refuse a model, as base and as
// tuned model, with one line that names it, and write nothing.
func refuser(t *testing.T) func(model string, says ...string) {
	target := t.TempDir()
	return func(model string, says ...string) {
		t.Helper()
		out := filepath.Join(target, "out")
		for _, args := range [][]string{
			{"inspect", model}, {"inspect", "base", model}, {"inspect", model, "--verify"},
			{"diff", "base", model}, {"diff", model, "base", "--json"},
			{"merge", "base", model, "--alpha", "0.5", "-o", out}, {"merge", model, "chem", "--alpha", "0.5", "-o", out + ".safetensors", "--force", "--resume"},
			{"merge", "base", model, "--alpha", "0.5", "--explain"}, {"merge", "base", "chem", model, "--alpha", "0.5", "-o", out, "--on-mismatch", "base", "--allow-nonfinite"},
		} {
			refused(t, ExitInput, says, args...)
		}
		if left, err := os.ReadDir(target); err != nil || len(left) != 0 {
			t.Errorf("%s: left in the target's directory: %v %v", model, left, err)
		}
	}
}

// entry is the header entry of a tensor.
func entry(name, dtype, shape, offsets string) string {
	return `"` + name + `":{"dtype":"` + dtype + `","shape":` + shape + `,"data_offsets":` + offsets + `}`
}

// TestBadFiles are single files that break a rule of the format. The message
// names the file, and the tensor where it is one.
func TestBadFiles(t *testing.T) {
	dir, refuse := t.TempDir(), refuser(t)
	check := func(name, content string, says ...string) {
		t.Helper()
		path := write(t, dir, name+".safetensors", content)
		refuse(path, append(says, path+": ")...)
	}
	good := read(t, "../testdata/pico/base/model.safetensors")
	check("truncated", good[:len(good)-100], "the file holds")
	check("longer", good+"x", "the file holds")
	check("in-the-header", good[:100], "header")
	check("empty", "", "0 bytes")
	check("text", "Once upon a time", "more than the 100000000")
	check("length", "\xff\xff\xff\xff\xff\xff\xff\x7f{}", "header")
	check("wrong-length", weightsFile(`{`+entry("a", "F32", "[2]", "[0,4]")+`}`, 4), `"a"`, "does not take the 4 bytes")
	check("overlap", weightsFile(`{`+entry("a", "U8", "[2]", "[0,2]")+`,`+entry("b", "U8", "[2]", "[1,3]")+`}`, 3), `"b"`, "overlaps")
	check("hole", weightsFile(`{`+entry("a", "U8", "[1]", "[0,1]")+`,`+entry("b", "U8", "[1]", "[2,3]")+`}`, 3), `"b"`, "hole")
	check("duplicate", weightsFile(`{`+entry("a", "U8", "[1]", "[0,1]")+`,`+entry("a", "U8", "[1]", "[1,2]")+`}`, 2), `"a" stands twice`)
	check("negative", weightsFile(`{`+entry("a", "U8", "[-1]", "[0,1]")+`}`, 1), `"a"`, "shape")
	check("huge", weightsFile(`{`+entry("a", "U8", "[9223372036854775807,9223372036854775807]", "[0,1]")+`}`, 1), `"a"`)
	check("unknown-type", weightsFile(`{`+entry("a", "F7", "[1]", "[0,1]")+`}`, 1), `"a"`, "F7")
	check("escapes", weightsFile(`{`+entry(`\u001b[31m\n`, "F7", "[1]", "[0,1]")+`}`, 1), "F7")
	check("lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull")
}

// TestBadDirectories are shards, indexes and formats that are not what they
// should be.
func TestBadDirectories(t *testing.T) {
	root, refuse := t.TempDir(), refuser(t)
	const a, b = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
	one, two := weightsFile(`{`+entry("a", "U8", "[1]", "[0,1]")+`}`, 1), weightsFile(`{`+entry("b", "U8", "[1]", "[0,1]")+`}`, 1)
	model := func(name string, files ...string) string {
		dir := filepath.Join(root, name)
		for i := 0; i < len(files); i += 2 {
			write(t, dir, files[i], files[i+1])
		}
		return dir
	}
	index := func(entries string) (string, string) {
		return "model.safetensors.index.json", `{"metadata":{},"weight_map":{` + entries + `}}`
	}
	sharded := func(name, entries string, files ...string) string {
		file, text := index(entries)
		return model(name, append(files, file, text)...)
	}
	const both = `"a":"` + a + `","b":"` + b + `"`
	refuse(sharded("missing", both, a, one), filepath.Join("missing", b), "no such file")
	refuse(sharded("twice", both, a, one, b, one), `"a"`, "is in "+a+" too")
	refuse(sharded("elsewhere", `"a":"`+b+`","b":"`+a+`"`, a, one, b, two), "index.json", `"a"`, "but the index says")
	refuse(sharded("nowhere", both+`,"c":"`+a+`"`, a, one, b, two), "index.json", `"c"`, "where the index says it is")
	refuse(sharded("unlisted", `"a":"`+a+`"`, a, weightsFile(`{`+entry("a", "U8", "[1]", "[0,1]")+`,`+entry("z", "U8", "[1]", "[1,2]")+`}`, 2)), `"z"`, "missing from the index")
	refuse(sharded("outside", `"a":"../`+a+`"`, a, one), "index.json", `"a"`, "not the name of a file beside the index")
	refuse(sharded("nothing", ``), "names no tensor")
	refuse(model("not-json", "model.safetensors.index.json", "x"), "not a shard index")
	refuse(model("without", "readme", "x"), "a directory without weights")
	refuse(model("several", "x.safetensors", one, "y.safetensors", two), "name one of them")
	refuse(model("torch", "pytorch_model.bin", "x", "config.json", "{}"), "pytorch_model.bin", "save_pretrained", filepath.Join(root, "torch"))
	refuse(model("llama.cpp", "model.Q4_K_M.gguf", "GGUF"), "gguf", "llama.cpp", "checkpoint that it was converted from")
	refuse(filepath.Join(model("file", "pytorch_model.bin", "x"), "pytorch_model.bin"), "save_pretrained")
	refuse(filepath.Join(model("file2", "m.gguf", "GGUF"), "m.gguf"), "GGUF", "converted from")
	refuse(filepath.Join(root, "not-there"), "no such file")
}

// TestNonfinite refuses to merge what is no number, by name, and counts it
// where that is allowed.
func TestNonfinite(t *testing.T) {
	dir := t.TempDir()
	broken := func(name string, at int, value float32) string {
		return variant(t, dir, name, tensorstest.Pico{Seed: 1}, func(m *tensorstest.Memory) {
			list := values(t, m, finalNorm)
			list[at] = value
			m.Add(finalNorm, tensors.BF16, []int{48}, list)
		})
	}
	good := pico(t, dir, "good", tensorstest.Pico{Seed: 1})
	nan, inf := broken("nan", 7, float32(math.NaN())), broken("inf", 9, float32(math.Inf(-1)))
	out := filepath.Join(dir, "target", "out")
	refused(t, ExitInput, []string{nan + ": ", `"model.norm.weight"`, "element 7", "tuned model 1 changes it by NaN", "--allow-nonfinite"}, "merge", good, nan, "--alpha", "0.5", "-o", out)
	refused(t, ExitInput, []string{inf + ": ", `"model.norm.weight"`, "element 9", "the base has -Inf there"}, "merge", inf, good, "--alpha", "0.5", "-o", out)
	refused(t, ExitInput, []string{"element 7"}, "merge", nan, good, "--alpha", "0", "-o", out)
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) != 0 {
		t.Errorf("left: %v %v", left, err)
	}
	report := decoded[merged](t, "merge", nan, inf, "--alpha", "0.5", "-o", out, "--allow-nonfinite", "--json")
	if report.Nonfinite != 2 || !strings.Contains(strings.Join(report.Notes, "\n"), "2 weights of the result are not finite numbers") {
		t.Errorf("%+v", report)
	}
	type verified struct{ Verified verification }
	if got := decoded[verified](t, "inspect", out, "--verify", "--json").Verified; got.Nonfinite != 2 || got.Files == 0 {
		t.Errorf("%+v", got)
	}
}

// TestNonfiniteNamesTheFile: of two models, the one that is broken.
func TestNonfiniteNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	nan := variant(t, dir, "nan", tensorstest.Pico{Seed: 1}, func(m *tensorstest.Memory) {
		m.Add(finalNorm, tensors.BF16, []int{48}, append(make([]float32, 47), float32(math.NaN())))
	})
	refused(t, ExitInput, []string{nan, finalNorm}, "merge", pico(t, dir, "good", tensorstest.Pico{Seed: 1}), nan, "--alpha", "0.5", "-o", filepath.Join(dir, "out"))
}

// TestOtherArchitectures: models whose configurations differ in what cannot be
// merged.
func TestOtherArchitectures(t *testing.T) {
	dir := t.TempDir()
	base := pico(t, dir, "base", tensorstest.Pico{Seed: 1})
	check := func(name, says, from, to string) {
		t.Helper()
		other := variant(t, dir, name, tensorstest.Pico{Seed: 1, Drift: 0.1}, nil, from, to)
		for _, policy := range []string{"refuse", "base", "tuned"} {
			refused(t, ExitInput, []string{"cannot be merged", "config.json", says, base, other}, "merge", base, other, "--alpha", "1", "-o", filepath.Join(dir, "out"), "--on-mismatch", policy)
		}
		if out := done(t, "inspect", base, other); !strings.Contains(out, "verdict   a merge would be refused") {
			t.Errorf("%s: %s", name, out)
		}
	}
	check("type", "model_type", `"model_type": "llama"`, `"model_type": "mamba"`)
	check("width", "hidden_size", `"hidden_size": 48`, `"hidden_size": 64`)
	check("heads", "num_attention_heads", `"num_attention_heads": 4`, `"num_attention_heads": 8`)
	check("quantised", "quantization_config", `"attention_bias": false`, `"quantization_config": {"quant_method": "gptq"}`)
	if left, _ := filepath.Glob(filepath.Join(dir, "*out*")); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// mounted mounts a small file system where the machine allows it.
func mounted(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount %s: %v: %s", dir, err, out)
		}
	})
	return dir
}

// TestFullDisk: too small for the weights, and too small for what comes beside
// them.
func TestFullDisk(t *testing.T) {
	check := func(size, says string) {
		t.Helper()
		dir := mounted(t, "size="+size)
		for _, name := range []string{"out", "out.safetensors"} {
			if name == "out.safetensors" && size != "64k" {
				continue // nothing large stands beside it
			}
			refused(t, ExitInput, []string{filepath.Join(dir, name) + ": not written: ", says}, "merge", "base", "chem", "--alpha", "0.5", "-o", filepath.Join(dir, name))
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("left on the disk: %v %v", left, err)
		}
	}
	check("64k", "are free: make room or choose another target")
	check("124k", "no space left on device")
}

// TestReadOnly targets are refused before any work.
func TestReadOnly(t *testing.T) {
	dir := mounted(t, "ro,size=1m")
	for _, name := range []string{"out", "out.safetensors", "deep/er/out"} {
		refused(t, ExitInput, []string{filepath.Join(dir, name), "read-only file system"}, "merge", "base", "chem", "--alpha", "0.5", "-o", filepath.Join(dir, name))
	}
	for flag, name := range map[string]string{"--csv": "x.csv", "--plot": "x.png"} {
		if _, errs, code := surgeon(t, "diff", "base", "chem", flag, filepath.Join(dir, name)); code != ExitInput || !strings.Contains(errs, "read-only file system") {
			t.Errorf("%s: exit code %d, %s", flag, code, errs)
		}
	}
}
