package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"surgeon/probe/attribute"
)

// The candidates that the attribution makes.
var reverts = []string{"revert 1", "revert 2", "revert 3"}

const byDescent = "alphas by group"

// made says how a candidate was made that the evidence leads to, or why it was not.
func (f *attribution) made(name string) (how, not string) {
	if n := slices.Index(reverts, name); n >= 0 {
		if n >= len(f.Reverts) {
			return "", "no further group is worth setting back"
		}
		return "without " + strings.Join(f.Reverts[n], ", "), ""
	}
	if name == byDescent {
		var words []string
		for i, alpha := range f.Alphas {
			words = append(words, fmt.Sprintf("%s %.2f", f.Groups[i].Group, float64(alpha)))
		}
		return strings.Join(words, ", "), ""
	}
	return "", ""
}

// follow makes the candidates that the evidence leads to.
func (a *auditing) follow(ctx context.Context) error {
	for n, reverted := range a.found.Reverts[:min(len(reverts), len(a.found.Reverts))] {
		alphas := make([]float64, len(a.groups))
		for i, g := range a.groups {
			if !slices.Contains(reverted, g.Name) {
				alphas[i] = 1
			}
		}
		if err := a.make(reverts[n], alphas); err != nil {
			return err
		}
	}
	if len(a.found.Alphas) == len(a.groups) {
		alphas := make([]float64, len(a.groups))
		for i := range alphas {
			alphas[i] = float64(a.found.Alphas[i])
		}
		if err := a.make(byDescent, alphas); err != nil {
			return err
		}
	}
	if err := a.decompose(ctx); err != nil {
		return err
	}
	if err := a.regmean(ctx); err != nil {
		return err
	}
	return a.byGradients(ctx)
}

// make makes a candidate of the alphas of the groups.
func (a *auditing) make(name string, alphas []float64) error {
	m, err := a.in.merged(attribute.Scale(a.groups, alphas, 1))
	if err != nil {
		return err
	}
	a.made(name, m, fmt.Sprint(alphas))
	return nil
}
