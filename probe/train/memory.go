package train

import "surgeon/probe/decoder"

// Memory is an estimate of the bytes that a training takes, within a fifth or so of
// what was measured (TestMemory). Rows of a batch take most of it in a small model,
// an adapter of all projections more than twice as much as training all weights:
// beside every projection it has values and gradients of its own.
func Memory(c decoder.Config, opt Options) int64 {
	opt = opt.withDefaults()
	weights, adapters := int64(0), int64(0) // values
	own := int64(0)                         // of an adapter, a row
	for _, t := range c.Tensors() {
		n := int64(1)
		for _, d := range t.Shape {
			n *= int64(d)
		}
		weights += n
		if l := opt.LowRank; l != nil && l.beside(t.Name) {
			out, in, rank := int64(t.Shape[0]), int64(t.Shape[1]), int64(l.Rank)
			adapters += rank * (out + in)
			own += 6*out + 2*in + 4*rank
		}
	}
	copies := int64(7) // values, packed twice, gradient, two moments, gorgonia's sum
	if opt.LowRank != nil {
		copies = 3
	}
	if opt.L2SP > 0 {
		copies++ // the values before; for an adapter that is more than they are
	}
	unlabelled := int64(opt.UnlabelledTokens)
	row := int64(c.Layers)*int64(16*c.Hidden+10*c.Intermediate) + 4*int64(c.Vocabulary)
	values := copies*weights + 7*adapters + (int64(opt.BatchTokens)+unlabelled)*(row+own)
	if opt.KL > 0 { // the teacher's way forward, and its weights: packed once, and copied if they change
		values += unlabelled*row/2 + weights
		if opt.LowRank == nil {
			values += weights
		}
	}
	return 4 * values
}

// GradientMemory is an estimate of the bytes that Gradients take beside the Source
// for Mean and Loss, within a fifth or so of what was measured
// (TestGradientMemory). Each takes as many rows as the longest example has tokens,
// and no sums.
func GradientMemory(c decoder.Config, opt GradientOptions) int64 {
	opt = opt.withDefaults()
	there := Memory(c, Options{BatchTokens: opt.BatchTokens}) // whose two moments are float64 sums here
	weights := Memory(c, Options{BatchTokens: 1})
	return there + (there-weights)/4 // the way forward has rows of its own
}
