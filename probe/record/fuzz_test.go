package record

import (
	"archive/zip"
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// sound checks what every run that is read promises: names, and finite scores
// under names, no record twice.
func sound(t *testing.T, run Run, err error) {
	t.Helper()
	if err != nil {
		return
	}
	if len(run.Records) == 0 {
		t.Fatal("a run without records is no error")
	}
	for _, r := range run.Records {
		if r.Task == "" || r.Item == "" || len(r.Scores) == 0 {
			t.Fatalf("the record %+v lacks a name or a score", r)
		}
		for metric, score := range r.Scores {
			if !(math.Abs(score) <= largestScore) {
				t.Fatalf("the score of %q is %v", metric, score)
			}
			if parts := r.Parts[metric]; len(parts) > 0 && share(parts) != score {
				t.Fatalf("the score of %q is %v and its parts are %v", metric, score, parts)
			}
		}
	}
	if _, err := indexOf(run, "first"); err != nil && len(run.Models()) < 2 {
		t.Fatal(err)
	}
}

// FuzzLogLine opens a log with any line in it, and appends.
func FuzzLogLine(f *testing.F) {
	for _, seed := range []string{`{"key":"a","model":"m","scores":{"acc":1}}`, `{"key":"a`, "{\"key\":\"b\",\"text\":\"\\\"}\"}\n{\"key\":\"b\"}\r\n", "hello", "{\"scores\":{},\"key\":\"\\u0061\"}\n\x00\x00"} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(dir, "log.jsonl")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		log, err := OpenLog(path)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		kept, _ := os.ReadFile(path)
		whole := bytes.LastIndexByte(text, '\n') + 1
		if !bytes.HasPrefix(kept, text[:whole]) {
			t.Fatalf("opening changed %q to %q", text, kept)
		}
		var keys []string
		if err := log.Keys(func(key string) error { keys = append(keys, key); return nil }); err != nil || len(keys) != log.Len() {
			t.Fatalf("%d keys of %d records (%v)", len(keys), log.Len(), err)
		}
		for _, key := range keys {
			if r, err := log.Get(key); errors.Is(err, ErrNoRecord) || err == nil && r.Key != key {
				t.Fatalf("the record of key %q is %+v (%v)", key, r, err)
			}
		}
		want := Record{Key: "appended \"\n", Scores: map[string]float64{"acc": 1}}
		before := log.Len()
		if log.Has(want.Key) {
			return
		}
		if err := log.Append(want); err != nil {
			t.Fatal(err)
		}
		log.Close()
		log, err = OpenLog(path)
		if err != nil || log.Len() != before+1 {
			t.Fatalf("opened again, %d records, want %d (%v)", log.Len(), before+1, err)
		}
		if got, err := log.Get(want.Key); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("what was appended is %+v (%v)", got, err)
		}
		log.Close()
	})
}

func FuzzSamples(f *testing.F) {
	for _, seed := range []string{
		`{"doc_id": 0, "arguments": {"gen_args_0": {"arg_0": "Q", "arg_1": " A"}}, "filtered_resps": [["-5.0", "False"]], "filter": "none", "metrics": ["acc"], "acc": NaN, "x": 1}`,
		"{\"doc_id\": \"a\", \"arguments\": [[\"Q\", {\"until\": []}]], \"resps\": [[\"t\", \"u\"]], \"filtered_resps\": [[\"[invalid]\"]], \"filter\": \"strict\", \"inst\": [true, false]}\n{\"doc_id\": \"a\", \"filter\": \"loose\", \"word_perplexity\": [-3, 2]}",
		`[{"doc_id": 1, "acc": 1}, {"doc_id": 2, "acc": "True", "surgeon": {"item": "x", "task": "t", "scores": {"acc": 2}}}]`,
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "samples_t.jsonl")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		run, err := readHarness([]string{path})
		if err == nil && bytes.Contains(text, []byte(ownName)) {
			return // names and scores are those that the file gives
		}
		sound(t, run, err)
	})
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte(`{"status": "success", "eval": {"task": "t", "model": "m"}, "samples": [{"id": 1, "epoch": 1, "input": "x", "scores": {"a": {"value": "C"}, "b": {"value": [true, NaN]}, "c": {"value": {"d": "P"}}}}]}`))
	f.Add([]byte(`{"status": "error", "eval": {"task": "t"}, "samples": null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		run, err := readInspect("log.json", bytes.NewReader(text))
		sound(t, run, err)
	})
}

func FuzzInspectZip(f *testing.F) {
	for _, method := range []uint16{zip.Store, zip.Deflate, zstd.ZipMethodWinZip} {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		w.RegisterCompressor(zstd.ZipMethodWinZip, zstd.ZipCompressor())
		for name, text := range map[string]string{"header.json": `{"status": "success", "eval": {"task": "t"}}`, "summaries.json": `[{"id": 1, "epoch": 1, "scores": {"a": {"value": 1}}}]`, "samples/1_epoch_1.json": `{"id": 1, "epoch": 1}`} {
			entry, _ := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
			entry.Write([]byte(text))
		}
		w.Close()
		f.Add(out.Bytes())
	}
	path := filepath.Join(f.TempDir(), "log.eval")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		run, err := readInspectZip(path)
		sound(t, run, err)
	})
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("task,item,seed,score\nt,a,0,1\n"))
	f.Add([]byte("\xef\xbb\xbfmetric,score, SEED ,item,task,cluster\r\nacc,true,-1,\"a\"\"b\",t,c\r\nacc,NaN,2,x,t,\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		run, err := readCSV("a.csv", bytes.NewReader(text))
		sound(t, run, err)
		run, err = readTable("a.jsonl", bytes.NewReader(text))
		sound(t, run, err)
	})
}

// FuzzRead reads any file: it is of some kind, or refused.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"task,item,seed,score\nt,a,0,1\n", `{"item": 1, "task": "t", "seed": 0, "score": 1}`, `{"key": "a", "model": "m", "task": "t", "item": "i", "scores": {"acc": 1}}`, "{\n\"doc_id\": 1}", "PK\x03\x04", "[{\"doc_id\": 1,\n\"acc\": 1}]"} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "samples_t.jsonl")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		run, err := Read(path)
		if err == nil && (len(run.Records) == 0 || run.Source == "") {
			t.Fatalf("read as %q: %+v", run.Source, run.Records)
		}
	})
}

// FuzzLines: the lines of a text and their offsets put it together again.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n\nc"), 3)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		l := newLines(bytes.NewReader(text))
		l.buffer = l.buffer[:1+max(0, size)%64]
		var again []byte
		for number := 1; l.scan(); number++ {
			if l.number != number || l.offset != int64(len(again)) {
				t.Fatalf("line %d at %d is said to be line %d at %d", number, len(again), l.number, l.offset)
			}
			again = append(again, l.text...)
			if l.whole {
				again = append(again, '\n')
			}
		}
		if !slices.Equal(again, text) || l.next != int64(len(text)) {
			t.Fatalf("%q is read as %q, %d bytes", text, again, l.next)
		}
	})
}
