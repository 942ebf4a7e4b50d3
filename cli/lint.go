package cli

import (
	"fmt"
	"slices"
	"strings"

	"surgeon/cli/preflight"
	"surgeon/cli/table"
	"surgeon/tensors"
)

// lint is what inspect says of two models, and its JSON.
type lint struct {
	Base      string              `json:"base"`
	Tuned     string              `json:"tuned"`
	Mergeable bool                `json:"mergeable"` // without a flag
	Findings  []preflight.Finding `json:"findings"`
	Tensors   lintTensors         `json:"tensors"`
	Unmatched []tensors.Unmatched `json:"unmatched"`
	Notes     []string            `json:"notes,omitempty"`
}

type lintTensors struct {
	Base    int `json:"base"`
	Tuned   int `json:"tuned"`
	Matched int `json:"matched"` // same name and shape, of number types
	Widened int `json:"widened"` // of those: stored in different types
}

// runLint compares what stands beside the weights of two models, and their
// tensors by name, shape and type.
func runLint(env environment, opt inspectOptions, baseName, tunedName string) error {
	in, err := openInputs(baseName, tunedName)
	if err != nil {
		return err
	}
	defer in.close()
	t := in.tuned[0]
	if t.model == nil {
		return usagef("%s is a LoRA adapter: inspect compares two models", tunedName)
	}
	l := lint{Base: baseName, Tuned: tunedName, Notes: in.notes()}
	if l.Findings, err = preflight.Compare(in.base.Dir(), t.model.Dir()); err != nil {
		return err
	}
	in.untie()
	l.Notes = in.notes()
	d, err := tensors.Diff(in.from, t.source)
	if err != nil {
		return err
	}
	l.Unmatched = append([]tensors.Unmatched{}, d.Unmatched...)
	l.Findings = append([]preflight.Finding{}, l.Findings...)
	l.Tensors = lintTensors{len(in.base.Names()), len(t.model.Names()), len(d.Names()), 0}
	for _, name := range d.Names() {
		b, _ := in.base.Info(name)
		u, _ := t.model.Info(name)
		if b.DType != u.DType {
			l.Tensors.Widened++
		}
	}
	l.Mergeable = l.Tensors.Matched > 0 && len(l.Unmatched) == 0 &&
		!slices.ContainsFunc(l.Findings, func(f preflight.Finding) bool { return f.Severity == preflight.Error })
	if opt.json {
		return env.printJSON(l)
	}
	return l.print(env)
}

func (l lint) print(env environment) error {
	env.printf("base      %s, %d tensors\ntuned     %s, %d tensors\nmatched   %d tensors have the same name and shape", l.Base, l.Tensors.Base, l.Tuned, l.Tensors.Tuned, l.Tensors.Matched)
	if l.Tensors.Widened > 0 {
		env.printf(", %d of them in different types", l.Tensors.Widened)
	}
	env.printf("\n")
	for _, f := range l.Findings {
		env.printf("\n%-8s  %s\n", f.Severity, table.Printable(strings.TrimSpace(f.File+" "+f.Field)))
		env.printf("          %s | %s\n          %s\n", table.Printable(f.Base), table.Printable(f.Tuned), table.Printable(f.Says))
	}
	const most = 10
	for i, u := range l.Unmatched {
		if i == most {
			env.printf("\nunmatched and %s, which --json lists\n", plural(len(l.Unmatched)-most, "more tensor"))
			break
		}
		env.printf("\nunmatched %s\n", table.Printable(u.Name+": "+u.Reason))
	}
	verdict := "nothing stands against a merge"
	switch {
	case slices.ContainsFunc(l.Findings, func(f preflight.Finding) bool { return f.Severity == preflight.Error }), l.Tensors.Matched == 0:
		verdict = "a merge would be refused"
	case len(l.Unmatched) > 0:
		verdict = fmt.Sprintf("a merge needs --on-mismatch: %s without a match", plural(len(l.Unmatched), "tensor"))
	case len(l.Findings) > 0:
		verdict = "a merge is possible, and keeps what the base says"
	}
	if err := env.printf("\nverdict   %s\n", verdict); err != nil {
		return err
	}
	return env.footnotes(l.Notes)
}
