package train

import (
	"fmt"
	"math"

	"surgeon/probe/decoder"
)

// Options are the choices of a training. Zero values stand for the defaults that
// are stated, which suit the small models that surgeon is shipped with.
type Options struct {
	Steps        int     `json:"steps"`
	BatchTokens  int     `json:"batch_tokens"` // rows of a batch, prompts included; 768
	LearningRate float64 `json:"learning_rate"`
	WarmUp       int     `json:"warm_up"`      // steps of linear growth; 50
	FinalRate    float64 `json:"final_rate"`   // where the cosine ends, a share of LearningRate; 0.1
	Beta1        float64 `json:"beta1"`        // 0.9
	Beta2        float64 `json:"beta2"`        // 0.95
	Epsilon      float64 `json:"epsilon"`      // 1e-8
	WeightDecay  float64 `json:"weight_decay"` // of matrices but the embedding and the head, decoupled
	ClipNorm     float64 `json:"clip_norm"`    // of all gradients together; 1, negative for none
	Seed         uint64  `json:"seed"`

	ReplayShare float64 `json:"replay_share"` // probability that an example is replayed, in the place of one of the domain
	KL          float64 `json:"kl"`           // weight of the divergence from the model before
	// UnlabelledTokens are the rows that the divergence is measured on, in
	// every step; a quarter of BatchTokens.
	UnlabelledTokens int     `json:"unlabelled_tokens"`
	L2SP             float64 `json:"l2_sp"` // a step pulls weights back by LearningRate * L2SP of their change

	LowRank *LowRank               `json:"low_rank,omitempty"`
	Frozen  func(name string) bool `json:"-"` // tensors that stay as they are; nil: none
}

// LowRank asks for an adapter (LoRA; Hu et al., arXiv 2106.09685) instead of new
// weights: y = W x + Alpha/Rank * B A x.
type LowRank struct {
	Rank    int      `json:"rank"`
	Alpha   float64  `json:"alpha"`
	Targets []string `json:"targets"` // q_proj, k_proj, ...; none: all seven
}

func (o Options) withDefaults() Options {
	set := func(v *float64, to float64) {
		if *v == 0 {
			*v = to
		}
	}
	if o.BatchTokens == 0 {
		o.BatchTokens = 768
	}
	if o.WarmUp == 0 {
		o.WarmUp = 50
	}
	set(&o.FinalRate, 0.1)
	set(&o.Beta1, 0.9)
	set(&o.Beta2, 0.95)
	set(&o.Epsilon, 1e-8)
	set(&o.ClipNorm, 1)
	o.UnlabelledTokens = o.Unlabelled()
	return o
}

// Unlabelled is the rows that the divergence is measured on, the default filled in;
// 0 without KL.
func (o Options) Unlabelled() int {
	switch {
	case o.KL == 0:
		return 0
	case o.KL > 0 && o.UnlabelledTokens == 0:
		return o.BatchTokens / 4
	}
	return o.UnlabelledTokens
}

func (o Options) check(c decoder.Config, data Data) error {
	if err := supported(c); err != nil {
		return err
	}
	finite := func(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }
	switch {
	case o.Steps < 1:
		return fmt.Errorf("%d steps: want at least 1", o.Steps)
	case o.BatchTokens < 2 || o.BatchTokens > 1<<20:
		return fmt.Errorf("a batch of %d tokens: want from 2 to %d", o.BatchTokens, 1<<20)
	case !(o.LearningRate > 0) || math.IsInf(o.LearningRate, 0):
		return fmt.Errorf("learning rate %g: want a positive number", o.LearningRate)
	case o.WarmUp < 0 || !finite(o.WeightDecay) || !finite(o.L2SP) || !finite(o.KL):
		return fmt.Errorf("warm-up %d, weight decay %g, L2-SP %g, KL %g: want finite numbers, none below 0", o.WarmUp, o.WeightDecay, o.L2SP, o.KL)
	case math.IsNaN(o.ClipNorm) || math.IsInf(o.ClipNorm, 0):
		return fmt.Errorf("gradients clipped to %g: want a finite number, below 0 for none", o.ClipNorm)
	case !(o.FinalRate > 0 && o.FinalRate <= 1 && o.Beta1 > 0 && o.Beta1 < 1 && o.Beta2 > 0 && o.Beta2 < 1 && o.Epsilon > 0 && finite(o.Epsilon)):
		return fmt.Errorf("final rate %g, betas %g and %g, epsilon %g: want numbers above 0, the rate up to 1 and the betas below it", o.FinalRate, o.Beta1, o.Beta2, o.Epsilon)
	case !(o.ReplayShare >= 0 && o.ReplayShare < 1):
		return fmt.Errorf("replay share %g: want from 0 to below 1", o.ReplayShare)
	case o.ReplayShare > 0 && len(data.Replay) == 0:
		return fmt.Errorf("a replay share of %g and nothing to replay", o.ReplayShare)
	case o.KL > 0 && (o.UnlabelledTokens < 2 || o.UnlabelledTokens > 1<<20):
		return fmt.Errorf("a divergence of %d tokens: want from 2 to %d", o.UnlabelledTokens, 1<<20)
	case o.KL > 0 && len(data.Unlabelled) == 0:
		return fmt.Errorf("a divergence of weight %g and no texts to measure it on", o.KL)
	case len(data.Domain) == 0:
		return fmt.Errorf("nothing to learn: there is no example")
	case c.Window > 0 && c.Window < c.Context && c.Window < o.BatchTokens:
		return fmt.Errorf("a sliding window of %d tokens is narrower than a batch of %d", c.Window, o.BatchTokens)
	}
	if o.LowRank != nil {
		return o.LowRank.Check(c)
	}
	return nil
}

// rate is the learning rate of step s, from 0: linear growth over WarmUp steps
// times half a cosine from 1 to FinalRate (Loshchilov and Hutter, arXiv
// 1608.03983).
func (o Options) rate(s int) float64 {
	grown := 1.0
	if o.WarmUp > 0 {
		grown = min(1, float64(s+1)/float64(o.WarmUp))
	}
	cosine := (1 + math.Cos(math.Pi*float64(s)/float64(o.Steps))) / 2
	return o.LearningRate * grown * (o.FinalRate + (1-o.FinalRate)*cosine)
}
