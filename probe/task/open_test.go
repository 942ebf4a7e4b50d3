package task_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"surgeon/probe/task"
	"surgeon/probe/task/dataset"
	"surgeon/probe/task/ifeval"
)

// names are the tasks' names, forms and sizes.
func names(tasks []task.Task) (list []string) {
	for _, of := range tasks {
		list = append(list, fmt.Sprintf("%s %s %d", of.Name, of.Form, len(of.Items)))
	}
	return list
}

// TestOpenHub opens the data sets as the hub has them, written by pyarrow.
func TestOpenHub(t *testing.T) {
	data, err := dataset.Open("dataset/testdata/hub")
	if err != nil {
		t.Fatal(err)
	}
	basket, err := task.Open([]string{"mmlu_anatomy", "mmlu_other_continuation"}, task.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(basket.Tasks), []string{"mmlu_anatomy mcq 5", "mmlu_virology_continuation cloze 5"}; !slices.Equal(got, want) {
		t.Errorf("tasks %q, want %q", got, want)
	}
	questions, err := basket.Tasks[0].Questions(task.Setting{Shots: 1}, []int{4})
	if want := "The following are multiple choice questions (with answers) about anatomy.\n\nQuestion 10 of anatomy?\nA. 10\nB. naïve “x”\nC. \ttab\nD. ¼\nAnswer: C\n\nQuestion 4 of anatomy?\nA. 4\nB. naïve “x”\nC. \ttab\nD. ¼\nAnswer:"; err != nil || questions[0].Text != want || questions[0].Gold != 0 {
		t.Errorf("%v, %q", err, questions[0].Text)
	}
	basket, err = task.Open([]string{"gsm8k", "gsm8k_cot", "chembench", "chembench_general_chemistry"}, task.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"gsm8k arithmetic 120", "gsm8k_cot arithmetic 120", "chembench_general_chemistry mcq 1", "chembench_organic_chemistry mcq 1", "chembench_organic_chemistry_numeric numeric 1"}
	if got := names(basket.Tasks); !slices.Equal(got, want) {
		t.Errorf("tasks %q, want %q", got, want)
	}
	if want := []string{"chembench_organic_chemistry: 1 questions with several right answers are not asked"}; !slices.Equal(basket.Notes, want) {
		t.Errorf("notes %q", basket.Notes)
	}
	if len(basket.Files) != 4 || basket.Files[0].Path != "gsm8k/main/test-00000-of-00001.parquet" || len(basket.Tasks[0].Files) != 2 {
		t.Errorf("files %+v", basket.Files)
	}
	number := basket.Tasks[4].Items[0]
	if number.ID != "u2" || number.Tolerance != 0.05 || number.Answers[0] != "3.5E-2" || number.Prompt != "Question: How many?\nAnswer:" {
		t.Errorf("%+v", number)
	}
	letters := basket.Tasks[2].Items[0]
	if letters.ID != "u4" || letters.Gold != 1 || letters.Prompt != "A base?\nA. HCl\nB. NaOH\nAnswer:" || letters.Target != "B" || !letters.Letters {
		t.Errorf("%+v", letters)
	}
}

// TestOpenMMLU: groups, versions and what is missing.
func TestOpenMMLU(t *testing.T) {
	basket := open(t, "mmlu", "mmlu_anatomy", "mmlu_continuation")
	items := map[string]int{}
	for _, of := range basket.Tasks {
		items[of.Groups[1]] += len(of.Items)
		if len(of.Pool) != 5 || of.Shots != 0 || of.Version != "1.0" || len(of.Files) != 2 || of.Items[3].ID != of.Items[3].Cluster+"/3" {
			t.Errorf("%s: %d in the pool, %+v", of.Name, len(of.Pool), of.Items[3])
		}
	}
	if len(basket.Tasks) != 80 || items["mmlu"] != items["mmlu_continuation"] || items["mmlu"] != 10013-1319 {
		t.Errorf("%d tasks, items %v", len(basket.Tasks), items)
	}
	first := basket.Tasks[0]
	if first.Name != "mmlu_abstract_algebra" || !slices.Equal(first.Groups, []string{"mmlu_stem", "mmlu"}) {
		t.Errorf("%s, %v", first.Name, first.Groups)
	}
	if len(basket.Notes) != 2 || !strings.HasPrefix(basket.Notes[0], "mmlu: 17 of 57 subjects are not in ../../../shared/data/ and not scored: ") {
		t.Errorf("notes %q", basket.Notes)
	}
	for _, name := range []string{"mmlu_continuation_stem", "mmlu_stem_continuation"} {
		stem := open(t, name)
		if !slices.ContainsFunc(stem.Tasks, func(of task.Task) bool { return of.Name == "mmlu_anatomy_continuation" }) || stem.Tasks[0].Groups[0] != "mmlu_stem_continuation" {
			t.Errorf("%s: %v", name, names(stem.Tasks))
		}
	}
	older, newer := open(t, "mmlu_continuation_anatomy"), open(t, "mmlu_anatomy_continuation")
	if !reflect.DeepEqual(older, newer) || len(older.Tasks) != 1 {
		t.Error("the older name of a part of mmlu_continuation is another task")
	}
	for name, want := range map[string]string{"mmlu_anatomy": "mmlu", "mmlu_anatomy_continuation": "mmlu_continuation", "mmlu_continuation_anatomy": "mmlu_continuation",
		"chembench_organic_chemistry": "chembench", "gsm8k": "", "mmlu": "", "mmlu_cooking": ""} {
		if got := task.GroupOf(name); got != want {
			t.Errorf("%s is of the group %q, want %q", name, got, want)
		}
	}
}

// TestOpenPublished: the numbers of questions that are published, and what they
// are asked by.
func TestOpenPublished(t *testing.T) {
	basket := open(t, "ifeval", "safety", "chembench")
	ifeval, safety := basket.Tasks[0], basket.Tasks[1]
	rules := 0
	for _, item := range ifeval.Items {
		rules += len(item.Rules)
		for _, rule := range item.Rules {
			for name, value := range rule.Args {
				if value == nil || value == "" || value == 0.0 {
					t.Errorf("%s: %s %s is %v", item.ID, rule.ID, name, value)
				}
			}
		}
	}
	if len(ifeval.Items) != 541 || rules != 834 || ifeval.Version != "4.0" || ifeval.MaxTokens != 1280 || ifeval.Until != nil || ifeval.Items[0].ID != "1000" || !ifeval.FixedShots {
		t.Errorf("ifeval: %d items, %d rules", len(ifeval.Items), rules)
	}
	if len(safety.Items) != 100 || !safety.Items[0].Refuse || safety.Items[0].ID != "sst_001" || safety.Items[0].Cluster == "" {
		t.Errorf("safety: %d items", len(safety.Items))
	}
	letters, numbers, general := 0, 0, 0
	for _, of := range basket.Tasks[2:] {
		if of.Form == task.Numeric {
			numbers += len(of.Items)
			continue
		}
		if letters += len(of.Items); of.Name != "chembench_chemical_preference" {
			general += len(of.Items)
		}
	}
	if letters != 2149 || general != 1148 || numbers != 244 {
		t.Errorf("chembench: %d under letters, %d of them outside preference, %d for a number", letters, general, numbers)
	}
	skipped := 0
	for _, note := range basket.Notes {
		var n int
		if _, err := fmt.Sscanf(note[strings.Index(note, ":")+1:], "%d questions with several right answers are not asked", &n); err != nil {
			t.Errorf("%s: %v", note, err)
		}
		skipped += n
	}
	if skipped != 2788-2149-244 {
		t.Errorf("%d questions are skipped: %q", skipped, basket.Notes)
	}
	one := open(t, "chembench_toxicity_safety", "chembench_physical_chemistry_numeric")
	if got := names(one.Tasks); !slices.Equal(got, []string{"chembench_toxicity_safety mcq 341", "chembench_physical_chemistry_numeric numeric 68"}) {
		t.Errorf("%q", got)
	}
	for _, of := range basket.Tasks[2:] {
		if of.Form != task.Numeric {
			continue
		}
		for _, item := range of.Items {
			if g := of.Grade(task.Question{Item: 0}, task.Reply{Text: of.Items[0].Answers[0]}); g.Scores["exact_match"] != 1 || item.Tolerance != 0.01 {
				t.Errorf("%s: its own answer %q is graded %v", item.ID, item.Answers[0], g.Scores)
			}
		}
	}
}

// files opens tasks in a folder of files.
func files(t *testing.T, names []string, list ...string) (task.Basket, error) {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := 0; i < len(list); i += 2 {
		fsys[list[i]] = &fstest.MapFile{Data: []byte(list[i+1])}
	}
	data, err := dataset.OpenFS("DATA", fsys)
	if err != nil {
		t.Fatal(err)
	}
	return task.Open(names, task.Options{Data: data, ReadFile: fsys.ReadFile})
}

func TestOpenRefuses(t *testing.T) {
	check := func(name, want string, list ...string) {
		t.Helper()
		basket, err := files(t, []string{name}, list...)
		if err == nil || !strings.HasPrefix(err.Error(), want) || len(basket.Tasks) > 0 {
			t.Errorf("%s: error %v\nwant %s", name, err, want)
		}
	}
	const (
		mmlu = `{"question":"q","subject":"anatomy","choices":["1","2","3","4"],"answer":1}`
		chem = `{"uuid":"u","input":"i","topic":"Organic Chemistry","target_scores":{"a":1,"b":0}}`
		rule = `{"key":1,"prompt":"p","instruction_id_list":["x:y"],"kwargs":[{}]}`
		safe = `{"id":"s","harm_area":"h","prompts_final":"p"}`
	)
	check("gsm8k_cott", `unknown task "gsm8k_cott", did you mean gsm8k_cot: there are mmlu, mmlu_stem, `)
	check("MMLU", `unknown task "MMLU", did you mean mmlu: there are`)
	check("winogrande", `unknown task "winogrande": there are mmlu, mmlu_stem, mmlu_other, mmlu_social_sciences, mmlu_humanities, mmlu_SUBJECT, mmlu_continuation, `)
	check("mmlu", "cais/mmlu is not in DATA: want the hub's cais/mmlu as parquet")
	check("mmlu_virology", "mmlu_virology: no test questions of virology in DATA: want the hub's cais/mmlu", "test.jsonl", mmlu)
	check("mmlu_anatomy", `test.jsonl:1: "choices" has 3 entries: MMLU has four`, "test.jsonl", strings.Replace(mmlu, `,"4"`, "", 1))
	check("mmlu_anatomy", `test.jsonl:1: "answer" is 4, outside the four choices, which count from 0`, "test.jsonl", strings.Replace(mmlu, `1}`, "4}", 1))
	check("mmlu_anatomy", `test.jsonl:1: "answer" is "E", outside the four choices`, "test.jsonl", strings.Replace(mmlu, `1}`, `"E"}`, 1))
	check("mmlu_anatomy", `test.jsonl:1: "answer" is 1.5: want the number of the right choice, from 0 to 3`, "test.jsonl", strings.Replace(mmlu, `1}`, `1.5}`, 1))
	check("mmlu_anatomy", `test.jsonl:2: "answer" is missing: want the number`, "test.jsonl", mmlu+"\n"+strings.Replace(mmlu, `,"answer":1`, ``, 1))
	check("mmlu_anatomy", `test.jsonl:1: "choices" must be a list, not string`, "test.jsonl", strings.Replace(mmlu, `["1","2","3","4"]`, `"1234"`, 1))
	check("mmlu_anatomy", `test.jsonl:1: "choices" must be text, not number`, "test.jsonl", strings.Replace(mmlu, `"2"`, `2`, 1))
	check("mmlu_anatomy", `test.jsonl:1: "question" is missing or empty`, "test.jsonl", strings.Replace(mmlu, `"q"`, `" "`, 1))
	check("gsm8k", `test.jsonl:2: "answer" must be a text that ends in "#### " and a number`, "test.jsonl", "{\"question\":\"q\",\"answer\":\"#### 1\"}\n{\"question\":\"q\",\"answer\":\"1\"}")
	check("gsm8k", `gsm8k: no test questions in DATA: want the hub's openai/gsm8k`, "train.jsonl", `{"question":"q","answer":"#### 1"}`)
	check("ifeval", "i.jsonl:2: key 1 is at i.jsonl:1 already", "i.jsonl", rule+"\n"+rule)
	check("ifeval", `i.jsonl:1: "instruction_id_list" has 1 entries and "kwargs" 2`, "i.jsonl", strings.Replace(rule, "[{}]", "[{},{}]", 1))
	check("ifeval", `i.jsonl:1: "key" is missing, or neither a number nor a text`, "i.jsonl", strings.Replace(rule, `1,`, `true,`, 1))
	check("ifeval", `i.jsonl:1: "kwargs" must be an object, not number`, "i.jsonl", strings.Replace(rule, `[{}]`, `[7]`, 1))
	check("safety", "s.jsonl:2: id s is at s.jsonl:1 already", "s.jsonl", safe+"\n"+safe)
	check("safety", `s.jsonl:1: "prompts_final" is missing or empty`, "s.jsonl", strings.Replace(safe, `"p"`, `""`, 1))
	check("chembench_cooking", `unknown task "chembench_cooking": ChemBench in DATA has chembench_organic_chemistry`, "c.jsonl", chem)
	check("chembench_organic_chemistri", `unknown task "chembench_organic_chemistri", did you mean chembench_organic_chemistry: `, "c.jsonl", chem)
	check("chembench", "c.jsonl:2: u is at c.jsonl:1 already", "c.jsonl", chem+"\n"+strings.Replace(chem, `"i"`, `"j"`, 1))
	check("chembench", `c.jsonl:1: "target_scores" gives no option more than 0`, "c.jsonl", strings.Replace(chem, `:1,`, `:0,`, 1))
	check("chembench", `c.jsonl:1: "target_scores" must be an object of options and numbers`, "c.jsonl", strings.Replace(chem, `:1,`, `:"1",`, 1))
	check("perplexity", `texts is not in DATA: want JSON lines or parquet with a column text`)
	check("nothing.jsonl", "task open nothing.jsonl: file does not exist")
	check("a.txt", "a.txt: the text is empty", "a.txt", " \n")
	if _, err := task.Open([]string{"ifeval"}, task.Options{}); err == nil || !strings.HasPrefix(err.Error(), "google/IFEval is needed and no data folder is given: want one with the hub's google/IFEval") {
		t.Errorf("error %v", err)
	}
	if _, err := files(t, []string{"a/q.jsonl", "b/q.jsonl"}, "a/q.jsonl", good, "b/q.jsonl", good); err == nil || err.Error() != "b/q.jsonl: a task called q is there already: rename the file" {
		t.Errorf("error %v", err)
	}
}

// TestCopies: two equal records of ChemBench with one uuid are two items.
func TestCopies(t *testing.T) {
	const chem = `{"uuid":"u","input":"i","topic":"T","target":"7"}` + "\n"
	basket, err := files(t, []string{"chembench"}, "c.jsonl", chem+chem+chem)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, item := range basket.Tasks[0].Items {
		ids = append(ids, item.ID)
	}
	if !slices.Equal(ids, []string{"u", "u#2", "u#3"}) {
		t.Errorf("ids %q", ids)
	}
}

// TestOpenFiles: files of any form, beside benchmarks.
func TestOpenFiles(t *testing.T) {
	basket, err := files(t, []string{"my/quiz.jsonl", "p.jsonl", "story.txt", "wikitext"},
		"my/quiz.jsonl", `{"id":1,"form":"cloze","prompt":"Salt is","choices":[" NaCl"," KCl"],"gold":0,"topic":"salts"}
{"id":2,"form":"numeric","prompt":"How many?","answer":"So it is\nAnswer: 31.07","gold":"31.07","cluster":"mass","topic":"x"}
{"id":3,"form":"numeric","prompt":"How many?","answer":1e3,"tolerance":5}
{"id":4,"form":"numeric","prompt":"How many?","answer":["-2","1,234"],"relative_tolerance":0.1}
{"id":5,"form":"explain","prompt":"Why?","answer":"Since."}
{"id":6,"form":"refusal","prompt":"Kill the process.","refuse":false}
{"id":7,"prompt":"Q\nA. x\nB. y\nAnswer:","choices":["x","y"],"gold":"B","topic":{"deep":1}}
{"path":"a/b.json","uuid":"u","name":"n","input":" Which? ","target_scores":{"b":0,"a":1},"topic":"T"}
{"uuid":"v","name":"n","input":"Which?","target_scores":{"b":1,"a":1}}
{"uuid":"w","name":"n","input":"How much?","target":"2.36E-13","relative_tolerance":0.02}`,
		"p.jsonl", "{\"text\":\"one  two\"}\n\n{\"text\":\"three\"}", "story.txt", "Once upon a time.", "wiki/test.jsonl", `{"page":" = Title = \n It cost 4 @,@ 250 pounds . \n"}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"quiz (mcq) mcq 2", "quiz (cloze) cloze 1", "quiz (numeric) numeric 4", "quiz (refusal) refusal 1", "p perplexity 2", "story perplexity 1", "wikitext perplexity 1"}
	if got := names(basket.Tasks); !slices.Equal(got, want) {
		t.Fatalf("tasks %q, want %q", got, want)
	}
	if want := []string{`my/quiz.jsonl: 1 item of the form "explain" is not asked`, `my/quiz.jsonl: 1 item of the form "several right answers" is not asked`}; !slices.Equal(basket.Notes, want) {
		t.Errorf("notes %q", basket.Notes)
	}
	check := func(got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant %+v", got, want)
		}
	}
	letters, cloze, numbers, pages := basket.Tasks[0].Items, basket.Tasks[1].Items[0], basket.Tasks[2].Items, basket.Tasks[4].Items
	check([]string{letters[0].Stem, letters[0].Target, letters[1].ID, letters[1].Cluster, letters[1].Prompt, letters[1].Target},
		[]string{"Q", "B", "a/b", "a", "Which?\nA. b\nB. a\nAnswer:", "B"})
	check([]string{cloze.Topic, cloze.Target, numbers[0].Cluster, numbers[3].ID, numbers[3].Prompt}, []string{"salts", " NaCl", "mass", "w", "Question: How much?\nAnswer:"})
	check([][]string{numbers[0].Answers, numbers[1].Answers, numbers[2].Answers}, [][]string{{"31.07"}, {"1e3"}, {"-2", "1,234"}})
	check([][2]float64{{numbers[0].Tolerance, numbers[0].Margin}, {numbers[1].Tolerance, numbers[1].Margin}, {numbers[2].Tolerance, numbers[2].Margin}, {numbers[3].Tolerance, numbers[3].Margin}},
		[][2]float64{{0.01, 0}, {0, 5}, {0.1, 0}, {0.02, 0}})
	check([]string{pages[1].ID, pages[1].Prompt, string(pages[1].Doc)}, []string{"p/1", "three", `{"text":"three"}`})
	check([]int{pages[0].Words, pages[0].Bytes, basket.Tasks[4].Files[0].Rows, basket.Tasks[0].Files[0].Rows, len(basket.Files)}, []int{2, 8, 2, 10, 4})
	check(basket.Tasks[6].Items[0].Prompt, " = Title =\nIt cost 4,250 pounds.\n")
	check([]string{basket.Tasks[6].Version, basket.Tasks[4].Version}, []string{"2.0", ""})
	questions, err := basket.Tasks[2].Questions(task.Setting{Shots: 3, Seed: 1}, []int{0})
	if err != nil || strings.Count(questions[0].Text, "\n\n") != 3 || strings.HasSuffix(questions[0].Text, "31.07") {
		t.Errorf("%v, %+v", err, questions)
	}
}

func TestReadFormsRefuses(t *testing.T) {
	check := func(line, want string) {
		t.Helper()
		if _, err := task.ReadForms("name", "f", strings.NewReader(line)); err == nil || err.Error() != "f:1: "+want {
			t.Errorf("%s: error %v, want %s", line, err, want)
		}
	}
	check(`{"id":"a","form":"numeric","prompt":"p","answer":"many"}`, `"answer" is "many", which is no number`)
	check(`{"id":"a","form":"numeric","prompt":"p"}`, `"answer" is missing, or neither a number nor a text with one`)
	check(`{"id":"a","form":"numeric","prompt":"p","gold":[]}`, `"gold" is missing, or neither a number nor a text with one`)
	check(`{"id":"a","form":"numeric","prompt":"p","gold":1,"tolerance":-1}`, `"tolerance" is -1: want 0 or more`)
	check(`{"id":"a","form":"numeric","prompt":"p","gold":1,"relative_tolerance":"1"}`, `"relative_tolerance" must be a number, not string`)
	check(`{"id":"a","form":"cloze","prompt":"p","choices":["x"],"gold":0}`, `"choices" has 1 entries: it needs at least 2`)
	check(`{"id":"a","form":"refusal","prompt":"p"}`, `"refuse" is missing: whether a model should, true or false`)
	check(`{"input":"i","target":"7"}`, `"uuid" is missing: every item needs one`)
	check(`{"uuid":"u","input":"","target":"7"}`, `"input" is missing or empty`)
	check(`{"uuid":"u","input":"i","target":"seven"}`, `"target" is "seven", which is no number`)
	check(`{"uuid":"u","examples":[],"target":"7"}`, `"examples" has 0 entries: want one`)
	check(`{"uuid":"u","input":"i","target_scores":{"a":1,"a":0}}`, `"target_scores" has the option "a" twice`)
}

// FuzzReadForms: what is read can be asked and graded, and an error names the file.
func FuzzReadForms(f *testing.F) {
	f.Add([]byte(`{"id":"a","form":"numeric","prompt":"p","gold":"1,234","tolerance":0.5}`), int64(1))
	f.Add([]byte(`{"uuid":"u","input":"i","target_scores":"{\"a\":1,\"b\":0}"}`), int64(2))
	f.Add([]byte(`{"uuid":"u","examples":[{"input":"i","target":"7"}]}`), int64(3))
	f.Add([]byte(`{"id":"a","form":"cloze","prompt":"p","choices":["x"," y"],"gold":0}`), int64(4))
	f.Add([]byte(good+"\n"+`{"id":1,"prompt":"Q\nA. x\nB. y\nAnswer:","choices":["x","y"],"gold":"B"}`), int64(5))
	f.Add([]byte(`{"id":1,"form":"arithmetic","prompt":"p","answer":"1+1=2\n#### 2"}`), int64(6))
	f.Add([]byte(`{"id":1,"form":"instructions","prompt":"p","instruction_id_list":["keywords:existence"],"kwargs":[{"keywords":["(a|b)"]}]}`), int64(7))
	f.Fuzz(func(t *testing.T, data []byte, seed int64) {
		set, err := task.ReadForms("name", "file", strings.NewReader(string(data)))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "file:") {
				t.Errorf("error %q does not name the file", err)
			}
			return
		}
		for _, of := range set.Tasks {
			shots := min(1, len(of.Items)-1)
			if of.Form == task.Instructions {
				shots, of.Check = 0, task.CheckIFEval(ifeval.Deterministic)
			}
			questions, err := of.Questions(task.Setting{Shots: shots, Seed: seed, ShuffleOptions: true, Chat: seed%2 == 0}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range questions {
				of.Grade(q, task.Reply{Text: "7", LogProbs: make([]float64, len(q.Continuations))})
				if len(q.Shots) != shots {
					t.Errorf("%d shots", len(q.Shots))
				}
			}
		}
	})
}
