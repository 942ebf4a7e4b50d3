package dataset_test

import (
	"fmt"
	"testing/fstest"

	"surgeon/probe/task/dataset"
)

// A data set is known by its columns and named with its hash.
func Example() {
	files := fstest.MapFS{
		"downloads/gsm8k_test.jsonl": {Data: []byte(`{"question": "1 and 1?", "answer": "1+1=<<1+1=2>>2\n#### 2"}`)},
		"downloads/readme.md":        {Data: []byte("my files")},
	}
	folder, err := dataset.OpenFS("downloads", files)
	if err != nil {
		fmt.Println(err)
		return
	}
	tables, _, err := folder.Tables(dataset.GSM8K)
	if err != nil {
		fmt.Println(err)
		return
	}
	t := tables[0]
	fmt.Println(t.Split, t.Files[0].Path, t.Files[0].SHA256[:8], len(t.Records))
	fmt.Println(dataset.DocHash(t.Records[0].Doc)[:8])
	_, _, err = folder.Tables(dataset.SafetyTests)
	fmt.Println(err)
	// Output:
	// test downloads/gsm8k_test.jsonl 8c98a176 1
	// f9c18649
	// Bertievidgen/SimpleSafetyTests is not in downloads: want the hub's Bertievidgen/SimpleSafetyTests as CSV, JSON lines or parquet (id, harm_area, prompts_final or prompt)
}
