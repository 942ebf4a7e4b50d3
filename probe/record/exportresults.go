package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// HarnessHeader is what the results file says of the program, the model and the
// settings. What is not known is null there.
type HarnessHeader struct {
	Source             string // model_source
	ModelArgs          string
	Parameters         int64 // of the model
	DType              string
	Revision           string
	SHA                string // of the model
	BatchSize          string
	Device             string
	Limit              *int
	Generation         json.RawMessage // gen_kwargs
	RandomSeed         *int64
	NumpySeed          *int64
	TorchSeed          *int64
	FewshotSeed        *int64 // nil: the run's seed
	GitHash            string
	Environment        string // pretty_env_info
	Version            string // lm_eval_version: whose tasks and rules were followed
	PadToken           []string
	EOSToken           []string // the token and its id
	BOSToken           []string
	EOTToken           *int // its id
	MaxLength          int
	SystemInstruction  string
	ChatTemplate       string
	FewshotAsMultiturn bool
	Seconds            float64
}

// results makes the results file of a part.
func (p *exportPart) results(opt ExportOptions, hashes map[string]string) ([]byte, error) {
	scores := map[string]*aggregate{}
	of := func(per func(task string) any) *object {
		all := &object{}
		for _, task := range sortedKeys(p.tasks) {
			all.set(task, per(task))
		}
		return all
	}
	for task, records := range p.tasks {
		scores[task] = aggregateOf(task, records, opt.Tasks[task])
	}
	groups, err := p.groups(opt, scores)
	if err != nil {
		return nil, err
	}
	results, inGroups, subtasks := &object{}, &object{}, &object{}
	for _, group := range groups {
		results.set(group.name, group.object())
		inGroups.set(group.name, group.object())
		subtasks.set(group.name, group.tasks)
	}
	for _, task := range sortedKeys(p.tasks) {
		results.set(task, scores[task].object())
	}
	out := &object{}
	out.set("results", results)
	if len(groups) > 0 {
		out.set("groups", inGroups)
	}
	out.set("group_subtasks", subtasks)
	out.set("configs", of(func(task string) any { return rawOr(opt.Tasks[task].Config, map[string]any{"task": task}) }))
	out.set("versions", of(func(task string) any { return versionOf(opt.Tasks[task].Version) }))
	out.set("n-shot", of(func(task string) any { return opt.Tasks[task].Shots }))
	out.set("higher_is_better", of(func(task string) any { return rawOrEmpty(opt.Tasks[task].HigherIsBetter) }))
	out.set("n-samples", of(func(task string) any {
		effective := len(p.tasks[task])
		original := opt.Tasks[task].Original
		if original == 0 {
			original = effective
		}
		return map[string]int{"original": original, "effective": effective}
	}))
	p.header(out, opt)
	out.set("task_hashes", of(func(task string) any { return hashes[task] }))
	p.tracker(out, opt.Header)
	var text bytes.Buffer
	err = json.Indent(&text, compact(out), "", "  ")
	return append(text.Bytes(), '\n'), err
}

func rawOrEmpty(m map[string]bool) map[string]bool {
	if m == nil {
		return map[string]bool{}
	}
	return m
}

// versionOf is a version as task files have it, a number where it is one.
func versionOf(version string) any {
	if version == "" {
		return "N/A"
	}
	if number, err := strconv.ParseFloat(version, 64); err == nil && !math.IsInf(number, 0) && !math.IsNaN(number) {
		return number
	}
	return version
}

// header adds the settings.
func (p *exportPart) header(out *object, opt ExportOptions) {
	h := opt.Header
	seed := h.FewshotSeed
	if seed == nil {
		seed = &p.seed
	}
	config := &object{}
	config.set("model", orNull(h.Source))
	config.set("model_args", h.ModelArgs)
	config.set("model_num_parameters", h.Parameters)
	config.set("model_dtype", orNull(h.DType))
	config.set("model_revision", h.Revision)
	config.set("model_sha", h.SHA)
	config.set("batch_size", orNull(h.BatchSize))
	config.set("batch_sizes", []int{})
	config.set("device", orNull(h.Device))
	config.set("use_cache", nil)
	config.set("limit", h.Limit)
	config.set("bootstrap_iters", 0)
	config.set("gen_kwargs", rawOr(h.Generation, map[string]any{}))
	config.set("random_seed", h.RandomSeed)
	config.set("numpy_seed", h.NumpySeed)
	config.set("torch_seed", h.TorchSeed)
	config.set("fewshot_seed", seed)
	out.set("config", config)
	out.set("git_hash", orNull(h.GitHash))
	out.set("date", json.RawMessage(pythonFloat(float64(opt.Time.UnixMicro())/1e6)))
	out.set("pretty_env_info", h.Environment)
	out.set("transformers_version", nil)
	out.set("lm_eval_version", orNull(h.Version))
	out.set("upper_git_hash", nil)
	out.set("tokenizer_pad_token", h.PadToken)
	out.set("tokenizer_eos_token", h.EOSToken)
	out.set("tokenizer_bos_token", h.BOSToken)
	out.set("eot_token_id", h.EOTToken)
	out.set("max_length", h.MaxLength)
}

// tracker adds what lm-evaluation-harness's tracker knows.
func (p *exportPart) tracker(out *object, h HarnessHeader) {
	sha := func(text string) any {
		if text == "" {
			return nil
		}
		return hashText(text)
	}
	out.set("model_source", orNull(h.Source))
	out.set("model_name", p.model)
	out.set("model_name_sanitized", p.folder)
	out.set("system_instruction", orNull(h.SystemInstruction))
	out.set("system_instruction_sha", sha(h.SystemInstruction))
	out.set("fewshot_as_multiturn", h.FewshotAsMultiturn)
	out.set("chat_template", orNull(h.ChatTemplate))
	out.set("chat_template_sha", sha(h.ChatTemplate))
	out.set("total_evaluation_time_seconds", pythonFloat(h.Seconds))
}

// aggregate is the scores of a task or group.
type aggregate struct {
	name, alias string
	items       int
	values      map[string]float64 // by metric and filter, "acc,none"
	errors      map[string]float64 // standard errors; of those that have one
	counts      map[string]int     // of a group, the items of each metric
	tasks       []string           // of a group
	leaves      map[string]bool    // of a group, the tasks in it and in its groups
}

// aggregateOf is the mean of the items' scores, by metric, and its standard
// error with n-1; of lists of verdicts the share of all, without an error.
func aggregateOf(task string, records []Record, about TaskExport) *aggregate {
	a := &aggregate{name: task, alias: about.Alias, items: len(records), values: map[string]float64{}, errors: map[string]float64{}}
	if a.alias == "" {
		a.alias = task
	}
	scores, parts := map[string][]float64{}, map[string][]bool{}
	for _, r := range records {
		for metric, score := range r.Scores {
			if list := r.Parts[metric]; len(list) > 0 {
				parts[metric] = append(parts[metric], list...)
			} else {
				scores[metric] = append(scores[metric], score)
			}
		}
	}
	for metric, list := range scores {
		mean, stderr := meanOf(list)
		a.values[fullName(metric)] = mean
		if len(list) > 1 {
			a.errors[fullName(metric)] = stderr
		}
	}
	for metric, list := range parts {
		a.values[fullName(metric)] = share(list)
		delete(a.errors, fullName(metric))
	}
	for metric, value := range about.Results {
		a.values[fullName(metric)] = value
		delete(a.errors, fullName(metric))
	}
	return a
}

// fullName is a metric's name with its filter.
func fullName(name string) string {
	metric, filter := splitMetric(name)
	return metric + "," + filter
}

// meanOf is the mean and its standard error, NaN of a single number.
func meanOf(list []float64) (mean, stderr float64) {
	n := float64(len(list))
	for _, x := range list {
		mean += x
	}
	mean /= n
	var squares float64
	for _, x := range list {
		squares += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(squares/(n-1)) / math.Sqrt(n)
}

// object is the scores as the results file has them.
func (a *aggregate) object() *object {
	out := &object{}
	out.set("name", a.name)
	out.set("alias", a.alias)
	out.set("sample_len", a.items)
	for _, name := range sortedKeys(a.values) {
		metric, filter := splitMetric(name)
		out.set(name, numberOr(a.values[name], true))
		stderr, ok := a.errors[name]
		out.set(metric+"_stderr,"+filter, numberOr(stderr, ok))
	}
	if a.counts != nil {
		out.set("sample_count", a.counts)
	}
	return out
}

// numberOr is a number, or "N/A" for none.
func numberOr(x float64, known bool) any {
	if !known || math.IsNaN(x) || math.IsInf(x, 0) {
		return "N/A"
	}
	return x
}

// groups aggregates the groups that have tasks here, outer ones first.
func (p *exportPart) groups(opt ExportOptions, scores map[string]*aggregate) (groups []*aggregate, err error) {
	for _, group := range opt.Groups {
		if scores[group.Name] != nil {
			return nil, fmt.Errorf("the group %q has the name of a task or of another group", group.Name)
		}
		a := groupOf(group, scores)
		if a.items > 0 {
			scores[group.Name] = a
			groups = append([]*aggregate{a}, groups...)
		}
	}
	return groups, nil
}

// groupOf is the mean of the tasks' scores weighted by their items, and its
// standard error from the variances within tasks,
// sqrt(sum (n-1) n se² / (N-k) / N) (lm_eval/api/metrics.py, pooled_sample_stderr).
func groupOf(group GroupExport, scores map[string]*aggregate) *aggregate {
	a := &aggregate{name: group.Name, alias: group.Alias, values: map[string]float64{}, errors: map[string]float64{},
		counts: map[string]int{}, leaves: map[string]bool{}}
	if a.alias == "" {
		a.alias = group.Name
	}
	for _, task := range group.Tasks {
		part := scores[task]
		if part == nil {
			continue
		}
		a.tasks = append(a.tasks, task)
		for leaf := range part.leaves {
			a.leaves[leaf] = true
		}
		if part.leaves == nil {
			a.leaves[task] = true
		}
	}
	leaves := sortedKeys(a.leaves)
	metrics := map[string]bool{}
	for _, leaf := range leaves {
		a.items += scores[leaf].items
		for metric := range scores[leaf].values {
			metrics[metric] = true
		}
	}
	for metric := range metrics {
		var count, tasks, sum, squares float64
		known := true
		for _, leaf := range leaves {
			value, ok := scores[leaf].values[metric]
			if !ok {
				continue
			}
			n := float64(scores[leaf].items)
			stderr, has := scores[leaf].errors[metric]
			known = known && has
			count, tasks, sum, squares = count+n, tasks+1, sum+n*value, squares+(n-1)*n*stderr*stderr
		}
		a.values[metric], a.counts[metric] = sum/count, int(count)
		if known {
			a.errors[metric] = math.Sqrt(squares / (count - tasks) / count)
		}
	}
	return a
}
