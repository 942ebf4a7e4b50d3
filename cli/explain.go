package cli

import (
	"fmt"

	"surgeon/cli/table"
)

// explained is what merge --explain says of one tensor and tuned model.
type explained struct {
	Name  string  `json:"name"`
	Tuned string  `json:"tuned"`
	Alpha float64 `json:"alpha"`
	Rule  string  `json:"rule"`
}

// runExplain prints the alpha that every tensor would be merged with and the
// rule that gives it. It writes nothing.
func runExplain(env environment, opt mergeOptions, baseName string, tunedNames []string) error {
	in, err := openMerge(opt.policy, baseName, tunedNames...)
	if err != nil {
		return err
	}
	defer in.close()
	unused, err := in.checkRules(opt.alphas)
	if err != nil {
		return err
	}
	var list []explained
	for i, t := range in.tuned {
		for _, name := range t.delta.Names() {
			alpha, rule, _ := opt.alphas[i].Resolve(name)
			list = append(list, explained{name, t.name, alpha, rule})
		}
	}
	notes := append(in.notes(), unused...)
	if opt.json {
		return env.printJSON(struct {
			Base    string      `json:"base"`
			Tensors []explained `json:"tensors"`
			Notes   []string    `json:"notes,omitempty"`
		}{baseName, list, notes})
	}
	columns := []table.Column{{Name: "tensor", Tail: true}, {Name: "alpha", Right: true}, {Name: "rule"}}
	if len(in.tuned) > 1 {
		columns = append(columns, table.Column{Name: "of"})
	}
	rows := make([][]string, 0, len(list))
	for _, e := range list {
		rows = append(rows, []string{e.Name, fmt.Sprint(e.Alpha), e.Rule, e.Tuned}[:len(columns)])
	}
	if err := env.printTable(columns, rows); err != nil {
		return err
	}
	return env.footnotes(notes)
}
