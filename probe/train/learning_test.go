package train_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/probe/train"
)

// TestLearns: forty steps on 25 sums bring the loss from about log(48) = 3.9 nats
// to below 0.5, by the run's own report and by the decoder. Chance over the nine
// and five answers of the two tokens would be 1.8.
func TestLearns(t *testing.T) {
	r := begun(t, tiny, tinyBase(), train.Data{Domain: sums(25)}, train.Options{Steps: 40, BatchTokens: 125, LearningRate: 1e-2, WarmUp: 4})
	reports := stepped(t, r, 40)
	first, last := reports[0].Loss, reports[39].Loss
	scored := lossOf(t, tiny, r.Weights(), sums(25))
	t.Logf("the loss fell from %.3f to %.3f, by the decoder to %.3f", first, last, scored)
	if !(first > 3 && last < 0.5 && scored < last+0.05) {
		t.Errorf("the loss is %.3f at the beginning, %.3f at the end, %.3f by the decoder", first, last, scored)
	}
	if before := lossOf(t, tiny, tinyBase(), sums(25)); !almost(before, first) {
		t.Errorf("the first loss is %.9g, the decoder's of the base %.9g", first, before)
	}
	if trained, all := r.Parameters(); trained != all || all != count(tiny) {
		t.Errorf("%d of %d parameters are trained, want all of %d", trained, all, count(tiny))
	}
}

// count is the number of values of a model.
func count(c decoder.Config) (n int64) {
	for _, t := range c.Tensors() {
		size := int64(1)
		for _, d := range t.Shape {
			size *= int64(d)
		}
		n += size
	}
	return n
}

// TestFrozen: what is frozen keeps its bits, everything else moves, and the first
// loss is that of a run without anything frozen.
func TestFrozen(t *testing.T) {
	opt := ways["frozen"]
	opt.WeightDecay = 0.1
	r := begun(t, tiny, tinyBase(), allData(), opt)
	first := stepped(t, r, 1)[0]
	stepped(t, r, 4)
	m := moved(t, r.Weights(), tinyBase())
	frozen := int64(0)
	for _, tensor := range tiny.Tensors() {
		if frozenBelow(tensor.Name) == slices.Contains(m, tensor.Name) {
			t.Errorf("%s: frozen %v, moved %v", tensor.Name, frozenBelow(tensor.Name), slices.Contains(m, tensor.Name))
		}
		if frozenBelow(tensor.Name) {
			frozen += int64(len(values(t, tinyBase(), tensor.Name)))
		}
	}
	if trained, all := r.Parameters(); trained != all-frozen {
		t.Errorf("%d of %d values are trained, and %d are frozen", trained, all, frozen)
	}
	opt.Frozen = nil
	if whole := stepped(t, begun(t, tiny, tinyBase(), allData(), opt), 1)[0]; whole.Loss != first.Loss || !(whole.GradientNorm > first.GradientNorm) {
		t.Errorf("frozen: loss %g, norm %g; nothing frozen: %g, %g", first.Loss, first.GradientNorm, whole.Loss, whole.GradientNorm)
	}
	opt.Frozen = func(string) bool { return true }
	if _, err := train.New(tiny, tinyBase(), allData(), opt); err == nil || err.Error() != "every parameter is frozen: nothing can be trained" {
		t.Errorf("all frozen: error %v", err)
	}
}

// TestPull: L2-SP moves weights back by the learning rate times the weight of
// their change, and with a huge weight all the way.
func TestPull(t *testing.T) {
	opt := ways["full"]
	free := begun(t, tiny, tinyBase(), allData(), opt)
	rate := stepped(t, free, 1)[0].LearningRate
	check := func(pull float64, most float64) {
		t.Helper()
		o := opt
		o.L2SP = pull
		r := begun(t, tiny, tinyBase(), allData(), o)
		stepped(t, r, 1)
		share := min(1, rate*pull)
		for _, name := range tinyBase().Names() {
			base, got, without := values(t, tinyBase(), name), values(t, r.Weights(), name), values(t, free.Weights(), name)
			for i, b := range base {
				want := float64(without[i]) + share*float64(b-without[i])
				if !(math.Abs(float64(got[i])-want) <= most) {
					t.Fatalf("pull %g: %s, element %d, is %g, want %g between %g and %g", pull, name, i, got[i], want, b, without[i])
				}
			}
		}
	}
	check(1/(4*rate), 1e-7)
	check(1/rate, 1e-7)
	check(1e12, 1e-7)
	o := opt
	o.L2SP = 1e12
	r := begun(t, tiny, tinyBase(), allData(), o)
	stepped(t, r, 8)
	worst := 0.0
	for _, name := range tinyBase().Names() {
		base := values(t, tinyBase(), name)
		for i, v := range values(t, r.Weights(), name) {
			worst = max(worst, math.Abs(float64(v-base[i])))
		}
	}
	if !(worst <= 1e-6) {
		t.Errorf("with a huge pull weights are up to %g from the base", worst)
	}
}

// TestDecay shrinks matrices but the embedding, by rate times decay, before the
// step.
func TestDecay(t *testing.T) {
	opt := ways["full"]
	plain := begun(t, tiny, tinyBase(), allData(), opt)
	rate := stepped(t, plain, 1)[0].LearningRate
	opt.WeightDecay = 20
	r := begun(t, tiny, tinyBase(), allData(), opt)
	stepped(t, r, 1)
	for _, tensor := range tiny.Tensors() {
		by := rate * 20
		if len(tensor.Shape) == 1 || strings.Contains(tensor.Name, "embed_tokens") {
			by = 0
		}
		base, got, without := values(t, tinyBase(), tensor.Name), values(t, r.Weights(), tensor.Name), values(t, plain.Weights(), tensor.Name)
		for i, b := range base {
			if want := float64(without[i]) - by*float64(b); !(math.Abs(float64(got[i])-want) <= 1e-7) {
				t.Fatalf("%s, element %d, is %g, want %g", tensor.Name, i, got[i], want)
			}
		}
	}
}

// TestDiverges: a step that is not finite is an error that says so, and leaves the
// weights of the step before.
func TestDiverges(t *testing.T) {
	opt := train.Options{Steps: 8, BatchTokens: 24, LearningRate: 1e30, WarmUp: 1}
	r := begun(t, tiny, tinyBase(), allData(), opt)
	stepped(t, r, 1)
	before := map[string][]float32{}
	for _, name := range r.Weights().Names() {
		before[name] = values(t, r.Weights(), name)
	}
	report, err := r.Step()
	if err == nil || !strings.HasPrefix(err.Error(), "step 2: loss ") || !strings.HasSuffix(err.Error(), "not finite; a lower learning rate than 1e+30 may help") {
		t.Fatalf("%+v, error %v", report, err)
	}
	if r.Done() != 1 {
		t.Errorf("%d steps are done", r.Done())
	}
	for name, want := range before {
		if !slices.Equal(values(t, r.Weights(), name), want) {
			t.Errorf("%s was changed", name)
		}
	}
}
