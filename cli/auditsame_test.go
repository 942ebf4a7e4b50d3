package cli

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAuditSame: an audit that is interrupted again and again and goes on, on another
// number of threads, ends in the bytes of one that was left alone: results, figures and
// memo.
func TestAuditSame(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	args := []string{"audit", "base", "chem-mild", "--limit", "5", "--references", "12", "--repairs", "interpolation,isolation,training", "--candidate", "replay=chem-replay",
		"--author", "A. Uthor", "--date", "2026-01-31", "--quiet", "--out"}
	if _, errs, code := surgeon(t, append(args, "whole")...); code != ExitDone || errs != "" {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	stops, wait := 0, 2*time.Second
	for {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		var out, errs bytes.Buffer
		code := run(ctx, environment{out: &out, err: &errs, width: 80, timeless: true}, append(args, "parts"))
		cancel()
		if code == ExitDone {
			break
		}
		if code != ExitInterrupted || !strings.Contains(errs.String(), "interrupted") || out.Len() > 0 {
			t.Fatalf("exit code %d: %s%s", code, &errs, &out)
		}
		stops++
		wait *= 2
		tear(t, filepath.Join("parts", pointsFile))
	}
	if stops < 2 {
		t.Errorf("interrupted %d times only", stops)
	}
	sameFiles(t, "whole", "parts")

	before := tree(t, "whole")
	if _, errs, code := surgeon(t, append(args, "whole")...); code != ExitDone || errs != "" {
		t.Fatalf("a finished audit again: exit code %d: %s", code, errs)
	}
	if after := tree(t, "whole"); !maps.Equal(before, after) {
		t.Error("a finished audit that is given again does not leave its run folder as it was")
	}

	log := filepath.Join("whole", "log.jsonl")
	text := strings.TrimSuffix(before[log[len("whole/"):]], "\n")
	if err := os.WriteFile(log, []byte(text[:strings.LastIndexByte(text, '\n')+1]), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := surgeon(t, append(args, "whole")...); code != ExitDone || errs != "" {
		t.Fatalf("an audit that lacks an answer: exit code %d: %s", code, errs)
	}
	sameFiles(t, "whole", "parts")
}

// tear leaves half a line at the end of a file that is there, as a crash does.
func tear(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || bytes.HasSuffix(text, []byte("12")) {
		return
	}
	if err := os.WriteFile(path, append(text, `{"key":"12`...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sameFiles compares two run folders, but for their logs, whose lines stand in the order
// in which answers came.
func sameFiles(t *testing.T, a, b string) {
	t.Helper()
	logs := []string{"log.jsonl", pointsFile, "run.json", timesFile} // run.json has the command line
	one, other := tree(t, a), tree(t, b)
	for name, text := range one {
		if !slices.Contains(logs, name) && other[name] != text {
			t.Errorf("%s is not the same in %s and %s", name, a, b)
		}
	}
	for _, name := range []string{resultsFile, attributionFile, routingFile, "memo.pdf", "memo.html", "memo.md"} {
		if one[name] == "" {
			t.Errorf("no %s in %s", name, a)
		}
	}
	for name := range other {
		if _, there := one[name]; !there {
			t.Errorf("only %s has %s", b, name)
		}
	}
	sameRecords(t, a, b)
}
