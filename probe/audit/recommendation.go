package audit

// Action is a kind of change that a recommendation asks for.
type Action string

// The ten kinds of recommendations.
const (
	ActLearningRate Action = "learning-rate" // train with a smaller one
	ActReplay       Action = "replay"        // mix general examples into the training
	ActLoRA         Action = "lora"          // train or ship a low-rank adapter
	ActFreeze       Action = "freeze"        // leave groups of tensors untrained
	ActMerge        Action = "merge"         // ship a merge with the base
	ActIsolation    Action = "isolation"     // keep the fine-tune apart and route to it
	ActCheckpoint   Action = "checkpoint"    // ship another checkpoint
	ActDivergence   Action = "divergence"    // hold the training to the base's answers or weights
	ActGates        Action = "gates"         // ask more items before the next decision
	ActStop         Action = "stop"          // do not use again
)

// Confidence says what a recommendation rests on.
type Confidence string

const (
	// High: repeated over seeds, or all the evidence that its kind asks for.
	High Confidence = "high"
	// Medium: one run that was measured.
	Medium Confidence = "medium"
	// Low: what is published, and a loss that was measured.
	Low Confidence = "low"
)

// Setting is one side of a change. It has a number with its unit, or words.
type Setting struct {
	// Number means something if Unit is not empty.
	Number float64 `json:"number"`
	// Unit is "share" (of examples or of a norm, from 0 to 1), "alpha",
	// "rank", "learning rate", "steps", "items", "weight" or "seconds".
	Unit string `json:"unit,omitempty"`
	// Names are models, groups, tasks or types of files.
	Names []string `json:"names,omitempty"`
}

// What an effect measures.
const (
	// EffectRestored: score of the recommended model less that of the tuned one
	// on a task, as a share of the items.
	EffectRestored = "restored"
	// EffectDifference: score less the base's.
	EffectDifference = "difference"
	// EffectAtStake: score of the base less that of the tuned model: what a
	// change that nobody has tried here could bring back at most.
	EffectAtStake = "at stake"
	// EffectWorse: score of what is to be stopped less that of the better model.
	EffectWorse = "worse"
	// EffectNats: harm in nats a token.
	EffectNats = "nats"
)

// EffectOf says what an effect is measured in, on what and against whom.
type EffectOf struct {
	What string `json:"what"`           // one of the names above
	Task string `json:"task,omitempty"` // of which the scores are
	// Against names the model compared with: "tuned", "base", or a candidate.
	Against string `json:"against,omitempty"`
}

// Recommendation is one change for the next cycle, and what it rests on.
type Recommendation struct {
	// Rank counts from 1; the first is the recommendation, and the others what
	// may be done besides or instead.
	Rank int    `json:"rank"`
	Kind Action `json:"kind"`
	// Change names what changes: a candidate, "the fine-tune", groups, a
	// setting; From and To are its two sides.
	Change string  `json:"change"`
	From   Setting `json:"from"`
	To     Setting `json:"to"`
	// Effect is the measured effect, always defined, EffectOf what it is of,
	// and N the number of items behind it, at least 1.
	Effect   Interval `json:"effect"`
	EffectOf EffectOf `json:"effect_of"`
	N        int      `json:"n"`
	// Evidence names the pieces that the recommendation rests on, at least one.
	Evidence   []string   `json:"evidence"`
	Confidence Confidence `json:"confidence"`
	// Needs lists what high confidence would need besides.
	Needs []string `json:"needs,omitempty"`
	// Why gives the reason in one sentence.
	Why string `json:"why"`
	// Sources names what was published, for what was not measured here.
	Sources []string `json:"sources,omitempty"`
	// Gate is the test that will verify it, and Gates those of all protected
	// tasks where the recommendation is to ask more.
	Gate  Gate   `json:"gate"`
	Gates []Gate `json:"gates,omitempty"`
	// Executed says that the recommended model was made and measured here.
	Executed bool `json:"executed"`
	// Hold says that nothing measured here should be shipped until it is done.
	Hold bool `json:"hold,omitempty"`
}
