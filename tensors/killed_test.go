//go:build unix

package tensors_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"surgeon/tensors"
)

// killedTarget is the environment variable that makes the test binary a
// process to kill: its target.
const killedTarget = "SURGEON_TEST_KILLED_TARGET"

// TestKilledChild is no test but the process that TestKilled kills: it writes
// slowly and says what it reads.
func TestKilledChild(t *testing.T) {
	target := os.Getenv(killedTarget)
	if target == "" {
		t.Skip("runs as a process of its own, started by TestKilled")
	}
	fmt.Println("begun")
	src := &watched{Source: blocks(9), before: func(name string) error {
		fmt.Println("read", name)
		time.Sleep(time.Millisecond)
		return nil
	}}
	opt := resumable()
	opt.Resume = true
	if _, err := tensors.Write(context.Background(), target, src, opt); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("written")
}

// TestKilled kills a process that writes, at moments that nobody chose, and
// resumes until one comes to its end: nothing has the final name before, no
// finished shard is written twice, and the bytes are those of an unbroken
// write.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a few dozen processes")
	}
	want := map[string]string{
		"out":             unbroken(t, blocks(9), "out", resumable()),
		"out.safetensors": unbroken(t, blocks(9), "out.safetensors", resumable()),
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for target, runs := range map[string]int{"out": 6, "out.safetensors": 3} {
		kills, kept := 0, 0
		for range runs {
			path := filepath.Join(t.TempDir(), target)
			for {
				finished := min(5, finishedShards(filepath.Join(filepath.Dir(path), "."+target+".partial")))
				reads, done := killOne(t, path, random.IntN(11-2*finished), time.Duration(random.IntN(5000))*time.Microsecond)
				if finished > 0 {
					kept++
				}
				if target == "out" && reads > 10-2*finished {
					t.Errorf("%d shards were finished and %d tensors were read again", finished, reads)
				}
				if done {
					break
				}
				if kills++; kills > 1000 {
					t.Fatal("no process comes to its end")
				}
			}
			sameTree(t, path, want[target])
			checkLeft(t, path, want[target])
		}
		t.Logf("%s: %d kills, %d times with finished shards", target, kills, kept)
		if kills == 0 || target == "out" && kept == 0 {
			t.Errorf("%d kills, %d times with finished shards: nothing is proved", kills, kept)
		}
	}
}

// checkLeft checks that nothing stands beside a target but what Write made; of
// a process that was killed when the target was in place, or that looked
// whether it can write there, what is hidden.
func checkLeft(t *testing.T, path, want string) {
	t.Helper()
	expected := append(entries(t, filepath.Dir(want)), "."+filepath.Base(path)+".partial")
	for _, name := range entries(t, filepath.Dir(path)) {
		if !slices.Contains(expected, name) && !strings.HasPrefix(name, ".surgeon-") {
			t.Errorf("left %q", name)
		}
	}
}

// finishedShards counts the lines of a journal behind the first.
func finishedShards(partial string) int {
	journal, _ := os.ReadFile(filepath.Join(partial, ".journal"))
	return max(0, bytes.Count(journal, []byte{'\n'})-1)
}

// killOne starts a process that writes and kills it when it has read some
// tensors and some time has passed. It returns what the process read, and
// whether it had come to its end.
func killOne(t *testing.T, path string, after int, longer time.Duration) (reads int, done bool) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKilledChild$", "-test.count=1")
	child.Env = append(os.Environ(), killedTarget+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch text := lines.Text(); {
		case text == "written":
			done = true
		case len(text) > 5 && text[:5] == "read ":
			reads++
		case len(text) > 6 && text[:6] == "error ":
			t.Fatal(text)
		}
		if reads == after {
			time.Sleep(longer)
			child.Process.Kill()
			after = -1 // once
		}
	}
	io.Copy(io.Discard, out)
	child.Wait()
	if _, err := os.Lstat(path); (err == nil) != done && !child.ProcessState.Success() {
		// It was killed between the rename and what it says of it.
		done = err == nil
	}
	return reads, done
}
