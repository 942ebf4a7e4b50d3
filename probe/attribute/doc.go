// Package attribute finds where in the weights of a tuned model the harm of
// its tuning sits, and which groups of tensors to set back.
//
// It knows no models. Whoever calls it offers an Oracle, which scores points
// between a base and a tuned model, and gets back numbers:
//
//  1. Groups parts the tensors of a model: the embedding, the head, the norms,
//     and bands of depth, their attention and their mlp apart.
//  2. Attribute asks for the base, for the tuned model, for the tuned model
//     with each group set back (is the group necessary for the harm?) and for
//     the base with each group tuned (is it sufficient?), and holds each group
//     answerable for a Harm, a rise of the loss on general text, and a
//     Benefit, a fall of the loss on text of the domain. Their ratio is the
//     group's Exchange rate. Where damage is redundant, so that setting back
//     one group at a time hardly helps, the harms are Shapley values.
//  3. Order ranks the groups by exchange rate, the worst bargain first, and
//     SelectiveRevert sets them back in that order as far as a budget goes.
//  4. Descend looks for the best alpha of each group by coordinate descent.
//     LiNeS makes alphas that grow with depth, without asking anything.
//  5. RankCorrelation holds a cheap predictor, such as the drift of each
//     group, against the harm that was measured.
//
// Losses are mean cross-entropies of reference answers, in nats a token: less
// noisy than accuracies, and without a floor. All points that can be asked at
// once are asked at once, so that an Oracle may score them side by side; no
// point is asked twice. Sums run in the order of the groups and the only
// random numbers are functions of Options.Seed, so results have the same bits
// however the Oracle works.
//
// What limits a result without making it wrong is told in its Warnings. A
// number that is undefined is NaN.
package attribute

import (
	"context"

	"surgeon/merge"
)

// Losses are the mean cross-entropies of reference answers, in nats a token,
// or differences of such.
type Losses struct {
	General float64 // on what the base could do before: the harm is here
	Domain  float64 // on what the tuning was for: the benefit is here
}

func (l Losses) plus(m Losses) Losses  { return Losses{l.General + m.General, l.Domain + m.Domain} }
func (l Losses) minus(m Losses) Losses { return Losses{l.General - m.General, l.Domain - m.Domain} }

// times rounds its products, so that no processor fuses them with a sum.
func (l Losses) times(f float64) Losses { return Losses{float64(l.General * f), float64(l.Domain * f)} }

// Oracle scores models base + alpha * (tuned - base), tensor by tensor: one
// Losses for each point, in the order of the points, every time from the same
// prompts. A point may be scored at any time and on any goroutine. Another
// number of Losses than of points is a mistake in the program, and panics.
type Oracle func(ctx context.Context, points []merge.Alpha) ([]Losses, error)

// Options are the choices of Attribute and Descend. The zero value of a field
// is the default that is noted.
type Options struct {
	// Seed of the permutations.
	Seed uint64
	// Permutations of the groups from which Shapley values are estimated, half
	// of them the reverses of the others: 8; an odd number counts as the next.
	Permutations int
	// Additivity below which Shapley values are computed: 0.5. Any number
	// that no additivity is below, such as -Inf, leaves them out.
	Additivity float64
	// Resolution is the difference of losses that counts as nothing, in nats a
	// token: 0.001.
	Resolution float64

	// Evaluations that Descend may ask for at most: 30.
	Evaluations int
	// Start is where Descend begins, one alpha for each group: 1 everywhere.
	Start []float64
	// Step is the first change of an alpha that Descend tries: 0.3.
	Step float64
	// Limit is the largest alpha that Descend tries, the smallest being 0: 1.
	Limit float64
}

func (o Options) fill() Options {
	fill(&o.Permutations, 8)
	o.Permutations += o.Permutations % 2
	fill(&o.Additivity, 0.5)
	fill(&o.Resolution, 1e-3)
	fill(&o.Evaluations, 30)
	fill(&o.Step, 0.3)
	fill(&o.Limit, 1)
	if o.Permutations < 0 || !(o.Resolution > 0) || o.Evaluations < 0 || !(o.Step > 0) || !(o.Limit > 0) {
		panic("attribute: Options with a number below 0 or NaN")
	}
	return o
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
