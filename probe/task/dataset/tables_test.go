package dataset_test

import (
	"slices"
	"strings"
	"testing"

	"surgeon/probe/task/dataset"
)

const (
	gsm8kLine = `{"question":"1 and 1?","answer":"#### 2"}`
	mmluLine  = `{"question":"q","subject":"anatomy","choices":["1","2","3","4"],"answer":1}`
	hendrycks = `"A ""quoted"" question, with` + "\r\n" + `two lines",  one ,tw"o,3,"four",B`
)

// TestFormats: a data set is found by what is in its files, wherever they lie.
func TestFormats(t *testing.T) {
	check := func(kind *dataset.Kind, want string, files ...string) dataset.Table {
		t.Helper()
		tables, notes, err := folder(t, files...).Tables(kind)
		if err != nil || len(notes) > 0 || len(tables) != 1 || docs(tables[0]) != want {
			t.Fatalf("%v, %v, %v\nwant %s", tables, notes, err, want)
		}
		return tables[0]
	}
	lines := gsm8kLine + "\n" + gsm8kLine
	check(dataset.GSM8K, lines, "any/where/my_test.jsonl", "\ufeff"+gsm8kLine+"\r\n\n"+gsm8kLine)
	check(dataset.GSM8K, lines, "TEST/x.json", "[\n"+gsm8kLine+",\n  "+gsm8kLine+"]")
	check(dataset.GSM8K, gsm8kLine, "test/one.json", `{ "question": "1 and 1?",`+"\n"+`"answer": "#### 2" }`)
	check(dataset.GSM8K, lines, "test.csv", "question,answer\n1 and 1?,#### 2\n1 and 1?,#### 2\n")
	check(dataset.GSM8K, lines, "test-00001-of-00002.jsonl", gsm8kLine, "test-00000-of-00002.jsonl", gsm8kLine, "notes.md", "x", ".hidden/test.jsonl", "{}")
	check(dataset.GSM8K, gsm8kLine, "train_socratic.jsonl", gsm8kLine, "main/train.jsonl", gsm8kLine, "quiz/test.jsonl", `{"question":"Capital of France?","answer":"Paris"}`)
	check(dataset.Texts, `{"text":"a"}`, "valid.jsonl", `{"text":"b"}`, "test.jsonl", `{"text":"a"}`)
	check(dataset.SafetyTests, `{"id":"s1","harm_area":"x","prompts_final":"p\n\"q\""}`, "s.csv", "id,harm_area,prompts_final\ns1,x,\"p\n\"\"q\"\"\"\n")

	subject := `{"question":"A \"quoted\" question, with\r\ntwo lines","subject":"college_mathematics","choices":["  one ","tw\"o","3","four"],"answer":1}`
	table := check(dataset.MMLU, subject+"\n"+subject, "x/val/college_mathematics_val.csv", hendrycks+"\r\n"+hendrycks+"\n\n")
	if table.Config != "college_mathematics" || table.Split != "validation" || table.Records[1].Where() != "x/val/college_mathematics_val.csv:3" {
		t.Errorf("%s %s, %s", table.Config, table.Split, table.Records[1].Where())
	}
	table = check(dataset.MMLU, subject, "college_mathematics_test.csv", hendrycks)
	if table.Config != "college_mathematics" || table.Split != "test" {
		t.Errorf("%s %s", table.Config, table.Split)
	}
	table = check(dataset.MMLU, mmluLine, "mmlu_dev.jsonl", mmluLine)
	if table.Config != "anatomy" || table.Split != "dev" || table.Records[0].Where() != "mmlu_dev.jsonl:1" {
		t.Errorf("%s %s %s", table.Config, table.Split, table.Records[0].Where())
	}
}

// TestQuotes: quotes as Python's csv module reads them.
func TestQuotes(t *testing.T) {
	check := func(row, want string) {
		t.Helper()
		tables, _, err := folder(t, "test/anatomy_test.csv", row).Tables(dataset.MMLU)
		if err != nil || !strings.HasPrefix(docs(tables[0]), want) {
			t.Errorf("%q: %v, %v, want %s", row, tables, err, want)
		}
	}
	check("a\"b,c\"d\",,\"\",4,A\n", `{"question":"a\"b","subject":"anatomy","choices":["c\"d\"","","","4"],"answer":0}`)
	check("\"a\"b\"c\",1,2,3,4,D", `{"question":"ab\"c\"","subject":"anatomy","choices":["1","2","3","4"],"answer":3}`)
	check("q,1,2,3,4,C\rr,1,2,3,4,A", `{"question":"q","subject":"anatomy","choices":["1","2","3","4"],"answer":2}`)
	check("\"q\rr\n\",1,2,3,\"\t\",C", `{"question":"q\rr\n","subject":"anatomy","choices":["1","2","3","\t"],"answer":2}`)
}

// TestRefuses: one sentence that names the file, the place and the rule.
func TestRefuses(t *testing.T) {
	check := func(kind *dataset.Kind, want string, files ...string) {
		t.Helper()
		_, _, err := folder(t, files...).Tables(kind)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	check(dataset.GSM8K, "test.jsonl:3: not JSON: ", "test.jsonl", gsm8kLine+"\n\n{\n"+gsm8kLine)
	check(dataset.GSM8K, "test.jsonl:2: a record must be a JSON object", "test.jsonl", gsm8kLine+"\n7")
	check(dataset.GSM8K, "test.jsonl:2: not UTF-8", "test.jsonl", gsm8kLine+"\n{\"question\":\"\xff\"}")
	check(dataset.GSM8K, "test.json, item 2: a record must be a JSON object", "test.json", "["+gsm8kLine+",[]]")
	check(dataset.GSM8K, "test.csv:3: 3 fields, and the header has 2", "test.csv", "question,answer\nq,#### 1\nq,#### 1,x\n")
	check(dataset.MMLU, "test/anatomy_test.csv:2: 5 fields: want the question, four choices and the letter", "test/anatomy_test.csv", "q,1,2,3,4,A\nq,1,2,3,A\n")
	check(dataset.MMLU, `anatomy_test.csv:2: the answer is "E", outside the choices A to D`, "anatomy_test.csv", "q,1,2,3,4,A\nq,1,2,3,4,E\n")
	check(dataset.MMLU, "test/anatomy_test.csv:1: 4 fields", "test/anatomy_test.csv", "q,1,2,A\nq,1,2,3,4,E\n")
	check(dataset.MMLU, "anatomy_test.csv:2: a quoted field does not end", "anatomy_test.csv", "q,1,2,3,4,A\n\"q,1,2,3,4,A\n")
	check(dataset.MMLU, "anatomy_test.csv:2: not UTF-8", "anatomy_test.csv", "q,1,2,3,4,A\nq,1,2,3,\xff,A\n")
	check(dataset.GSM8K, "test-00001-of-00003.jsonl is shard 1, counted from 0, and shard 0 is missing", "test-00001-of-00003.jsonl", gsm8kLine)
	check(dataset.GSM8K, "test-00000-of-00002.jsonl is the last shard that is there, and the names say that there are 2", "test-00000-of-00002.jsonl", gsm8kLine)
	check(dataset.GSM8K, "openai/gsm8k test is there twice, in a/test.jsonl and in b/test.jsonl, and the two differ", "a/test.jsonl", gsm8kLine, "b/test.jsonl", gsm8kLine+"\n"+gsm8kLine)
	check(dataset.MMLU, "cais/mmlu anatomy dev is there twice", "a/dev.jsonl", mmluLine, "b/dev.jsonl", strings.Replace(mmluLine, "1}", "2}", 1))
}

// TestAbsent: what is not there is named with what to get and what comes near.
func TestAbsent(t *testing.T) {
	check := func(kind *dataset.Kind, want string, files ...string) {
		t.Helper()
		_, _, err := folder(t, files...).Tables(kind)
		if err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
	const ifeval = "google/IFEval is not in DATA: want the hub's google/IFEval as JSON lines or parquet (key, prompt, instruction_id_list, kwargs)"
	check(dataset.IFEval, ifeval)
	check(dataset.IFEval, ifeval+"; x.jsonl lacks kwargs", "x.jsonl", `{"key":1,"prompt":"p","instruction_id_list":[]}`, "y.jsonl", `{"key":1}`)
	check(dataset.IFEval, ifeval+"; ifeval.parquet cannot be read (not readable as parquet: the file does not end as parquet, which it does if it is whole and not encrypted)", "ifeval.parquet", "<html>not found</html>")
	_, _, err := folder(t, "data.jsonl", gsm8kLine).Tables(dataset.GSM8K)
	if err == nil || !strings.HasSuffix(err.Error(), "; data.jsonl is left out: it looks like openai/gsm8k, but neither its name nor its folder says train, dev, validation or test") {
		t.Errorf("error %v", err)
	}
	if strings.Contains(err.Error(), "://") {
		t.Errorf("error %v names a host", err)
	}
}

// TestSplits: of the splits that are not asked for nothing is read.
func TestSplits(t *testing.T) {
	f := folder(t, "test.jsonl", gsm8kLine, "train.jsonl", gsm8kLine+"\n{")
	tables, _, err := f.Tables(dataset.GSM8K, "test")
	if err != nil || !slices.Equal(names(tables), []string{" test 1"}) {
		t.Errorf("%v, %v", names(tables), err)
	}
	if _, _, err := f.Tables(dataset.GSM8K); err == nil {
		t.Error("the broken train split is read without an error")
	}
	if _, _, err := f.Tables(dataset.GSM8K, "dev"); err == nil || !strings.HasPrefix(err.Error(), "openai/gsm8k is not in DATA") {
		t.Errorf("error %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	check := func(dir, want string) {
		t.Helper()
		if _, err := dataset.Open(dir); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	check("testdata/nothing", "the data folder testdata/nothing is not there")
	check("testdata/make.py", "the data folder testdata/make.py is a file: want the folder that it lies in")
}
