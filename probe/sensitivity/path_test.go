package sensitivity_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"surgeon/merge"
	"surgeon/probe/attribute"
	"surgeon/probe/sensitivity"
	"surgeon/probe/train"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// path is of the tiny model, in batches that its examples fill.
func path(t *testing.T, base tensors.Source, delta tensors.Delta, general, domain []train.Example, groups []attribute.Group, opt sensitivity.PathOptions) *sensitivity.PathAttribution {
	t.Helper()
	if opt.Gradients.BatchTokens == 0 {
		opt.Gradients.BatchTokens = 64
	}
	a, err := sensitivity.Path(t.Context(), tiny, base, delta, general, domain, groups, opt)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// tuned is the tiny base after some steps on the domain.
func tuned(t *testing.T) *train.Weights {
	t.Helper()
	list, err := sensitivity.Relearn(t.Context(), tiny, tinyBase(), sums(25, 4), sensitivity.RelearnOptions{Steps: []int{12}, LearningRate: 5e-3, BatchTokens: 60})
	if err != nil {
		t.Fatal(err)
	}
	return list[0].Weights
}

// TestPathPair: on the embedded pair the shares of five nodes add up to the change
// of both losses within 5 %, and the embedding is answerable for the largest harm,
// as the design found it.
func TestPathPair(t *testing.T) {
	p := openPair(t)
	n, opt := 48, sensitivity.PathOptions{Gradients: train.GradientOptions{BatchTokens: 384}} // which they fill
	if heavy() {
		n, opt = 256, sensitivity.PathOptions{}
	}
	general, domain := p.lines(t, "replay.jsonl", n), p.lines(t, "chem.jsonl", n)
	delta := diff(t, p.base, p.chem)
	start := time.Now()
	a, err := sensitivity.Path(t.Context(), p.config, p.base, delta, general, domain, attribute.Groups(delta.Names(), 4), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d nodes, %d and %d examples: %.2f s", len(a.Nodes), len(general), len(domain), time.Since(start).Seconds())
	t.Logf("general %.4f to %.4f, residual %.4f (%.2f %%); domain %.4f to %.4f, residual %.4f (%.2f %%)", a.Base.General, a.Tuned.General, a.Residual.General, 100*a.Completeness.General, a.Base.Domain, a.Tuned.Domain, a.Residual.Domain, 100*a.Completeness.Domain)
	for _, n := range a.Nodes {
		t.Logf("at %.4f: losses %.4f and %.4f, slopes %.4f and %.4f", n.Alpha, n.Losses.General, n.Losses.Domain, n.Slope.General, n.Slope.Domain)
	}
	most := 0
	for i, e := range a.Effects {
		t.Logf("%-20s harm %7.4f benefit %7.4f exchange %.3f %s", e.Group.Name, e.Harm, e.Benefit, e.Exchange, e.Note)
		if e.Harm > a.Effects[most].Harm {
			most = i
		}
	}
	if !(a.Completeness.General <= 0.05 && a.Completeness.Domain <= 0.05) || len(a.Warnings) != 0 {
		t.Errorf("shares miss the change by %v, %q", a.Completeness, a.Warnings)
	}
	if name := a.Effects[most].Group.Name; name != "embedding" {
		t.Errorf("the largest harm is that of %s", name)
	}
	if !(a.Harm > 0.5 && a.Benefit > 0.3) {
		t.Errorf("harm %v, benefit %v", a.Harm, a.Benefit)
	}
}

// TestPathTorch: shares of single tensors are those that PyTorch integrates by 64
// midpoints in float64, within a thousandth of the largest.
func TestPathTorch(t *testing.T) {
	g, c, base, list := theirs(t)
	other := train.NewWeights()
	for _, name := range base.Names() {
		info, _ := base.Info(name)
		v := make([]float32, info.Len())
		for i, b := range values(t, base, name) {
			if len(info.Shape) == 2 {
				v[i] = float32(1.25 * b)
			} else {
				v[i] = float32(1.1 * b)
			}
		}
		other.Put(name, info.Shape, v)
	}
	a, err := sensitivity.Path(t.Context(), c, base, diff(t, base, other), list, list[:1], attribute.Groups(base.Names(), 1), sensitivity.PathOptions{Nodes: 12, Gradients: train.GradientOptions{BatchTokens: 64}})
	if err != nil {
		t.Fatal(err)
	}
	largest, worst := 0.0, 0.0
	for _, share := range g.Path.Shares {
		largest = max(largest, math.Abs(share))
	}
	if len(a.Tensors) != len(g.Path.Shares) {
		t.Errorf("%d tensors, PyTorch's model has %d", len(a.Tensors), len(g.Path.Shares))
	}
	for _, s := range a.Tensors {
		off := math.Abs(s.Harm-g.Path.Shares[s.Name]) / largest
		if worst = max(worst, off); !(off <= 1e-3) {
			t.Errorf("%s: the share is %.7g, PyTorch's %.7g", s.Name, s.Harm, g.Path.Shares[s.Name])
		}
	}
	t.Logf("%d shares, at most %.2g of the largest off; completeness residual %.2g", len(a.Tensors), worst, a.Residual.General)
	if math.Abs(a.Base.General-g.Path.Base) > 3e-6 || math.Abs(a.Tuned.General-g.Path.Tuned) > 3e-6 {
		t.Errorf("losses %.9g and %.9g, PyTorch's %.9g and %.9g", a.Base.General, a.Tuned.General, g.Path.Base, g.Path.Tuned)
	}
	if !(math.Abs(a.Residual.General) < 2e-5) {
		t.Errorf("twelve nodes leave a residual of %g", a.Residual.General)
	}
}

// TestPathLaws: more nodes leave less; groups are sums of their tensors, whatever
// the groups; the way back has the opposite shares; what nothing changed has none.
func TestPathLaws(t *testing.T) {
	base, chem := tinyBase(), tuned(t)
	delta := diff(t, base, chem)
	general, domain, groups := sums(25, 0), sums(25, 4), attribute.Groups(base.Names(), 2)
	a := path(t, base, delta, general, domain, groups, sensitivity.PathOptions{Nodes: 7})
	t.Logf("harm %.4f, benefit %.4f, residual of 7 nodes %.2g and %.2g", a.Harm, a.Benefit, a.Residual.General, a.Residual.Domain)
	if one := path(t, base, delta, general, domain, groups, sensitivity.PathOptions{Nodes: 1}); !(math.Abs(one.Residual.Domain) > 10*math.Abs(a.Residual.Domain)) || !(a.Completeness.Domain < 1e-4) {
		t.Errorf("the residual is %v with 1 node and %v with 7", one.Residual, a.Residual)
	}
	if a.Method != sensitivity.PathMethod || !(a.Benefit > 0.5) || a.Rest != (attribute.Losses{}) {
		t.Errorf("method %s, benefit %v, rest %v", a.Method, a.Benefit, a.Rest)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-5) {
			t.Errorf("%s is %.9g, want %.9g", what, got, want)
		}
	}
	harm, sumOf := 0.0, map[string]float64{}
	for _, s := range a.Tensors {
		harm += s.Harm
		for _, g := range groups {
			if g.Has(s.Name) {
				sumOf[g.Name] += s.Harm
			}
		}
	}
	for _, e := range a.Effects {
		near(e.Group.Name, e.Harm, sumOf[e.Group.Name])
	}
	near("the harm of all tensors and the residual", harm+a.Residual.General, a.Harm)
	back := path(t, chem, diff(t, chem, base), general, domain, groups, sensitivity.PathOptions{Nodes: 7})
	for i, e := range back.Effects {
		near("the harm back of "+e.Group.Name, e.Harm, -a.Effects[i].Harm)
		near("the benefit back of "+e.Group.Name, e.Benefit, -a.Effects[i].Benefit)
	}
	if order := attribute.Order(&a.Attribution); len(order) != len(groups) {
		t.Errorf("an order of %d groups", len(order))
	}

	some := diff(t, base, tensors.Keep(chem, func(name string) bool { return strings.Contains(name, "layers.1.") }))
	half := path(t, base, some, general, domain, groups[:1], sensitivity.PathOptions{})
	if half.Effects[0].Harm != 0 || half.Effects[0].Note != "no effect" || len(half.Tensors) != 9 || !(half.Rest.Domain < -0.01) {
		t.Errorf("%+v, rest %v, %d tensors", half.Effects[0], half.Rest, len(half.Tensors))
	}
	if !slices.ContainsFunc(half.Warnings, func(w string) bool { return strings.HasPrefix(w, "tensors of no group") }) {
		t.Errorf("warnings %q", half.Warnings)
	}
	near("all of it", half.Rest.Domain+half.Residual.Domain, half.Tuned.Domain-half.Base.Domain)
	still := path(t, base, diff(t, base, base), general, domain, groups, sensitivity.PathOptions{})
	if still.Harm != 0 || still.Benefit != 0 || !math.IsNaN(still.Completeness.General) || len(still.Warnings) != 2 || !strings.Contains(still.Warnings[0], "nothing to share out") {
		t.Errorf("a way to nowhere: %v, %v, %q", still.Harm, still.Benefit, still.Warnings)
	}
}

// TestPathRounding: the way is not rounded to what the base stores: a change that
// vanishes in BF16 has its slope. Too few nodes for a bent way are told.
func TestPathRounding(t *testing.T) {
	base, short := tensorstest.NewMemory(), tensorstest.NewMemory()
	long := diff(t, tinyBase(), tuned(t))
	for _, name := range tinyBase().Names() {
		info, _ := tinyBase().Info(name)
		list := make([]float32, info.Len())
		if err := tinyBase().Read(list, name, 0); err != nil {
			t.Fatal(err)
		}
		base.Add(name, tensors.BF16, info.Shape, list)
		if err := base.Read(list, name, 0); err != nil {
			t.Fatal(err)
		}
		if err := long.AddTo(list, name, 0, 1e-3); err != nil {
			t.Fatal(err)
		}
		short.Add(name, tensors.F32, info.Shape, list)
	}
	near := path(t, base, diff(t, base, short), sums(25, 0), sums(25, 4), nil, sensitivity.PathOptions{Nodes: 1, Resolution: 1e-5})
	if !(near.Benefit > 1e-3 && near.Completeness.Domain < 0.01) || len(near.Warnings) != 1 {
		t.Errorf("benefit %v, completeness %v, warnings %q", near.Benefit, near.Completeness, near.Warnings)
	}
	far := path(t, tinyBase(), merge.Scaled(long, merge.Number(6)), sums(25, 0), sums(25, 4), nil, sensitivity.PathOptions{Nodes: 1})
	if !(far.Completeness.Domain > 0.05) || !slices.ContainsFunc(far.Warnings, func(w string) bool { return strings.HasSuffix(w, "take more nodes than 1 for a way this bent") }) {
		t.Errorf("completeness %v, warnings %q", far.Completeness, far.Warnings)
	}
}

// TestPathBits: the same bits for any number of threads.
func TestPathBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	base := tinyBase()
	delta := diff(t, base, tuned(t))
	var want *sensitivity.PathAttribution
	for _, threads := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(threads)
		a := path(t, base, delta, sums(25, 0), sums(25, 4), attribute.Groups(base.Names(), 2), sensitivity.PathOptions{Nodes: 2, Gradients: train.GradientOptions{BatchTokens: 33}})
		if want == nil {
			want = a
		}
		if !slices.Equal(a.Tensors, want.Tensors) || !slices.Equal(a.Nodes, want.Nodes) || a.Residual != want.Residual {
			t.Errorf("%d threads: other bits", threads)
		}
	}
}

// TestPathErrors: what cannot be done is told in words.
func TestPathErrors(t *testing.T) {
	base := tinyBase()
	delta := diff(t, base, tuned(t))
	check := func(ctx context.Context, delta tensors.Delta, domain []train.Example, opt sensitivity.PathOptions, want string) {
		t.Helper()
		_, err := sensitivity.Path(ctx, tiny, base, delta, sums(3, 0), domain, nil, opt)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	check(stopped, delta, sums(3, 1), sensitivity.PathOptions{}, context.Canceled.Error())
	check(t.Context(), delta, nil, sensitivity.PathOptions{}, "the domain loss at 0 of the way: no token of 0 examples is learned")
	check(t.Context(), delta, sums(3, 1), sensitivity.PathOptions{Gradients: train.GradientOptions{Memory: 1}}, "and 0 MB are allowed")
	extra := tensorstest.NewMemory()
	extra.Add("lm_head.weight", tensors.F32, []int{1}, []float32{1})
	check(t.Context(), diff(t, extra, extra), sums(3, 1), sensitivity.PathOptions{}, `tensor "lm_head.weight" is to be changed, but the base does not have it`)
	check(t.Context(), diff(t, base, tensorstest.NewMemory()), sums(3, 1), sensitivity.PathOptions{}, "the delta changes 0 tensors")
	check(t.Context(), broken{delta}, sums(3, 1), sensitivity.PathOptions{}, "the disk is gone")
	check(t.Context(), merge.Scaled(delta, merge.Number(math.Inf(1))), sums(3, 1), sensitivity.PathOptions{}, "not finite")
}

// broken is a Delta that cannot be read.
type broken struct{ tensors.Delta }

func (broken) AddTo64([]float64, string, int, float64) error { return errors.New("the disk is gone") }
