package sensitivity_test

import (
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"surgeon/merge"
	"surgeon/probe/sensitivity"
	"surgeon/probe/train"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

func fisher(t *testing.T, src tensors.Source, list []train.Example) *sensitivity.Diagonal {
	t.Helper()
	d, err := sensitivity.Fisher(t.Context(), tiny, src, list, train.GradientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFisherTorch: sums, lengths and single values are PyTorch's in float64, of
// each tensor within 2e-5 of its length.
func TestFisherTorch(t *testing.T) {
	g, c, src, list := theirs(t)
	d, err := sensitivity.Fisher(t.Context(), c, src, list, train.GradientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Names()) != len(g.Fisher) || d.Examples != 3 || d.Tokens != 15 {
		t.Errorf("%d tensors, %d examples, %d tokens", len(d.Names()), d.Examples, d.Tokens)
	}
	if math.Abs(d.Loss-g.Path.Base) > 3e-6 {
		t.Errorf("the loss is %.9g, PyTorch's %.9g", d.Loss, g.Path.Base)
	}
	worst := 0.0
	for _, name := range d.Names() {
		want, got := g.Fisher[name], values(t, d, name)
		length, n := 0.0, len(got)
		for _, v := range got {
			length += v * v
		}
		near := func(what string, got, want, of float64) {
			t.Helper()
			off := math.Abs(got-want) / of
			if worst = max(worst, off); !(off <= 2e-5) {
				t.Errorf("%s: %s is %.9g, PyTorch's %.9g", name, what, got, want)
			}
		}
		near("the sum", d.SumOf(name), want.Sum, want.Sum)
		near("the length", math.Sqrt(length), want.Length, want.Length)
		for i, at := range []int{0, n / 3, 2 * n / 3, n - 1} {
			near("a value", got[at], want.At[i], want.Length)
		}
	}
	t.Logf("%d tensors, at most %.2g off", len(d.Names()), worst)
}

// TestFisherPair measures examples of the embedded pair, and merges base and chem
// by what was found: the merge forgets less than chem and less than a plain one that
// has learned as much.
func TestFisherPair(t *testing.T) {
	p := openPair(t)
	n := 32
	if heavy() {
		n = 256
	}
	general, domain := p.lines(t, "replay.jsonl", n), p.lines(t, "chem.jsonl", n)
	measured := func(src tensors.Source, list []train.Example) *sensitivity.Diagonal {
		start := time.Now()
		d, err := sensitivity.Fisher(t.Context(), p.config, src, list, train.GradientOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d examples, %d tokens: %.2f s, sum %.4g, embedding %.3f of it", d.Examples, d.Tokens, time.Since(start).Seconds(), d.Sum(), d.Normalised().SumOf("model.embed_tokens.weight"))
		return d.Normalised()
	}
	f0, f1 := measured(p.base, general), measured(p.chem, domain)
	g, err := train.NewGradients(p.config, p.base, train.GradientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	delta := diff(t, p.base, p.chem)
	losses := func(what string, delta tensors.Delta, alpha float64) (l [2]float64) {
		m, err := merge.Apply(p.base, merge.Term{Label: what, Delta: delta, Alpha: merge.Number(alpha)})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Move(m); err != nil {
			t.Fatal(err)
		}
		for i, list := range [][]train.Example{general, domain} {
			if l[i], err = g.Loss(t.Context(), list); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%-12s general %.4f, domain %.4f", what, l[0], l[1])
		return l
	}
	base, chem := losses("base", delta, 0), losses("chem", delta, 1)
	plain := losses("plain 0.7", delta, 0.7)
	merged := losses("Fisher 0.75", merge.Fisher(delta, merge.PrecisionOf(f0), merge.PrecisionOf(f1), 0.75), 1)
	if !(merged[0] < chem[0]-0.1 && merged[1] < base[1]-0.1 && merged[0] < plain[0] && merged[1] < plain[1]) {
		t.Errorf("the merge by Fisher information has the losses %v, a plain one %v, base %v, chem %v", merged, plain, base, chem)
	}
}

// TestFisherSquares: one example's is its squared gradient, that of several their
// mean, an example that teaches nothing counts as zeros, and answers are together:
// of a sum of log-likelihoods, not of their mean.
func TestFisherSquares(t *testing.T) {
	one, two := sums(3, 0)[:1], sums(3, 0)[1:2]
	g, err := train.NewGradients(tiny, tinyBase(), train.GradientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a, b, both := fisher(t, tinyBase(), one), fisher(t, tinyBase(), two), fisher(t, tinyBase(), append(slices.Clone(one), two...))
	silent := fisher(t, tinyBase(), append(slices.Clone(one), train.Example{Tokens: []int32{1, 2}, Learned: []bool{true, false}}))
	if silent.Tokens != 2 || silent.Examples != 2 || both.Tokens != 4 { // the first token of an example has nothing before it
		t.Errorf("%d learned tokens of %d examples, %d of two that teach", silent.Tokens, silent.Examples, both.Tokens)
	}
	if _, err := g.Mean(t.Context(), one, func(name string, gradient []float64) {
		x, y, mean, half := values(t, a, name), values(t, b, name), values(t, both, name), values(t, silent, name)
		most := slices.Max(x)
		for i, v := range gradient {
			if want := 4 * v * v; math.Abs(x[i]-want) > 1e-5*most { // of two tokens
				t.Fatalf("%s, element %d: %g, want %g", name, i, x[i], want)
			}
			if mean[i] != (x[i]+y[i])/2 || half[i] != x[i]/2 {
				t.Fatalf("%s, element %d: %g of both, %g and %g of each; %g with one that teaches nothing", name, i, mean[i], x[i], y[i], half[i])
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	n := both.Normalised()
	if sum := n.Sum(); math.Abs(sum-1) > 1e-12 || both.Sum() == 1 {
		t.Errorf("normalised the sum is %v, before %v", sum, both.Sum())
	}
}

// TestFisherBits: the same bits for any number of threads and any batch.
func TestFisherBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var want *sensitivity.Diagonal
	for _, threads := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(threads)
		d, err := sensitivity.Fisher(t.Context(), tiny, tinyBase(), sums(7, 0), train.GradientOptions{BatchTokens: 8 * threads})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = d
		}
		for _, name := range d.Names() {
			if !slices.Equal(values(t, d, name), values(t, want, name)) {
				t.Errorf("%d threads: %s has other bits", threads, name)
			}
		}
	}
}

// TestFisherSource: it is a Source like any other, which is the same when it was
// written and read again.
func TestFisherSource(t *testing.T) {
	d := fisher(t, tinyBase(), sums(3, 0))
	tensorstest.TestSource(t, d)
	dir := filepath.Join(t.TempDir(), "fisher")
	if _, err := tensors.Write(t.Context(), dir, d, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	again := opened(t, dir)
	for _, name := range d.Names() {
		if !slices.Equal(values(t, again, name), values(t, d, name)) {
			t.Errorf("%s is not the same", name)
		}
	}
}

// TestFisherErrors: what cannot be done is told in words.
func TestFisherErrors(t *testing.T) {
	for want, opt := range map[string]train.GradientOptions{"and 1 MB are allowed": {Memory: 1 << 20}, "a batch of 1 tokens": {BatchTokens: 1}} {
		if _, err := sensitivity.Fisher(t.Context(), tiny, tinyBase(), sums(3, 0), opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := sensitivity.Fisher(t.Context(), tiny, tinyBase(), nil, train.GradientOptions{}); err == nil || !strings.Contains(err.Error(), "no token of 0 examples is learned") {
		t.Errorf("no examples: %v", err)
	}
}
