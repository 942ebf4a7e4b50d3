//go:build heavy

package record_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"surgeon/probe/record"
)

// TestTenMillionLines opens a log of ten million lines of about 300 bytes. It
// needs 3 GB in the temporary folder.
func TestTenMillionLines(t *testing.T) {
	const lines = 10_000_000
	path := filepath.Join(t.TempDir(), "log.jsonl")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<20)
	key := func(i int) string { return fmt.Sprintf("%016x%048x", uint64(i)*0x9e3779b97f4a7c15, i) }
	for i := range lines {
		fmt.Fprintf(out, `{"key":"%s","model":"base","task":"mmlu_high_school_geography","item":"high_school_geography/%d","cluster":"high_school_geography","seed":%d,"logprobs":[-1.5775843,-1.6352549,-0.9833365,-1.5488291],"chosen":2,"scores":{"acc":%d,"acc_norm":0}}`+"\n",
			key(i), i, i%5, i%2)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	info, _ := file.Stat()
	file.Close()
	start := time.Now()
	log, err := record.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	defer log.Close()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	t.Logf("%d lines, %.2f GB: opened in %v; heap %d MB, from the system %d MB", lines, float64(info.Size())/1e9, took, memory.HeapAlloc>>20, memory.Sys>>20)
	if log.Len() != lines || log.Foreign() != 0 {
		t.Fatalf("%d records, %d foreign lines", log.Len(), log.Foreign())
	}
	if took > 20*time.Second {
		t.Errorf("opening took %v, more than 20 s", took)
	}
	start = time.Now()
	for i := 0; i < lines; i += 997 {
		if r, err := log.Get(key(i)); err != nil || r.Item != fmt.Sprint("high_school_geography/", i) {
			t.Fatalf("record %d is %+v (%v)", i, r, err)
		}
	}
	t.Logf("a Get takes %v", time.Since(start)/(lines/997))
}
