package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"surgeon/lora"
	"surgeon/probe/train"
)

// state is the folder where the state of the training is until it is finished: what
// train.Run.Save makes, and the log.
func (t *training) state() string { return filepath.Clean(t.opt.out) + ".training" }

// trainingLogName is the log's file in that folder.
const trainingLogName = "log.jsonl"

// vacant refuses a target that is there, or that is an input or holds one, and a
// folder of the state that is not a training's, before any work is done. An
// adapter does not go into the folder of a model, which it would turn into one of
// an adapter.
func (t *training) vacant() error {
	var inputs []string
	for _, path := range slices.Concat([]string{t.base.path("config.json")}, t.weights, t.opt.data, t.opt.replay, t.opt.klData) {
		inputs = append(inputs, located(path)...)
	}
	if err := vacant(t.opt.out, t.opt.force, inputs); err != nil {
		return err
	}
	entries, err := os.ReadDir(t.opt.out)
	if t.opt.options.LowRank != nil && err == nil && len(entries) > 0 && !lora.Is(os.DirFS(t.opt.out)) {
		return fmt.Errorf("%s: is not the folder of an adapter: choose another target", t.opt.out)
	}
	if err := apart(t.state(), inputs); err != nil {
		return err
	}
	return t.ours()
}

// ours refuses a folder of the state that holds something else: it is removed in
// the end.
func (t *training) ours() error {
	entries, err := os.ReadDir(t.state())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); !train.StateFile(name) && name != trainingLogName && name != trainingLogName+".lock" {
			return fmt.Errorf("%s: holds %s, which is not of a training: the state of this one belongs there; move the folder away or choose another target", t.state(), name)
		}
	}
	path := filepath.Join(t.state(), trainingLogName)
	log, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && !bytes.HasPrefix(log, []byte(`{"step":`)[:min(len(log), 8)]):
		return fmt.Errorf("%s: is not the log of a training, which belongs there: move the folder away or choose another target", path)
	}
	return err
}

// resume takes the folder of the state for this process, so that no other trains
// into it, and goes on with the training that it holds.
func (t *training) resume() (err error) {
	if t.log, err = openTrainingLog(t.state()); err != nil {
		return err
	}
	if err = t.restore(); err != nil {
		t.log.close()
	}
	return err
}

func (t *training) restore() error {
	if err := vacant(t.opt.out, t.opt.force, nil); err != nil { // another process may have written it meanwhile
		return err
	}
	resumed, err := t.run.Restore(t.state())
	if err != nil {
		return err
	}
	if resumed {
		t.result.Resumed = t.run.Done()
	}
	if t.reports, err = t.log.cut(t.run.Done()); err != nil {
		return err
	}
	if t.lost = t.run.Done() - len(t.reports); t.lost > 0 {
		t.result.Notes = append(t.result.Notes, fmt.Sprintf("the log of %s was lost: training.jsonl has the others, and the loss is not known", plural(t.lost, "step")))
	}
	return nil
}

// clean removes the state and the log, and the folder if nothing else is in it.
func (t *training) clean() error {
	err := train.RemoveState(t.state())
	err = errors.Join(err, t.log.close(), os.Remove(filepath.Join(t.state(), trainingLogName)))
	if entries, failed := os.ReadDir(t.state()); failed == nil && len(entries) == 0 {
		err = errors.Join(err, os.Remove(t.state()))
	}
	return err
}
