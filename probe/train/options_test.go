package train_test

import (
	"math"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/probe/train"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestOptions: what does not fit together is an error of one sentence, word for
// word.
func TestOptions(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	good := train.Options{Steps: 2, BatchTokens: 24, LearningRate: 1e-3}
	check := func(want string, change func(c *decoder.Config, d *train.Data, o *train.Options)) {
		t.Helper()
		c, data, opt := tiny, allData(), good
		change(&c, &data, &opt)
		r, err := train.New(c, tinyBase(), data, opt)
		if err == nil || err.Error() != want || r != nil {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	option := func(want string, change func(o *train.Options)) {
		t.Helper()
		check(want, func(_ *decoder.Config, _ *train.Data, o *train.Options) { change(o) })
	}
	option("0 steps: want at least 1", func(o *train.Options) { o.Steps = 0 })
	option("-3 steps: want at least 1", func(o *train.Options) { o.Steps = -3 })
	option("a batch of 1 tokens: want from 2 to 1048576", func(o *train.Options) { o.BatchTokens = 1 })
	option("a batch of 2097152 tokens: want from 2 to 1048576", func(o *train.Options) { o.BatchTokens = 1 << 21 })
	option("learning rate 0: want a positive number", func(o *train.Options) { o.LearningRate = 0 })
	option("learning rate NaN: want a positive number", func(o *train.Options) { o.LearningRate = nan })
	option("learning rate +Inf: want a positive number", func(o *train.Options) { o.LearningRate = inf })
	option("warm-up -1, weight decay 0, L2-SP 0, KL 0: want finite numbers, none below 0", func(o *train.Options) { o.WarmUp = -1 })
	option("warm-up 50, weight decay -0.1, L2-SP 0, KL 0: want finite numbers, none below 0", func(o *train.Options) { o.WeightDecay = -0.1 })
	option("warm-up 50, weight decay 0, L2-SP +Inf, KL 0: want finite numbers, none below 0", func(o *train.Options) { o.L2SP = inf })
	option("warm-up 50, weight decay 0, L2-SP 0, KL NaN: want finite numbers, none below 0", func(o *train.Options) { o.KL = nan })
	option("gradients clipped to NaN: want a finite number, below 0 for none", func(o *train.Options) { o.ClipNorm = nan })
	option("gradients clipped to +Inf: want a finite number, below 0 for none", func(o *train.Options) { o.ClipNorm = inf })
	const numbers = "want numbers above 0, the rate up to 1 and the betas below it"
	option("final rate 2, betas 0.9 and 0.95, epsilon 1e-08: "+numbers, func(o *train.Options) { o.FinalRate = 2 })
	option("final rate 0.1, betas 1 and 0.95, epsilon 1e-08: "+numbers, func(o *train.Options) { o.Beta1 = 1 })
	option("final rate 0.1, betas 0.9 and -1, epsilon 1e-08: "+numbers, func(o *train.Options) { o.Beta2 = -1 })
	option("final rate 0.1, betas 0.9 and 0.95, epsilon NaN: "+numbers, func(o *train.Options) { o.Epsilon = nan })
	option("replay share 1: want from 0 to below 1", func(o *train.Options) { o.ReplayShare = 1 })
	option("replay share -0.1: want from 0 to below 1", func(o *train.Options) { o.ReplayShare = -0.1 })
	option("replay share NaN: want from 0 to below 1", func(o *train.Options) { o.ReplayShare = nan })
	option("a divergence of 1 tokens: want from 2 to 1048576", func(o *train.Options) { o.KL, o.UnlabelledTokens = 1, 1 })
	option("an unlabelled text, number 1, has 7 tokens: a batch holds 6", func(o *train.Options) { o.KL = 1 })

	lora := func(want string, l train.LowRank) {
		t.Helper()
		option(want, func(o *train.Options) { o.LowRank = &l })
	}
	lora("LoRA of rank 0: want from 1 to 16, the smallest side of a projection", train.LowRank{Alpha: 1})
	lora("LoRA of rank 17: want from 1 to 16, the smallest side of a projection", train.LowRank{Rank: 17, Alpha: 1})
	lora("LoRA with alpha 0: want a positive number", train.LowRank{Rank: 2})
	lora("LoRA with alpha NaN: want a positive number", train.LowRank{Rank: 2, Alpha: nan})
	lora("LoRA with alpha +Inf: want a positive number", train.LowRank{Rank: 2, Alpha: inf})
	lora(`LoRA target "lm_head": there are q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj`, train.LowRank{Rank: 2, Alpha: 1, Targets: []string{"q_proj", "lm_head"}})

	data := func(want string, change func(d *train.Data, o *train.Options)) {
		t.Helper()
		check(want, func(_ *decoder.Config, d *train.Data, o *train.Options) { change(d, o) })
	}
	data("nothing to learn: there is no example", func(d *train.Data, _ *train.Options) { d.Domain = nil })
	data("a replay share of 0.5 and nothing to replay", func(d *train.Data, o *train.Options) { d.Replay, o.ReplayShare = nil, 0.5 })
	data("a divergence of weight 2 and no texts to measure it on", func(d *train.Data, o *train.Options) { d.Unlabelled, o.KL = nil, 2 })
	data("an example, number 2, has a token outside the vocabulary of 48", func(d *train.Data, _ *train.Options) { d.Domain[1].Tokens[0] = 48 })
	data("an example to replay, number 3, has a token outside the vocabulary of 48", func(d *train.Data, _ *train.Options) { d.Replay[2].Tokens[0] = -1 })
	data("an example, number 1, has fewer than 2 tokens: there is nothing to foretell", func(d *train.Data, _ *train.Options) { d.Domain[0].Tokens = []int32{1} })
	data("an example, number 1, has 6 tokens: a batch holds 5", func(_ *train.Data, o *train.Options) { o.BatchTokens = 4 })
	data("an example, number 3, has 6 tokens and says of 5 whether they are learned", func(d *train.Data, _ *train.Options) { d.Domain[2].Learned = d.Domain[2].Learned[1:] })
	data("an example, number 14, has 65 tokens: the model's context is 64", func(d *train.Data, _ *train.Options) { d.Domain = append(d.Domain, examples(1, 65, 48)...) })
	check("a sliding window of 16 tokens is narrower than a batch of 24", func(c *decoder.Config, _ *train.Data, _ *train.Options) { c.Window = 16 })
	begun(t, tiny, tinyBase(), allData(), train.Options{Steps: 1, BatchTokens: 5, LearningRate: 1}) // 6 tokens take 5 rows
}

// TestBadBase: a base that has not what config.json says, or that holds what is no
// number, is refused by the tensor's name.
func TestBadBase(t *testing.T) {
	check := func(want string, change func(m *tensorstest.Memory)) {
		t.Helper()
		m := tensorstest.NewMemory()
		base := tinyBase()
		for _, name := range base.Names() {
			info, _ := base.Info(name)
			m.Add(name, tensors.F32, info.Shape, values(t, base, name))
		}
		change(m)
		if _, err := train.New(tiny, m, allData(), ways["full"]); err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(-1))} {
		check(`tensor "model.layers.1.mlp.up_proj.weight" holds a value that is not finite: it cannot be trained`, func(m *tensorstest.Memory) {
			list := make([]float32, 48*32)
			list[1000] = bad
			m.Add("model.layers.1.mlp.up_proj.weight", tensors.F32, []int{48, 32}, list)
		})
	}
	check(`tensor "model.norm.weight" has shape [31]: config.json asks for [32]`, func(m *tensorstest.Memory) {
		m.Add("model.norm.weight", tensors.F32, []int{31}, make([]float32, 31))
	})
}

// TestRates: linear growth over the warm-up times half a cosine from the peak to
// its tenth, or to another share.
func TestRates(t *testing.T) {
	opt := train.Options{Steps: 20, BatchTokens: 24, LearningRate: 2e-3, WarmUp: 5}
	reports := stepped(t, begun(t, tiny, tinyBase(), allData(), opt), 20)
	check := func(step int, want float64) {
		t.Helper()
		if got := reports[step-1].LearningRate; math.Abs(got-want) > 1e-15 || reports[step-1].Step != step {
			t.Errorf("step %d has the rate %.9g, want %.9g", step, got, want)
		}
	}
	cosine := func(s float64) float64 { return 0.1 + 0.9*(1+math.Cos(math.Pi*s/20))/2 }
	check(1, 2e-3/5)
	check(2, 2e-3*2/5*cosine(1))
	check(5, 2e-3*cosine(4))
	check(6, 2e-3*cosine(5))
	check(11, 2e-3*0.55)
	check(20, 2e-3*cosine(19))
	if last := reports[19].LearningRate; !(last > 2e-4 && last < 2.2e-4) {
		t.Errorf("the last rate is %g, want about a tenth of the peak", last)
	}
	opt.FinalRate, opt.WarmUp = 1, 1
	for _, r := range stepped(t, begun(t, tiny, tinyBase(), allData(), opt), 5) {
		if r.LearningRate != 2e-3 {
			t.Errorf("step %d of a constant rate has %g", r.Step, r.LearningRate)
		}
	}
}

// TestDefaults are those that Options states.
func TestDefaults(t *testing.T) {
	got := begun(t, tiny, tinyBase(), allData(), train.Options{Steps: 7, LearningRate: 1e-3, KL: 1}).Options()
	want := train.Options{Steps: 7, BatchTokens: 768, LearningRate: 1e-3, WarmUp: 50, FinalRate: 0.1, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, ClipNorm: 1, KL: 1, UnlabelledTokens: 192}
	if got.Frozen != nil || got.LowRank != nil {
		t.Error("something is frozen or adapted")
	}
	got.Frozen, want.Frozen = nil, nil
	a, b := got, want
	if a.Steps != b.Steps || a.BatchTokens != b.BatchTokens || a.LearningRate != b.LearningRate || a.WarmUp != b.WarmUp || a.FinalRate != b.FinalRate || a.Beta1 != b.Beta1 ||
		a.Beta2 != b.Beta2 || a.Epsilon != b.Epsilon || a.ClipNorm != b.ClipNorm || a.KL != b.KL || a.UnlabelledTokens != b.UnlabelledTokens || a.WeightDecay != 0 || a.L2SP != 0 || a.ReplayShare != 0 {
		t.Errorf("%+v, want %+v", got, want)
	}
}
