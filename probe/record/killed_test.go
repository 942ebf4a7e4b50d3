package record_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"surgeon/probe/record"
)

// killedFolder is the environment variable that makes the test binary a process
// to kill: the run folder it works in.
const killedFolder = "SURGEON_TEST_KILLED_RUN"

// pad makes what the process says so long that a pipe holds little of it: it
// cannot run far ahead of who will kill it.
const pad = 500

// questions is how many answers a run that is killed has to give.
const questions = 4000

func killedPlan() record.Plan {
	return record.Plan{Version: "test", Tasks: []record.TaskPlan{{Name: "mmlu_anatomy", Items: questions}}, Seeds: []int64{0}}
}

// TestKilledChild is no test but the process that TestKilled kills: it gives
// the answers that are missing, from four goroutines, and says which are
// written.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv(killedFolder)
	if dir == "" {
		t.Skip("runs as a process of its own, started by TestKilled")
	}
	folder, err := record.OpenFolder(dir, killedPlan())
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("begun", folder.Log.Len())
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for i := w; i < questions; i += 4 {
				if folder.Log.Has(answer(i).Key) {
					continue
				}
				if err := folder.Log.Append(answer(i)); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				fmt.Println("wrote", i, strings.Repeat(".", pad))
			}
		})
	}
	wait.Wait()
	if err := folder.Close(); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("done")
}

// TestKilled kills a run at moments that nobody chose, and continues it until
// one comes to its end: every answer that was said to be written is there, and
// none is there twice.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a few dozen processes")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	dir := filepath.Join(t.TempDir(), "run")
	written := map[int]bool{}
	kills := 0
	for done := false; !done; {
		before := len(written)
		done = killOne(t, dir, 1+random.IntN(300), written)
		if !done {
			kills++
		}
		if len(written) == before && !done && kills > 1000 {
			t.Fatal("no run comes to its end")
		}
		checkAfterKill(t, dir, written)
	}
	t.Logf("%d kills", kills)
	if kills < 10 {
		t.Errorf("only %d runs were killed", kills)
	}
	text, err := os.ReadFile(filepath.Join(dir, "log.jsonl"))
	if err != nil || bytes.Count(text, []byte("\n")) != questions {
		t.Errorf("the log has %d lines (%v), want %d", bytes.Count(text, []byte("\n")), err, questions)
	}
	has(t, open(t, filepath.Join(dir, "log.jsonl")), questions)
}

// killOne starts a run, kills it after some answers, and adds those it said were
// written. It reports whether the run came to its end before.
func killOne(t *testing.T, dir string, after int, written map[int]bool) (done bool) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	child.Env = append(os.Environ(), killedFolder+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); {
		line := lines.Text()
		switch rest, isAnswer := strings.CutPrefix(line, "wrote "); {
		case isAnswer:
			number, dots, _ := strings.Cut(rest, " ")
			i, err := strconv.Atoi(number)
			if err != nil || len(dots) < pad {
				break // cut off
			}
			if written[i] {
				t.Errorf("answer %d is written again", i)
			}
			written[i] = true
			if n++; n == after {
				child.Process.Kill()
			}
		case line == "done":
			done = true
		case strings.HasPrefix(line, "error"):
			t.Fatal(line)
		}
	}
	child.Wait()
	return done
}

// checkAfterKill checks what a killed run has left.
func checkAfterKill(t *testing.T, dir string, written map[int]bool) {
	t.Helper()
	log, err := record.ReadLog(filepath.Join(dir, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if log.Foreign() > 0 || log.Repeated() > 0 {
		t.Fatalf("a killed run left %q", log.Warnings())
	}
	for i := range written {
		if !log.Has(answer(i).Key) {
			t.Fatalf("answer %d was written and is lost", i)
		}
	}
	for i := range questions { // written, but killed before it said so
		if log.Has(answer(i).Key) {
			written[i] = true
		}
	}
	if _, err := record.ReadPlan(dir); err != nil {
		t.Fatal(err)
	}
}
