package cli

import (
	"encoding/json"
	"io/fs"
	"slices"

	"surgeon/probe/train"
	"surgeon/tensors"
)

// trainedRecipe is how surgeon trained a model, by the surgeon.json beside it.
type trainedRecipe struct {
	Options  train.Options `json:"options"`
	Frozen   []string      `json:"frozen,omitempty"`
	Replayed []replayed    `json:"replayed,omitempty"`
}

// recipe is how a model was trained, or nil where nothing beside it says.
func (t *tuned) recipe() *trainedRecipe {
	var dir fs.FS = t.dir
	if t.model != nil {
		dir = t.model.Dir()
	}
	data, err := fs.ReadFile(dir, tensors.Provenance)
	if err != nil {
		return nil
	}
	r := &trainedRecipe{}
	if json.Unmarshal(data, r) != nil || r.Options.Steps == 0 {
		return nil
	}
	return r
}

// slices are the parts of what was replayed, and pool their examples.
func (r *trainedRecipe) slices() (names []string, pool int) {
	for _, d := range r.Replayed {
		names, pool = append(names, d.Slice), pool+d.Pool
	}
	slices.Sort(names)
	return names, pool
}
