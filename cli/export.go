package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"surgeon/probe"
	"surgeon/probe/record"
	"surgeon/probe/task"
)

// exportRun writes answers as lm-evaluation-harness does.
func exportRun(dir string, e *evaluation, set *taskSet, scores []probe.Scores, opt benchOptions, now time.Time) error {
	run := record.Run{Plan: &e.plan}
	places := map[[3]string]int{}
	for i := range e.base {
		places[placeOf(e.base[i])] = i
	}
	for k, s := range scores {
		for _, t := range s.Tasks {
			for _, a := range t.Answers {
				run.Records = append(run.Records, e.record(k, a))
			}
		}
	}
	options := record.ExportOptions{Time: now, Tasks: map[string]record.TaskExport{}, Header: header(e, opt)}
	options.Sample = func(r record.Record) (record.Sample, error) { return e.sample(places[placeOf(r)]), nil }
	for i, t := range e.bench.Tasks {
		options.Tasks[t.Name] = e.exported(set, i, t, scores[0], opt)
	}
	for _, group := range slices.Backward(set.groups()) { // inner ones first
		options.Groups = append(options.Groups, record.GroupExport{Name: group.name, Alias: group.name, Tasks: group.tasks})
	}
	_, err := record.Export(dir, run, options)
	return err
}

func placeOf(r record.Record) [3]string { return [3]string{r.Task, r.Item, fmt.Sprint(r.Seed)} }

func header(e *evaluation, opt benchOptions) record.HarnessHeader {
	h := record.HarnessHeader{Source: "surgeon", DType: "float32", BatchSize: "1", Device: "cpu", Version: "0.4.13", MaxLength: e.bench.Config.Context,
		SystemInstruction: opt.setting.System, FewshotAsMultiturn: opt.setting.Chat && opt.setting.MultiTurn}
	h.ModelArgs = "pretrained=" + e.candidates[0].ID
	h.SHA = e.identities[0]
	if opt.limit > 0 {
		h.Limit = &opt.limit
	}
	return h
}

// sample is what an exported line says of a question.
func (e *evaluation) sample(at int) record.Sample {
	a := e.asked[at]
	t := &e.bench.Tasks[a.Task]
	item := t.Items[a.Item]
	s := record.Sample{Document: a.Item, Doc: item.Doc}
	if len(s.Doc) == 0 {
		s.Doc = asJSON(map[string]any{"id": item.ID, "prompt": item.Prompt, "choices": item.Choices, "answers": item.Answers})
	}
	switch {
	case t.Form == task.Perplexity:
		s.Target, s.Requests = item.Prompt, []record.Request{{Context: a.Prompt, Whole: true}}
		return s
	case item.Choices != nil:
		s.Target = fmt.Sprint(item.Gold)
		for _, c := range a.Question.Continuations {
			s.Requests = append(s.Requests, record.Request{Context: a.Prompt, Continuation: c})
		}
		return s
	case t.Form == task.Instructions:
		s.Target = "0" // lm-evaluation-harness has no other for ifeval
	case len(item.Answers) > 0:
		s.Target = item.Answers[0]
	}
	until := t.Until
	if until == nil {
		until = []string{}
	}
	sampling := e.bench.Sampling
	s.Requests = []record.Request{{Context: a.Prompt, Generation: asJSON(map[string]any{"until": until, "do_sample": sampling.Temperature > 0,
		"temperature": sampling.Temperature, "max_gen_toks": t.MaxTokens})}}
	return s
}

// exported is what the results file says of a task.
func (e *evaluation) exported(set *taskSet, i int, t task.Task, scores probe.Scores, opt benchOptions) record.TaskExport {
	plan := set.planned(i, t, opt)
	out := record.TaskExport{Alias: t.Name, Version: t.Version, Shots: plan.Shots, Original: len(t.Items), HigherIsBetter: map[string]bool{}}
	config := map[string]any{"task": t.Name, "num_fewshot": plan.Shots, "description": t.Description, "target_delimiter": t.Delimiter,
		"fewshot_delimiter": "\n\n", "metadata": map[string]any{"version": t.Version}, "form": t.Form}
	if t.Until != nil {
		config["generation_kwargs"] = map[string]any{"until": t.Until, "max_gen_toks": t.MaxTokens}
	}
	out.Config = json.RawMessage(asJSON(config))
	for _, metric := range t.Form.Metrics() {
		out.HigherIsBetter[metric] = task.HigherIsBetter(metric)
	}
	if t.Form == task.Perplexity { // asked once, whatever the seeds
		out.Results = map[string]float64{}
		for _, run := range scores.Tasks {
			if run.Task == t.Name {
				for _, metric := range t.Form.Metrics() {
					out.Results[metric] = aggregate(e, metric, run)
				}
			}
		}
	}
	return out
}
