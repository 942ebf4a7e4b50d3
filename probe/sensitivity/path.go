package sensitivity

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"

	"surgeon/merge"
	"surgeon/probe/attribute"
	"surgeon/probe/decoder"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// PathOptions are the choices of Path. Zero values stand for the defaults that
// are stated.
type PathOptions struct {
	// Nodes of the quadrature on the way: 5, up to 64. Gradients are taken at each,
	// of the general and of the domain examples.
	Nodes int
	// Resolution is the difference of losses that counts as nothing, in nats a
	// token: 0.001.
	Resolution float64
	// Gradients are the batches and the memory; of its Progress Path makes its own.
	Gradients train.GradientOptions
	// Progress is told how many examples are done, each counted at every point of
	// the way; may be nil.
	Progress func(done, total int64)
}

func (o PathOptions) withDefaults() PathOptions {
	if o.Nodes == 0 {
		o.Nodes = 5
	}
	if o.Resolution == 0 {
		o.Resolution = 1e-3
	}
	if o.Nodes < 1 || o.Nodes > 64 || !(o.Resolution > 0) {
		panic(fmt.Sprintf("sensitivity: %d nodes and a resolution of %v", o.Nodes, o.Resolution))
	}
	return o
}

// PathMethod is how a PathAttribution was found.
const PathMethod attribute.Method = "path-integrated gradients"

// PathAttribution is the harm and the benefit of a tuning by groups of tensors,
// as attribute.Order and attribute.SelectiveRevert take it. Revert, Insert and
// Additivity are NaN: nothing was set back.
type PathAttribution struct {
	attribute.Attribution
	// Rest is what changed tensors of no group are answerable for: the rise of
	// the losses.
	Rest attribute.Losses
	// Completeness is the Residual as a share of the whole change, without its
	// sign: 0 where shares add up to what the way forward measured. NaN where the
	// change is within the resolution.
	Completeness attribute.Losses
	// Nodes are the points of the way, from 0 to 1.
	Nodes []Node
	// Tensors are the shares of single tensors, in the order of the model.
	Tensors []TensorShare
}

// Node is a point W(Alpha) = W0 + Alpha*D of the way.
type Node struct {
	Alpha, Weight float64          // of Gauss-Legendre quadrature on [0,1]
	Losses        attribute.Losses // there
	Slope         attribute.Losses // of the losses along the way: d L(W(a)) / d a
}

// TensorShare is what the change of one tensor is answerable for.
type TensorShare struct {
	Name          string
	Harm, Benefit float64 // as those of attribute.Effect
}

// Path shares a tuning out among groups of tensors, of the general and of the
// domain loss: with D the change of the weights and D_g that of a group,
//
//	A_g = integral over a from 0 to 1 of <grad L(W0 + a D)_g, D_g> da
//	    = sum over q of w_q <grad L(W0 + a_q D)_g, D_g>, nearly,
//
// with the nodes and weights of Gauss and Legendre. The sum of A_g over all groups
// is L(W0 + D) - L(W0) (completeness; Sundararajan et al., proposition 1), which is
// measured by the way forward: the Residual is the error of the quadrature, and of
// float32. The loss of an example that one end knows by heart is nearly nothing up to
// a bend, and the slopes of few examples jump there: more examples leave less, and
// more nodes, but not by the order that the rule has for smooth ones. (From base to
// chem of the embedded pair five nodes leave 2 to 5 % of 48 to 256 examples.) W(a)
// is computed in float64 and stored as F32, whatever the base stores. A tensor in
// several groups counts in the first.
//
// Errors are those of train.NewGradients, a delta that does not fit the base, and
// one that changes no tensor of the model. Tensors that the model does not compute
// with, such as the copy of a tied head, take no part.
func Path(ctx context.Context, c decoder.Config, base tensors.Source, delta tensors.Delta, general, domain []train.Example, groups []attribute.Group, opt PathOptions) (*PathAttribution, error) {
	opt = opt.withDefaults()
	w, err := newWay(c, base, delta, general, domain, opt)
	if err != nil {
		return nil, err
	}
	a := &PathAttribution{}
	if a.Base, err = w.losses(ctx, 0); err != nil {
		return nil, err
	}
	if a.Tuned, err = w.losses(ctx, 1); err != nil {
		return nil, err
	}
	nodes, weights := make([]float64, opt.Nodes), make([]float64, opt.Nodes)
	quad.Legendre{}.FixedLocations(nodes, weights, 0, 1)
	for q, alpha := range nodes {
		node, err := w.node(ctx, alpha, weights[q])
		if err != nil {
			return nil, err
		}
		a.Nodes = append(a.Nodes, node)
	}
	a.share(w, groups, opt)
	return a, nil
}

// way is the straight way from base to tuned model.
type way struct {
	base            tensors.Source
	delta           tensors.Delta
	general, domain []train.Example
	gradients       *train.Gradients
	names           []string                    // tensors of the model that change, in its order
	shares          map[string]attribute.Losses // A of every tensor so far
}

// newWay checks that there is one and reads the base.
func newWay(c decoder.Config, base tensors.Source, delta tensors.Delta, general, domain []train.Example, opt PathOptions) (*way, error) {
	w := &way{base: base, delta: delta, general: general, domain: domain, shares: map[string]attribute.Losses{}}
	if err := tensors.Fit(base, delta); err != nil {
		return nil, err
	}
	for _, t := range c.Tensors() {
		if _, ok := delta.Info(t.Name); ok {
			w.names = append(w.names, t.Name)
		}
	}
	if len(w.names) == 0 {
		return nil, fmt.Errorf("the delta changes %d tensors, and none of them is one that the model computes with: there is no way to go", len(delta.Names()))
	}
	if opt.Progress != nil {
		before, total := int64(0), int64(2+opt.Nodes)*int64(len(general)+len(domain))
		opt.Gradients.Progress = func(done, of int64) {
			opt.Progress(before+done, total)
			if done == of { // of one kind at one point
				before += of
			}
		}
	}
	var err error
	w.gradients, err = train.NewGradients(c, base, opt.Gradients)
	return w, err
}

// at goes to W(alpha).
func (w *way) at(alpha float64) error {
	m, err := merge.Apply(w.base, merge.Term{Label: "the delta", Delta: w.delta, Alpha: merge.Number(alpha)})
	if err != nil {
		return err
	}
	if err := w.gradients.Move(m.With(merge.Options{DType: tensors.F32})); err != nil {
		return fmt.Errorf("at %v of the way: %w", alpha, err)
	}
	return nil
}

// losses are those of W(alpha).
func (w *way) losses(ctx context.Context, alpha float64) (l attribute.Losses, err error) {
	if err := w.at(alpha); err != nil {
		return l, err
	}
	if l.General, err = w.gradients.Loss(ctx, w.general); err != nil {
		return l, fmt.Errorf("the general loss at %v of the way: %w", alpha, err)
	}
	if l.Domain, err = w.gradients.Loss(ctx, w.domain); err != nil {
		return l, fmt.Errorf("the domain loss at %v of the way: %w", alpha, err)
	}
	return l, nil
}

// node adds the share of a point to those of the tensors.
func (w *way) node(ctx context.Context, alpha, weight float64) (Node, error) {
	n := Node{Alpha: alpha, Weight: weight}
	if err := w.at(alpha); err != nil {
		return n, err
	}
	var err error
	n.Losses.General, n.Slope.General, err = w.along(ctx, w.general, func(share *attribute.Losses, slope float64) { share.General += float64(weight * slope) })
	if err != nil {
		return n, fmt.Errorf("the general loss at %v of the way: %w", alpha, err)
	}
	n.Losses.Domain, n.Slope.Domain, err = w.along(ctx, w.domain, func(share *attribute.Losses, slope float64) { share.Domain += float64(weight * slope) })
	if err != nil {
		return n, fmt.Errorf("the domain loss at %v of the way: %w", alpha, err)
	}
	return n, nil
}

// along is a loss where the gradients are and its slope along the way, of which add
// is given that of every tensor.
func (w *way) along(ctx context.Context, examples []train.Example, add func(share *attribute.Losses, slope float64)) (loss, slope float64, err error) {
	var failed error
	loss, err = w.gradients.Mean(ctx, examples, func(name string, gradient []float64) {
		if _, changes := w.delta.Info(name); !changes || failed != nil {
			return
		}
		change := make([]float64, len(gradient))
		if failed = w.delta.AddTo64(change, name, 0, 1); failed != nil {
			return
		}
		s, share := dot(gradient, change), w.shares[name]
		add(&share, s)
		w.shares[name] = share
		slope += s
	})
	return loss, slope, cmp.Or(err, failed)
}

// dot is the sum of products in their order.
func dot(x, y []float64) (sum float64) {
	for i, v := range x {
		sum += float64(v * y[i])
	}
	return sum
}

// share sums tensors up into groups, and warns.
func (a *PathAttribution) share(w *way, groups []attribute.Group, opt PathOptions) {
	nan := math.NaN()
	a.Method, a.Resolution, a.Evaluations = PathMethod, opt.Resolution, 2+opt.Nodes
	a.Additivity = attribute.Losses{General: nan, Domain: nan}
	a.Harm, a.Benefit = a.Tuned.General-a.Base.General, a.Base.Domain-a.Tuned.Domain
	sums, sum := a.sums(w, groups)
	for i, g := range groups {
		e := attribute.Effect{Group: g, Harm: sums[i].General, Benefit: 0 - sums[i].Domain, Revert: a.Additivity, Insert: a.Additivity}
		e.Exchange, e.Note = attribute.Exchange(e.Harm, e.Benefit, opt.Resolution)
		a.Effects = append(a.Effects, e)
	}
	a.Residual = attribute.Losses{General: a.Harm - sum.General, Domain: 0 - a.Benefit - sum.Domain}
	a.Completeness = attribute.Losses{General: a.complete("general", a.Residual.General, a.Harm, opt), Domain: a.complete("domain", a.Residual.Domain, a.Benefit, opt)}
	if rest := math.Max(math.Abs(a.Rest.General), math.Abs(a.Rest.Domain)); rest > opt.Resolution {
		a.Warnings = append(a.Warnings, fmt.Sprintf("tensors of no group change losses by up to %.2g nats a token, which no group is answerable for", rest))
	}
}

// sums are the shares of groups and of all tensors; Tensors and Rest are filled in.
func (a *PathAttribution) sums(w *way, groups []attribute.Group) (of []attribute.Losses, all attribute.Losses) {
	of = make([]attribute.Losses, len(groups))
	for _, name := range w.names {
		s, to := w.shares[name], &a.Rest
		a.Tensors = append(a.Tensors, TensorShare{Name: name, Harm: s.General, Benefit: 0 - s.Domain}) // and not -0
		if i := slices.IndexFunc(groups, func(g attribute.Group) bool { return g.Has(name) }); i >= 0 {
			to = &of[i]
		}
		to.General, to.Domain = to.General+s.General, to.Domain+s.Domain
		all.General, all.Domain = all.General+s.General, all.Domain+s.Domain
	}
	return of, all
}

// complete is the residual as a share of the change.
func (a *PathAttribution) complete(kind string, residual, change float64, opt PathOptions) float64 {
	if math.Abs(change) <= opt.Resolution {
		a.Warnings = append(a.Warnings, fmt.Sprintf("the %s loss changed by %.2g nats a token, no more than the resolution of %.2g: there is nothing to share out", kind, change, opt.Resolution))
		return math.NaN()
	}
	part := math.Abs(residual / change)
	if part > 0.05 && math.Abs(residual) > opt.Resolution {
		a.Warnings = append(a.Warnings, fmt.Sprintf("shares of the %s loss miss its change of %.3g nats a token by %.2g: take more nodes than %d for a way this bent", kind, change, residual, opt.Nodes))
	}
	return part
}
