package train_test

import (
	"context"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/probe/train"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

func gradients(t *testing.T, c decoder.Config, at tensors.Source, opt train.GradientOptions) *train.Gradients {
	t.Helper()
	g, err := train.NewGradients(c, at, opt)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// meanOf is the loss and a copy of its gradient.
func meanOf(t *testing.T, g *train.Gradients, list []train.Example) (float64, map[string][]float64) {
	t.Helper()
	all := map[string][]float64{}
	loss, err := g.Mean(t.Context(), list, func(name string, gradient []float64) { all[name] = slices.Clone(gradient) })
	if err != nil {
		t.Fatal(err)
	}
	return loss, all
}

// uneven are examples of several lengths and numbers of learned tokens, one of
// which has none.
func uneven() []train.Example {
	list := sums(9)
	list = append(list, examples(3, 13, tiny.Vocabulary)...)
	list = append(list, train.Example{Tokens: []int32{1, 2, 3}, Learned: make([]bool, 3)}, train.Example{Tokens: []int32{4, 5}, Learned: []bool{false, true}})
	return list
}

// shifted is a model with one tensor moved along a direction.
func shifted(t *testing.T, base *train.Weights, name string, by float64, along []float64) *train.Weights {
	t.Helper()
	w := base.Clone()
	moved := values(t, base, name)
	for i, d := range along {
		moved[i] = float32(float64(moved[i]) + by*d)
	}
	info, _ := base.Info(name)
	w.Put(name, info.Shape, moved)
	return w
}

// TestGradientSlope: for each tensor, tied and untied, the slope of the loss by the
// way forward is the gradient's, along the gradient and along a drawn direction (a
// gradient that misses some elements has the right slope along itself), within 2e-3
// of the gradient's norm: the loss comes from float32 logits, good to about 1e-7, and
// is taken at distances of 3e-3 and more. The mean is over all tokens, whatever
// batches they are in.
func TestGradientSlope(t *testing.T) {
	for _, tied := range []bool{true, false} {
		c := tiny
		c.Tied = tied
		base := train.Initialise(c, 0.08, 3)
		g := gradients(t, c, base, train.GradientOptions{BatchTokens: 14})
		loss, gradient := meanOf(t, g, uneven())
		if forward, err := g.Loss(t.Context(), uneven()); err != nil || forward != loss {
			t.Errorf("the loss is %v, by the way forward %v, error %v", loss, forward, err)
		}
		if len(gradient) != len(c.Tensors()) {
			t.Fatalf("%d gradients of %d tensors", len(gradient), len(c.Tensors()))
		}
		worst := 0.0
		for name, d := range gradient {
			norm := math.Sqrt(inner(d, d))
			if !(norm > 1e-4) {
				t.Errorf("%s has a gradient of norm %g: nothing is proved", name, norm)
			}
			for what, along := range map[string][]float64{"the gradient": d, "a drawn direction": direction(name, len(d))} {
				want := inner(d, along) / math.Sqrt(inner(along, along))
				off := math.Abs(slope(t, g, base, name, along)-want) / norm
				if worst = max(worst, off); !(off <= 2e-3) {
					t.Errorf("tied %v: along %s of %s the slope of the loss misses %g by %.2g of the gradient's norm", tied, what, name, want, off)
				}
			}
		}
		t.Logf("tied %v: %d tensors, at most %.2g off", tied, len(gradient), worst)
	}
}

// slope is that of the loss, by the way forward, where a tensor moves along a
// direction.
func slope(t *testing.T, g *train.Gradients, base *train.Weights, name string, along []float64) float64 {
	t.Helper()
	length := math.Sqrt(inner(along, along))
	at := func(by float64) float64 {
		if err := g.Move(shifted(t, base, name, by/length, along)); err != nil {
			t.Fatal(err)
		}
		loss, err := g.Loss(t.Context(), uneven())
		if err != nil {
			t.Fatal(err)
		}
		return loss
	}
	across := func(h float64) float64 { return (at(h) - at(-h)) / (2 * h) }
	return (4*across(3e-3) - across(6e-3)) / 3 // without the term in h^2 (Richardson)
}

func inner(x, y []float64) (sum float64) {
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

// direction is drawn for a tensor.
func direction(name string, n int) []float64 {
	random, list := tensorstest.NewRandom(5, name), make([]float64, n)
	for i := range list {
		list[i] = float64(random.Normal(i))
	}
	return list
}

// TestGradientLoss: the loss is the decoder's.
func TestGradientLoss(t *testing.T) {
	g := gradients(t, tiny, tinyBase(), train.GradientOptions{BatchTokens: 20})
	loss, err := g.Loss(t.Context(), sums(25))
	if want := lossOf(t, tiny, tinyBase(), sums(25)); err != nil || !almost(loss, want) {
		t.Errorf("the loss is %.9g, the decoder's %.9g, error %v", loss, want, err)
	}
}

// TestGradientEach: gradients of single examples add up to the mean's times the
// learned tokens, whatever the batches, within rounding in float32.
func TestGradientEach(t *testing.T) {
	list, tokens := uneven(), 0
	for _, e := range list {
		for _, l := range e.Learned {
			if l {
				tokens++
			}
		}
	}
	g := gradients(t, tiny, tinyBase(), train.GradientOptions{BatchTokens: 30})
	loss, mean := meanOf(t, g, list)
	sum, count := map[string][]float64{}, map[string]int{}
	for name, v := range mean {
		sum[name] = make([]float64, len(v))
	}
	each, err := g.Each(t.Context(), list, func(example int, name string, gradient []float32) {
		if example != count[name] {
			t.Errorf("%s: example %d comes after %d", name, example, count[name])
		}
		count[name]++
		for i, v := range gradient {
			if example == len(list)-2 && v != 0 {
				t.Fatalf("an example that teaches nothing has a gradient of %s", name)
			}
			sum[name][i] += float64(v)
		}
	})
	if err != nil || !almost(each, loss) {
		t.Errorf("the loss is %.9g, the mean's %.9g, error %v", each, loss, err)
	}
	for name, want := range mean {
		if count[name] != len(list) {
			t.Errorf("%s: %d gradients of %d examples", name, count[name], len(list))
		}
		distance, size := 0.0, 0.0
		for i, w := range want {
			d := sum[name][i]/float64(tokens) - w
			distance, size = distance+d*d, size+w*w
		}
		if off := math.Sqrt(distance / size); !(off <= 1e-6) {
			t.Errorf("%s: the sum of single gradients is off by %.2g of its size", name, off)
		}
	}
}

// TestGradientBits: the same bits for any number of threads, on the first run and
// on others, after going elsewhere and back, and for examples with others beside
// them.
func TestGradientBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	type all struct {
		loss, each float64
		mean       map[string][]float64
		first      map[string][]float32 // gradients of the first example
	}
	at := func(g *train.Gradients, list []train.Example) (a all) {
		a.loss, a.mean = meanOf(t, g, list)
		a.first = map[string][]float32{}
		var err error
		if a.each, err = g.Each(t.Context(), list, func(i int, name string, v []float32) {
			if i == 0 {
				a.first[name] = slices.Clone(v)
			}
		}); err != nil {
			t.Fatal(err)
		}
		return a
	}
	var want all
	for _, threads := range []int{1, 2, 3} {
		runtime.GOMAXPROCS(threads)
		g := gradients(t, tiny, tinyBase(), train.GradientOptions{BatchTokens: 14})
		got := at(g, uneven())
		if threads == 1 {
			want = got
		}
		if err := g.Move(train.Initialise(tiny, 0.1, 9)); err != nil {
			t.Fatal(err)
		}
		other := at(g, uneven())
		if err := g.Move(tinyBase()); err != nil {
			t.Fatal(err)
		}
		again := at(g, uneven())
		alone := at(g, uneven()[:1])
		if got.loss != want.loss || got.each != want.each || again.loss != want.loss || again.each != want.each || other.loss == want.loss {
			t.Errorf("%d threads: losses %v, %v, elsewhere %v, again %v, %v; want %v, %v", threads, got.loss, got.each, other.loss, again.loss, again.each, want.loss, want.each)
		}
		for name := range want.mean {
			if !slices.Equal(got.mean[name], want.mean[name]) || !slices.Equal(again.mean[name], want.mean[name]) || slices.Equal(other.mean[name], want.mean[name]) {
				t.Errorf("%d threads: %s: other bits of the mean, or the same elsewhere", threads, name)
			}
			if !slices.Equal(got.first[name], want.first[name]) || !slices.Equal(again.first[name], want.first[name]) || !slices.Equal(alone.first[name], want.first[name]) {
				t.Errorf("%d threads: %s: other bits of an example's gradient", threads, name)
			}
		}
	}
}

// TestGradientErrors: what cannot be done is told in words.
func TestGradientErrors(t *testing.T) {
	check := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	opened := func(change func(*decoder.Config), src tensors.Source, opt train.GradientOptions) error {
		c := tiny
		if change != nil {
			change(&c)
		}
		_, err := train.NewGradients(c, src, opt)
		return err
	}
	check(opened(nil, tinyBase(), train.GradientOptions{Memory: 1 << 20}), "MB of memory and 1 MB are allowed")
	check(opened(nil, tinyBase(), train.GradientOptions{BatchTokens: 1}), "a batch of 1 tokens: want from 2")
	check(opened(func(c *decoder.Config) { c.GELU = true }, tinyBase(), train.GradientOptions{}), "cannot be trained here: it has a GELU gate")
	check(opened(func(c *decoder.Config) { c.Layers = 3 }, tinyBase(), train.GradientOptions{}), "model.layers.2.")
	broken := tinyBase()
	broken.Put("model.norm.weight", []int{tiny.Hidden}, append(make([]float32, tiny.Hidden-1), float32(math.Inf(1))))
	check(opened(nil, broken, train.GradientOptions{}), `tensor "model.norm.weight" holds a value that is not finite`)

	g := gradients(t, tiny, tinyBase(), train.GradientOptions{BatchTokens: 8})
	_, err := g.Loss(t.Context(), nil)
	check(err, "no token of 0 examples is learned")
	_, err = g.Mean(t.Context(), examples(2, 10, tiny.Vocabulary), nil)
	check(err, "number 1, has 10 tokens: a batch holds 9")
	_, err = g.Each(t.Context(), []train.Example{{Tokens: []int32{1, 99}, Learned: []bool{false, true}}}, nil)
	check(err, "outside the vocabulary")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err = g.Mean(stopped, sums(3), nil)
	check(err, context.Canceled.Error())
	huge := tinyBase()
	for _, name := range huge.Names() {
		v := values(t, huge, name)
		for i := range v {
			v[i] *= 1e30
		}
		info, _ := huge.Info(name)
		huge.Put(name, info.Shape, v)
	}
	if err := g.Move(huge); err != nil {
		t.Fatal(err)
	}
	_, err = g.Mean(t.Context(), sums(3), func(string, []float64) {})
	check(err, "not finite")
}
