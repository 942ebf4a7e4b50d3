package cli

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
	"surgeon/testdata"
)

// asCommand makes the test binary the surgeon command, so that there is a
// process to kill.
const asCommand = "SURGEON_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	embedded = generated
	if os.Getenv(asCommand) != "" {
		os.Exit(Main())
	}
	dir, err := os.MkdirTemp("", "surgeon-cache")
	if err != nil {
		panic(err)
	}
	// Where journals lie on Linux, macOS and Windows: not among the user's.
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		os.Setenv(name, dir)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// generated is what the tests here take for the embedded models: a pair that answers
// nothing, but at once.
var generated = testdata.Set{Files: os.DirFS(absolute("../testdata/pico")), Group: "symbols", Tasks: []testdata.Task{{Name: "symbols", File: "symbols.jsonl"}},
	Models: []string{"base", "chem"}, Note: "embedded: a generated pair; nothing was learned"}

// absolute is a path that stays right in another directory.
func absolute(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		panic(err)
	}
	return path
}

// process prepares a command line to be run as a process of its own.
func process(args ...string) (cmd *exec.Cmd, out, errs *bytes.Buffer) {
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	cmd = exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	cmd.Stdout, cmd.Stderr = out, errs
	return cmd, out, errs
}

const (
	largeShards = 12
	largeTensor = 5 << 20 // bytes
)

// large makes a pair of models of 60 MB, in twelve shards of --shard-size 5MB.
func large(t *testing.T, dir string) (base, tuned string) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for i, name := range []string{"base", "tuned"} {
		m := tensorstest.NewMemory()
		for layer := range largeShards {
			raw := make([]byte, largeTensor)
			for at := 0; at < len(raw); at += 8 { // four numbers between 0.0078 and 2
				binary.LittleEndian.PutUint64(raw[at:], random.Uint64()&0x03ff03ff03ff03ff|0x3c003c003c003c00)
			}
			m.AddRaw(fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", layer), tensors.Info{DType: tensors.BF16, Shape: []int{largeTensor / 2048, 1024}}, raw)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(path, 0o777); err != nil {
			t.Fatal(err)
		}
		save(t, filepath.Join(path, "model.safetensors"), m)
		write(t, path, "config.json", fmt.Sprintf(`{"torch_dtype": "bfloat16", "_name_or_path": "%d"}`, i))
	}
	return filepath.Join(dir, "base"), filepath.Join(dir, "tuned")
}

// TestKilledAndResumed kills a merge at random moments and goes on until it is
// done: the directory is that of an unbroken run, byte for byte.
func TestKilledAndResumed(t *testing.T) {
	dir := t.TempDir()
	base, tuned := large(t, dir)
	out := filepath.Join(dir, "out")
	line := []string{"merge", base, tuned, "--alpha", "layers.0-5=0.3,*=0.7", "-o", out, "--shard-size", "5MB"}
	start := time.Now()
	done(t, line...)
	unbroken := time.Since(start)
	want := tree(t, out)
	if len(want) != largeShards+4 {
		t.Fatalf("%d files", len(want))
	}
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	kills, resumed := 0, 0
	for most := unbroken / 2; ; most += unbroken / 6 { // longer and longer, so that it ends
		cmd, _, errs := process(append(line, "--resume")...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(most))
		cmd.Process.Kill()
		if cmd.Wait() == nil {
			break
		}
		if code := cmd.ProcessState.ExitCode(); code >= 0 {
			t.Fatalf("exit code %d: %s", code, errs)
		}
		kills++
		if shards, _ := filepath.Glob(filepath.Join(dir, ".out.partial", "model-*")); len(shards) > 0 {
			resumed++
		}
		if _, err := os.Stat(out); err == nil {
			break // killed behind the rename
		}
	}
	sameTree(t, fmt.Sprintf("after %d kills", kills), tree(t, out), want)
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %q %v", left, err)
	}
	t.Logf("%d kills, %d of them with shards begun, in an unbroken time of %v", kills, resumed, unbroken)
}

// interrupt starts a command and sends it Ctrl-C as soon as ready says so.
func interrupt(t *testing.T, ready func() bool, args ...string) (errs string, code int) {
	t.Helper()
	cmd, out, e := process(args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	for end := time.Now().Add(10 * time.Second); !ready() && len(exited) == 0 && time.Now().Before(end); {
		time.Sleep(500 * time.Microsecond)
	}
	cmd.Process.Signal(os.Interrupt)
	<-exited
	if code = cmd.ProcessState.ExitCode(); code == ExitInterrupted && out.Len() > 0 {
		t.Errorf("an interrupted command prints %q", out)
	}
	return e.String(), code
}

// TestInterruptedMerge: Ctrl-C says how far the merge is and how to go on;
// another merge is not mixed with it.
func TestInterruptedMerge(t *testing.T) {
	dir := t.TempDir()
	base, tuned := large(t, dir)
	out, partial := filepath.Join(dir, "out"), filepath.Join(dir, ".out.partial")
	line := []string{"merge", base, tuned, "--alpha", "0.5", "-o", out, "--shard-size", "5MB"}
	twoShards := func() bool {
		journal, err := os.ReadFile(filepath.Join(partial, ".journal"))
		return err == nil && bytes.Count(journal, []byte("\n")) > 2
	}
	errs, code := interrupt(t, twoShards, line...)
	if code != ExitInterrupted || !strings.Contains(errs, "of 12 shards are finished in "+partial) || !strings.Contains(errs, "--resume") || strings.Count(errs, "\n") != 1 {
		t.Fatalf("exit code %d: %q", code, errs)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something has the final name")
	}
	before := tree(t, partial)
	refused(t, ExitInput, []string{out, "shards are finished", "--resume"}, line...)
	for _, other := range [][]string{{"--alpha", "0.6"}, {"--alpha", "0.5", "--out-dtype", "F16"}, {"--alpha", "0.5", "--stochastic"}, {"--alpha", "0.5", "--shard-size", "11MB"}} {
		args := append([]string{"merge", base, tuned, "-o", out, "--resume"}, other...)
		if other[len(other)-1] != "11MB" {
			args = append(args, "--shard-size", "5MB")
		}
		refused(t, ExitInput, []string{out, "another merge"}, args...)
	}
	weights := filepath.Join(tuned, "model.safetensors")
	info, err := os.Stat(weights)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(weights, time.Time{}, info.ModTime().Add(time.Second)); err != nil { // an input that was written again
		t.Fatal(err)
	}
	refused(t, ExitInput, []string{out, "another merge"}, append(line, "--resume")...)
	if err := os.Chtimes(weights, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	sameTree(t, "refused merges", tree(t, partial), before)
	const first = "model-00001-of-00012.safetensors"
	write(t, partial, first, before[first][:len(before[first])-1]+"x") // a finished shard that has rotted is made again
	done(t, append(line, "--resume")...)
	resumed := tree(t, out)
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	done(t, line...)
	sameTree(t, "interrupted and resumed", resumed, tree(t, out))
}

// TestInterruptedBeforeAShard leaves nothing.
func TestInterruptedBeforeAShard(t *testing.T) {
	dir := t.TempDir()
	base, tuned := large(t, dir)
	begun := func() bool {
		files, _ := filepath.Glob(filepath.Join(dir, "target", ".*.partial", "model*"))
		return len(files) > 0
	}
	for _, name := range []string{"out.safetensors", "out"} {
		if err := os.MkdirAll(filepath.Join(dir, "target"), 0o777); err != nil {
			t.Fatal(err)
		}
		errs, code := interrupt(t, begun, "merge", base, tuned, "--alpha", "0.5", "-o", filepath.Join(dir, "target", name))
		if code != ExitInterrupted || errs != "surgeon: interrupted: nothing was left half-written\n" {
			t.Errorf("%s: exit code %d, %q", name, code, errs)
		}
		if left, err := os.ReadDir(filepath.Join(dir, "target")); err != nil || len(left) != 0 {
			t.Errorf("%s: left behind: %v %v", name, left, err)
		}
	}
}

// TestClosedPipe: the reader of the output has gone. The command ends, quietly.
func TestClosedPipe(t *testing.T) {
	for _, args := range [][]string{{"diff", "base", "chem", "--json"}, {"merge", "base", "chem", "--alpha", "1", "--explain"}, {"completion", "bash"}} {
		cmd, _, errs := process(args...)
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		reader.Close()
		cmd.Stdout = writer
		if err := cmd.Run(); err == nil || errs.Len() > 0 {
			t.Errorf("%q: %v, %s", args, err, errs)
		}
		writer.Close()
	}
}

// TestLeftoverOfAnother: what a merge that was killed in its first shard has
// left does not come into the next one's directory.
func TestLeftoverOfAnother(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ".out.partial/.journal", `{"identity":"x","shards":5}`+"\n")
	write(t, dir, ".out.partial/model-00001-of-00005.safetensors", "half")
	write(t, dir, ".out.partial/modeling_other.py", "of another model")
	done(t, "merge", "base", "chem", "--alpha", "0.5", "-o", filepath.Join(dir, "out"))
	for name := range tree(t, filepath.Join(dir, "out")) {
		if strings.Contains(name, "of-00005") || strings.HasSuffix(name, ".py") {
			t.Errorf("%s is in the result", name)
		}
	}
}
