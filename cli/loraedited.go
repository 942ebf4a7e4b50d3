package cli

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/tensors"

	"github.com/urfave/cli/v2"
)

// edited is what a command says that makes an adapter of others, and its JSON.
type edited struct {
	Out     string           `json:"out"`
	From    []string         `json:"from"`
	Modules []editedModule   `json:"modules"`
	Whole   int              `json:"saved_whole"`
	Bytes   int64            `json:"bytes"`
	Loaders []loaded         `json:"loaders"`
	Files   []tensors.Digest `json:"files"`
	Notes   []string         `json:"notes,omitempty"`
}

// editedModule is a product before and after.
type editedModule struct {
	Tensor string  `json:"tensor"`
	Before int     `json:"rank_before,omitempty"` // 0 where there is no one product before
	Rank   int     `json:"rank"`
	Norm   number  `json:"norm,omitempty"`           // of the product before it was cut
	Factor *number `json:"factor,omitempty"`         // by which it was multiplied
	Error  number  `json:"relative_error,omitempty"` // of what was cut off
}

// editing is what the commands share that make an adapter of others.
type editing struct {
	json, force, uniform bool
	out                  string
	command              []string
}

// editFlags are the flags of those commands.
func editFlags(more ...cli.Flag) []cli.Flag {
	return common(append(more,
		&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write the adapter to `OUT`"},
		&cli.BoolFlag{Name: "uniform", Usage: "pad all products to one rank and scale, for loaders that know no other"},
		&cli.BoolFlag{Name: "force", Usage: "replace an OUT that surgeon has written before"})...)
}

func parseEditing(env environment, c *cli.Context) (editing, error) {
	e := editing{json: c.Bool("json"), force: c.Bool("force"), uniform: c.Bool("uniform"), out: c.String("out"), command: append([]string{"surgeon", "lora"}, env.recorded()...)}
	if e.out == "" {
		return e, usagef("lora %s needs -o OUT, where the adapter is written", c.Command.Name)
	}
	return e, nil
}

// finish writes an edited adapter and says so.
func (e editing) finish(ctx context.Context, env environment, result *edited, a *lora.Adapter) (err error) {
	if len(a.LowRank)+len(a.Replaced)+len(a.Rows) == 0 {
		return fmt.Errorf("%s: not written: nothing is left of %s, the sum is zero", e.out, strings.Join(result.From, ", "))
	}
	if e.uniform {
		a = a.Uniform()
	}
	result.Out, result.Bytes, result.Whole = e.out, a.Bytes(), len(a.Replaced)+len(a.Rows)
	result.ranks(a)
	for _, l := range a.Loaders() {
		result.Loaders = append(result.Loaders, loaded{l.Name, l.Problems})
		if len(l.Problems) > 0 {
			result.Notes = append(result.Notes, l.Name+" "+strings.Join(l.Problems, "; "))
		}
	}
	from := adapterSource{Command: e.command, Base: a.Config.Base, From: result.From}
	if result.Files, err = writeAdapter(ctx, e.out, a, e.force, from, func() any { return result.Modules }); err != nil {
		return err
	}
	if e.json {
		return env.printJSON(result)
	}
	return result.print(env)
}

// ranks takes over the ranks of what is written, and leaves out what is not.
func (r *edited) ranks(a *lora.Adapter) {
	r.Modules = slices.DeleteFunc(r.Modules, func(m editedModule) bool {
		return !slices.ContainsFunc(a.LowRank, func(l lora.LowRank) bool { return l.Tensor == m.Tensor })
	})
	for i := range r.Modules {
		for _, l := range a.LowRank {
			if l.Tensor == r.Modules[i].Tensor {
				r.Modules[i].Rank = max(1, l.Rank)
			}
		}
	}
}

func (r *edited) print(env environment) error {
	low, high := math.MaxInt, 0
	for _, m := range r.Modules {
		low, high = min(low, m.Rank), max(high, m.Rank)
	}
	ranks := fmt.Sprintf("rank %d", high)
	if low < high {
		ranks = fmt.Sprintf("ranks %d to %d", low, high)
	}
	if len(r.Modules) == 0 {
		ranks = "no products"
	}
	if err := env.printf("%s: %s of %s, %s", r.Out, plural(len(r.Modules), "module"), ranks, table.Bytes(r.Bytes)); err != nil {
		return err
	}
	env.printf("\n")
	return env.footnotes(r.Notes)
}

// into refuses a target that is one of the adapters, or must not be replaced.
func (e editing) into(names ...string) error {
	var paths []string
	for _, name := range names {
		for _, file := range adapterFiles {
			paths = append(paths, located(name+"/"+file)...)
		}
	}
	if err := outside(e.out, names...); err != nil {
		return err
	}
	return vacant(e.out, e.force, paths)
}

// checkApart is checkTarget of a target that must not lie inside an input either.
func (in *inputs) checkApart(out string, force bool, names ...string) error {
	if err := outside(out, names...); err != nil {
		return err
	}
	return in.checkTarget(out, force)
}

// outside refuses a target that lies inside one of the inputs.
func outside(out string, inputs ...string) error {
	target, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	for _, name := range inputs {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			continue // embedded, or a file
		}
		for _, place := range located(name) {
			if within, err := filepath.Rel(place, target); err == nil && filepath.IsLocal(within) && within != "." {
				return fmt.Errorf("%s: lies inside %s, which is an input: choose another target", out, name)
			}
		}
	}
	return nil
}
