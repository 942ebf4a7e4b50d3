package train

import (
	"math"
	"slices"
	"testing"

	"surgeon/probe/decoder"
)

// small is a model for tests of what is not exported.
var small = decoder.Config{Family: "llama", Vocabulary: 40, Hidden: 16, Intermediate: 24, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 4, Context: 64,
	Epsilon: 1e-5, Tied: true, Layer: decoder.Layer{RoPE: decoder.RoPE{Theta: 1e4}}}

// texts are n sequences of different lengths, learned from the second token on
// if learned.
func texts(n int, learned bool) (list []Example) {
	for i := range n {
		e := Example{}
		for j := range 3 + i*i%5 {
			e.Tokens, e.Learned = append(e.Tokens, int32((i*17+j*j*5+j)%small.Vocabulary)), append(e.Learned, learned && j > 0)
		}
		list = append(list, e)
	}
	return list
}

func opened(t *testing.T, c decoder.Config, data Data, opt Options) *Run {
	t.Helper()
	if opt.Steps == 0 {
		opt.Steps, opt.LearningRate = 12, 3e-3
	}
	r, err := New(c, Initialise(c, 0.15, 5), data, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDivergenceOfItself: at the first step the model is the one before. Its
// divergence is 0, and whatever the weight, so is its gradient: where nothing else
// is learned nothing moves.
func TestDivergenceOfItself(t *testing.T) {
	data := Data{Domain: texts(4, false), Unlabelled: texts(6, false)}
	r := opened(t, small, data, Options{BatchTokens: 12, KL: 1e6, UnlabelledTokens: 20})
	before := slices.Clone(r.parameters[0].values)
	for range 3 {
		report := step(t, r)
		if report.Loss != 0 || report.Divergence != 0 || report.GradientNorm != 0 || report.Learned != 0 {
			t.Errorf("a model that stays what it was: %+v", report)
		}
	}
	if !slices.Equal(r.parameters[0].values, before) {
		t.Error("weights have moved")
	}
	data.Domain = texts(4, true)
	with, without := opened(t, small, data, Options{BatchTokens: 12, KL: 1e6, UnlabelledTokens: 20}), opened(t, small, data, Options{BatchTokens: 12})
	a, b := step(t, with), step(t, without)
	if a.Loss != b.Loss || a.Divergence != 0 || math.Abs(a.GradientNorm-b.GradientNorm) > 1e-6*b.GradientNorm {
		t.Errorf("the first step with a divergence %+v, without %+v", a, b)
	}
	if a := step(t, with); !(a.Divergence > 0) {
		t.Errorf("the second step has a divergence of %g", a.Divergence)
	}
}

// TestDivergenceHolds: the heavier the divergence the nearer the model stays.
func TestDivergenceHolds(t *testing.T) {
	last := math.Inf(1)
	for _, weight := range []float64{1e-6, 1, 100} {
		r := opened(t, small, Data{Domain: texts(4, true), Unlabelled: texts(6, false)}, Options{Steps: 12, LearningRate: 1e-2, WarmUp: 1, BatchTokens: 20, KL: weight, UnlabelledTokens: 40})
		var report Report
		for range 12 {
			report = step(t, r)
		}
		if !(report.Divergence < last/1.2) {
			t.Errorf("KL %g: %g nats from the model before, %g with a smaller weight", weight, report.Divergence, last)
		}
		last = report.Divergence
	}
}

// gradientsOf are those of the first step on data that one batch holds as a whole.
func gradientsOf(t *testing.T, domain ...Example) (Report, map[string][]float32) {
	t.Helper()
	rows := 0
	for _, e := range domain {
		rows += len(e.Tokens) - 1
	}
	r := opened(t, small, Data{Domain: domain}, Options{BatchTokens: rows})
	report := step(t, r)
	if report.Examples != len(domain) {
		t.Fatalf("a batch of %d examples, want %d", report.Examples, len(domain))
	}
	return report, r.gradients("")
}

// TestSequencesAreAlone: the loss and the gradients of a batch of two are the sums
// of those of each, by the number of learned tokens: neither sees the other.
func TestSequencesAreAlone(t *testing.T) {
	a, b := texts(3, true)[1], texts(5, true)[4]
	b.Learned[1] = false
	one, ofOne := gradientsOf(t, a)
	two, ofTwo := gradientsOf(t, b)
	both, ofBoth := gradientsOf(t, a, b)
	if both.Learned != one.Learned+two.Learned || both.Tokens != one.Tokens+two.Tokens || both.Learned != len(a.Tokens)-1+len(b.Tokens)-2 {
		t.Errorf("%+v and %+v together are %+v", one, two, both)
	}
	share := float64(one.Learned) / float64(both.Learned)
	if want := share*one.Loss + (1-share)*two.Loss; math.Abs(both.Loss-want) > 1e-6 {
		t.Errorf("the loss of both is %.9g, of each %.9g and %.9g: want %.9g", both.Loss, one.Loss, two.Loss, want)
	}
	for name, got := range ofBoth {
		for i, v := range got {
			if want := share*float64(ofOne[name][i]) + (1-share)*float64(ofTwo[name][i]); math.Abs(float64(v)-want) > 1e-6 {
				t.Fatalf("the gradient of %s, element %d, is %g, want %g", name, i, v, want)
			}
		}
	}
}

// TestMasks: only what is marked counts, and what comes behind it does not
// matter at all.
func TestMasks(t *testing.T) {
	e := texts(5, true)[4]
	none := slices.Clone(e.Learned)
	clear(none)
	none[2] = true
	third := Example{Tokens: e.Tokens, Learned: none}
	cut := Example{Tokens: e.Tokens[:3], Learned: none[:3]}
	other := Example{Tokens: append(slices.Clone(e.Tokens[:3]), 7, 8), Learned: append(slices.Clone(none[:3]), false, false)}
	report, want := gradientsOf(t, third)
	if report.Learned != 1 {
		t.Fatalf("%d tokens are learned, want 1", report.Learned)
	}
	for _, same := range []Example{cut, other} {
		got, gradients := gradientsOf(t, same)
		if math.Abs(got.Loss-report.Loss) > 1e-6 {
			t.Errorf("the loss is %.9g, with other tokens behind it %.9g", report.Loss, got.Loss)
		}
		for name := range want {
			for i, v := range want[name] {
				if math.Abs(float64(gradients[name][i]-v)) > 1e-6 {
					t.Fatalf("the gradient of %s depends on what follows the learned token", name)
				}
			}
		}
	}
	first := Example{Tokens: e.Tokens, Learned: append([]bool{true}, make([]bool, len(e.Tokens)-1)...)}
	if got, _ := gradientsOf(t, first); got.Learned != 0 || got.Loss != 0 || got.GradientNorm != 0 {
		t.Errorf("a first token, which nothing foretells, is learned: %+v", got)
	}
	all, _ := gradientsOf(t, e)
	sum := 0.0
	for i := 1; i < len(e.Tokens); i++ {
		one := Example{Tokens: e.Tokens, Learned: make([]bool, len(e.Tokens))}
		one.Learned[i] = true
		got, _ := gradientsOf(t, one)
		sum += got.Loss / float64(len(e.Tokens)-1)
	}
	if math.Abs(sum-all.Loss) > 1e-6 {
		t.Errorf("the loss of all tokens is %.9g, the mean of each %.9g", all.Loss, sum)
	}
}
