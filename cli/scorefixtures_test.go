package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/record"
)

// scoredRun is what score --json says, to be read by tests.
type scoredRun struct {
	Model  string
	Tasks  []scoredTask
	Groups []scoredTask
	Rerun  *rerun
	Notes  []string
}

// notes are all notes of a run, one a line.
func (s scoredRun) notes() string { return strings.Join(s.Notes, "\n") }

// facts makes a file of n questions with four choices, each right as often as
// the others, in four topics.
func facts(t *testing.T, dir string, n int) string {
	t.Helper()
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, `{"id":"f%02d","prompt":"The symbol of element %d is","choices":[" N"," K"," H"," O"],"gold":%d,"cluster":"t%d"}`+"\n", i, i, i%4, i%4)
	}
	return write(t, dir, "facts.jsonl", lines.String())
}

// sayings makes a file of n questions whose answers are texts.
func sayings(t *testing.T, dir string, n int) string {
	t.Helper()
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, `{"id":%d,"prompt":"Say %d:","answer":["%d","x"]}`+"\n", i, i, i)
	}
	return write(t, dir, "sayings.jsonl", lines.String())
}

// scored runs surgeon score --json on a model, with a standard error that may
// hold notes alone.
func scored(t *testing.T, args ...string) scoredRun {
	t.Helper()
	out, errs, code := surgeon(t, append([]string{"score", "--json"}, args...)...)
	if code != ExitDone {
		t.Fatalf("surgeon score %s: exit code %d: %s", strings.Join(args, " "), code, errs)
	}
	for line := range strings.Lines(errs) {
		if !strings.HasPrefix(line, "surgeon: note: ") {
			t.Errorf("surgeon score %s: says %q", strings.Join(args, " "), line)
		}
	}
	return parsed[scoredRun](t, out)
}

// records are the answers of a run folder.
func records(t *testing.T, dir string) []record.Record {
	t.Helper()
	run, err := record.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run.Records
}

// meanOfRecords is the mean of a metric over the answers that keep says.
func meanOfRecords(list []record.Record, metric string, keep func(record.Record) bool) float64 {
	sum, n := 0.0, 0.0
	for _, r := range list {
		if keep(r) {
			sum, n = sum+r.Scores[metric], n+1
		}
	}
	return sum / n
}

// itemsOf lists the different items of some answers, in order.
func itemsOf(list []record.Record) (items []string) {
	for _, r := range list {
		items = append(items, r.Item)
	}
	slices.Sort(items)
	return slices.Compact(items)
}

// shared is a path of the benchmark data and goldens, which stand beside the
// project and are no part of it.
func shared(t *testing.T, path string) string {
	t.Helper()
	path = filepath.Join("..", "..", "shared", path)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("benchmark data are absent: %v", err)
	}
	return path
}

// wide runs a command line that must succeed, for a terminal of any width.
func wide(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(context.Background(), environment{out: &out, err: &errs, timeless: true}, args); code != ExitDone {
		t.Fatalf("surgeon %s: exit code %d: %s", strings.Join(args, " "), code, errs.String())
	}
	return out.String()
}

// near reports whether two numbers differ by rounding alone.
func near(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }

// says checks that a text holds all of some others.
func says(t *testing.T, what, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s: no %q in\n%s", what, w, text)
		}
	}
}
