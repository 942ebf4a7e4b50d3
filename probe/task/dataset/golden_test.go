package dataset_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"surgeon/probe/task/dataset"
)

const shared = "../../../../shared/"

// benchmarks opens the benchmark data beside this checkout.
func benchmarks(t *testing.T) *dataset.Folder {
	t.Helper()
	if _, err := os.Stat(shared + "data"); err != nil {
		t.Skip("the benchmark data is not beside this checkout")
	}
	f, err := dataset.Open(shared + "data")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestDocHashes: every record of MMLU and of GSM8K's test split has the doc_hash
// that lm-evaluation-harness 0.4.13 wrote.
func TestDocHashes(t *testing.T) {
	f := benchmarks(t)
	want := map[string]string{}
	file, err := os.Open(shared + "golden/lm_eval/prompt_hashes.jsonl")
	if err != nil {
		t.Skip("the goldens of lm-evaluation-harness are not beside this checkout")
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			Item string
			Hash string `json:"doc_hash"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		want[line.Item] = line.Hash
	}
	equal := 0
	for _, kind := range []*dataset.Kind{dataset.MMLU, dataset.GSM8K} {
		tables, _, err := f.Tables(kind, "test")
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			name := table.Config
			if name == "" {
				name = "gsm8k/test"
			}
			for i, r := range table.Records {
				if got := dataset.DocHash(r.Doc); got != want[fmt.Sprintf("%s/%d", name, i)] {
					t.Fatalf("%s has the hash %s: %s", r.Where(), got, r.Doc)
				}
				equal++
			}
		}
	}
	t.Logf("%d hashes of documents are equal", equal)
	if equal != len(want) || equal < 10000 {
		t.Errorf("%d records, want the %d of the goldens", equal, len(want))
	}
}

// TestPublished counts what is in the published sets.
func TestPublished(t *testing.T) {
	f := benchmarks(t)
	check := func(kind *dataset.Kind, want int, splits ...string) {
		t.Helper()
		tables, notes, err := f.Tables(kind, splits...)
		if err != nil || len(notes) > 0 {
			t.Fatal(err, notes)
		}
		n := 0
		for _, table := range tables {
			n += len(table.Records)
			for _, file := range table.Files {
				if len(file.SHA256) != 64 || file.Rows != len(table.Records) {
					t.Errorf("%+v", file)
				}
			}
		}
		if n != want {
			t.Errorf("%s %v has %d records, want %d", kind.Name, splits, n, want)
		}
	}
	check(dataset.MMLU, 285, "dev")
	check(dataset.MMLU, 1531, "validation")
	check(dataset.GSM8K, 7473, "train")
	check(dataset.GSM8K, 1319, "test")
	check(dataset.IFEval, 541)
	check(dataset.ChemBench, 2788)
	check(dataset.SafetyTests, 100)
	tables, _, err := f.Tables(dataset.GSM8K, "test")
	if err != nil || tables[0].Files[0].SHA256 != "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14" {
		t.Errorf("%+v, %v", tables[0].Files, err)
	}
}
