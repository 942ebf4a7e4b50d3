package record

import (
	"bytes"
	"encoding/json"
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
