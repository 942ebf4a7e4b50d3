package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"surgeon/probe"
	"surgeon/probe/audit"
	"surgeon/probe/decoder"
	"surgeon/probe/route"
)

// isolated is the candidate that keeps the fine-tune apart: base and fine-tune both
// serve, and a router decides by the prompt which of them answers.
const isolated = "isolation"

const routingFile = "routing.json"

// routing is what a router makes of the prompts, and routing.json of a run folder. The
// router is made of the prompts of the items to choose on, a centroid for each task, and
// tested on the others: a prompt goes to the model that ought to answer the nearest task.
type routing struct {
	Why    string                        `json:"why,omitempty"`  // there is none; "" if there is one
	Layer  int                           `json:"layer"`          // behind which the base's residual stream is taken, its mean over the prompt's tokens
	Fitted int                           `json:"fitted_prompts"` // of which the router was made
	Wrong  map[audit.Kind]int            `json:"routed_wrong"`   // prompts of the items to judge on, by kind
	Of     map[audit.Kind]int            `json:"of"`
	Tuned  map[string]map[string][]int64 `json:"to_the_fine_tune"` // by task and item: the seeds under which the prompt goes to it
}

// routes finds where the router sends every prompt, or reads what was found before.
func (a *auditing) routes(ctx context.Context) error {
	if !a.tries(classIsolation) {
		return nil
	}
	path := filepath.Join(a.opt.out, routingFile)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r, err := a.route(ctx)
	if err != nil {
		return err
	}
	return writeJSON(path, r)
}

func (a *auditing) route(ctx context.Context) (*routing, error) {
	r := &routing{Layer: (a.bench.Config.Layers + 1) / 2, Wrong: map[audit.Kind]int{}, Of: map[audit.Kind]int{}, Tuned: map[string]map[string][]int64{}}
	vectors, err := a.vectors(ctx, r.Layer)
	if err != nil {
		return nil, err
	}
	var examples []route.Example
	seen := map[string]bool{}
	for i, q := range a.asked {
		t := &a.bench.Tasks[q.Task]
		if item := t.Items[q.Item]; a.selects(t.Name, item) && !seen[q.Prompt] {
			seen[q.Prompt] = true
			examples = append(examples, route.Example{Label: a.unit(t.Name), Vector: vectors[i], Group: t.Name + " " + item.ID})
		}
	}
	examples = withoutSingles(examples)
	if kinds := a.labelled(examples); !kinds[audit.Domain] || !kinds[audit.General] && !kinds[audit.Safety] {
		return &routing{Layer: r.Layer, Why: "there are too few prompts to make a router of: ask more items"}, nil
	}
	router, err := route.Fit(examples)
	if err != nil {
		return nil, fmt.Errorf("the router of %s: %w", isolated, err)
	}
	r.Fitted = len(examples)
	for i, q := range a.asked {
		t := &a.bench.Tasks[q.Task]
		kind, item := a.kinds[a.unit(t.Name)], t.Items[q.Item].ID
		label, _ := router.Route(vectors[i])
		toTuned := a.kinds[label] == audit.Domain
		if toTuned {
			if r.Tuned[t.Name] == nil {
				r.Tuned[t.Name] = map[string][]int64{}
			}
			r.Tuned[t.Name][item] = append(r.Tuned[t.Name][item], q.Seed)
		}
		if !a.selects(t.Name, t.Items[q.Item]) {
			r.Of[kind]++
			if toTuned != (kind == audit.Domain) {
				r.Wrong[kind]++
			}
		}
	}
	return r, nil
}

// withoutSingles leaves out the only example of a task: no centroid is made of one.
func withoutSingles(examples []route.Example) (kept []route.Example) {
	n := map[string]int{}
	for _, e := range examples {
		n[e.Label]++
	}
	for _, e := range examples {
		if n[e.Label] > 1 {
			kept = append(kept, e)
		}
	}
	return kept
}

// labelled are the kinds of tasks that examples are of.
func (a *auditing) labelled(examples []route.Example) map[audit.Kind]bool {
	kinds := map[audit.Kind]bool{}
	for _, e := range examples {
		kinds[a.kinds[e.Label]] = true
	}
	return kinds
}

// vectors are the base's hidden states of all prompts; equal prompts share one.
func (a *auditing) vectors(ctx context.Context, layer int) ([][]float64, error) {
	at := map[string]int{}
	var requests []decoder.Request
	for _, q := range a.asked {
		if _, known := at[q.Prompt]; !known {
			at[q.Prompt] = len(requests)
			ids := probe.Begin(a.bench.Tokenizer, a.bench.Tokenizer.Encode(q.Prompt))
			requests = append(requests, decoder.Request{Prompt: ids[max(0, len(ids)-a.bench.Config.Context):], Hidden: true})
		}
	}
	model, err := decoder.Open(a.bench.Config, a.in.base)
	if err != nil {
		return nil, err
	}
	step, finish := a.opt.progress(stage(2, "a router"), "rows")
	defer finish()
	answers, err := model.Score(ctx, requests, decoder.Options{Progress: step})
	if err != nil {
		return nil, err
	}
	vectors := make([][]float64, len(a.asked))
	for i, q := range a.asked {
		vectors[i] = answers[at[q.Prompt]].Hidden[layer]
	}
	return vectors, nil
}

// isolate adds the routed pair to the models that answered: the score of an answer is
// that of the model which the router would ask.
func (g *gathered) isolate(r *routing, rule auditRule, groups map[string]string) {
	sums := map[gatheredItem]float64{}
	g.counts[isolated] = map[gatheredItem]int{}
	for _, rec := range g.records {
		toTuned := slices.Contains(r.Tuned[rec.Task][rec.Item], rec.Seed)
		if rec.Model != "base" && rec.Model != "tuned" || (rec.Model == "tuned") != toTuned {
			continue
		}
		unit := unitOf(rec.Task, groups)
		k := gatheredItem{unit, itemName(unit, rec.Task, rec.Item)}
		sums[k] += rec.Scores[rule.Metrics[rec.Task]]
		g.counts[isolated][k]++
	}
	g.add(isolated, sums)
}
