package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"surgeon/probe/audit"
	"surgeon/probe/record"
)

// auditResult is what an audit says, and its results.json: a function of the run
// folder alone.
type auditResult struct {
	Base        string                 `json:"base"`
	Tuned       string                 `json:"tuned"`
	Version     string                 `json:"version"`
	Plan        string                 `json:"plan"` // its hash
	Rule        auditRule              `json:"rule"`
	Seeds       []int64                `json:"seeds"`
	Models      []record.Model         `json:"models"`
	Data        []record.Input         `json:"data,omitempty"`
	Items       auditItems             `json:"items"`
	Lost        *audit.Regression      `json:"lost"` // by all items
	Manner      []auditManner          `json:"manner"`
	Candidates  []auditedCandidate     `json:"candidates"`
	Chosen      string                 `json:"chosen"`
	Choice      *audit.Choice          `json:"choice"`
	Verdict     *audit.Verdict         `json:"verdict"` // of the chosen one
	Shipped     *audit.Verdict         `json:"shipped"` // of the fine-tune as it is
	Front       []audit.Point          `json:"front"`
	Area        number                 `json:"front_area"`
	Where       *attribution           `json:"where,omitempty"`
	Routing     *routingErrors         `json:"routing,omitempty"`
	Relearned   *relearned             `json:"relearned,omitempty"`
	Repeats     []auditedCandidate     `json:"repeats,omitempty"`  // other fine-tunes of the same recipe
	Repaired    []string               `json:"repaired,omitempty"` // what repairs came to, in sentences
	Best        []string               `json:"best"`               // of every class, by the items to choose by; the first of all classes
	Comparisons []audit.Comparison     `json:"comparisons"`        // of the chosen one with the best of every class, on the items to judge on
	Ledger      *audit.Ledger          `json:"ledger"`
	Twins       []audit.TwinCount      `json:"twins,omitempty"`
	Replay      *audit.ReplayPlan      `json:"replay_plan"`
	Decision    audit.Decision         `json:"decision"`
	Advice      []audit.Recommendation `json:"recommendations"`
	Gates       []audit.Gate           `json:"next_gates"`
	Examples    []lostExample          `json:"examples,omitempty"`
	Notes       []string               `json:"notes,omitempty"`

	run  record.Run
	dir  string
	m    *gathered
	rule audit.Rule
	plan record.Plan

	planned  []auditCandidate
	unrouted string // why there is no router; "" if there is one
}

// auditItems counts the items of an audit.
type auditItems struct {
	All    int `json:"all"`
	Select int `json:"to_choose"`
	Report int `json:"to_judge"`
}

// routingErrors are prompts that the router sends to the wrong model, of those that
// it was not made of.
type routingErrors struct {
	Layer  int                `json:"layer"`
	Fitted int                `json:"fitted_prompts"`
	Wrong  map[audit.Kind]int `json:"routed_wrong"`
	Of     map[audit.Kind]int `json:"of"`
}

// auditedCandidate is a repair and what it comes to.
type auditedCandidate struct {
	Name           string         `json:"name"`
	Class          string         `json:"class"`
	Strength       *number        `json:"strength,omitempty"`
	Made           string         `json:"made,omitempty"`
	Steps          int            `json:"training_steps,omitempty"` // where its recipe is known
	Judged         bool           `json:"judged"`                   // on the items to judge on; otherwise scores are of those to choose on
	Protected      audit.Interval `json:"protected"`                // mean score of the protected tasks
	Domain         audit.Interval `json:"domain"`
	ToChoose       audit.Interval `json:"protected_to_choose"` // the same on the items to choose by
	DomainToChoose audit.Interval `json:"domain_to_choose"`
	Verdict        *audit.Verdict `json:"verdict,omitempty"`
	Error          string         `json:"error,omitempty"`
}

// The values of --finalists.
const (
	finalistsAll  = "all"
	finalistsBest = "best"
)

// auditOf forms the results of a run folder.
func auditOf(dir string) (*auditResult, error) {
	r, candidates, err := gatherAudit(dir)
	if err != nil {
		return nil, err
	}
	if !r.m.has("base", r.m.report) || !r.m.has("base", r.m.selected) || !r.m.has("tuned", r.m.report) || !r.m.has("tuned", r.m.selected) {
		return nil, fmt.Errorf("%s: not all answers of base and fine-tune are there: repeat surgeon audit to go on", dir)
	}
	return r, r.judge(candidates)
}

// gatherAudit reads a run folder.
func gatherAudit(dir string) (*auditResult, []auditCandidate, error) {
	run, err := record.Read(dir)
	if err != nil {
		return nil, nil, err
	}
	if run.Plan == nil {
		return nil, nil, fmt.Errorf("%s has no plan: it is no run folder of an audit", dir)
	}
	r := &auditResult{dir: dir, run: run, plan: *run.Plan, Version: run.Plan.Version, Notes: withoutPath(run.Notes, dir), Plan: run.Plan.Hash(), Models: run.Plan.Models, Data: run.Plan.Data, Seeds: run.Plan.Seeds}
	var candidates []auditCandidate
	var rules margins
	for _, field := range []struct {
		data json.RawMessage
		into any
	}{{run.Plan.Candidates, &candidates}, {run.Plan.Rule, &r.Rule}, {run.Plan.Margins, &rules}} {
		if len(field.data) == 0 {
			return nil, nil, errNoAudit(dir, errors.New("a part is missing"))
		}
		if err := json.Unmarshal(field.data, field.into); err != nil {
			return nil, nil, errNoAudit(dir, err)
		}
	}
	if len(r.Rule.Kinds) == 0 {
		return nil, nil, errNoAudit(dir, errors.New("it tells no tasks apart"))
	}
	r.Base, r.Tuned, r.rule = r.Rule.Base, r.Rule.Tuned, audit.Rule{Retention: r.Rule.Retention, Partly: r.Rule.Partly}
	if r.m, err = gatherModels(run, r.Rule, rules); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	r.Manner, r.planned = mannersOf(run, r.Rule), candidates
	return r, candidates, r.evidence()
}

func errNoAudit(dir string, err error) error {
	return fmt.Errorf("%s: its plan is none of an audit: %w", dir, err)
}

// withoutPath are notes about a run folder without its path, which is no part of the results.
func withoutPath(notes []string, dir string) (list []string) {
	for _, note := range notes {
		list = append(list, strings.ReplaceAll(note, dir+string(filepath.Separator), ""))
	}
	return list
}

// evidence reads what stands beside the answers.
func (r *auditResult) evidence() error {
	where := &attribution{}
	if there, err := readJSON(filepath.Join(r.dir, attributionFile), where); err != nil {
		return err
	} else if there {
		r.Where = where
	}
	routes := &routing{}
	there, err := readJSON(filepath.Join(r.dir, routingFile), routes)
	if err != nil || !there {
		return err
	}
	if r.unrouted = routes.Why; r.unrouted != "" {
		return nil
	}
	r.Routing = &routingErrors{routes.Layer, routes.Fitted, routes.Wrong, routes.Of}
	r.m.isolate(routes, r.Rule, plannedGroups([2]record.Run{r.run, r.run}))
	return nil
}

// judge chooses a candidate on one part of the items and judges all that were asked on
// the other.
func (r *auditResult) judge(candidates []auditCandidate) (err error) {
	m := r.m
	selectTasks, reportTasks := m.on(m.selected), m.on(m.report)
	for i := range m.tasks {
		r.Items.All += len(m.tasks[i].Items)
		r.Items.Select += len(selectTasks[i].Items)
		r.Items.Report += len(reportTasks[i].Items)
	}
	if r.Lost, err = audit.Regressions(m.tasks, m.models["base"], m.models["tuned"], r.rule); err != nil {
		return err
	}
	for _, c := range candidates {
		if c.Class == classRelearned {
			continue
		}
		one, err := r.candidate(c, selectTasks, reportTasks)
		if err != nil {
			return err
		}
		if c.Class == classTuned {
			r.Shipped = one.Verdict
		} else if one.Verdict != nil {
			one.Verdict.Regression = nil // the same for all
		}
		if c.Class == classRepeat {
			r.Repeats = append(r.Repeats, one)
		} else {
			r.Candidates = append(r.Candidates, one)
		}
	}
	r.Relearned = relearnedOf(m)
	if err := r.choose(candidates, selectTasks, reportTasks); err != nil {
		return err
	}
	if r.Best, err = r.best(candidates); err != nil {
		return err
	}
	r.Repaired = r.repairedWords()
	r.Examples = examplesOf(r.run, r.Rule, r.Lost)
	if err := r.front(reportTasks); err != nil {
		return err
	}
	return r.advise(reportTasks)
}

func (r *auditResult) candidate(c auditCandidate, selectTasks, reportTasks []audit.Task) (one auditedCandidate, err error) {
	m := r.m
	one = auditedCandidate{Name: c.Name, Class: c.Class, Strength: c.Strength, Judged: m.has(c.Name, m.report)}
	if c.Recipe != nil {
		one.Steps = c.Recipe.Options.Steps
	}
	if r.Where != nil {
		one.Made, one.Error = r.Where.made(c.Name)
	}
	if c.Class == classIsolation && r.unrouted != "" {
		one.Error = r.unrouted
	}
	if m.has(c.Name, m.selected) && !one.Judged && r.Rule.Finalists == finalistsAll && one.Error == "" {
		one.Error = "it failed while it was judged"
	}
	if m.has(c.Name, m.selected) {
		one.ToChoose, one.DomainToChoose = audit.Mean(selectTasks, m.part(c.Name, m.selected), r.rule)
		one.Protected, one.Domain = one.ToChoose, one.DomainToChoose
	} else if one.Error == "" {
		one.Error = "not all of its answers are there"
	}
	if one.Judged {
		on := m.part(c.Name, m.report)
		one.Protected, one.Domain = audit.Mean(reportTasks, on, r.rule)
		one.Verdict, err = audit.Judge(reportTasks, m.part("base", m.report), m.part("tuned", m.report), on, r.rule)
	}
	return one, err
}

// write writes results.json into the run folder.
func (r *auditResult) write() error { return writeJSON(filepath.Join(r.dir, resultsFile), r) }
