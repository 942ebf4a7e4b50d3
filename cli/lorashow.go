package cli

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/urfave/cli/v2"

	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/tensors"
)

func loraShowCommand(env environment) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "what an adapter holds: ranks, scales, norms and spectra",
		ArgsUsage: "ADAPTER",
		Description: `For every product its rank and scale, the norm of what it changes, how that is spread over
directions (stable rank; the least rank that holds 90 % of the squared norm), and what else the
adapter brings. With --base also the norm against that of the base's weight, and intruders: of the
ten leading directions of the changed weight those that are like none of the base's, a mark of
LoRA that goes with forgetting (arXiv 2410.21228).

Examples:
   surgeon lora show chem-lora
   surgeon lora show chem-lora --base base --json`,
		Flags: common(&cli.StringFlag{Name: "base", Usage: "the `MODEL` that the adapter is for"}),
		Action: func(c *cli.Context) error {
			args, err := models(c, 1, 1, "an adapter")
			if err != nil {
				return err
			}
			s := &shown{Adapter: args[0], Base: c.String("base")}
			step, finish := env.progress(c, "look for intruders", "elements")
			err = s.look(c.Context, step)
			finish()
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return env.printJSON(s)
			}
			return s.print(env)
		},
	}
}

// shown is what lora show says, and its JSON.
type shown struct {
	Adapter    string        `json:"adapter"`
	For        string        `json:"base_model_name_or_path"`
	Base       string        `json:"base,omitempty"`
	Parameters int64         `json:"parameters"`
	Bytes      int64         `json:"bytes"`
	Modules    []shownModule `json:"modules"`
	Whole      []string      `json:"saved_whole,omitempty"`
	Rows       []string      `json:"rows,omitempty"`
	Loaders    []loaded      `json:"loaders"`
	Notes      []string      `json:"notes,omitempty"`
}

type shownModule struct {
	Tensor     string        `json:"tensor"`
	Out        int           `json:"out"`
	In         int           `json:"in"`
	Rank       int           `json:"rank"`
	Scale      number        `json:"scale"`
	DoRA       bool          `json:"dora,omitempty"`
	Bias       bool          `json:"bias,omitempty"`
	DType      tensors.DType `json:"dtype"`
	Norm       number        `json:"norm"`        // Frobenius, with the scale
	StableRank number        `json:"stable_rank"` // norm^2 / largest singular value^2
	Rank90     int           `json:"rank_of_90_percent_energy"`
	Singular   []number      `json:"singular_values"`
	Relative   *number       `json:"relative_norm,omitempty"` // to the base's weight
	Intruders  *int          `json:"intruders,omitempty"`
}

func (s *shown) look(ctx context.Context, progress func(done, total int64)) error {
	a, err := openAdapter(s.Adapter)
	if err != nil {
		return err
	}
	defer a.Close()
	s.For, s.Parameters, s.Bytes = a.Config.Base, a.Parameters(), a.Bytes()
	matrices, err := a.Decomposed(ctx)
	if err != nil {
		return err
	}
	for i, l := range a.LowRank {
		m := matrices[i]
		one := shownModule{Tensor: l.Tensor, Out: l.Out, In: l.In, Rank: l.Rank, Scale: number(l.Scale), DoRA: l.Magnitude != nil, Bias: l.Bias != nil, DType: l.DType,
			Norm: number(math.Sqrt(m.Norm2)), Rank90: m.Holding(0.9)}
		if len(m.Singular) > 0 && m.Singular[0] > 0 {
			one.StableRank = number(m.Norm2 / (m.Singular[0] * m.Singular[0]))
		}
		for _, v := range m.Singular {
			one.Singular = append(one.Singular, number(v))
		}
		s.Modules = append(s.Modules, one)
	}
	for _, r := range a.Replaced {
		s.Whole = append(s.Whole, r.Tensor)
	}
	for _, r := range a.Rows {
		s.Rows = append(s.Rows, fmt.Sprintf("%s of %s", plural(len(r.Index), "row"), r.Tensor))
	}
	for _, one := range a.Sparse {
		s.Rows = append(s.Rows, fmt.Sprintf("%s of %s", plural(len(one.Values), "single element"), one.Tensor))
	}
	for _, l := range a.Loaders() {
		s.Loaders = append(s.Loaders, loaded{l.Name, l.Problems})
	}
	if s.Base == "" {
		if a.Zero() {
			s.Notes = append(s.Notes, "all that it adds is zero: with it the base is the base")
		}
		return nil
	}
	return s.against(ctx, a, progress)
}

// against compares with the base.
func (s *shown) against(ctx context.Context, a *lora.Adapter, progress func(done, total int64)) error {
	base, err := openModel(s.Base)
	if err != nil {
		return err
	}
	defer base.Close()
	delta, err := a.Over(base)
	if err != nil {
		return err
	}
	relative, err := lora.RelativeNorms(ctx, base, delta)
	if err != nil {
		return err
	}
	intruders, err := lora.Intruders(ctx, base, delta, lora.IntruderOptions{Progress: progress})
	if err != nil {
		return err
	}
	for i := range s.Modules {
		m := &s.Modules[i]
		ratio, n := number(relative[m.Tensor]), 0
		for _, in := range intruders {
			if in.Tensor == m.Tensor {
				n++
			}
		}
		m.Relative, m.Intruders = &ratio, &n
	}
	s.Notes = append(s.Notes, a.Notes(base)...)
	return nil
}

func (s *shown) print(env environment) error {
	if err := env.printf("%s: %s parameters, %s; for %s\n\n", s.Adapter, table.Count(s.Parameters), table.Bytes(s.Bytes), quoted(s.For)); err != nil {
		return err
	}
	columns := []table.Column{{Name: "module", Tail: true}, {Name: "shape", Right: true, Spare: true}, {Name: "rank", Right: true}, {Name: "scale", Right: true, Spare: true},
		{Name: "norm", Right: true, Spare: true}, {Name: "stable rank", Right: true, Spare: true}, {Name: "90 % in", Right: true, Spare: true}}
	if s.Base != "" {
		columns = append(columns, table.Column{Name: "of base", Right: true}, table.Column{Name: "intruders", Right: true})
	}
	var rows [][]string
	for _, m := range s.Modules {
		name := strings.TrimSuffix(m.Tensor, ".weight")
		if m.DoRA {
			name += " (DoRA)"
		}
		row := []string{name, fmt.Sprintf("[%d %d]", m.Out, m.In), fmt.Sprint(m.Rank), table.Sig(float64(m.Scale), 4), table.Sig(float64(m.Norm), 3),
			table.Sig(float64(m.StableRank), 3), fmt.Sprint(m.Rank90)}
		if s.Base != "" {
			row = append(row, table.Percent(float64(*m.Relative)), fmt.Sprint(*m.Intruders))
		}
		rows = append(rows, row)
	}
	if err := env.printTable(columns, rows); err != nil {
		return err
	}
	notes := s.Notes
	if len(s.Whole) > 0 {
		notes = append(notes, fmt.Sprintf("%s in the base's place: %s", plural(len(s.Whole), "whole tensor"), some(s.Whole)))
	}
	notes = append(notes, s.Rows...)
	for _, l := range s.Loaders {
		if len(l.Problems) > 0 {
			notes = append(notes, l.Loader+" "+strings.Join(l.Problems, "; "))
		}
	}
	return env.footnotes(notes)
}

// quoted is a name in quotes, or what stands for none.
func quoted(name string) string {
	if name == "" {
		return "no base that it names"
	}
	return fmt.Sprintf("%q", name)
}
