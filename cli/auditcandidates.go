package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"surgeon/lora"
	"surgeon/merge"
	"surgeon/probe/attribute"
	"surgeon/probe/record"
	"surgeon/tensors"
)

// auditCandidate is a repair: what it is called, of which class it is, and how far it
// is from the base.
type auditCandidate struct {
	Name     string         `json:"name"`
	Class    string         `json:"class"`
	Strength *number        `json:"strength,omitempty"` // 0 is the base, 1 the fine-tune; nil where that says nothing
	Model    string         `json:"model,omitempty"`    // that the user brings
	Recipe   *trainedRecipe `json:"recipe,omitempty"`   // by its surgeon.json

	identity string
	files    []record.Input // of the weights, if it is a model of its own
	source   tensors.Source // nil until it is made
}

// The classes of candidates. Those of repairs are the values of --repairs.
const (
	classBase          = "base"
	classTuned         = "tuned"
	classInterpolation = "interpolation"
	classLiNeS         = "LiNeS"
	classRevert        = "revert"
	classGroups        = "groups"
	classLoRA          = "lora"
	classIsolation     = "isolation"
	classRegMean       = "regmean"
	classFisher        = "fisher"
	classTraining      = "training"
	classTrainedMerge  = "training+merge"
	classRepeat        = "repeat"    // another fine-tune of the same recipe, which is no repair
	classRelearned     = "relearned" // of the relearning probe, neither
)

// shippable reports whether a class is of models that could be shipped in the place of
// the fine-tune. What keeps the fine-tune apart is not: it is another way of serving.
func shippable(class string) bool {
	return !slices.Contains([]string{classBase, classIsolation, classRepeat, classRelearned}, class)
}

// repairClasses are those that an audit tries.
var repairClasses = []string{classInterpolation, classLiNeS, classRevert, classGroups, classLoRA, classIsolation, classRegMean, classFisher, classTraining, classTrainedMerge}

// usualAlphas are those of the merges that an audit tries; 0 is the base and 1 the
// fine-tune.
var usualAlphas = []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}

// slopes are the alphas of the first and of the last layer, rising and falling
// (LiNeS; Wang, Dimitriadis, Favero, Ortiz-Jimenez, Fleuret and Frossard,
// arXiv 2410.17146, has them rise; which is better is a question to the model).
var slopes = [][2]float64{{0.4, 1}, {0.2, 1}, {0.9, 0.3}, {1, 0.4}}

// listCandidates names all candidates, in the order of the results, and makes those that need
// no measurement.
func (a *auditing) listCandidates(ctx context.Context) error {
	if err := a.merges(); err != nil {
		return err
	}
	for _, name := range reverts {
		a.measured(name, classRevert)
	}
	a.measured(byDescent, classGroups)
	for _, w := range regmeanWeights {
		a.measured(regmeanName(w), classRegMean)
	}
	if a.frozen = a.untrainable(); a.frozen == "" {
		for _, w := range fisherWeights {
			a.measured(fisherName(w), classFisher)
		}
	}
	a.extracted()
	if err := a.brought(ctx); err != nil {
		return err
	}
	a.measured(isolated, classIsolation)
	a.tellApart()
	if a.frozen == "" {
		for _, s := range relearnSteps {
			a.candidates = append(a.candidates, auditCandidate{Name: relearnedName(s), Class: classRelearned})
		}
		for _, s := range controlSteps {
			a.candidates = append(a.candidates, auditCandidate{Name: controlName(s), Class: classRelearned})
		}
	}
	return nil
}

// tellApart gives candidates of the same weights, such as a fine-tune that is its base,
// identities of their own: in a run folder an identity has one name.
func (a *auditing) tellApart() {
	seen := map[string]bool{}
	for i := range a.candidates {
		if c := &a.candidates[i]; c.identity != "" {
			if seen[c.identity] {
				c.identity = a.digest(c.Name, c.identity)
			}
			seen[c.identity] = true
		}
	}
}

// tries reports whether a class of repairs is asked for.
func (a *auditing) tries(class string) bool { return slices.Contains(a.opt.repairs, class) }

// measured names a candidate that the evidence will make.
func (a *auditing) measured(name, class string) {
	if a.tries(class) {
		a.candidates = append(a.candidates, auditCandidate{Name: name, Class: class})
	}
}

// merges are the base, the fine-tune and what lies between by a rule of alphas.
func (a *auditing) merges() error {
	add := func(name, class string, strength float64, alphas merge.Alpha, identity string) error {
		m, err := a.in.merged(alphas)
		if err != nil {
			return err
		}
		s := number(strength)
		a.candidates = append(a.candidates, auditCandidate{Name: name, Class: class, Strength: &s, identity: identity, source: m})
		return nil
	}
	tuned := mergeIdentity(a.digests[0], a.digests[1], merge.Point{Method: merge.Method{Name: "linear"}, Alpha: 1}, a.in.tuned[0].adapter == nil)
	if err := add("base", classBase, 0, merge.Number(0), a.digests[0]); err != nil {
		return err
	}
	if err := add("tuned", classTuned, 1, merge.Number(1), tuned); err != nil {
		return err
	}
	a.candidates[1].Recipe = a.in.tuned[0].recipe()
	for _, alpha := range usualAlphas {
		name := fmt.Sprintf("alpha=%v", alpha)
		if !a.tries(classInterpolation) {
			break
		}
		if err := add(name, classInterpolation, alpha, merge.Number(alpha), a.digest(name, "")); err != nil {
			return err
		}
	}
	for _, s := range slopes {
		name := fmt.Sprintf("LiNeS %v to %v", s[0], s[1])
		if !a.tries(classLiNeS) {
			break
		}
		if err := add(name, classLiNeS, (s[0]+s[1])/2, attribute.LiNeS(s[0], s[1], a.layers()), a.digest(name, "")); err != nil {
			return err
		}
	}
	return nil
}

// layers is the number of the layers that were tuned, from the first one of all.
func (a *auditing) layers() (layers int) {
	for _, name := range a.in.tuned[0].delta.Names() {
		layers = max(layers, tensors.KeyOf(name).Layer+1)
	}
	return layers
}

// digest is a digest of all that decides the answers of a candidate.
func (a *auditing) digest(name, more string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s audit %s %s", a.digests[0], a.digests[1], name, more))
	return hex.EncodeToString(sum[:])
}

// extractedRanks are those of the low-rank repairs, extractedScales their strengths.
var (
	extractedRanks  = []int{4, 16, 64}
	extractedScales = []float64{1, 0.7}
)

func extractedName(rank int, scale float64) string { return fmt.Sprintf("rank %d x %v", rank, scale) }

// extracts reports whether there are low-rank repairs: what a fine-tune's leading
// directions know. An adapter has few directions as it is.
func (a *auditing) extracts() bool { return a.in.tuned[0].adapter == nil && a.tries(classLoRA) }

// extracted lists the low-rank repairs.
func (a *auditing) extracted() {
	for _, rank := range extractedRanks {
		for _, scale := range extractedScales {
			if c := (auditCandidate{Name: extractedName(rank, scale), Class: classLoRA}); a.extracts() {
				c.identity = a.digest(c.Name, "")
				a.candidates = append(a.candidates, c)
			}
		}
	}
}

// decompose makes the low-rank repairs.
func (a *auditing) decompose(ctx context.Context) error {
	if !a.extracts() {
		return nil
	}
	step, finish := a.opt.progress(stage(2, "leading directions"), "elements")
	defer finish()
	d, err := lora.Decompose(ctx, a.in.tuned[0].delta, lora.DecomposeOptions{Ranks: lora.Ranks{Rank: slices.Max(extractedRanks)}, Conv1D: a.in.base.conv1D(), Embedding: true, Progress: step})
	if err != nil {
		return err
	}
	for _, rank := range extractedRanks {
		delta, err := d.Adapter(rank, nil).Over(a.in.base)
		if err != nil {
			return err
		}
		for _, scale := range extractedScales {
			m, err := merge.Apply(a.in.base, merge.Term{Label: a.tuned, Delta: delta, Alpha: merge.Number(scale)})
			if err != nil {
				return err
			}
			a.made(extractedName(rank, scale), m, "")
		}
	}
	return nil
}

// made gives a candidate its weights, and the identity of what they were made of, unless
// it has one.
func (a *auditing) made(name string, src tensors.Source, of string) {
	for i := range a.candidates {
		if c := &a.candidates[i]; c.Name == name {
			if c.source = src; c.identity == "" {
				c.identity = a.digest(name, of)
			}
		}
	}
}

// trainedRepairs are the pair's own models that stand for repairs by training.
var trainedRepairs = []string{"chem-replay", "chem-lora", "chem-mild", "chem-no-refusal"}

// trainedAlphas are those of merges of the repairs that the user brings.
var trainedAlphas = []float64{0.9, 0.8}

// brought opens the repairs that the user brings, and merges them with the base.
// With the embedded pair those that were trained for it are among them.
func (a *auditing) brought(ctx context.Context) error {
	list, repeats := a.opt.candidates, a.opt.repeats
	if a.in.base.embedded && a.base == "base" && a.tuned == "chem" {
		for _, name := range trainedRepairs {
			if a.tries(classTraining) && !slices.ContainsFunc(list, func(n namedModel) bool { return n.model == name || n.name == name }) {
				list = append(list, namedModel{name, name})
			}
		}
		if len(repeats) == 0 {
			repeats = []namedModel{{"chem-seed2", "chem-seed2"}, {"chem-seed3", "chem-seed3"}}
		}
	}
	for _, n := range list {
		if err := a.bring(ctx, "--candidate", n, classTraining); err != nil {
			return err
		}
	}
	for _, n := range repeats {
		if err := a.bring(ctx, "--repeat", n, classRepeat); err != nil {
			return err
		}
	}
	return nil
}

// bring opens a model of the user's.
func (a *auditing) bring(ctx context.Context, flag string, n namedModel, class string) error {
	if slices.ContainsFunc(a.candidates, func(c auditCandidate) bool { return c.Name == n.name }) {
		return usagef("%s %s: the audit has a candidate of this name: give it another", flag, n.name)
	}
	if err := a.opened(ctx, n, class); err != nil {
		return fmt.Errorf("%s %s: %w", flag, n.name, err)
	}
	return nil
}

func (a *auditing) opened(ctx context.Context, n namedModel, class string) error {
	in, err := openMerge(merge.Refuse, a.base, n.model)
	if err != nil {
		return err
	}
	a.others = append(a.others, in)
	if err := in.sameArchitecture(); err != nil {
		return err
	}
	identity, err := in.tuned[0].identity(ctx)
	if err != nil {
		return err
	}
	files, err := a.filesOf(ctx, in.tuned[0])
	if err != nil {
		return err
	}
	add := func(name, class string, alpha float64, identity string) error {
		m, err := in.merged(merge.Number(alpha))
		a.candidates = append(a.candidates, auditCandidate{Name: name, Class: class, Model: n.model, Recipe: in.tuned[0].recipe(), identity: identity, files: files, source: m})
		return err
	}
	whole := identity
	if in.tuned[0].adapter != nil {
		whole = a.digest("adapter", identity)
	}
	if err := add(n.name, class, 1, whole); err != nil {
		return err
	}
	for _, alpha := range trainedAlphas {
		if class == classRepeat || !a.tries(classTrainedMerge) {
			break
		}
		if err := add(fmt.Sprintf("%s x %v", n.name, alpha), classTrainedMerge, alpha, a.digest("merge", fmt.Sprint(identity, alpha))); err != nil {
			return err
		}
	}
	return nil
}
