package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"surgeon/probe"
	"surgeon/probe/record"
	"surgeon/probe/task"
	"surgeon/probe/task/dataset"
	"surgeon/tensors/kernel"
)

// evaluation is models that are asked the questions of a bench, and where their
// answers are kept: in a run folder or, without one, in a file of the user's
// cache that is removed when all is answered.
type evaluation struct {
	bench      *probe.Bench
	asked      []probe.Asked
	candidates []probe.Candidate
	identities []string // per candidate: all that decides its answers
	plan       record.Plan
	dir        string   // the run folder; "" for none
	reuse      []string // run folders whose answers serve too

	limits     *limits         // of time, and when a comparison is decided; nil for none
	base       []record.Record // per question, what does not depend on the candidate
	folder     *record.Folder
	log        *record.Log // without a folder; nil where there is no place for one
	path       string      // of the log
	kept       int         // answers that were there
	failed     error       // of writing
	unfinished bool        // a candidate failed: what it answered is kept
	warnings   []string    // of the logs
	again      *rerun      // of some questions; nil for too few of them
}

// run asks what is not answered yet.
func (e *evaluation) run(ctx context.Context) (scores []probe.Scores, err error) {
	e.questions()
	if err := e.open(); err != nil {
		return nil, err
	}
	defer func() { err = e.close(err) }()
	if err := e.recall(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	e.bench.Answered = func(k int, a probe.Answer) {
		if err := e.keep(e.record(k, a)); err != nil {
			e.failed = err
			stop(err)
		}
	}
	if e.limits != nil {
		err = e.within(ctx)
	}
	if err == nil {
		scores, err = e.bench.ScoreAsked(ctx, e.asked, e.candidates)
	}
	e.unfinished = slices.ContainsFunc(scores, func(s probe.Scores) bool { return s.Err != nil })
	if e.failed != nil {
		return nil, e.failed
	}
	if err == nil && !e.limits.late() {
		e.again, err = e.rerun(ctx, scores)
	}
	return scores, err
}

func (e *evaluation) open() (err error) {
	if e.dir != "" {
		if e.folder, err = record.OpenFolder(e.dir, e.plan); err != nil {
			return err
		}
		if err := e.folder.Reuse(e.reuse...); err != nil {
			e.folder.Close()
			return err
		}
		e.warnings = e.folder.Warnings()
		return nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil // without a place for them answers are lost when the run is stopped
	}
	dir := filepath.Join(cache, "surgeon", "unfinished")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q", e.plan.Hash(), e.identities))
	e.path = filepath.Join(dir, hex.EncodeToString(sum[:8])+".jsonl")
	if e.log, err = record.OpenLog(e.path); err != nil {
		e.log = nil // another process runs the same: this one goes without
	}
	return nil
}

// recall tells the bench the answers that are there.
func (e *evaluation) recall() error {
	e.bench.Known = make([][]probe.Answer, len(e.candidates))
	for k := range e.candidates {
		for i := range e.asked {
			r, ok, err := e.find(e.question(k, i))
			if err != nil {
				return err
			}
			if want := len(e.asked[i].Question.Continuations); ok && want > 0 && len(r.LogProbs) != want {
				return fmt.Errorf("%s: the answer to %s, item %s has %d log-likelihoods for %d choices: the log was changed, so give another folder",
					cmp.Or(e.dir, e.path), r.Task, r.Item, len(r.LogProbs), want)
			}
			if ok {
				e.kept++
				e.bench.Known[k] = append(e.bench.Known[k], probe.Answer{Question: i, Reply: replyOf(r)})
			}
		}
	}
	return nil
}

func (e *evaluation) find(question record.Record) (record.Record, bool, error) {
	switch {
	case e.folder != nil:
		return e.folder.Answer(question)
	case e.log != nil && e.log.Has(question.Key):
		r, err := e.log.Get(question.Key)
		return r, err == nil, err
	}
	return record.Record{}, false, nil
}

func (e *evaluation) keep(r record.Record) error {
	switch {
	case e.folder != nil:
		return e.folder.Log.Append(r)
	case e.log != nil:
		_ = e.log.Append(r) // what cannot be kept costs time after a stop, nothing else
	}
	return nil
}

// close closes the folder, or removes the log of a run that is through, and says
// of one that is not what it left.
func (e *evaluation) close(err error) error {
	answers, where := 0, ""
	switch {
	case e.folder != nil:
		answers, where = e.folder.Log.Len(), e.dir
		if closed := e.folder.Close(); err == nil {
			err = closed
		}
	case e.log != nil:
		answers = e.log.Len()
		if closed := e.log.Close(); closed == nil && (err == nil && !e.unfinished || answers == 0) {
			os.Remove(e.path)
		}
	default:
		return err
	}
	if err != nil && e.failed == nil {
		return stopped{answers, where, err}
	}
	return err
}

// questions are the records of the questions without what depends on the
// candidate.
func (e *evaluation) questions() {
	e.base = make([]record.Record, len(e.asked))
	for i, a := range e.asked {
		t := &e.bench.Tasks[a.Task]
		item := &t.Items[a.Item]
		sum := sha256.Sum256([]byte(a.Prompt))
		e.base[i] = record.Record{Task: t.Name, Item: item.ID, Cluster: item.Cluster, Seed: a.Seed, PromptHash: hex.EncodeToString(sum[:])}
		if len(item.Doc) > 0 {
			e.base[i].DocHash = dataset.DocHash(item.Doc)
		}
	}
}

// question is the record of a question to a candidate, without its answer.
func (e *evaluation) question(k, at int) record.Record {
	r := e.base[at]
	t := e.bench.Tasks[e.asked[at].Task]
	r.Model = e.candidates[k].ID
	r.Key = record.Key(Version, e.identities[k], kernelIdentity(), t.Name, t.Version, r.Item, r.DocHash, fmt.Sprint(r.Seed), e.asked[at].Digest)
	return r
}

// kernelIdentity names the instructions where they decide the last digits.
func kernelIdentity() string {
	if kernel.Portable() {
		return ""
	}
	return kernel.Instructions()
}

// record is the record of an answer.
func (e *evaluation) record(k int, a probe.Answer) record.Record {
	r := e.question(k, a.Question)
	asked, g := e.asked[a.Question], a.Grade
	r.LogProbs, r.Scores, r.Parts, r.Extracted, r.Flags = a.Reply.LogProbs, g.Scores, g.Parts, g.Extracted, g.Flags
	if len(asked.Question.Continuations) > 0 {
		r.Chosen, r.Greedy = &g.Chosen, a.Reply.Greedy
	}
	if a.Reply.LogProbs == nil {
		r.Text, r.Finish, r.Tokens = &a.Reply.Text, a.Reply.Finish, a.Reply.Tokens
	}
	return r
}

// replyOf is the answer that a record keeps.
func replyOf(r record.Record) task.Reply {
	reply := task.Reply{LogProbs: r.LogProbs, Greedy: r.Greedy, Finish: r.Finish, Tokens: r.Tokens}
	if r.Text != nil {
		reply.Text = *r.Text
	}
	return reply
}

// newPlan is what all evaluations plan alike.
func newPlan(env environment, command string, b *probe.Bench, set *taskSet, opt benchOptions) record.Plan {
	plan := record.Plan{Version: Version, Argv: append([]string{"surgeon", command}, env.recorded()...), Created: time.Now().UTC().Format(time.RFC3339), Seeds: b.Seeds}
	for _, f := range set.files {
		plan.Data = append(plan.Data, record.Input{Name: filepath.Base(f.Path), Path: f.Path, Digest: f.SHA256})
	}
	for i, t := range b.Tasks {
		plan.Tasks = append(plan.Tasks, set.planned(i, t, opt))
	}
	if opt.setting.Chat {
		plan.Chat = &record.ChatPlan{Multiturn: opt.setting.MultiTurn, System: opt.setting.System}
	}
	plan.Settings = asJSON(map[string]any{"temperature": opt.sampling.Temperature, "top_p": opt.sampling.TopP, "top_k": opt.sampling.TopK, "system": opt.setting.System, "eos": b.EOS, "instructions": kernelIdentity()})
	return plan
}

// write writes results.json into the run folder, if there is one: what was
// scored, without what differs from one run to the next.
func (e *evaluation) write(result scoredModel) error {
	if e.dir == "" {
		return nil
	}
	folder, err := record.OpenFolder(e.dir, e.plan)
	if err != nil {
		return err
	}
	result.Rate, result.Notes, result.Rerun = 0, nil, nil
	result.Looks = e.limits.stops()
	err = folder.WriteResults(result)
	if closed := folder.Close(); err == nil {
		err = closed
	}
	return err
}

// asJSON panics for what is no JSON, which no caller gives.
func asJSON(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

// stopped is the error of a run whose answers are kept.
type stopped struct {
	answers int
	file    string // that holds them; "" for one that the user need not know
	error
}

// say is what a user is told of an interrupted run.
func (s stopped) say() string {
	kept, where := plural(s.answers, "answer")+" are kept", ""
	if s.answers == 1 {
		kept = "1 answer is kept"
	}
	if s.file != "" {
		where = " in " + s.file
	}
	if s.answers == 0 {
		return "interrupted before the first answer was finished"
	}
	return fmt.Sprintf("interrupted: %s%s, the same command goes on from there", kept, where)
}

// Unwrap returns the reason.
func (s stopped) Unwrap() error { return s.error }
