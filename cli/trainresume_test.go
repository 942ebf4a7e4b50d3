package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// long is a command line that takes a second or so.
func long(base, data, replay, out string, more ...string) []string {
	return append([]string{"train", base, "--chat", "--data", data, "--replay", replay, "--replay-share", "0.3", "-o", out, "--batch-tokens", "128", "--steps", "150"}, more...)
}

// logged counts the steps that the log of a training tells of.
func logged(out string) int {
	data, _ := os.ReadFile(filepath.Join(out+".training", "log.jsonl"))
	return bytes.Count(data, []byte("\n"))
}

// TestTrainInterrupted: Ctrl-C saves the state and says how to go on; another command
// is refused with it; the same command gives the bytes of an unbroken training.
func TestTrainInterrupted(t *testing.T) {
	dir := t.TempDir()
	base, data, replay := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), lessons(t, dir, "general", 6)
	whole, out := filepath.Join(dir, "whole"), filepath.Join(dir, "out")
	done(t, long(base, data, replay, whole)...)
	line := long(base, data, replay, out)
	said, code := interrupt(t, func() bool { return logged(out) >= 3 }, line...)
	if code != ExitInterrupted || !strings.HasPrefix(said, "surgeon: interrupted: ") || !strings.Contains(said, "of 150 steps are saved in "+out+".training: repeat the command to go on") || strings.Count(said, "\n") != 1 {
		t.Fatalf("exit code %d: %q", code, said)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something has the final name")
	}
	state := tree(t, out+".training")
	if len(state) != 3 {
		t.Errorf("the state is %d files, want state.json, values and the log", len(state))
	}
	other := lessons(t, dir, "other", 8)
	for _, args := range [][]string{
		append(line, "--learning-rate", "2e-3"), append(line, "--seed", "9"), append(line, "--steps", "151"), append(line, "--lora", "r=2"), append(line, "--freeze", "model.norm.*"),
		append(line, "--data", other), long(talker(t, dir, "base2"), data, other, out), append(line, "--batch-tokens", "96"),
	} {
		refused(t, ExitInput, []string{filepath.Join(out+".training", "state.json"), "another training", "remove the folder to begin anew"}, args...)
	}
	sameTree(t, "refused trainings", tree(t, out+".training"), state)

	got := decoded[trained](t, append(line, "--json", "--checkpoint-every", "7")...) // how often is not what
	if got.Resumed < 3 || got.Steps != 150 {
		t.Errorf("%d of %d steps were made before", got.Resumed, got.Steps)
	}
	sameTree(t, "interrupted and resumed", tree(t, out), tree(t, whole))
	if _, err := os.Stat(out + ".training"); err == nil {
		t.Error("the state is left")
	}
	t.Logf("interrupted at step %d of %d", got.Resumed, got.Steps)
}

// TestTrainKilled kills a training at random moments behind a saved state: what was
// made since is made again, and the bytes are those of an unbroken training.
func TestTrainKilled(t *testing.T) {
	dir := t.TempDir()
	base, data, replay := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), lessons(t, dir, "general", 6)
	whole, out := filepath.Join(dir, "whole"), filepath.Join(dir, "out")
	done(t, long(base, data, replay, whole)...)
	line := long(base, data, replay, out, "--checkpoint-every", "5")
	for kill := range 4 {
		cmd, _, errs := process(line...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		exited := make(chan error, 1)
		go func() { exited <- cmd.Wait() }()
		target := 8 + 27*kill + kill%3 // steps, in the middle between two saved states
		for end := time.Now().Add(20 * time.Second); logged(out) < target && len(exited) == 0 && time.Now().Before(end); {
			time.Sleep(200 * time.Microsecond)
		}
		cmd.Process.Kill()
		<-exited
		if code := cmd.ProcessState.ExitCode(); code >= 0 {
			t.Fatalf("exit code %d before kill %d: %s", code, kill, errs)
		}
		if kill == 1 { // and the last line of the log was cut off, by a power cut, say
			path := filepath.Join(out+".training", "log.jsonl")
			log := read(t, path)
			write(t, out+".training", "log.jsonl", log[:len(log)-20])
		}
	}
	got := decoded[trained](t, append(line, "--json")...)
	if got.Resumed < 50 || got.Resumed%5 != 0 {
		t.Errorf("%d steps were made before", got.Resumed)
	}
	sameTree(t, "killed and resumed", tree(t, out), tree(t, whole))
	left, _ := filepath.Glob(filepath.Join(dir, "*out.*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left)+len(hidden) > 0 {
		t.Errorf("left: %q %q", left, hidden)
	}
	t.Logf("after four kills the last run went on at step %d", got.Resumed)
}

// TestTrainStopped: a context that is cancelled before the first step leaves
// nothing half-written, whatever was read.
func TestTrainStopped(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "out")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var o, e bytes.Buffer
	if code := run(ctx, environment{out: &o, err: &e}, trainLine(base, data, out)); code != ExitInterrupted || o.Len() > 0 || !strings.HasPrefix(e.String(), "surgeon: interrupted: ") {
		t.Errorf("exit code %d: %s%s", code, &o, &e)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something has the final name")
	}
}

// TestTrainDamagedState: a state that is cut off is refused by the file, with what
// to do, and so is a file in its place.
func TestTrainDamagedState(t *testing.T) {
	dir := t.TempDir()
	base, data, replay, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), lessons(t, dir, "general", 6), filepath.Join(dir, "out")
	line := long(base, data, replay, out)
	if said, code := interrupt(t, func() bool { return logged(out) >= 3 }, line...); code != ExitInterrupted {
		t.Fatalf("exit code %d: %q", code, said)
	}
	state := tree(t, out+".training")
	for name, content := range state {
		if name == "log.jsonl" {
			continue
		}
		write(t, out+".training", name, content[:len(content)/2])
		refused(t, ExitInput, []string{filepath.Join(out+".training", name), "remove the folder to begin anew"}, line...)
		write(t, out+".training", name, content)
	}
	if err := os.RemoveAll(out + ".training"); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "out.training", "a file")
	refused(t, ExitInput, []string{out + ".training", "not a directory"}, line...)
	if _, err := os.Stat(out); err == nil {
		t.Error("something has the final name")
	}
}
