package record_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/probe/record"
)

// goldens are results of lm_eval 0.4.13.
const goldens = "../../../shared/golden/lm_eval/base"

// goldenLine is an item of them.
type goldenLine struct {
	Task          string          `json:"task"`
	Item          string          `json:"item"`
	DocID         int             `json:"doc_id"`
	DocHash       string          `json:"doc_hash"`
	PromptHash    string          `json:"prompt_sha256"`
	Prompt        string          `json:"prompt"`
	Target        string          `json:"target"`
	Continuations []string        `json:"continuations"`
	LogProbs      []float64       `json:"loglikelihood"`
	Greedy        []bool          `json:"is_greedy"`
	Acc           *float64        `json:"acc"`
	AccNorm       *float64        `json:"acc_norm"`
	Text          *string         `json:"text"`
	ExactMatch    json.RawMessage `json:"exact_match"`
	PromptStrict  *bool           `json:"prompt_level_strict_acc"`
	PromptLoose   *bool           `json:"prompt_level_loose_acc"`
	InstStrict    []bool          `json:"inst_level_strict_acc"`
	InstLoose     []bool          `json:"inst_level_loose_acc"`
}

// record is the line as a Record, and the question to it.
func (g goldenLine) record() (record.Record, record.Sample) {
	r := record.Record{Model: "base", Task: g.Task, Item: g.Item, Seed: 1234, DocHash: g.DocHash, LogProbs: g.LogProbs, Greedy: g.Greedy, Text: g.Text,
		Scores: map[string]float64{}, Parts: map[string][]bool{}}
	sample := record.Sample{Document: g.DocID, Target: g.Target}
	for _, continuation := range g.Continuations {
		sample.Requests = append(sample.Requests, record.Request{Context: g.Prompt, Continuation: continuation})
	}
	if g.Text != nil {
		sample.Requests = []record.Request{{Context: g.Prompt, Generation: json.RawMessage(`{}`)}}
	}
	if g.Prompt != "" {
		r.PromptHash = g.PromptHash // Export refuses another
	}
	number := func(name string, x *float64) {
		if x != nil {
			r.Scores[name] = *x
		}
	}
	verdict := func(name string, x *bool) {
		if x != nil {
			r.Scores[name] = 0
			if *x {
				r.Scores[name] = 1
			}
		}
	}
	list := func(name string, x []bool) {
		if x != nil {
			r.Parts[name], r.Scores[name] = x, 0
			for _, right := range x {
				if right {
					r.Scores[name] += 1 / float64(len(x))
				}
			}
		}
	}
	number("acc", g.Acc)
	number("acc_norm", g.AccNorm)
	verdict("prompt_level_strict_acc", g.PromptStrict)
	verdict("prompt_level_loose_acc", g.PromptLoose)
	list("inst_level_strict_acc", g.InstStrict)
	list("inst_level_loose_acc", g.InstLoose)
	var byFilter map[string]float64
	if json.Unmarshal(g.ExactMatch, &byFilter) == nil {
		for filter, x := range byFilter {
			r.Scores["exact_match,"+filter] = x
		}
	}
	return r, sample
}

// TestExportGolden exports the items of every golden run and compares the
// averages, standard errors and groups with those that lm_eval printed.
func TestExportGolden(t *testing.T) {
	results, _ := filepath.Glob(filepath.Join(goldens, "*.results.json"))
	if len(results) == 0 {
		t.Skip("no goldens beside the checkout")
	}
	compared := 0
	for _, path := range results {
		if strings.Contains(path, "perplexity") {
			continue // not a mean of items
		}
		var want struct {
			Results map[string]map[string]any `json:"results"`
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &want)
		}
		if err != nil {
			t.Fatal(err)
		}
		var run record.Run
		samples := map[string]record.Sample{}
		lines, err := os.ReadFile(strings.TrimSuffix(path, ".results.json") + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		tasks := map[string]bool{}
		for _, line := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
			var golden goldenLine
			if err := json.Unmarshal([]byte(line), &golden); err != nil {
				t.Fatal(err)
			}
			r, sample := golden.record()
			run.Records = append(run.Records, r)
			samples[r.Item] = sample
			tasks[r.Task] = true
		}
		dir, _ := export(t, run, samples, func(opt *record.ExportOptions) {
			for name := range want.Results {
				if !tasks[name] {
					group := record.GroupExport{Name: name}
					for task := range tasks {
						group.Tasks = append(group.Tasks, task)
					}
					opt.Groups = append(opt.Groups, group)
				}
			}
		})
		var got struct {
			Results map[string]map[string]any `json:"results"`
		}
		text, err = os.ReadFile(filepath.Join(dir, "base", "results_"+date+".json"))
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		if err != nil {
			t.Fatal(err)
		}
		for task, metrics := range want.Results {
			for name, value := range metrics {
				other := got.Results[task][name]
				x, isNumber := value.(float64)
				y, also := other.(float64)
				switch {
				case name == "sample_count": // an object, of the count of each metric
				case isNumber != also || !isNumber && other != value || isNumber && math.Abs(x-y) > 1e-15*math.Max(1, math.Abs(x)):
					t.Errorf("%s: %s %s is %v, lm_eval has %v", filepath.Base(path), task, name, other, value)
				}
				compared++
			}
		}
		if back := read(t, dir); len(back.Records) != len(run.Records) {
			t.Errorf("%s: %d of %d records read back", filepath.Base(path), len(back.Records), len(run.Records))
		}
	}
	t.Logf("%d figures compared", compared)
}
