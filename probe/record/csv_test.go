package record_test

import (
	"path/filepath"
	"strings"
	"testing"

	"surgeon/probe/record"
)

func scored(model, task, item, cluster string, seed int64, scores map[string]float64) record.Record {
	return record.Record{Model: model, Task: task, Item: item, Cluster: cluster, Seed: seed, Scores: scores}
}

func TestReadCSV(t *testing.T) {
	check := func(name, text string, want []record.Record, notes ...string) {
		t.Helper()
		same(t, read(t, filepath.Join(files(t, map[string]string{name: text}), name)), want, notes...)
	}
	type s = map[string]float64
	check("plain.csv", "task,item,seed,score\ngsm8k,0,1,1\ngsm8k,1,1,0.5\n", []record.Record{
		scored("", "gsm8k", "0", "", 1, s{"score": 1}), scored("", "gsm8k", "1", "", 1, s{"score": 0.5})})
	check("windows", "\xef\xbb\xbfSeed, Score ,item,model,TASK,metric,cluster,note\r\n-3,true,\"a,\"\"b\"\"\",chem,t,acc,c,x\r\n-3,false,\"a,\"\"b\"\"\",chem,t,acc_norm,c,\"two\r\nlines\"\r\n", []record.Record{
		scored("chem", "t", `a,"b"`, "c", -3, s{"acc": 1, "acc_norm": 0})}, `columns that are not used: "note"`)
	check("gaps.csv", "task,item,seed,score,metric\nt,a,0,,x\nt,a,0,1e-3,y\nt,b,0,NaN,x\nt,c,0,null,x\n", []record.Record{
		scored("", "t", "a", "", 0, s{"y": 0.001})}, "3 rows left out, whose score is empty or not a number (lines 2, 4, 5)")
	check("lines.jsonl", "\xef\xbb\xbf{\"task\":\"t\",\"item\":1,\"seed\":\"2\",\"score\":true,\"ms\":5}\r\n\r\n{\"task\":\"t\",\"item\":\"b\",\"seed\":2,\"score\":NaN}\n{\"score\":0.25,\"item\":\"c\",\"seed\":2,\"task\":\"t\",\"metric\":\"acc\",\"cluster\":null}",
		[]record.Record{scored("", "t", "1", "", 2, s{"score": 1}), scored("", "t", "c", "", 2, s{"acc": 0.25})},
		"1 row left out", "fields that are not used: ms")
}

func TestCSVRefuses(t *testing.T) {
	const header = "task,item,seed,score,cluster\n"
	refuses(t, "a.csv", "task,item,score\nt,a,1\n", `a.csv:1: the header has no column "seed": it needs task, item, seed, score`)
	refuses(t, "a.csv", "task,item,seed,score,Item\n", `a.csv:1: the column "item" is there twice`)
	refuses(t, "a.csv", "task;item;seed;score\n", "separated by commas")
	refuses(t, "a.csv", header, "has no scores")
	refuses(t, "a.csv", header+"t,a,0,1\n", "a.csv:2: the line does not have as many fields as the header")
	refuses(t, "a.csv", header+"t,a,0,1,c\nt,a,0,1,c\n", `a.csv:3: task "t", item "a", seed 0 has a score of "score" in line 2 already`)
	refuses(t, "a.csv", header+"t,a,0.5,1,c\n", `a.csv:2: the seed "0.5" is not a whole number`)
	refuses(t, "a.csv", header+"t,a,99999999999999999999,1,c\n", "a.csv:2: the seed")
	refuses(t, "a.csv", header+"t,a,0,1e400,c\n", `a.csv:2: the score "1e400" is not a number`)
	refuses(t, "a.csv", header+"t,a,0,1e200,c\n", `a.csv:2: the score "1e200" is not a number up to 1e+100`)
	refuses(t, "a.csv", header+"t,a,0,inf,c\n", `a.csv:2: the score "inf" is not a number`)
	refuses(t, "a.csv", header+"t,a,0,0x1p-2,c\n", `a.csv:2: the score`)
	refuses(t, "a.csv", header+"t,a,0,right,c\n", `a.csv:2: the score "right" is not a number`)
	refuses(t, "a.csv", header+",a,0,1,c\n", "a.csv:2: task and item must not be empty")
	refuses(t, "a.csv", header+"t,\xff,0,1,c\n", "a.csv:2: is not UTF-8")
	refuses(t, "a.csv", header+"t,\"a,0,1,c\n", "is not CSV")
	refuses(t, "a.csv", "task,item,seed,score,cluster,metric\nt,a,0,1,c,x\nt,a,0,1,d,y\n", `a.csv:3: item "a" of task "t" is in cluster "d" here and in "c" before`)
	refuses(t, "a.jsonl", `{"task":"t","item":"a","seed":1,"score":1}`+"\n{\n", "a.jsonl:2: is not JSON: unexpected end")
	refuses(t, "a.jsonl", `{"task":"t","item":"a","seed":1,"score":1}`+"\n"+`{"task":"t","item":"a","score":1}`, `a.jsonl:2: has no "seed"`)
	refuses(t, "a.jsonl", `{"task":["t"],"item":"a","seed":1,"score":1}`, `a.jsonl:1: "task" must be text or a number`)
	refuses(t, "a.jsonl", `{"task":"t","item":"a","seed":1,"score":"`+strings.Repeat("9", 500)+`"}`, "a.jsonl:1: the score")
}
