package record_test

import (
	"archive/zip"
	"bytes"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"surgeon/probe/record"
)

const inspectHeader = `"version": 2, "status": "success", "eval": {"task": "popularity", "model": "ollama/llama3.1", "config": {"limit": 1}}, "plan": {"steps": [{"samples": []}]},
 "results": {"total_samples": 4, "scores": [{"name": "match", "metrics": {"accuracy": {"value": NaN}}}]}`

// inspectSamples are what Inspect writes of four samples, the last of them not
// scored.
var inspectSamples = []string{
	`{"id": 1, "epoch": 1, "input": "Is \"NaN\" a number?", "target": " Yes", "output": {"choices": [{"message": {"content": "No", "role": "assistant"}, "stop_reason": "stop"}], "usage": {"output_tokens": 2}}, "scores": {"match": {"value": "C", "answer": "No"}, "f1": {"value": 0.25}}}`,
	`{"id": 1, "epoch": 2, "input": [{"id": "random", "role": "user", "content": "Hi"}], "target": ["a"], "output": {"completion": "long", "choices": [{"message": {"content": [{"type": "text"}]}, "stop_reason": "max_tokens"}]}, "scores": {"match": {"value": "P"}, "f1": {"value": NaN}, "rubric": {"value": {"style": "N", "fact": true, "odd": "maybe"}}, "parts": {"value": [true, false, true, true]}, "list": {"value": [1, "0.5"]}}}`,
	`{"id": "b", "epoch": 1, "input": "x", "scores": {"match": {"value": "I"}}, "metadata": {"x": -Infinity}}`,
	`{"id": "c", "epoch": 1, "input": "y", "scores": {"match": {"value": NaN}}, "error": {"message": "failed"}}`,
}

func inspectRecords(full bool) []record.Record {
	type s = map[string]float64
	r := []record.Record{
		scored("ollama/llama3.1", "popularity", "1", "", 1, s{"match": 1, "f1": 0.25}),
		scored("ollama/llama3.1", "popularity", "1", "", 2, s{"match": 0.5, "rubric.style": 0, "rubric.fact": 1, "parts": 0.75, "list.0": 1, "list.1": 0.5}),
		scored("ollama/llama3.1", "popularity", "b", "", 1, s{"match": 0}),
	}
	r[0].Extracted = map[string]string{"match": "No"}
	r[1].Parts = map[string][]bool{"parts": {true, false, true, true}}
	if full {
		r[0].PromptHash, r[0].Text, r[0].Tokens, r[0].Finish = sha(`Is "NaN" a number?`), ptr("No"), 2, "stop"
		r[1].PromptHash, r[1].Text, r[1].Finish = record.Key("user", `"Hi"`), ptr("long"), "length"
		r[2].PromptHash = sha("x")
	}
	return r
}

var inspectNotes = []string{`1 sample left out for want of a score: "c" epoch 1`, `values that are no scores and are left out: "\"maybe\""`}

func TestReadInspectJSON(t *testing.T) {
	text := "{" + inspectHeader + `, "samples": [` + strings.Join(inspectSamples, ",\n") + `], "invalidated": false}`
	for _, name := range []string{"one line.json", "lines.json"} {
		form := strings.ReplaceAll(text, "\n", " ")
		if name == "lines.json" {
			form = "\xef\xbb\xbf" + strings.ReplaceAll(text, ", ", ",\r\n  ")
		}
		dir := files(t, map[string]string{name: form})
		run := read(t, dir)
		same(t, run, inspectRecords(true), inspectNotes...)
		if run.Source != "a log of Inspect" {
			t.Errorf("read as %q", run.Source)
		}
	}
	old := `{"version": 1, "status": "cancelled", "eval": {"task": "t", "model": "m"}, "samples": [{"id": 5, "epoch": 1, "score": {"value": 1}}], "invalidated": true}`
	same(t, read(t, filepath.Join(files(t, map[string]string{"old.json": old}), "old.json")), []record.Record{scored("m", "t", "5", "", 1, map[string]float64{"score": 1})},
		`the evaluation did not end: its status is "cancelled"`, "invalidated")
}

func TestInspectRefuses(t *testing.T) {
	const name = "log.json"
	log := func(samples string) string { return "{" + inspectHeader + `, "samples": ` + samples + `}` }
	refuses(t, name, log("[]"), "has no scored samples")
	refuses(t, name, log("null"), "has no scored samples")
	refuses(t, name, log("3"), "samples must be a list")
	refuses(t, name, log(`[{"id": 1, "epoch": 1}, {"id": 1, "epoch": 1}]`), `sample 2: "1", epoch 1 is there already`)
	refuses(t, name, log(`[{"id": 1}, {"epoch": 1}]`), `sample 2: "id" must be text or a number`)
	refuses(t, name, log(`[{"id": 1, "epoch": "one"}]`), `sample 1: "epoch" must be a whole number that fits 64 bits, not string`)
	refuses(t, name, log(`[{"id": 1, "epoch": 1`), "is not JSON")
	refuses(t, name, `{"status": "success", "eval": {"task": ""}, "samples": []}`, "its header names no task")
	refuses(t, name, `{"status": "success", "eval": 5, "samples": []}`, `"eval" must be an object, not number`)
}

// eval packs a log, each entry by a method.
func eval(t testing.TB, method uint16, entries map[string]string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zstd.ZipMethodWinZip, zstd.ZipCompressor())
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = io.WriteString(entry, entries[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestReadInspectZip(t *testing.T) {
	header := "{" + inspectHeader + "}"
	start := `{"version": 2, "eval": {"task": "popularity", "model": "ollama/llama3.1"}}`
	list := "[" + strings.Join(inspectSamples, ",") + "]"
	reads := func(what string, entries map[string]string, want []record.Record, notes ...string) {
		t.Helper()
		for _, method := range []uint16{zip.Store, zip.Deflate, zstd.ZipMethodWinZip} {
			dir := files(t, map[string]string{"log.eval": eval(t, method, entries)})
			run := read(t, dir)
			same(t, run, want, notes...)
			if t.Failed() {
				t.Fatalf("%s, method %d", what, method)
			}
		}
	}
	samples := map[string]string{"header.json": header, "summaries.json": list}
	for i, sample := range inspectSamples {
		name := []string{"1_epoch_1.json", "1_epoch_2/sample.json", "b_epoch_1.json", "c_epoch_1.json"}[i]
		samples["samples/"+name] = sample
	}
	samples["samples/1_epoch_2/events/0.json"] = "[]"
	reads("samples", samples, inspectRecords(true), inspectNotes...)
	// Of summaries the prompts may be cut short and are not compared.
	summaries := inspectRecords(true)
	for i := range summaries {
		summaries[i].PromptHash = ""
	}
	reads("summaries", map[string]string{"header.json": header, "summaries.json": list}, summaries, inspectNotes...)
	reads("journal", map[string]string{"_journal/start.json": start, "_journal/summaries/2.json": "[" + inspectSamples[2] + "]",
		"_journal/summaries/10.json": "[" + inspectSamples[3] + "]", "_journal/summaries/1.json": "[" + inspectSamples[0] + "," + inspectSamples[1] + "]"},
		summaries, append([]string{"its journal was read"}, inspectNotes...)...)
	reads("the first form", map[string]string{"start.json": start, "results.json": `{"status": "success"}`, "summary.json": list}, summaries, inspectNotes...)
}

func TestInspectZipRefuses(t *testing.T) {
	header := "{" + inspectHeader + "}"
	whole := eval(t, zip.Deflate, map[string]string{"header.json": header, "summaries.json": "[" + strings.Join(inspectSamples, ",") + "]"})
	refuses(t, "log.eval", whole[:len(whole)/2], "is no log of Inspect")
	refuses(t, "log.eval", eval(t, zip.Deflate, map[string]string{"a.txt": "b"}), "is no log of Inspect: it holds neither")
	refuses(t, "log.eval", eval(t, zip.Deflate, map[string]string{"header.json": header}), "has no scored samples")
	refuses(t, "log.eval", eval(t, zip.Deflate, map[string]string{"header.json": header, "summaries.json": `[{"id": 1`}), "summaries.json: sample 1: is not JSON")
	refuses(t, "log.eval", eval(t, zip.Deflate, map[string]string{"header.json": header, "samples/a.json": `[]`}), "samples/a.json: must be an object, not array")
	changed := []byte(whole)
	at := bytes.Index(changed, []byte("summaries.json")) + len("summaries.json") + 20
	changed[at] ^= 0xff
	refuses(t, "log.eval", string(changed), "summaries.json: ")
	unknown := bytes.Replace([]byte(whole), []byte("\x14\x00\x08\x00\x08\x00"), []byte("\x14\x00\x08\x00\x0e\x00"), 1) // LZMA in the local header
	unknown = bytes.ReplaceAll(unknown, []byte("\x14\x00\x14\x00\x08\x00\x08\x00"), []byte("\x14\x00\x14\x00\x08\x00\x0e\x00"))
	refuses(t, "log.eval", string(unknown), "unsupported compression")
}
