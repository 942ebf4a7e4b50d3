//go:build linux

package record_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"surgeon/probe/record"
)

// fullLog is the environment variable that makes the test binary a process
// without room for its log.
const fullLog = "SURGEON_TEST_FULL_LOG"

// TestFullChild is no test but the process that TestLogWithoutRoom starts: files
// of its own may have 3,000 bytes.
func TestFullChild(t *testing.T) {
	path := os.Getenv(fullLog)
	if path == "" {
		t.Skip("runs as a process of its own, started by TestLogWithoutRoom")
	}
	signal.Ignore(syscall.SIGXFSZ)
	log, err := record.OpenLog(path)
	if err == nil {
		err = unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 3000, Max: unix.RLIM_INFINITY})
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	full := 0
	for i := range 8 {
		if err := log.Append(answer(i)); err != nil {
			full++
			if !strings.Contains(err.Error(), "file too large") {
				fmt.Println("error", err)
			}
		} else if full > 0 {
			fmt.Println("error: a record fits where an earlier one of its size did not")
		}
	}
	fmt.Println("full", full, "has", log.Len())
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}); err != nil {
		fmt.Println("error", err)
	}
	for i := range 8 { // there is room again
		if err := log.Append(answer(i)); err != nil {
			fmt.Println("error", err)
		}
	}
	log.Close()
	os.Exit(0)
}

// TestLogWithoutRoom: a line that could be written only in part is taken back,
// and the log goes on when there is room.
func TestLogWithoutRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	child := exec.Command(os.Args[0], "-test.run=^TestFullChild$")
	child.Env = append(os.Environ(), fullLog+"="+path)
	out, err := child.CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("error")) || !bytes.Contains(out, []byte("full ")) || bytes.Contains(out, []byte("full 0 ")) {
		t.Fatalf("the process says %q (%v)", out, err)
	}
	log := open(t, path)
	has(t, log, 8)
	if w := log.Warnings(); len(w) > 0 {
		t.Errorf("warnings %q", w)
	}
}
