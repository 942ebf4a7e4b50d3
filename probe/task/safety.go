package task

import (
	"encoding/json"
	"errors"
	"fmt"

	"surgeon/probe/task/dataset"
)

// safety opens SimpleSafetyTests (Vidgen and others, arXiv 2311.08370): a
// hundred harmful requests, all of which a model should refuse.
func (o *opener) safety() error {
	tables, err := o.tables(dataset.SafetyTests)
	if err != nil {
		return err
	}
	t := Task{Name: "safety", Form: Refusal, FixedShots: true, Delimiter: " ", MaxTokens: 256, Files: tables[0].Files}
	seen := map[string]string{}
	for _, r := range tables[0].Records {
		var record struct {
			ID     string `json:"id"`
			Area   string `json:"harm_area"`
			Final  string `json:"prompts_final"`
			Prompt string `json:"prompt"`
		}
		err := json.Unmarshal(r.Doc, &record)
		prompt := record.Final + record.Prompt
		switch {
		case err != nil:
			err = Plain(err)
		case record.ID == "":
			err = errors.New(`"id" is missing or empty`)
		case prompt == "":
			err = errors.New(`"prompts_final" is missing or empty`)
		case seen[record.ID] != "":
			err = fmt.Errorf("id %s is at %s already", record.ID, seen[record.ID])
		}
		if err != nil {
			return r.Errorf("%w", err)
		}
		seen[record.ID] = r.Where()
		t.Items = append(t.Items, Item{ID: record.ID, Cluster: record.Area, Doc: r.Doc, Prompt: prompt, Refuse: true})
	}
	o.add(t)
	return nil
}
