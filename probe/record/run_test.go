package record_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"surgeon/probe/record"
)

// files writes files into a new folder, by their names, and returns it.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, path string) record.Run {
	t.Helper()
	run, err := record.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// same checks the records of a run, and that each of the words stands in its
// notes.
func same(t *testing.T, run record.Run, want []record.Record, notes ...string) {
	t.Helper()
	if len(run.Records) != len(want) {
		t.Fatalf("%d records, want %d: %+v", len(run.Records), len(want), run.Records)
	}
	for i, r := range run.Records {
		if !reflect.DeepEqual(r, want[i]) {
			t.Errorf("record %d is\n%+v, want\n%+v", i, r, want[i])
		}
	}
	all := strings.Join(run.Notes, "\n")
	for _, note := range notes {
		if !strings.Contains(all, note) {
			t.Errorf("the notes do not say %q:\n%s", note, all)
		}
	}
	if len(run.Notes) != len(notes) {
		t.Errorf("%d notes, want %d:\n%s", len(run.Notes), len(notes), all)
	}
}

// refuses checks that what has a text is refused with words.
func refuses(t *testing.T, name, text, want string) {
	t.Helper()
	_, err := record.Read(filepath.Join(files(t, map[string]string{name: text}), name))
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%.60q: error %v, want one with %q", text, err, want)
	}
	if err != nil && !strings.Contains(err.Error(), name) {
		t.Errorf("error %q does not name the file", err)
	}
}

func TestReadRunFolder(t *testing.T) {
	dir := t.TempDir()
	f := folder(t, dir, plan())
	if _, err := record.Read(dir); err == nil || !strings.Contains(err.Error(), "has no answers yet") {
		t.Errorf("an empty run: %v", err)
	}
	appendAll(t, f.Log, 0, 3)
	want := []record.Record{answer(0), answer(1), answer(2)}
	run := read(t, dir) // while it is written
	same(t, run, want)
	if run.Plan == nil || run.Plan.Hash() != plan().Hash() || run.Source != "a run folder" {
		t.Errorf("read as %q with plan %v", run.Source, run.Plan)
	}
	same(t, read(t, filepath.Join(dir, "log.jsonl")), want)
	f.Close()
	if err := os.Remove(filepath.Join(dir, "run.json")); err != nil {
		t.Fatal(err)
	}
	same(t, read(t, dir), want, "nothing says what was planned")
}

func TestSelect(t *testing.T) {
	run := record.Run{Records: []record.Record{{Model: "b", Item: "1"}, {Model: "a", Item: "2"}, {Model: "b", Item: "3"}}, Source: "x"}
	if got := run.Models(); !reflect.DeepEqual(got, []string{"a", "b"}) {
		t.Errorf("models %q", got)
	}
	if got := run.Select("b"); len(got.Records) != 2 || got.Records[1].Item != "3" || got.Source != "x" || len(run.Records) != 3 {
		t.Errorf("selected %+v", got)
	}
}

func TestReadRefusesWhatItDoesNotKnow(t *testing.T) {
	refuses(t, "empty", "", "is empty")
	refuses(t, "blank", "\n \n", "is empty")
	refuses(t, "text.csv", "hello world\n", `the header has no column "task"`)
	refuses(t, "list.json", "[1, 2]", "no object and no list of objects")
	refuses(t, "other.json", `{"a": 1, "b": [{"doc_id": 1}]}`, "is of no kind that is known: an object with the names a, b")
	refuses(t, "other.json", "{\n\"a\": 1,\n\"b\": 2}", "is of no kind that is known")
	refuses(t, "torn.json", "{\n\"a\": 1,", "is not JSON: it ends before it is complete")
	refuses(t, "torn.json", "{\n\"a\" 1,", "is not JSON")
	refuses(t, "results.json", "{\"results\": {}, \"versions\": {}}", "holds only averages")
	if _, err := record.Read(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("nothing is read")
	}
	if _, err := record.Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "name a file, or write samples with lm_eval --log_samples") {
		t.Errorf("an empty folder: %v", err)
	}
	dir := files(t, map[string]string{"a.eval": "", "b.eval": ""})
	if _, err := record.Read(dir); err == nil || !strings.Contains(err.Error(), "name one of its 2 files, such as a.eval") {
		t.Errorf("two logs: %v", err)
	}
}
