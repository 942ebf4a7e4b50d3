package dataset_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"surgeon/probe/task/dataset"
)

var kinds = []*dataset.Kind{dataset.MMLU, dataset.GSM8K, dataset.IFEval, dataset.ChemBench, dataset.SafetyTests, dataset.Pages, dataset.Texts}

// read reads a file as every kind: what is accepted is a JSON object in every
// record with a hash of its own, and an error names the file or the folder.
func read(t *testing.T, file string, data []byte) {
	f, err := dataset.OpenFS("DATA", fstest.MapFS{file: &fstest.MapFile{Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		tables, _, err := f.Tables(kind)
		if err != nil && !strings.Contains(err.Error(), file) && !strings.Contains(err.Error(), "DATA") {
			t.Errorf("error %v names neither the file nor the folder", err)
		}
		for _, table := range tables {
			if len(table.Records) == 0 || len(table.Files) != 1 {
				t.Errorf("%d records of %d files", len(table.Records), len(table.Files))
			}
			for _, r := range table.Records {
				if !json.Valid(r.Doc) || r.Doc[0] != '{' || len(dataset.DocHash(r.Doc)) != 64 {
					t.Errorf("%s is no object: %q", r.Where(), r.Doc)
				}
			}
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(gsm8kLine + "\n" + gsm8kLine))
	f.Add([]byte("[" + mmluLine + ",\n" + mmluLine + "]"))
	f.Add([]byte(`{"uuid":"u","examples":[{"input":"i","target":"7"}]}`))
	f.Add([]byte("\ufeff{\"page\": 1e999}\n{\"page\":\"\\ud800\"}"))
	f.Fuzz(func(t *testing.T, data []byte) { read(t, "test.json", data) })
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(hendrycks + "\n" + hendrycks))
	f.Add([]byte("id,harm_area,prompts_final\n1,\"a\"\"b\",c\r\n"))
	f.Add([]byte("\ufefftext\nx\n\n\"y\rz\""))
	f.Fuzz(func(t *testing.T, data []byte) { read(t, "test/anatomy_test.csv", data) })
}

func FuzzParquet(f *testing.F) {
	files, err := filepath.Glob("testdata/hub/*/*/*.parquet")
	if err != nil || len(files) < 7 {
		f.Fatal(files, err)
	}
	for _, file := range append(files, "testdata/hub/nested.parquet") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read(t, "test.parquet", data)
		records, err := dataset.ReadParquet("f", data)
		for _, r := range records {
			if err != nil || !json.Valid(r.Doc) {
				t.Errorf("%s: %v, %q", r.Where(), err, r.Doc)
			}
		}
	})
}
