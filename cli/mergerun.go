package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"strings"

	"surgeon/cli/table"
	"surgeon/merge"
	"surgeon/tensors"
)

// merged is what merge says of the model it wrote, and its JSON.
type merged struct {
	Out            string           `json:"out"`
	Base           string           `json:"base"`
	Tuned          string           `json:"tuned"`           // of one tuned model; of several, the first
	Alpha          number           `json:"alpha"`           // of the first; if it varies, its mean weighted by the squared change
	EffectiveAlpha number           `json:"effective_alpha"` // of the first
	Terms          []mergedTerm     `json:"terms"`
	Tensors        mergedTensors    `json:"tensors"`
	Nonfinite      int64            `json:"nonfinite"` // merged weights that are no finite numbers
	Bytes          int64            `json:"bytes"`
	Files          []tensors.Digest `json:"files"`
	Notes          []string         `json:"notes,omitempty"`
}

// mergedTerm is one tuned model of a merge.
type mergedTerm struct {
	Tuned     string `json:"tuned"`
	Rules     string `json:"rules"` // of its alpha, as they were given
	Alpha     number `json:"alpha"`
	Effective number `json:"effective_alpha"`
}

type mergedTensors struct {
	Merged  int `json:"merged"`
	Copied  int `json:"copied"`
	LeftOut int `json:"left_out"`
}

func runMerge(ctx context.Context, env environment, opt mergeOptions, baseName string, tunedNames []string) error {
	in, err := openMerge(opt.policy, baseName, tunedNames...)
	if err != nil {
		return err
	}
	defer in.close()
	if err := in.checkTarget(opt.out, opt.force); err != nil {
		return err // before any work
	}
	unused, err := in.checkRules(opt.alphas)
	if err != nil {
		return err
	}
	result := &merged{Out: opt.out, Base: baseName, Tuned: tunedNames[0], Notes: append(in.notes(), unused...)}
	if err := result.write(ctx, opt, in); err != nil {
		return err
	}
	if opt.json {
		return env.printJSON(result)
	}
	return result.print(env)
}

// checkTarget refuses a target that is an input or holds one, or that must not
// be replaced.
func (in *inputs) checkTarget(out string, force bool) error { return vacant(out, force, in.paths()) }

// paths are the files of all inputs, without links, from the root.
func (in *inputs) paths() []string {
	var list []string
	add := func(path string) { list = append(list, located(path)...) }
	models := []*model{in.base}
	for _, t := range in.tuned {
		if t.model != nil {
			models = append(models, t.model)
			continue
		}
		for _, name := range adapterFiles {
			add(filepath.Join(t.name, name))
		}
	}
	for _, m := range models {
		for _, f := range m.Files() {
			if !m.embedded {
				add(m.File(f.Name))
			}
		}
	}
	return list
}

// checkRules holds the alphas of every tuned model against the tensors that it
// changes. It returns notes on rules that never apply.
func (in *inputs) checkRules(alphas []merge.Rules) (notes []string, err error) {
	for i, t := range in.tuned {
		unused, err := alphas[i].Check(t.delta.Names())
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", t.name, err)}
		}
		for _, rule := range unused {
			notes = append(notes, fmt.Sprintf("the alpha rule %s never applies: earlier rules match all that it matches", rule))
		}
	}
	return notes, nil
}

// write makes the merge, measures it and writes it, in one pass, while the
// inputs are digested.
func (m *merged) write(ctx context.Context, opt mergeOptions, in *inputs) error {
	var alphas []merge.Alpha
	for _, rules := range opt.alphas {
		alphas = append(alphas, rules.At)
	}
	model, err := in.merged(alphas...)
	if err != nil {
		return err
	}
	record := model.With(opt.stored).Record(opt.allowNonfinite)
	step, finish := opt.progress("merge")
	defer finish()
	along := in.alongside()
	m.Files, err = tensors.Write(ctx, opt.out, record, tensors.WriteOptions{
		Metadata: in.metadata(opt), ShardSize: opt.shardSize, Side: in.sideFS(), Replace: in.replaced(record),
		Identity: in.identity(opt), Resume: opt.resume, Force: opt.force, Alongside: along, Progress: step,
		Beside: func(files []tensors.Digest) (map[string][]byte, error) {
			effect, err := record.Effect(ctx, nil)
			if err != nil {
				return nil, err
			}
			m.count(in, opt, effect, record)
			inputs, err := in.digests(ctx, along)
			if err != nil {
				return nil, err
			}
			return m.documents(in, opt, effect, files, inputs)
		},
	})
	for _, f := range m.Files {
		m.Bytes += f.Bytes
	}
	return in.blame(opt.out, err)
}

// blame names the model whose weight is no finite number, and not every file
// that was being read when it was found.
func (in *inputs) blame(out string, err error) error {
	var broken *merge.NonfiniteError
	if !errors.As(err, &broken) {
		return err
	}
	switch {
	case broken.Side == 0:
		return fmt.Errorf("%s: not written: %s: %w", out, in.base.name, broken)
	case broken.Side > 0:
		return fmt.Errorf("%s: not written: %s: %w", out, in.tuned[broken.Side-1].name, broken)
	}
	return fmt.Errorf("%s: not written: %w", out, broken)
}

// count takes over what a merge has done.
func (m *merged) count(in *inputs, opt mergeOptions, effect *merge.Effect, record *merge.Record) {
	leftOut := 0
	for i, t := range in.tuned {
		e := effect.Terms[i]
		m.Terms = append(m.Terms, mergedTerm{t.name, opt.alphas[i].String(), number(e.Requested), number(e.Effective)})
		leftOut += len(t.coverage.LeftOut)
	}
	m.Alpha, m.EffectiveAlpha = m.Terms[0].Alpha, m.Terms[0].Effective
	merges := in.mergedNames()
	m.Tensors = mergedTensors{len(merges), len(record.Names()) - len(merges), leftOut}
	m.Nonfinite = effect.Nonfinite
	if effect.Nonfinite > 0 {
		m.Notes = append(m.Notes, fmt.Sprintf("%d weights of the result are not finite numbers", effect.Nonfinite))
	}
	m.Notes = append(m.Notes, strayNotes(effect)...)
}

// mergedNames are the tensors that any tuned model is merged into, resized ones
// too: what is copied because it does not match has a difference of zero.
func (in *inputs) mergedNames() map[string]bool {
	merged := map[string]bool{}
	for _, t := range in.tuned {
		copied := map[string]bool{}
		for _, u := range t.coverage.Copied {
			base, inBase := in.base.Info(u.Name)
			own, inTuned := t.model.Info(u.Name)
			copied[u.Name] = !inBase || !inTuned || !tensors.Resized(u.Name, base, own)
		}
		for _, name := range t.delta.Names() {
			merged[name] = merged[name] || !copied[name]
		}
	}
	maps.DeleteFunc(merged, func(_ string, is bool) bool { return !is })
	return merged
}

// strayLimit is how far an effective alpha may be from the requested one
// before it is worth a warning.
const strayLimit = 0.05

func strays(e merge.TermEffect) bool { return math.Abs(e.Effective-e.Requested) > strayLimit }

const strayReason = "changes smaller than half a place of the stored type round away or up whole; --out-dtype F32 keeps them, --stochastic keeps them on average"

// strayNotes warn of effective alphas that are not the requested ones.
func strayNotes(effect *merge.Effect) []string {
	for _, e := range effect.Terms {
		if strays(e) {
			return []string{fmt.Sprintf("warning: alpha %s became %s when it was rounded to the stored type: %s",
				table.Sig(e.Requested, 3), table.Sig(e.Effective, 3), strayReason)}
		}
	}
	n, worst := 0, 0.0
	var name string
	for _, t := range effect.Tensors {
		for _, e := range t.Terms {
			if strays(e) {
				if n++; math.Abs(e.Effective-e.Requested) > worst {
					worst, name = math.Abs(e.Effective-e.Requested), t.Name
				}
			}
		}
	}
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("warning: in %d of %d tensors the effective alpha is more than %v off, most in %s, by %s: %s",
		n, len(effect.Tensors), strayLimit, name, table.Sig(worst, 2), strayReason)}
}

func (m *merged) print(env environment) error {
	var sum strings.Builder
	for _, t := range m.Terms {
		alpha := t.Rules
		if strings.ContainsAny(alpha, "=") {
			alpha = "[" + alpha + "]"
		}
		fmt.Fprintf(&sum, " + %s * (%s - %s)", alpha, t.Tuned, m.Base)
	}
	env.printf("%s = %s%s\n", m.Out, m.Base, table.Printable(sum.String()))
	for _, t := range m.Terms {
		if math.IsNaN(float64(t.Effective)) { // see merge.Effect
			env.printf("effective alpha of %s: undefined: it changes nothing, or what others change too, or weights are not finite\n", t.Tuned)
			continue
		}
		env.printf("effective alpha of %s: %s for %s asked, after rounding to the stored type\n", t.Tuned, table.Sig(float64(t.Effective), 5), table.Sig(float64(t.Alpha), 5))
	}
	leftOut := ""
	if m.Tensors.LeftOut > 0 {
		leftOut = fmt.Sprintf(", %d left out", m.Tensors.LeftOut)
	}
	env.printf("%d tensors merged, %d copied%s; %s written\n\n", m.Tensors.Merged, m.Tensors.Copied, leftOut, table.Bytes(m.Bytes))
	rows := make([][]string, 0, len(m.Files))
	for _, f := range m.Files {
		rows = append(rows, []string{f.Name, table.Bytes(f.Bytes), f.SHA256[:16]})
	}
	if err := env.printTable([]table.Column{{Name: "file"}, {Name: "size", Right: true}, {Name: "sha256 (16 of 64 digits)"}}, rows); err != nil {
		return err
	}
	return env.footnotes(m.Notes)
}
