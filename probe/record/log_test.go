package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"surgeon/probe/record"
)

// answer is a record whose content follows from its number.
func answer(i int) record.Record {
	text, chosen := fmt.Sprintf("answer <%d> & \"more\"\n\u2028 é", i), i%4
	return record.Record{
		Key: record.Key("answer", fmt.Sprint(i)), Model: "base", Task: "mmlu_anatomy", Item: fmt.Sprintf("anatomy/%d", i), Cluster: "anatomy", Seed: int64(i % 3),
		DocHash: strings.Repeat("d", 64), PromptHash: strings.Repeat("e", 64),
		LogProbs: []float64{-1.25, -float64(i) / 3, -1e-7, -12}, Greedy: []bool{false, true, false, false}, Chosen: &chosen,
		Text: &text, Finish: "stop", Tokens: i, Extracted: map[string]string{"exact_match,strict-match": "7"},
		Scores: map[string]float64{"acc": float64(i % 2), "acc_norm": 1.0 / 3}, Parts: map[string][]bool{"inst": {true, false}}, Flags: []string{"truncated"},
	}
}

func open(t *testing.T, path string) *record.Log {
	t.Helper()
	log, err := record.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func appendAll(t *testing.T, log *record.Log, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := log.Append(answer(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// has checks that a log has the answers up to n, and nothing else.
func has(t *testing.T, log *record.Log, n int) {
	t.Helper()
	if log.Len() != n {
		t.Fatalf("the log has %d records, want %d", log.Len(), n)
	}
	for i := range n {
		got, err := log.Get(answer(i).Key)
		if err != nil || !reflect.DeepEqual(got, answer(i)) {
			t.Fatalf("record %d is %+v (%v), want %+v", i, got, err, answer(i))
		}
	}
	if _, err := log.Get(answer(n).Key); !errors.Is(err, record.ErrNoRecord) || log.Has(answer(n).Key) {
		t.Fatalf("a record that was never written is found (%v)", err)
	}
}

func TestLogKeepsWhatWasAppended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	log := open(t, path)
	appendAll(t, log, 0, 20)
	has(t, log, 20)
	log.Close()
	if err := log.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if want := `{"key":"` + answer(i).Key + `",`; !strings.HasPrefix(line, want) {
			t.Fatalf("line %d begins %.40q, want %q", i+1, line, want)
		}
	}
	log = open(t, path)
	appendAll(t, log, 20, 25)
	has(t, log, 25)
	if w := log.Warnings(); len(w) > 0 {
		t.Errorf("warnings %q", w)
	}
}

// TestLogTornAnywhere cuts a log after every byte of its last two lines.
func TestLogTornAnywhere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log.jsonl")
	fill := func(path string) *record.Log {
		t.Helper()
		log := open(t, path)
		for i := range 3 {
			if err := log.Append(record.Record{Key: fmt.Sprint("k", i), Task: "\"[{", Scores: map[string]float64{"acc": 1}}); err != nil {
				t.Fatal(err)
			}
		}
		return log
	}
	fill(path).Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(whole, '\n') + 1
	for cut := first; cut <= len(whole); cut++ {
		path := filepath.Join(dir, fmt.Sprint("cut", cut))
		if err := os.WriteFile(path, whole[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(whole[:cut], []byte("\n"))
		torn := whole[cut-1] != '\n'
		if complete := cut < len(whole) && whole[cut] == '\n'; complete {
			lines, torn = lines+1, false // all of it but the line feed
		}
		reading, err := record.ReadLog(path)
		if err != nil || reading.Len() != lines || (len(reading.Warnings()) > 0) != torn {
			t.Fatalf("cut after %d bytes and read: %d records, want %d (%v)", cut, reading.Len(), lines, err)
		}
		reading.Close()
		fill(path).Close()
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, whole) {
			t.Fatalf("cut after %d bytes and continued, the log is not the unbroken one (%v)", cut, err)
		}
	}
}

func TestLogKeepsForeignLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	log := open(t, path)
	appendAll(t, log, 0, 2)
	log.Close()
	text, _ := os.ReadFile(path)
	lines := strings.SplitAfter(string(text), "\n")
	foreign := []string{"hello\n", "{\"model\":\"no key\"}\n", "\n", "[1, 2]\n", "{\"key\":\"torn\",\"model\":\"b{\"key\":\"x\"}\n", "{\"key\":\"zeros\",\"model\":\"\x00\x00\"}\n", "{\"key\":\"\",\"model\":\"\"}\n"}
	spaced := "  " + strings.Replace(lines[1], `{"key":`, `{ "key" : `, 1)
	mixed := strings.Join(foreign, "") + strings.TrimSuffix(lines[0], "\n") + "\r\n" + lines[0] + spaced + "the last, without an end"
	if err := os.WriteFile(path, []byte(mixed), 0o644); err != nil {
		t.Fatal(err)
	}
	log = open(t, path)
	has(t, log, 2)
	if log.Foreign() != 7 || log.Repeated() != 1 {
		t.Errorf("%d foreign and %d repeated lines, want 7 and 1", log.Foreign(), log.Repeated())
	}
	warnings := strings.Join(log.Warnings(), "; ")
	for _, want := range []string{"7 lines are no record", "(lines 1, 2, 4, 5, 6 and 2 more)", "a line has the key of an earlier one, which counts (line 9)"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("warnings %q do not say %q", warnings, want)
		}
	}
	appendAll(t, log, 2, 3)
	has(t, log, 3)
	log.Close()
	got, _ := os.ReadFile(path)
	if !strings.HasPrefix(string(got), mixed+"\n") {
		t.Errorf("the foreign lines were changed:\n%s", got)
	}
	has(t, open(t, path), 3)
}

func TestLogFirstOfAKeyCounts(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "log.jsonl"))
	appendAll(t, log, 0, 1)
	other := answer(0)
	other.Scores = map[string]float64{"acc": 0.25}
	if err := log.Append(other); err != nil {
		t.Fatal(err)
	}
	has(t, log, 1)
}

func TestLogHasOneWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	log := open(t, path)
	appendAll(t, log, 0, 2)
	if second, err := record.OpenLog(path); err == nil || !strings.Contains(err.Error(), "is being written by another process") {
		t.Fatalf("a second writer got %v, %v", second, err)
	}
	reading, err := record.ReadLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	has(t, reading, 2)
	if err := reading.Append(answer(2)); err == nil {
		t.Error("a log that was opened to be read took a record")
	}
	appendAll(t, log, 2, 3)
	has(t, reading, 2)
	log.Close()
	if err := log.Append(answer(3)); err == nil {
		t.Error("a closed log took a record")
	}
	has(t, open(t, path), 3)
}

func TestLogConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	log := open(t, path)
	const writers, each = 8, 50
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range each {
				n := (i*writers + w) / 2 // every record is appended by two
				if err := log.Append(answer(n)); err != nil {
					t.Error(err)
				}
				if got, err := log.Get(answer(n).Key); err != nil || !reflect.DeepEqual(got, answer(n)) {
					t.Errorf("record %d is %+v (%v)", n, got, err)
				}
				log.Each(func(record.Record) error { return nil })
			}
		})
	}
	wait.Wait()
	has(t, log, writers*each/2)
	log.Close()
	log = open(t, path)
	has(t, log, writers*each/2)
	if log.Repeated() != 0 {
		t.Errorf("%d records were written twice", log.Repeated())
	}
}

func TestLogInOrder(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "log.jsonl"))
	appendAll(t, log, 0, 30)
	n := 0
	if err := log.Each(func(r record.Record) error {
		if !reflect.DeepEqual(r, answer(n)) {
			t.Fatalf("record %d is %+v", n, r)
		}
		n++
		return nil
	}); err != nil || n != 30 {
		t.Errorf("%d records (%v)", n, err)
	}
	stop, n := errors.New("stop"), 0
	if err := log.Keys(func(key string) error {
		if n++; key == answer(9).Key {
			return stop
		}
		return nil
	}); err != stop || n != 10 {
		t.Errorf("stopped after %d keys with %v", n, err)
	}
}

func TestLogRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	log := open(t, path)
	check := func(what string, change func(*record.Record), want string) {
		t.Helper()
		r := answer(0)
		change(&r)
		if err := log.Append(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", what, err, want)
		}
	}
	check("NaN", func(r *record.Record) { r.Scores["acc"] = math.NaN() }, `item "anatomy/0" of task "mmlu_anatomy"`)
	check("infinity", func(r *record.Record) { r.LogProbs[0] = math.Inf(-1) }, "unsupported value")
	check("bytes", func(r *record.Record) { r.Key = "\xff" }, "not UTF-8")
	if info, err := os.Stat(path); err != nil || info.Size() != 0 || log.Len() != 0 {
		t.Errorf("something was written (%v)", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a record without a key does not panic")
		}
	}()
	log.Append(record.Record{})
}

func TestLogSaysWhichLineIsBad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	text := "{\"key\":\"a\",\"model\":\"m\",\"scores\":{}}\n{\"key\":\"b\",\"model\":7}\n{\"key\":\"c\",,}\n{\"key\":\"d\",\"key\":\"e\"}\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	log := open(t, path)
	check := func(key, want string) {
		t.Helper()
		if _, err := log.Get(key); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", key, err, want)
		}
	}
	check("b", `log.jsonl:2: "model" must be text, not number`)
	check("c", "log.jsonl:3: is not JSON")
	check("d", `log.jsonl:4: has the key "e" now`)
	if err := log.Each(func(record.Record) error { return nil }); err == nil || !strings.Contains(err.Error(), "log.jsonl:2:") {
		t.Errorf("going through: %v", err)
	}
	if _, err := record.OpenLog(t.TempDir()); err == nil {
		t.Error("a folder opens as a log")
	}
}

// TestLogLineTooLong passes over a line that cannot be held, and finds those
// around it.
func TestLogLineTooLong(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a hundred megabytes")
	}
	path := filepath.Join(t.TempDir(), "log.jsonl")
	log := open(t, path)
	appendAll(t, log, 0, 1)
	log.Close()
	line, _ := os.ReadFile(path)
	long := append(append(append(bytes.Clone(line), `{"key":"long","text":"`...), bytes.Repeat([]byte("x"), 65<<20)...), "\"}\n"...)
	if err := os.WriteFile(path, append(long, line...), 0o644); err != nil {
		t.Fatal(err)
	}
	log = open(t, path)
	if log.Foreign() != 1 || log.Repeated() != 1 || log.Len() != 1 {
		t.Errorf("%d foreign, %d repeated, %d records; want one each", log.Foreign(), log.Repeated(), log.Len())
	}
	appendAll(t, log, 1, 2)
	has(t, log, 2)
}
