package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Run is the answers of one evaluation, wherever they come from.
type Run struct {
	Records []Record
	Plan    *Plan    // of a run folder; nil for any other
	Source  string   // what the path was recognised as, in words
	Notes   []string // what limits the run without making it wrong, a sentence each
}

func (r *Run) note(format string, values ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, values...))
}

// Models lists the models of a run, in order.
func (r Run) Models() []string {
	seen := map[string]bool{}
	for _, record := range r.Records {
		seen[record.Model] = true
	}
	return sortedKeys(seen)
}

// Select is the part of a run that one model answered.
func (r Run) Select(model string) Run {
	r.Records = slices.DeleteFunc(slices.Clone(r.Records), func(record Record) bool { return record.Model != model })
	return r
}

// Read reads a run. What a path is shows in what it holds:
//
//   - a run folder, or its log.jsonl;
//   - a folder of lm-evaluation-harness, or one of its samples or results files;
//   - a log of Inspect, .eval or .json;
//   - CSV with the columns task, item, seed, score and perhaps cluster, metric
//     and model, or JSON lines of the same fields.
func Read(path string) (Run, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Run{}, err
	}
	if info.IsDir() {
		return readFolder(path)
	}
	return readFile(path)
}

// readFolder reads a run folder or a folder of another program.
func readFolder(dir string) (Run, error) {
	has := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	if has(logFile) || has(planFile) {
		return readRunFolder(dir)
	}
	files, err := sampleFiles(dir)
	switch {
	case err != nil:
		return Run{}, err
	case len(files) > 0:
		return readHarness(files)
	}
	logs := find(dir, "*.eval")
	if len(logs) == 0 {
		logs = find(dir, "*.json")
	}
	if len(logs) == 1 {
		return readFile(logs[0])
	}
	return Run{}, fmt.Errorf("%s is no run folder and holds neither samples_*.jsonl of lm-evaluation-harness nor one log of Inspect: %s", dir, advice(logs))
}

func advice(logs []string) string {
	if len(logs) > 1 {
		return fmt.Sprintf("name one of its %d files, such as %s", len(logs), filepath.Base(logs[0]))
	}
	return "name a file, or write samples with lm_eval --log_samples"
}

// find lists the files of a folder whose names have a pattern, in order.
func find(dir, pattern string) (paths []string) {
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if ok, _ := filepath.Match(pattern, entry.Name()); ok && !entry.IsDir() {
			paths = append(paths, filepath.Join(dir, entry.Name()))
		}
	}
	return paths
}

func readRunFolder(dir string) (Run, error) {
	run, err := readLogFile(filepath.Join(dir, logFile))
	if err != nil {
		return Run{}, err
	}
	run.Source = "a run folder"
	plan, err := ReadPlan(dir)
	switch {
	case err == nil:
		run.Plan = &plan
	case errors.Is(err, fs.ErrNotExist):
		run.note("%s has no %s: nothing says what was planned", dir, planFile)
	default:
		return Run{}, err
	}
	return run, nil
}

// readLogFile reads the log of a run.
func readLogFile(path string) (Run, error) {
	log, err := ReadLog(path)
	if err != nil {
		return Run{}, err
	}
	defer log.Close()
	run := Run{Source: "the log of a run", Notes: log.Warnings()}
	err = log.Each(func(r Record) error {
		run.Records = append(run.Records, r)
		return nil
	})
	if err == nil && len(run.Records) == 0 {
		err = fmt.Errorf("%s has no answers yet", path)
	}
	return run, err
}

// readFile reads a file, of a kind that its beginning shows.
func readFile(path string) (Run, error) {
	file, err := os.Open(path)
	if err != nil {
		return Run{}, err
	}
	defer file.Close()
	kind, err := recognise(file)
	if err != nil {
		return Run{}, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Run{}, err
	}
	switch kind {
	case isZip:
		return readInspectZip(path)
	case isInspect:
		return readInspect(path, file)
	case isSamples:
		return readHarness([]string{path})
	case isResults:
		return readHarnessOf(path)
	case isLog:
		return readLogFile(path)
	case isTable:
		return readTable(path, file)
	}
	return readCSV(path, file)
}
