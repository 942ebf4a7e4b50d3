package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestTimed: the time of a part is added to what the folder says, of one that was
// interrupted too, and a part that fails leaves the folder, which may be another run's.
func TestTimed(t *testing.T) {
	dir := t.TempDir()
	a := &auditing{opt: auditOptions{out: dir, reuse: []string{"other"}}}
	there := func() *auditTimes {
		t.Helper()
		times := &auditTimes{}
		if _, err := readJSON(filepath.Join(dir, timesFile), times); err != nil {
			t.Fatal(err)
		}
		return times
	}
	refused := errors.New("another run's folder")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{t.Context(), cancelled} {
		if err := a.timed(ctx, partModels, func() error { return refused }); err != refused {
			t.Errorf("error %v", err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("a part that fails leaves %v, %v", entries, err)
	}
	if err := a.timed(cancelled, partModels, cancelled.Err); err != context.Canceled {
		t.Errorf("error %v", err)
	}
	first := there()
	if err := a.timed(t.Context(), partModels, func() error { return nil }); err != nil {
		t.Error(err)
	}
	if err := a.timed(t.Context(), partWhere, func() error { return nil }); err != nil {
		t.Error(err)
	}
	last := there()
	if len(first.Parts) != 1 || len(last.Parts) != 2 || !(last.Parts[0].Seconds > first.Parts[0].Seconds) || last.Parts[1].Part != partWhere || len(last.Reused) != 1 {
		t.Errorf("after one start %+v, after two %+v", first, last)
	}
	if err := os.WriteFile(filepath.Join(dir, timesFile), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := a.timed(t.Context(), partWhere, func() error { return nil }); err != nil || len(there().Parts) != 1 {
		t.Errorf("damaged times end an audit: %v", err)
	}
}
