package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// logFile is the log's file in a run folder.
const logFile = "log.jsonl"

// resultsFile is what a run came to.
const resultsFile = "results.json"

// Folder is a run folder that this process works in: a plan, and the answers so
// far.
type Folder struct {
	Dir  string
	Plan Plan
	Log  *Log

	lenders []*Log // of other folders
}

// OpenFolder makes a run folder of a plan, or opens one to go on with it. The
// plan is on the disk before OpenFolder returns, so before any score. A folder
// with another plan is refused in a sentence that names the first difference;
// one that another process writes to is refused too. It panics for a plan whose
// free parts are no JSON.
func OpenFolder(dir string, plan Plan) (*Folder, error) {
	plan.Hash() // panics
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	log, err := OpenLog(filepath.Join(dir, logFile))
	if err != nil {
		return nil, err
	}
	f := &Folder{Dir: dir, Plan: plan, Log: log}
	if err := f.agree(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// agree checks the plan with that of the folder, or writes it where there is
// none.
func (f *Folder) agree() error {
	there, err := ReadPlan(f.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if f.Log.Len() > 0 {
			return fmt.Errorf("%s has answers in %s but no %s that says to what: give another folder", f.Dir, logFile, planFile)
		}
		return f.writePlan()
	case err != nil:
		return err
	case there.Hash() == f.Plan.Hash():
		f.Plan.Argv, f.Plan.Created = there.Argv, there.Created
		return nil
	}
	difference, err := there.difference(f.Plan)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s holds a run with another plan: %s; give another folder", f.Dir, difference)
}

func (f *Folder) writePlan() error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(savedPlan{f.Plan.Hash(), f.Plan}); err != nil {
		return err
	}
	return WriteFile(filepath.Join(f.Dir, planFile), text.Bytes())
}

// Reuse has answers of other run folders serve this one: Answer finds them too.
// A later folder serves where earlier ones do not.
func (f *Folder) Reuse(dirs ...string) error {
	for _, dir := range dirs {
		if same, err := filepath.Abs(dir); err == nil {
			if own, err := filepath.Abs(f.Dir); err == nil && own == same {
				return fmt.Errorf("%s cannot reuse its own answers: it goes on with them anyway", dir)
			}
		}
		lender, err := ReadLog(filepath.Join(dir, logFile))
		if err != nil {
			return fmt.Errorf("%s has no answers to reuse: %w", dir, err)
		}
		f.lenders = append(f.lenders, lender)
	}
	return nil
}

// Answer finds the answer to a question: in the folder's log, or in one that it
// reuses, from which it is copied into the folder's. The question is a Record
// without its answer. A record of another folder serves if its key, task and
// document are the question's; model, item, cluster and seed are called in the
// copy as in the question.
func (f *Folder) Answer(question Record) (answer Record, found bool, err error) {
	if f.Log.Has(question.Key) {
		answer, err = f.Log.Get(question.Key)
		return answer, err == nil, err
	}
	for _, lender := range f.lenders {
		answer, err := lender.Get(question.Key)
		switch {
		case errors.Is(err, ErrNoRecord):
			continue
		case err != nil:
			return Record{}, false, err
		case answer.Task != question.Task || answer.DocHash != question.DocHash:
			continue
		}
		answer.Model, answer.Item, answer.Cluster, answer.Seed = question.Model, question.Item, question.Cluster, question.Seed
		return answer, true, f.Log.Append(answer)
	}
	return Record{}, false, nil
}

// WriteResults writes what the run came to, as results.json: the canonical JSON
// of a value, so that equal results are equal bytes. The file is replaced as a
// whole. A number that is not finite is an error.
func (f *Folder) WriteResults(results any) error {
	path := filepath.Join(f.Dir, resultsFile)
	text, err := indented(results)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	return WriteFile(path, text)
}

// Warnings are those of the logs.
func (f *Folder) Warnings() []string {
	warnings := f.Log.Warnings()
	for _, lender := range f.lenders {
		warnings = append(warnings, lender.Warnings()...)
	}
	return warnings
}

// Close closes the log, and those that are reused.
func (f *Folder) Close() error {
	err := f.Log.Close()
	for _, lender := range f.lenders {
		err = errors.Join(err, lender.Close())
	}
	return err
}

// WriteFile replaces a file as a whole: whatever happens, the path has the old
// bytes or the new ones, and the new ones are durable when it returns.
func WriteFile(path string, text []byte) (err error) {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDirectory(dir)
}
