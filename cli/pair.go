package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"surgeon/cli/preflight"
	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/merge"
	"surgeon/probe/record"
	"surgeon/tensors"
)

// inputs are a base and what is merged into it or compared with it.
type inputs struct {
	base  *model
	from  tensors.Source // the base in the layout of the result
	tuned []*tuned
	side  *model // whose side files the result has

	noteList []string
}

// tuned is a tuned model or an adapter.
type tuned struct {
	name     string
	model    *model        // nil for an adapter
	adapter  *lora.Adapter // nil for a model
	dir      fs.FS         // of the adapter
	source   tensors.Source
	delta    tensors.Delta
	coverage merge.Coverage
}

// openInputs opens a base and what was made of it.
func openInputs(baseName string, tunedNames ...string) (*inputs, error) {
	base, err := openModel(baseName)
	if err != nil {
		return nil, err
	}
	in := &inputs{base: base, from: base, side: base}
	for _, name := range tunedNames {
		t := &tuned{name: name}
		if dir, ok := openAdapterFS(name); ok {
			err = t.openAdapter(base, dir)
		} else if t.model, err = openModel(name); err == nil {
			t.source = t.model
		}
		if err != nil {
			in.close()
			return nil, err
		}
		in.tuned = append(in.tuned, t)
		if t.adapter != nil {
			for _, note := range t.adapter.Notes(base) {
				in.note(note)
			}
		}
	}
	return in, nil
}

func (t *tuned) openAdapter(base *model, dir fs.FS) error {
	a, err := lora.OpenFS(dir, t.name)
	if err != nil {
		return err
	}
	t.adapter, t.dir = a, dir
	if t.delta, err = a.Over(base); err != nil {
		a.Close()
		return fmt.Errorf("%s and %w", base.name, err)
	}
	t.coverage.Merged = len(t.delta.Names())
	return nil
}

// identity is a digest of all that decides what a tuned model adds.
func (t *tuned) identity(ctx context.Context) (string, error) {
	if t.model != nil {
		return t.model.identity(ctx)
	}
	sum := sha256.New()
	for _, name := range adapterFiles {
		data, err := fs.ReadFile(t.dir, name)
		if name == lora.RemainderFile && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %x\n", name, sha256.Sum256(data))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// weightFiles are the files of what a tuned model adds, with their digests.
func (t *tuned) weightFiles(ctx context.Context, progress func(done, total int64)) (files []record.Input, err error) {
	if t.model != nil {
		return t.model.weightFiles(ctx, progress)
	}
	for _, name := range adapterFiles {
		data, err := fs.ReadFile(t.dir, name)
		if name == lora.RemainderFile && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files = append(files, record.Input{Name: name, Digest: fmt.Sprintf("%x", sha256.Sum256(data))})
	}
	return files, nil
}

func (in *inputs) close() {
	in.base.Close()
	for _, t := range in.tuned {
		if t.model != nil {
			t.model.Close()
		} else if t.adapter != nil {
			t.adapter.Close()
		}
	}
}

// openMerge opens a base and what is merged into it, and decides every tensor
// of the merge.
func openMerge(policy merge.Policy, baseName string, tunedNames ...string) (*inputs, error) {
	in, err := openInputs(baseName, tunedNames...)
	if err != nil {
		return nil, err
	}
	if err = in.preflight(policy); err == nil {
		err = in.reconcile(policy)
	}
	if err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// preflight refuses models whose side files say that they are not of one
// architecture or vocabulary, and notes what differs in them.
func (in *inputs) preflight(policy merge.Policy) error {
	for _, t := range in.tuned {
		if t.model == nil {
			continue
		}
		findings, err := preflight.Compare(in.base.Dir(), t.model.Dir())
		if err != nil {
			return err
		}
		for _, f := range findings {
			switch text := fmt.Sprintf("%s: %s is %s in %s and %s in %s: %s", f.File, f.Field, f.Base, in.base.name, f.Tuned, t.name, f.Says); f.Severity {
			case preflight.Error:
				return fmt.Errorf("%s and %s cannot be merged: %s", in.base.name, t.name, text)
			case preflight.Warning:
				if policy == merge.TakeTuned { // what it means rests on the base's files being kept
					text, _, _ = strings.Cut(text, ": "+f.Says)
				}
				in.note(text)
			}
		}
	}
	return nil
}

func (in *inputs) note(text string) {
	if !slices.Contains(in.noteList, text) {
		in.noteList = append(in.noteList, text)
	}
}

// reconcile decides every tensor of a merge.
func (in *inputs) reconcile(policy merge.Policy) error {
	in.untie()
	models := slices.DeleteFunc(slices.Clone(in.tuned), func(t *tuned) bool { return t.model == nil })
	if policy == merge.TakeTuned && len(models) > 1 {
		return usagef("--on-mismatch tuned takes one tuned model: %d were given", len(models))
	}
	for _, t := range models {
		r, err := merge.Reconcile(in.from, t.source, policy)
		if err != nil {
			return fmt.Errorf("%s and %s: %w", in.base.name, t.name, err)
		}
		t.delta, t.coverage = r.Delta, r.Coverage
		if policy == merge.TakeTuned && len(r.Copied)+len(r.LeftOut) > 0 {
			in.from, in.side = r.Base, t.model
			in.note("the side files are those of " + t.name + ", whose tensors and shapes the result has")
		}
		for _, u := range slices.Concat(r.Copied, r.LeftOut) {
			in.note(u.Name + ": " + u.Reason)
		}
	}
	return nil
}

// untie leaves out the heads that repeat the embedding of their model, whose
// config.json ties the two: what is tied stays tied, also where the embedding
// and the head would get different alphas.
func (in *inputs) untie() {
	models := []*model{in.base}
	for _, t := range in.tuned {
		if t.model != nil {
			models = append(models, t.model)
		}
	}
	heads := 0
	for _, m := range models {
		head := m.head()
		if head != "" && (!m.tied() || !m.repeatsEmbedding(head)) {
			return // a head of its own: whatever the others have, the policy decides
		}
		if head != "" {
			heads++
		}
	}
	if heads == 0 {
		return
	}
	keep := func(name string) bool { return tensors.KeyOf(name).Part != tensors.PartHead }
	for _, m := range models {
		if head := m.head(); head != "" {
			in.note(fmt.Sprintf("%s of %s repeats the embedding, which config.json ties it to: it is left out", head, m.name))
		}
	}
	in.from = tensors.Keep(in.base, keep)
	for _, t := range in.tuned {
		if t.model != nil {
			t.source = tensors.Keep(t.model, keep)
		}
	}
}

// merged is the merge with one alpha for each tuned model.
func (in *inputs) merged(alphas ...merge.Alpha) (*merge.Model, error) {
	terms := make([]merge.Term, 0, len(in.tuned))
	for i, t := range in.tuned {
		terms = append(terms, merge.Term{Label: t.name, Delta: t.delta, Alpha: alphas[i]})
	}
	return merge.Apply(in.from, terms...)
}

// notes are what a reader must know of where the models came from and what
// became of their tensors.
func (in *inputs) notes() []string {
	embedded := in.base.embedded
	for _, t := range in.tuned {
		embedded = embedded || t.model != nil && t.model.embedded
	}
	return append(notes(embedded), in.noteList...)
}

// sameArchitecture refuses models whose configurations would compute
// different things from the same weights: a merge is scored with the base's.
func (in *inputs) sameArchitecture() error {
	b, errBase := in.base.config()
	for _, t := range in.tuned {
		if t.model == nil || errBase != nil {
			continue
		}
		u, err := t.model.config()
		if err != nil {
			continue
		}
		x, y := reflect.ValueOf(b), reflect.ValueOf(u)
		for _, f := range reflect.VisibleFields(x.Type()) {
			mine, theirs := x.FieldByIndex(f.Index), y.FieldByIndex(f.Index)
			if f.Name != "Context" && !f.Anonymous && !reflect.DeepEqual(mine.Interface(), theirs.Interface()) {
				return fmt.Errorf("%s and %s disagree on %s, %v and %v: a merge of them cannot be scored",
					in.base.File("config.json"), t.model.File("config.json"), f.Name, mine, theirs)
			}
		}
	}
	return nil
}

// describe says in a few words what a tuned side is.
func (t *tuned) describe() string {
	if t.adapter != nil {
		return fmt.Sprintf("LoRA adapter of rank %d, %s parameters", t.adapter.Highest(), table.Count(t.adapter.Parameters()))
	}
	return table.Count(parameters(t.model)) + " parameters"
}

// sideFS is the directory whose side files the result has.
func (in *inputs) sideFS() fs.FS { return in.side.Dir() }
