package record

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Sample is what an exported line says of a question, beside the answer.
type Sample struct {
	Document int             // its place in the data set, from 0
	Doc      json.RawMessage // the document, a JSON object as the data set has it
	Target   string          // the right answer, as Python's str writes it
	Requests []Request       // one for each choice, or one
}

// Request is what a model was asked: the log-likelihood of a continuation, a
// text, or the log-likelihood of a whole text.
type Request struct {
	Context      string
	Continuation string          // with the delimiter before it
	Generation   json.RawMessage // how a text is generated, a JSON object with until and so on; nil for a log-likelihood
	Whole        bool            // the log-likelihood of Context itself
}

// ExportOptions says what a run does not know of itself.
type ExportOptions struct {
	Time   time.Time                    // in the names of files, and the date in them
	Sample func(Record) (Sample, error) // of the question of a record
	Tasks  map[string]TaskExport
	Groups []GroupExport // an inner one before those that contain it
	Header HarnessHeader
}

// TaskExport is what the results file says of a task beside its scores.
type TaskExport struct {
	Alias          string
	Version        string
	Shots          int
	Original       int             // items of the data set; 0: as many as were asked
	Config         json.RawMessage // of the task, a JSON object
	HigherIsBetter map[string]bool
	Results        map[string]float64 // by metric, of those that are not the mean of the items
}

// GroupExport is a group of tasks, whose scores are means weighted by items.
type GroupExport struct {
	Name, Alias string
	Tasks       []string // tasks and groups
}

// dateForm is how lm-evaluation-harness writes a time in a file's name.
const dateForm = "2006-01-02T15-04-05.000000"

// Export writes a run as lm-evaluation-harness 0.4 does, for its tools and those
// of others: DIR/MODEL/results_DATE.json and DIR/MODEL/samples_TASK_DATE.jsonl,
// a line for each document and filter. A model with several seeds gets a folder
// for each, MODEL_seed_SEED, since that program knows none. It returns the
// files' paths. [Read] of DIR gives the records back.
//
// Log-likelihoods and verdicts stand there as text, as that program has them;
// doc_hash is the record's, prompt_hash and target_hash are made by its rule. A
// member "surgeon" holds what it has no place for. It panics without a Sample.
func Export(dir string, run Run, opt ExportOptions) (paths []string, err error) {
	if opt.Sample == nil {
		panic("record: Export without a Sample")
	}
	parts, err := partsOf(run)
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		folder := filepath.Join(dir, part.folder)
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return paths, err
		}
		files, err := part.export(opt)
		if err != nil {
			return paths, err
		}
		for _, name := range sortedKeys(files) {
			path := filepath.Join(folder, name)
			if err := WriteFile(path, files[name]); err != nil {
				return paths, err
			}
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// exportPart is the answers of one model with one seed.
type exportPart struct {
	folder string
	model  string
	seed   int64
	tasks  map[string][]Record
}

// partsOf divides a run by model and seed.
func partsOf(run Run) (parts []*exportPart, err error) {
	type name struct {
		model string
		seed  int64
	}
	place := map[name]*exportPart{}
	seeds := map[string]int{}
	for _, r := range run.Records {
		key := name{r.Model, r.Seed}
		if place[key] == nil {
			place[key] = &exportPart{model: r.Model, seed: r.Seed, tasks: map[string][]Record{}}
			parts = append(parts, place[key])
			seeds[r.Model]++
		}
		part := place[key]
		part.tasks[r.Task] = append(part.tasks[r.Task], r)
	}
	for _, part := range parts {
		for _, records := range part.tasks { // so that sums have one order
			slices.SortStableFunc(records, func(a, b Record) int { return cmp.Compare(a.Item, b.Item) })
		}
	}
	slices.SortFunc(parts, func(a, b *exportPart) int {
		return cmp.Or(cmp.Compare(a.model, b.model), cmp.Compare(a.seed, b.seed))
	})
	owner := map[string]string{}
	for _, part := range parts {
		part.folder = safeName(part.model)
		if seeds[part.model] > 1 {
			part.folder += "_seed_" + strconv.FormatInt(part.seed, 10)
		}
		if other, taken := owner[part.folder]; taken {
			return nil, fmt.Errorf("models %q and %q would share the folder %q: call one otherwise", other, part.model, part.folder)
		}
		owner[part.folder] = part.model
	}
	return parts, nil
}

// export makes the files of a part, by name.
func (p *exportPart) export(opt ExportOptions) (map[string][]byte, error) {
	date := opt.Time.Format(dateForm)
	files := map[string][]byte{}
	hashes := map[string]string{}
	for _, task := range sortedKeys(p.tasks) {
		text, hash, err := exportTask(p.tasks[task], opt)
		if err != nil {
			return nil, err
		}
		name := "samples_" + safeName(task) + "_" + date + ".jsonl"
		if files[name] != nil {
			return nil, fmt.Errorf("two tasks would share the file %s: call one otherwise", name)
		}
		files[name], hashes[task] = text, hash
	}
	text, err := p.results(opt, hashes)
	files["results_"+date+".json"] = text
	return files, err
}
