package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"surgeon/merge"
	"surgeon/tensors"
)

// pairRun is one pair of a grid and its candidates: the base, the tuned model,
// and every point that is neither.
type pairRun struct {
	gridPair
	in         *inputs
	base       string // identities
	tuned      string
	baseID     string                   // the candidate that is the base
	deltas     map[string]tensors.Delta // the task vector after each method
	candidates []gridCandidate
}

// gridCandidate is a merge of a grid.
type gridCandidate struct {
	id       string
	point    merge.Point
	identity string
	source   tensors.Source
}

// list makes the candidates of a pair, but for those that are bit for bit one
// that is listed already, such as the base of several pairs.
func (g *gridRun) list(ctx context.Context, p *pairRun) error {
	var err error
	if p.base, err = p.in.base.identity(ctx); err != nil {
		return err
	}
	if p.tuned, err = p.in.tuned[0].identity(ctx); err != nil {
		return err
	}
	prefix := ""
	if len(g.file.Pairs) > 1 {
		prefix = p.Name + " "
	}
	ends := merge.Grid{Methods: []merge.Method{{Name: "linear"}}, Alphas: []float64{0, 1}}.Points()
	for i, point := range append(ends, g.file.axes().Points()...) {
		id := prefix + point.String()
		if i < len(ends) {
			id = prefix + []string{"base", "tuned"}[i]
		}
		c, err := p.candidate(id, point)
		if err != nil {
			return err
		}
		if same := g.known(c.identity); same != "" {
			if i == 0 {
				p.baseID = same
			}
			continue
		}
		if i == 0 {
			p.baseID = id
		}
		p.candidates = append(p.candidates, c)
	}
	return nil
}

// known is the candidate of an identity, if there is one.
func (g *gridRun) known(identity string) string {
	for _, c := range g.all() {
		if c.identity == identity {
			return c.id
		}
	}
	return ""
}

// candidate is the merge at a point.
func (p *pairRun) candidate(id string, point merge.Point) (gridCandidate, error) {
	rules, err := point.Rules()
	if err != nil {
		return gridCandidate{}, err
	}
	if _, err := rules.Check(p.in.tuned[0].delta.Names()); err != nil {
		return gridCandidate{}, err
	}
	method := point.Method.String()
	if p.deltas[method] == nil {
		p.deltas[method] = point.Method.Of(p.in.tuned[0].delta)
	}
	m, err := merge.Apply(p.in.from, merge.Term{Label: p.Tuned, Delta: p.deltas[method], Alpha: rules.At})
	if err != nil {
		return gridCandidate{}, err
	}
	return gridCandidate{id, point, mergeIdentity(p.base, p.tuned, point, p.in.tuned[0].adapter == nil), m}, nil
}

// mergeIdentity is a digest of all that decides the answers of a merge. A merge
// that is one of its models has that one's.
func mergeIdentity(base, tuned string, point merge.Point, model bool) string {
	switch {
	case point.Base():
		return base
	case point.Tuned() && model:
		return tuned
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", base, tuned, point.Same()))
	return hex.EncodeToString(sum[:])
}
