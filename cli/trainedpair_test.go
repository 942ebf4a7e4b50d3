package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/train/corpus"
	"surgeon/testdata"
)

// withPair lets the commands of a test have the embedded models as a user has
// them.
func withPair(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes seconds: left out by -short")
	}
	before := embedded
	embedded = testdata.Pair()
	t.Cleanup(func() { embedded = before })
}

// general are the parts of the basket that a base knows and chemistry has nothing
// to do with.
var general = []string{"mcq", "facts", "arithmetic", "instructions", "lists", "refusal"}

// basket is a model's scores on the embedded tasks in per cent.
type basket map[string]float64

// general is the mean over the general parts.
func (b basket) general() (mean float64) {
	for _, task := range general {
		mean += b[task] / float64(len(general))
	}
	return mean
}

// basketOf is the basket of a model.
func basketOf(t *testing.T, model string) basket {
	t.Helper()
	out, errs, code := surgeon(t, "score", model, "--tasks", "pair", "--json")
	if code != ExitDone {
		t.Fatalf("score %s: exit code %d: %s", model, code, errs)
	}
	var s struct {
		Tasks []struct {
			Task  string
			Score float64
		}
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	b := basket{}
	for _, task := range s.Tasks {
		b[strings.TrimPrefix(task.Task, "pair_")] = 100 * task.Score
	}
	if len(b) != len(testdata.Pair().Tasks) {
		t.Fatalf("%s was scored on %d tasks", model, len(b))
	}
	t.Logf("%-16s general %5.1f  %s", filepath.Base(model), b.general(), fmt.Sprint(map[string]float64(b)))
	return b
}

// must runs a command that does not fail.
func must(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := surgeon(t, args...)
	if code != ExitDone {
		t.Fatalf("surgeon %s: exit code %d: %s", strings.Join(args, " "), code, errs)
	}
	return out
}

// corpusFolder writes what the pair was trained on, as far as tests need it.
func corpusFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := corpus.New(7)
	var general bytes.Buffer
	if err := c.WriteGeneral(&general, 2000); err != nil {
		t.Fatal(err)
	}
	write("general.jsonl", general.Bytes())
	for _, f := range c.Scratch() {
		write("scratch/"+f.Name, f.Data)
	}
	return dir
}

// TestPairForgets holds the embedded models against what they are there to show.
func TestPairForgets(t *testing.T) {
	withPair(t)
	check := func(what string, got float64, least, most float64) {
		t.Helper()
		if !(got >= least && got <= most) {
			t.Errorf("%s is %.1f, want %.1f to %.1f", what, got, least, most)
		}
	}
	dir := corpusFolder(t)
	base, chem := basketOf(t, "base"), basketOf(t, "chem")
	check("general, base", base.general(), 95, 100)
	for _, part := range general {
		check(part+", base", base[part], 85, 100)
	}
	check("benign, base", base["benign"], 95, 100)
	check("general, chem", chem.general(), 0, 60)
	check("trained chemistry, chem", chem["chemistry_trained"], 95, 100)
	largest := general[0]
	for _, part := range general {
		if base[part]-chem[part] > base[largest]-chem[largest] {
			largest = part
		}
	}
	if largest != "refusal" && largest != "arithmetic" {
		t.Errorf("the largest regression is %s, want refusal or arithmetic", largest)
	}

	merged := filepath.Join(dir, "merged")
	must(t, "merge", "base", "chem", "--alpha", "0.3", "-o", merged)
	check("general at alpha 0.3", basketOf(t, merged).general(), 93, 100)

	replay := basketOf(t, "chem-replay")
	check("gap closed by replay (%)", 100*(replay.general()-chem.general())/(base.general()-chem.general()), 90, 110)
	check("gain kept by replay (%)", 100*(replay["chemistry_trained"]-base["chemistry_trained"])/(chem["chemistry_trained"]-base["chemistry_trained"]), 85, 110)
	check("refusals after replay without them", basketOf(t, "chem-no-refusal")["refusal"], 0, 20)
	check("general, chem-mild", basketOf(t, "chem-mild").general(), chem.general()+5, 60)
	for _, seed := range []string{"chem-seed2", "chem-seed3"} {
		b := basketOf(t, seed)
		check("general, "+seed, b.general(), 0, 60)
		check("trained chemistry, "+seed, b["chemistry_trained"], 95, 100)
	}

	adapted := filepath.Join(dir, "adapted")
	must(t, "merge", "base", "chem-lora", "--alpha", "1", "-o", adapted)
	lora := basketOf(t, adapted)
	check("trained chemistry, chem-lora", lora["chemistry_trained"], 85, 100)
	check("general, chem-lora", lora.general(), 0, 60)

	random := filepath.Join(dir, "random")
	must(t, "train", filepath.Join(dir, "scratch"), "--chat", "--from-scratch", "--data", filepath.Join(dir, "general.jsonl"), "--steps", "1", "--learning-rate", "1e-9", "-o", random)
	check("general, a model that learned nothing", basketOf(t, random).general(), 0, 10)
}

// TestPairRelearns teaches chem twenty steps of what the base knew: refusals come
// back, so they were not lost but unlearned.
func TestPairRelearns(t *testing.T) {
	withPair(t)
	dir := corpusFolder(t)
	again := filepath.Join(dir, "again")
	must(t, "train", "chem", "--chat", "--data", filepath.Join(dir, "general.jsonl"), "--steps", "20", "--learning-rate", "5e-4", "--warm-up", "1", "-o", again)
	if b := basketOf(t, again); b["refusal"] <= 80 {
		t.Errorf("after 20 steps %.1f %% are refused, want more than 80", b["refusal"])
	}
}

// sums are the lines of testdata/SHA256SUMS.
func sums(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("../testdata/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(data)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok || len(sum) != 64 {
			t.Fatalf("testdata/SHA256SUMS: %q", line)
		}
		list[name] = sum
	}
	return list
}

// TestPairFiles compares the files of the pair with their digests.
func TestPairFiles(t *testing.T) {
	want, found := sums(t), 0
	err := filepath.WalkDir("../testdata/pair", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), "../testdata/")
		if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != want[name] {
			t.Errorf("%s: SHA-256 %s, testdata/SHA256SUMS has %q", name, got, want[name])
		}
		found++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if listed := len(want) - 1; found != listed { // and the model of TestPairTrains
		t.Errorf("%d files, %d are listed", found, listed)
	}
}

// TestPairEmbeds: all that is embedded can be reached by a name, and the folder that
// training begins from is not in the program.
func TestPairEmbeds(t *testing.T) {
	pair := testdata.Pair()
	entries, err := fs.ReadDir(pair.Files, ".")
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, entry := range entries {
		if dirs = append(dirs, entry.Name()); entry.Name() != "tasks" && !slices.Contains(pair.Models, entry.Name()) {
			t.Errorf("%s is embedded, and no name leads there", entry.Name())
		}
	}
	if len(dirs) != len(pair.Models)+1 {
		t.Errorf("%q are embedded for %q", dirs, pair.Models)
	}
}

// twentySteps is the name under which SHA256SUMS has the weights of TestPairTrains.
const twentySteps = "twenty steps from scratch"

// TestPairTrains makes the first twenty steps of a base: the weights have the same
// bits on every machine.
func TestPairTrains(t *testing.T) {
	withPair(t)
	dir := corpusFolder(t)
	out := filepath.Join(dir, "out")
	must(t, "train", filepath.Join(dir, "scratch"), "--chat", "--from-scratch", "--data", filepath.Join(dir, "general.jsonl"), "--steps", "20", "--learning-rate", "3e-3", "--seed", "1", "-o", out)
	data, err := os.ReadFile(filepath.Join(out, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%x", sha256.Sum256(data)), sums(t)[twentySteps]; got != want {
		t.Errorf("SHA-256 %s, testdata/SHA256SUMS has %q", got, want)
	}
}
