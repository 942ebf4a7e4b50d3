package record

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// harnessFolder is what the results file beside samples says of them.
type harnessFolder struct {
	model string
	seed  int64
	tasks []string
}

// samplesName is samples_TASK_DATE.jsonl.
var samplesName = regexp.MustCompile(`^samples_(.+?)(?:_(\d{4}-\d\d-\d\dT[0-9.:-]+))?\.jsonl$`)

// resultsName is results_DATE.json, or results.json of older versions, or
// NAME_DATE.json.
var resultsName = regexp.MustCompile(`^(?:results|.+_(\d{4}-\d\d-\d\dT[0-9.:-]+))\.json$`)

// sampleFiles lists the sample files of a folder and of the folders in it, which
// lm_eval names after models. Where a folder has a task twice the newest is
// listed.
func sampleFiles(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files = samplesIn(dir)
	for _, entry := range entries {
		if entry.IsDir() {
			files = append(files, samplesIn(filepath.Join(dir, entry.Name()))...)
		}
	}
	return files, nil
}

func samplesIn(dir string) []string {
	files := find(dir, "samples_*.jsonl")
	if len(files) == 0 && len(find(dir, "results.json")) > 0 {
		return find(dir, "*.jsonl") // as named before 0.4.3
	}
	return files
}

// newest drops the files of tasks that have a later one in the same folder.
func newest(run *Run, files []string) (kept []string) {
	place := map[[2]string]int{}
	for _, file := range files { // in the order of their dates
		match := samplesName.FindStringSubmatch(filepath.Base(file))
		if match == nil {
			kept = append(kept, file)
			continue
		}
		task := [2]string{filepath.Dir(file), match[1]}
		if at, again := place[task]; again {
			run.note("%s: a later file of the same task counts: %s", kept[at], filepath.Base(file))
			kept[at] = file
			continue
		}
		place[task] = len(kept)
		kept = append(kept, file)
	}
	return kept
}

// readHarness reads sample files into one run.
func readHarness(files []string) (Run, error) {
	run := Run{Source: "samples of lm-evaluation-harness"}
	for _, path := range newest(&run, files) {
		if err := readSamples(&run, path); err != nil {
			return Run{}, err
		}
	}
	if len(run.Records) == 0 {
		return Run{}, fmt.Errorf("%s has no scores", files[0])
	}
	return run, nil
}

// readHarnessOf reads the samples that were written with a results file.
func readHarnessOf(results string) (Run, error) {
	match := resultsName.FindStringSubmatch(filepath.Base(results))
	var files []string
	for _, file := range samplesIn(filepath.Dir(results)) {
		if match == nil || match[1] == "" || strings.Contains(filepath.Base(file), match[1]) {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return Run{}, fmt.Errorf("%s holds only averages, and there are no samples beside it: write them with lm_eval --log_samples", results)
	}
	return readHarness(files)
}

// besides reads what the results file of a samples file says.
func besides(run *Run, samples string) harnessFolder {
	dir := filepath.Dir(samples)
	folder := harnessFolder{model: filepath.Base(dir)}
	var date string
	if match := samplesName.FindStringSubmatch(filepath.Base(samples)); match != nil {
		date = match[2]
	}
	for _, path := range find(dir, "*.json") {
		match := resultsName.FindStringSubmatch(filepath.Base(path))
		if match == nil || match[1] != date && date != "" && match[1] != "" {
			continue
		}
		if err := folder.read(path); err != nil {
			run.note("%s: %v; the model is called %q after its folder", path, err, folder.model)
		}
	}
	return folder
}

func (f *harnessFolder) read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var results struct {
		ModelName string                     `json:"model_name"`
		Results   map[string]json.RawMessage `json:"results"`
		Config    struct {
			ModelArgs   json.RawMessage `json:"model_args"`
			FewshotSeed *int64          `json:"fewshot_seed"`
		} `json:"config"`
	}
	if err := newDecoder(io.LimitReader(file, maxLine)).Decode(&results); err != nil {
		return plain(err)
	}
	for _, name := range []string{results.ModelName, modelOf(results.Config.ModelArgs)} {
		if name != "" {
			f.model = name
			break
		}
	}
	if results.Config.FewshotSeed != nil {
		f.seed = *results.Config.FewshotSeed
	}
	f.tasks = sortedKeys(results.Results)
	return nil
}

// modelOf finds the model in the arguments of one, text or an object.
func modelOf(args json.RawMessage) string {
	var object map[string]json.RawMessage
	text, _ := scalarText(args)
	if json.Unmarshal(args, &object) == nil {
		text = ""
		for _, key := range sortedKeys(object) {
			value, _ := scalarText(object[key])
			text += key + "=" + value + ","
		}
	}
	for _, key := range []string{"peft", "delta", "pretrained", "model", "path", "engine"} {
		for _, argument := range strings.Split(text, ",") {
			if value, ok := strings.CutPrefix(argument, key+"="); ok {
				return value
			}
		}
	}
	return ""
}

// taskOf is the task of a samples file, by its name.
func (f harnessFolder) taskOf(path string) string {
	name := filepath.Base(path)
	if match := samplesName.FindStringSubmatch(name); match != nil {
		return match[1]
	}
	name = strings.TrimSuffix(name, ".jsonl")
	task := ""
	for _, known := range f.tasks { // MODEL_TASK.jsonl, as named before 0.4.3
		if strings.HasSuffix("_"+name, "_"+known) && len(known) > len(task) {
			task = known
		}
	}
	if task == "" {
		return name
	}
	return task
}
