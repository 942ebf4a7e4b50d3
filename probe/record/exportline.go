package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// asked is a record and its question.
type asked struct {
	Record
	sample Sample
}

// exportTask makes the lines of a task: all documents of a filter, then those of
// the next. The hash is of all their hashes.
func exportTask(records []Record, opt ExportOptions) (text []byte, hash string, err error) {
	var all []asked
	filters := map[string]bool{}
	for _, r := range records {
		sample, err := opt.Sample(r)
		if err == nil {
			err = checkSample(r, sample)
		}
		if err != nil {
			return nil, "", fmt.Errorf("task %q, item %q cannot be exported: %w", r.Task, r.Item, err)
		}
		all = append(all, asked{r, sample})
		for metric := range r.Scores {
			_, filter := splitMetric(metric)
			filters[filter] = true
		}
	}
	slices.SortStableFunc(all, func(a, b asked) int { return cmp.Compare(a.sample.Document, b.sample.Document) })
	for i := 1; i < len(all); i++ {
		if all[i].sample.Document == all[i-1].sample.Document {
			return nil, "", fmt.Errorf("items %q and %q of task %q are both document %d: each must be one", all[i-1].Item, all[i].Item, all[i].Task, all[i].sample.Document)
		}
	}
	var out, hashes bytes.Buffer
	for _, filter := range sortedKeys(filters) {
		for _, a := range all {
			if line := a.line(filter, &hashes); line != nil {
				out.Write(compact(line))
				out.WriteByte('\n')
			}
		}
	}
	return out.Bytes(), hashText(hashes.String()), nil
}

// splitMetric divides "exact_match,strict-match" into metric and filter.
func splitMetric(name string) (metric, filter string) {
	metric, filter, ok := strings.Cut(name, ",")
	if !ok {
		filter = "none"
	}
	return metric, filter
}

// checkSample says what keeps a record from being exported.
func checkSample(r Record, sample Sample) error {
	if len(r.Scores) == 0 {
		return fmt.Errorf("it has no score")
	}
	seen := map[string]bool{}
	for name, score := range r.Scores {
		metric, _ := splitMetric(name)
		switch {
		case slices.Contains(sampleFields, metric), seen[fullName(name)]:
			return fmt.Errorf("a metric cannot be called %q", name)
		case !(math.Abs(score) <= largestScore):
			return fmt.Errorf("its score of %q is %v", name, score)
		}
		seen[fullName(name)] = true
	}
	if len(sample.Requests) == 0 {
		return fmt.Errorf("nothing says what was asked")
	}
	if hash := hashText(sample.Requests[0].Context); r.PromptHash != "" && r.PromptHash != hash {
		return fmt.Errorf("its prompt has the hash %.12s, and what was asked has %.12s", hash, r.PromptHash)
	}
	if len(r.LogProbs) > 0 && len(r.LogProbs) != len(sample.Requests) {
		return fmt.Errorf("it has %d log-likelihoods of %d requests", len(r.LogProbs), len(sample.Requests))
	}
	if len(r.Greedy) > 0 && len(r.Greedy) != len(r.LogProbs) {
		return fmt.Errorf("it has %d log-likelihoods, of which %d are said to be greedy or not", len(r.LogProbs), len(r.Greedy))
	}
	for _, raw := range append([]json.RawMessage{sample.Doc}, generations(sample)...) {
		if len(raw) > 0 && !json.Valid(raw) {
			return fmt.Errorf("its document or its arguments are not JSON")
		}
	}
	return nil
}

func generations(sample Sample) (all []json.RawMessage) {
	for _, request := range sample.Requests {
		all = append(all, request.Generation)
	}
	return all
}

// line is the line of a filter, or nil if the record has no score of it.
func (a asked) line(filter string, hashes *bytes.Buffer) *object {
	var metrics []string
	names := map[string]string{} // in the record
	for _, name := range sortedKeys(a.Scores) {
		if metric, of := splitMetric(name); of == filter {
			metrics = append(metrics, metric)
			names[metric] = name
		}
	}
	if len(metrics) == 0 {
		return nil
	}
	promptHash, targetHash := hashText(a.sample.Requests[0].Context), hashText(a.sample.Target)
	hashes.WriteString(a.DocHash + promptHash + targetHash)
	responses, filtered := a.responses(names[metrics[0]])
	line := &object{}
	line.set("doc_id", a.sample.Document)
	line.set("doc", rawOr(a.sample.Doc, nil))
	line.set("target", a.sample.Target)
	line.set("arguments", a.sample.arguments())
	line.set("resps", responses)
	line.set("filtered_resps", filtered)
	line.set("filter", filter)
	line.set("metrics", metrics)
	line.set("doc_hash", a.DocHash)
	line.set("prompt_hash", promptHash)
	line.set("target_hash", targetHash)
	for _, metric := range metrics {
		line.set(metric, a.value(names[metric]))
	}
	line.set(ownName, a.own())
	return line
}

// arguments are those of each request, under the names gen_args_0 and so on.
func (s Sample) arguments() *object {
	all := &object{}
	for i, request := range s.Requests {
		one := &object{}
		one.set("arg_0", request.Context)
		switch {
		case len(request.Generation) > 0:
			one.set("arg_1", request.Generation)
		case !request.Whole:
			one.set("arg_1", request.Continuation)
		}
		all.set("gen_args_"+strconv.Itoa(i), one)
	}
	return all
}

// responses are what the model answered to each request, and what the filter of
// a metric left of it, all leaves as text.
func (a asked) responses(metric string) (responses, filtered []any) {
	responses, filtered = []any{}, []any{}
	for i, logProb := range a.LogProbs {
		var response any = pythonFloat(logProb)
		if !a.sample.Requests[i].Whole {
			greedy := i < len(a.Greedy) && a.Greedy[i]
			response = []string{pythonFloat(logProb), pythonBool(greedy)}
		}
		responses, filtered = append(responses, []any{response}), append(filtered, response)
	}
	if a.Text != nil {
		extracted, ok := a.Extracted[metric]
		if !ok {
			extracted = *a.Text
		}
		responses, filtered = append(responses, []string{*a.Text}), append(filtered, extracted)
	}
	return responses, filtered
}

// value is a score as that program has it: a list of verdicts, a verdict, or a
// number with a point.
func (a asked) value(name string) any {
	score := a.Scores[name]
	if parts := a.Parts[name]; len(parts) > 0 {
		return parts
	}
	if strings.HasPrefix(name, "prompt_level_") && (score == 0 || score == 1) {
		return score == 1
	}
	return json.RawMessage(pythonFloat(score))
}

// own is what lm-evaluation-harness has no place for.
func (a asked) own() ownFields {
	own := ownFields{Key: a.Key, Model: a.Model, Task: a.Task, Item: a.Item, Cluster: a.Cluster, Seed: a.Seed,
		NoGreedy: len(a.LogProbs) > 0 && len(a.Greedy) == 0,
		Chosen:   a.Chosen, Finish: a.Finish, Tokens: a.Tokens, Extracted: a.Extracted, Flags: a.Flags}
	for name, score := range a.Scores {
		if parts := a.Parts[name]; len(parts) > 0 && share(parts) != score {
			if own.Scores == nil {
				own.Scores = map[string]float64{}
			}
			own.Scores[name] = score
		}
	}
	return own
}
