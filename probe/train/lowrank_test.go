package train_test

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/lora"
	"surgeon/merge"
	"surgeon/probe/train"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// adapted are options of an adapter.
func adapted(l train.LowRank) train.Options {
	return train.Options{Steps: 40, BatchTokens: 125, LearningRate: 3e-2, WarmUp: 4, LowRank: &l}
}

// TestLowRank: the first loss is the base's, the base keeps its bits, and the
// adapter, written as PEFT does and merged into the base, has the loss that
// the run reports, by the decoder.
func TestLowRank(t *testing.T) {
	data := train.Data{Domain: sums(25)}
	opt := adapted(train.LowRank{Rank: 8, Alpha: 12})
	r := begun(t, tiny, tinyBase(), data, opt)
	plain := train.Options{Steps: 40, BatchTokens: 125, LearningRate: 1e-2}
	first := stepped(t, r, 1)[0]
	if base := stepped(t, begun(t, tiny, tinyBase(), data, plain), 1)[0]; first.Loss != base.Loss {
		t.Errorf("the first loss is %.9g, the base's %.9g", first.Loss, base.Loss)
	}
	stepped(t, r, 38)
	factors := map[string][]float32{} // as they are before the last step
	for _, name := range r.Adapter().Names() {
		factors[name] = values(t, r.Adapter(), name)
	}
	frozen := tensorstest.NewMemory()
	for name, v := range factors {
		info, _ := r.Adapter().Info(name)
		frozen.Add(name, tensors.F32, info.Shape, v)
	}
	last := stepped(t, r, 1)[0] // of those factors
	if m := moved(t, r.Weights(), tinyBase()); m != nil {
		t.Errorf("%q of the base have moved", m)
	}
	dir := t.TempDir()
	if _, err := lora.Write(context.Background(), dir, frozen, lora.Settings{Rank: 8, Alpha: 12, Targets: opt.LowRank.Projections(), Base: "tiny"}, tensors.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	a, err := lora.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	delta, err := a.Over(tinyBase())
	if err != nil {
		t.Fatal(err)
	}
	merged, err := merge.Apply(tinyBase(), merge.Term{Label: "adapter", Delta: delta, Alpha: merge.Number(1)})
	if err != nil {
		t.Fatal(err)
	}
	got := lossOf(t, tiny, merged, sums(25))
	t.Logf("the loss fell from %.4f to %.6f, of the merged model %.6f", first.Loss, last.Loss, got)
	if !(math.Abs(got-last.Loss) <= 1e-5) || !(last.Loss < 2.2) {
		t.Errorf("the run's loss is %.9g, the merged model's %.9g", last.Loss, got)
	}
	trained, all := r.Parameters()
	if trained != a.Parameters() || all != count(tiny) {
		t.Errorf("%d of %d values are trained, the adapter has %d, the base %d", trained, all, a.Parameters(), count(tiny))
	}
}

// TestAdapterNames are PEFT's, with the shapes [rank, in] and [out, rank].
func TestAdapterNames(t *testing.T) {
	check := func(targets []string, projections map[string][2]int) {
		t.Helper()
		r := begun(t, tiny, tinyBase(), allData(), adapted(train.LowRank{Rank: 3, Alpha: 3, Targets: targets}))
		want := map[string][]int{}
		for name, shape := range projections {
			for _, layer := range []string{"0", "1"} {
				module := "base_model.model.model.layers." + layer + "." + name
				want[module+".lora_A.weight"], want[module+".lora_B.weight"] = []int{3, shape[1]}, []int{shape[0], 3}
			}
		}
		got := map[string][]int{}
		for _, name := range r.Adapter().Names() {
			info, _ := r.Adapter().Info(name)
			got[name] = info.Shape
			for _, v := range values(t, r.Adapter(), name) { // as PEFT begins: A within 1/sqrt(in), B zero
				if bound := 1 / math.Sqrt(float64(info.Shape[1])); strings.HasSuffix(name, "lora_B.weight") && v != 0 || !(math.Abs(float64(v)) <= bound) {
					t.Fatalf("%s begins with %g", name, v)
				}
			}
		}
		if !maps.EqualFunc(got, want, slices.Equal[[]int]) {
			t.Errorf("targets %q: %v, want %v", targets, got, want)
		}
	}
	all := map[string][2]int{"self_attn.q_proj": {32, 32}, "self_attn.k_proj": {16, 32}, "self_attn.v_proj": {16, 32}, "self_attn.o_proj": {32, 32},
		"mlp.gate_proj": {48, 32}, "mlp.up_proj": {48, 32}, "mlp.down_proj": {32, 48}}
	check(nil, all)
	check([]string{"v_proj", "q_proj"}, map[string][2]int{"self_attn.q_proj": all["self_attn.q_proj"], "self_attn.v_proj": all["self_attn.v_proj"]})
	check([]string{"down_proj"}, map[string][2]int{"mlp.down_proj": all["mlp.down_proj"]})
	if a := begun(t, tiny, tinyBase(), allData(), ways["full"]).Adapter(); a != nil {
		t.Error("a run of all weights has an adapter")
	}
	if got := (&train.LowRank{Targets: []string{"up_proj", "q_proj"}}).Projections(); !slices.Equal(got, []string{"q_proj", "up_proj"}) {
		t.Errorf("projections %q, want the order of a block", got)
	}
}

// TestLowRankScale: alpha counts as alpha/rank does: twice alpha and half of B are the
// same model.
func TestLowRankScale(t *testing.T) {
	losses := func(alpha float64) []train.Report {
		opt := adapted(train.LowRank{Rank: 4, Alpha: alpha})
		return stepped(t, begun(t, tiny, tinyBase(), train.Data{Domain: sums(25)}, opt), 2)
	}
	low, high := losses(2), losses(8)
	// At the start B is 0: its gradient is in proportion to alpha, that of A is 0.
	if ratio := high[0].GradientNorm / low[0].GradientNorm; !almost(ratio, 4) {
		t.Errorf("four times alpha gives %.9g times the gradient", ratio)
	}
	if low[0].Loss != high[0].Loss || low[1].Loss == high[1].Loss {
		t.Errorf("losses %v and %v", low, high)
	}
}
