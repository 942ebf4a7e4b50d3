package dataset_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"surgeon/probe/task/dataset"
)

// folder is a folder of files.
func folder(t *testing.T, files ...string) *dataset.Folder {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	f, err := dataset.OpenFS("DATA", fsys)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// docs are the records of a table, one a line.
func docs(table dataset.Table) string {
	var lines []string
	for _, r := range table.Records {
		lines = append(lines, string(r.Doc))
	}
	return strings.Join(lines, "\n")
}

// names are the tables' configurations, splits and sizes.
func names(tables []dataset.Table) (list []string) {
	for _, table := range tables {
		list = append(list, fmt.Sprintf("%s %s %d", table.Config, table.Split, len(table.Records)))
	}
	return list
}

// hub opens the parquet files that testdata/make.py wrote, and what pyarrow
// reads from them.
func hub(t testing.TB) (*dataset.Folder, map[string][]string) {
	t.Helper()
	f, err := dataset.Open("testdata/hub")
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string][]string
	data, err := os.ReadFile("testdata/hub/expected.json")
	if err == nil {
		err = json.Unmarshal(data, &expected)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f, expected
}

// TestParquet reads what pyarrow wrote: shards, row groups, pages, four
// compressions, dictionaries, both versions of pages, lists of structures with
// fields that are null. The JSON must be pyarrow's, byte for byte.
func TestParquet(t *testing.T) {
	f, expected := hub(t)
	check := func(kind *dataset.Kind, config, split string, files ...string) {
		t.Helper()
		tables, _, err := f.Tables(kind, split)
		if kind.Name != "openai/gsm8k" && kind.Name != "cais/mmlu" {
			tables, _, err = f.Tables(kind)
		}
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(tables, func(table dataset.Table) bool { return table.Config == config })
		if at < 0 {
			t.Fatalf("%s %s: tables %v", config, split, names(tables))
		}
		var want []string
		for i, file := range files {
			want = append(want, expected[file]...)
			if got := tables[at].Files[i]; got.Path != file || got.Rows != len(expected[file]) || len(got.SHA256) != 64 {
				t.Errorf("file %d is %+v, want %s", i, got, file)
			}
		}
		if got := docs(tables[at]); got != strings.Join(want, "\n") || len(want) == 0 {
			t.Errorf("%s %s:\n%s\nwant\n%s", config, split, got, strings.Join(want, "\n"))
		}
	}
	check(dataset.MMLU, "anatomy", "dev", "mmlu/anatomy/dev-00000-of-00001.parquet")
	check(dataset.GSM8K, "", "test", "gsm8k/main/test-00000-of-00001.parquet")
	check(dataset.GSM8K, "", "train", "gsm8k/main/train/0000.parquet")
	check(dataset.IFEval, "", "", "ifeval/train-00000-of-00001.parquet")
	check(dataset.ChemBench, "", "", "chembench/general_chemistry/train-00000-of-00001.parquet", "chembench/organic_chemistry/train-00000-of-00001.parquet")
}

// TestParquetCopies: the hub's MMLU has every subject a second time in "all";
// equal copies count once, and the shards follow each other.
func TestParquetCopies(t *testing.T) {
	f, expected := hub(t)
	tables, notes, err := f.Tables(dataset.MMLU)
	if err != nil || len(notes) > 0 {
		t.Fatal(err, notes)
	}
	if got, want := names(tables), []string{"anatomy dev 5", "anatomy test 5", "virology dev 5", "virology test 5"}; !slices.Equal(got, want) {
		t.Errorf("tables %v, want %v", got, want)
	}
	if got, want := docs(tables[1]), strings.Join(expected["mmlu/all/test-00000-of-00001.parquet"][:5], "\n"); got != want {
		t.Errorf("anatomy:\n%s\nwant\n%s", got, want)
	}
}

// TestNested reads lists of lists of structures, with the names of elements that
// older pyarrow wrote, through the kind whose columns a copy is given.
func TestNested(t *testing.T) {
	data, err := os.ReadFile("testdata/hub/nested.parquet")
	if err != nil {
		t.Fatal(err)
	}
	_, expected := hub(t)
	got, err := dataset.ReadParquet("nested.parquet", data)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range expected["nested.parquet"] {
		if string(got[i].Doc) != want || got[i].Where() != fmt.Sprintf("nested.parquet, row %d", i+1) {
			t.Errorf("%s:\n%s\nwant\n%s", got[i].Where(), got[i].Doc, want)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d rows", len(got))
	}
}

// TestDamaged: whatever is wrong with a parquet file, the answer is an error
// that names it.
func TestDamaged(t *testing.T) {
	const file = "testdata/hub/mmlu/anatomy/dev-00000-of-00001.parquet"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(data); cut += 7 {
		if _, err := dataset.ReadParquet("f", data[:cut]); err == nil || !strings.HasPrefix(err.Error(), "f: ") {
			t.Errorf("cut to %d bytes: error %v", cut, err)
		}
	}
	for i := range data {
		broken := slices.Clone(data)
		broken[i] ^= 0x41
		dataset.ReadParquet("f", broken) // no panic
	}
}

// TestDocHash compares with json.dumps and hashlib of CPython 3.11.
func TestDocHash(t *testing.T) {
	check := func(doc, want string) {
		t.Helper()
		if got := dataset.DocHash([]byte(doc)); got != want {
			t.Errorf("%s: %s, want %s", doc, got, want)
		}
	}
	check(`{}`, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
	check(`{"a":1}`, "8164669836e51c324aa26742645b519732d41a60b8047ebdea8e769ef8565d79")
	check("{ \"a\" :\n1 }", "8164669836e51c324aa26742645b519732d41a60b8047ebdea8e769ef8565d79")
	check(`{"a":[],"b":{},"c":[1,[2,[]]],"d":{"e":{"f":null}}}`, "236cbc1774ecbce76d3eab0ab0b2f2ed64ea041d3cde57f237ad9077b14abb03")
	check(`{"s":"tab\t nl\n q\" b\\ \u0001 \u007f é \u2028 \ud83d\ude00 / \/ <&>"}`, "fc9939f3accf7b3953163c6e80f86648d40b400c1a9ba4198486b67efa87f6c4")
	check(`{"n":[0,-0,1.0,1.50,-0.0,1e5,1E16,123456789012345678901234567890,1e-5,0.0001,1e22,1.5e300,1e999,-1e999,5e-324,100000000000000000.0,0.1]}`, "733857be3affc22a5515a73f73445e6fe3805a1a3d604786046af000d61aecd3")
	check(`{"a":1,"b":2,"a":{"x":[true,false]}}`, "686664d05aec63bbfedd80299fdf67b31b93ee6027122747941581a8408d1ae6")
	check(`{"":"","k":"\u00e9"}`, "f7cb5ea65b8a4748744557c8a21008c67885a690a49227b8ddfc6df4df8ac195")
	check(`{`, "")
	check(``, "")
}
