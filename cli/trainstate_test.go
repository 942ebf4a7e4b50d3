package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"surgeon/tensors"
)

// paused interrupts a training when some of its steps are made.
func paused(t *testing.T, out string, line []string) {
	t.Helper()
	if said, code := interrupt(t, func() bool { return logged(out) >= 12 }, line...); code != ExitInterrupted {
		t.Fatalf("exit code %d: %q", code, said)
	}
}

// TestTrainForeignState: a folder where the state would stand, but that holds a
// user's files, is refused before any work, and what is in it stays.
func TestTrainForeignState(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "out")
	check := func(says, name, content string) {
		t.Helper()
		path := write(t, dir, "out.training/"+name, content)
		before := tree(t, dir)
		refused(t, ExitInput, []string{out + ".training", says, "choose another target"}, trainLine(base, data, out)...)
		sameTree(t, name, tree(t, dir), before)
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
	}
	check("holds notes.txt, which is not of a training", "notes.txt", "mine")
	check("holds results, which is not of a training", "../out.training/results/a.json", "{}")
	check("holds state-best.safetensors", "state-best.safetensors", "mine")
	check("log.jsonl: is not the log of a training", "log.jsonl", `{"loss":1}`+"\n")
	inside := write(t, dir, "out.training/log.jsonl", read(t, data))
	refused(t, ExitInput, []string{out + ".training", "one of the inputs, or holds one"}, trainLine(base, inside, out)...)
	if read(t, inside) != read(t, data) {
		t.Error("the data are gone")
	}
}

// TestTrainLeavesFiles: what a user put beside the state meanwhile is not removed
// with it.
func TestTrainLeavesFiles(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "out")
	run := &training{opt: trainOptions{out: out}}
	var err error
	if run.log, err = openTrainingLog(run.state()); err != nil {
		t.Fatal(err)
	}
	write(t, run.state(), "state.json", "{}")
	mine := write(t, run.state(), "mine.txt", "mine")
	if err := run.clean(); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, run.state()); len(got) != 1 || read(t, mine) != "mine" {
		t.Errorf("left: %q", got)
	}
	if err := os.Remove(mine); err != nil {
		t.Fatal(err)
	}
	done(t, trainLine(base, data, out, "--chat")...) // into the empty folder
	untrained(t, "the state", out+".")
}

// TestTrainBrackets: a target may have a name that is a pattern.
func TestTrainBrackets(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "run [a-")
	done(t, trainLine(base, data, out, "--chat", "--checkpoint-every", "3")...)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("left beside base, data and model: %v %v", entries, err)
	}
}

// TestTrainLostLog: where the log was removed, or lost its end, the training goes
// on to the same weights; no loss is made up, and a note says why.
func TestTrainLostLog(t *testing.T) {
	dir := t.TempDir()
	base, data, replay := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), lessons(t, dir, "general", 6)
	whole := filepath.Join(dir, "whole")
	done(t, long(base, data, replay, whole)...)
	for name, lose := range map[string]func(log string) error{
		"removed": os.Remove,
		"torn":    func(log string) error { return os.Truncate(log, 700) },
	} {
		out := filepath.Join(dir, name)
		line := long(base, data, replay, out)
		paused(t, out, line)
		if err := lose(filepath.Join(out+".training", "log.jsonl")); err != nil {
			t.Fatal(err)
		}
		paused(t, out, line) // goes on, and is stopped with a gap in the log
		text := done(t, line...)
		if !strings.Contains(text, "was lost: training.jsonl has the others, and the loss is not known") || strings.Contains(text, "nats a token") {
			t.Errorf("%s: %s", name, text)
		}
		if got := tree(t, out); got["model.safetensors"] != tree(t, whole)["model.safetensors"] || got["training.jsonl"] == "" {
			t.Errorf("%s: other weights, or nothing in training.jsonl", name)
		}
		says(t, "surgeon.json", read(t, filepath.Join(out, tensors.Provenance)), "was lost")
	}
	out := filepath.Join(dir, "json")
	line := long(base, data, replay, out)
	paused(t, out, line)
	if err := os.Remove(filepath.Join(out+".training", "log.jsonl")); err != nil {
		t.Fatal(err)
	}
	says(t, "JSON", done(t, append(line, "--json")...), `"first_loss": null`, `"last_loss": null`, `"tokens": null`)
}

// TestTrainTwice: a second process that trains into the same folder is refused, and
// the first one is not disturbed.
func TestTrainTwice(t *testing.T) {
	dir := t.TempDir()
	base, data, replay, out, whole := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), lessons(t, dir, "general", 6), filepath.Join(dir, "out"), filepath.Join(dir, "whole")
	done(t, long(base, data, replay, whole)...)
	line := long(base, data, replay, out)
	cmd, _, errs := process(line...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); logged(out) < 3 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	refused(t, ExitInput, []string{filepath.Join(out+".training", "log.jsonl"), "is being written by another process"}, line...)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, errs)
	}
	sameTree(t, "disturbed", tree(t, out), tree(t, whole))
}

// TestTrainWriteFails: a training whose model cannot be written is saved, the
// message says where, and the same command writes it.
func TestTrainWriteFails(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "out.safetensors")
	line := trainLine(base, data, out, "--chat")
	blocked := write(t, dir, "out.training.jsonl", "mine")
	refused(t, ExitInput, []string{"out.training.jsonl, which belongs beside it, is there already", "the finished training is saved in " + out + ".training: repeat the command to write it"}, line...)
	if read(t, blocked) != "mine" {
		t.Error("a user's file was replaced")
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if got := decoded[trained](t, append(line, "--json")...); got.Resumed != 12 || got.Steps != 12 {
		t.Errorf("%d of %d steps were there", got.Resumed, got.Steps)
	}
}

// TestTrainWriteCutOff: what was cut off when the model was being written is taken
// up by the same command.
func TestTrainWriteCutOff(t *testing.T) {
	dir := t.TempDir()
	base, data, whole, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "whole"), filepath.Join(dir, "out")
	done(t, trainLine(base, data, whole, "--chat")...)
	identity := parsed[struct{ Identity string }](t, read(t, filepath.Join(whole, tensors.Provenance))).Identity
	ctx, cancel := context.WithCancel(context.Background())
	_, err := tensors.Write(ctx, out, opened(t, whole), tensors.WriteOptions{Identity: identity, Beside: func([]tensors.Digest) (map[string][]byte, error) {
		cancel()
		return nil, errors.New("stopped")
	}})
	if entries, _ := os.ReadDir(filepath.Join(dir, ".out.partial")); err == nil || len(entries) == 0 {
		t.Fatalf("nothing was cut off: %v", err)
	}
	done(t, trainLine(base, data, out, "--chat")...)
	sameTree(t, "cut off", tree(t, out), tree(t, whole))
}

// TestTrainUnusedTemplate: prompts that are learned without the base's chat template
// are noted, once; texts and --chat are not.
func TestTrainUnusedTemplate(t *testing.T) {
	dir := t.TempDir()
	base, data, replay := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), lessons(t, dir, "general", 6)
	texts := write(t, dir, "texts.jsonl", strings.Repeat(`{"text":"a \"prompt\" of texts"}`+"\n", 3))
	check := func(out string, noted bool, line ...string) {
		t.Helper()
		got := decoded[trained](t, append(trainLine(base, data, filepath.Join(dir, out), "--json", "--steps", "1"), line...)...)
		n := 0
		for _, note := range got.Notes {
			if strings.Contains(note, base+" has a chat template, and without --chat it does not write the prompts of "+data) {
				n++
			}
		}
		if noted != (n == 1) || n > 1 {
			t.Errorf("%s: %q", out, got.Notes)
		}
	}
	check("noted", true, "--replay", replay)
	check("chat", false, "--chat")
	data = texts
	check("texts", false)
	messages := write(t, dir, "messages.jsonl", `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`)
	refused(t, ExitInput, []string{messages + ":1: a line with messages needs a model with a chat template, which " + base + " has: give --chat"}, trainLine(base, messages, filepath.Join(dir, "messages"))...)
	if slices.Contains([]bool{hasPrompt(nil), hasPrompt([]byte("{\n")), hasPrompt([]byte(`{"messages":[{"role":"user","content":"the \"prompt\""}]}`))}, true) {
		t.Error("a prompt where none is")
	}
}

// TestLeft is the time of the steps that were made, for those that are left.
func TestLeft(t *testing.T) {
	for _, c := range []struct {
		made, more int
		took, want time.Duration
	}{{10, 90, 2 * time.Second, 18 * time.Second}, {1, 0, time.Second, 0}, {0, 5, time.Second, 5 * time.Second}, {3, 6000, time.Minute, 2e3 * time.Minute}} {
		if got := left(c.made, c.more, c.took); got != c.want {
			t.Errorf("%d steps took %v: %v are left for %d, want %v", c.made, c.took, got, c.more, c.want)
		}
	}
}

// TestTrainProgress: the bar says how many steps of how many are made, and how long
// the others take.
func TestTrainProgress(t *testing.T) {
	dir := t.TempDir()
	base, data, out := talker(t, dir, "base"), lessons(t, dir, "lessons", 8), filepath.Join(dir, "out")
	var o, e bytes.Buffer
	if code := run(context.Background(), environment{out: &o, err: &e, errTerminal: true}, trainLine(base, data, out, "--steps", "1500")); code != ExitDone {
		t.Fatal(e.String())
	}
	if bar := e.String(); !strings.Contains(bar, "/1500") || !strings.Contains(bar, "s left") || !strings.Contains(bar, "loss ") {
		t.Errorf("the bar is %.300q", bar)
	}
}
