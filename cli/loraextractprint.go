package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"surgeon/cli/plot"
	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/tensors"
)

// write puts the adapter on disk.
func (x *extraction) write(ctx context.Context, opt extractOptions) (err error) {
	x.Files, err = writeAdapter(ctx, x.Out, x.adapter, opt.force, adapterSource{Command: opt.command, Base: x.Base, From: []string{x.Tuned}}, func() any {
		return struct {
			Energy  number      `json:"energy"`
			Error   number      `json:"relative_error"`
			Modules []extracted `json:"modules"`
			Left    []leftOut   `json:"left_out,omitempty"`
		}{x.Energy, x.Error, x.Modules, x.Left}
	})
	return err
}

// adapterSource is where an adapter came from, for its surgeon.json.
type adapterSource struct {
	Command []string `json:"command"`
	Base    string   `json:"base,omitempty"`
	From    []string `json:"from"`
}

// writeAdapter puts an adapter on disk with a surgeon.json that says where it came
// from.
func writeAdapter(ctx context.Context, out string, a *lora.Adapter, force bool, from adapterSource, more func() any) ([]tensors.Digest, error) {
	if err := os.MkdirAll(out, 0o777); err != nil {
		return nil, err
	}
	before := writtenBefore(out)
	files, err := a.Write(ctx, out, tensors.WriteOptions{Force: force, Beside: func(files []tensors.Digest) (map[string][]byte, error) {
		data, err := json.MarshalIndent(struct {
			Surgeon string `json:"surgeon"` // version
			adapterSource
			Result any              `json:"result,omitempty"`
			Files  []tensors.Digest `json:"files"`
		}{Version, from, more(), files}, "", "  ")
		return map[string][]byte{tensors.Provenance: append(data, '\n')}, err
	}})
	if err != nil {
		return nil, err
	}
	return files, before.remove(out, files)
}

// leftovers are files that surgeon has written into a directory before.
type leftovers []string

// writtenBefore reads them from a directory's surgeon.json.
func writtenBefore(dir string) (names leftovers) {
	var p struct{ Files []tensors.Digest }
	data, err := os.ReadFile(filepath.Join(dir, tensors.Provenance))
	if err != nil || json.Unmarshal(data, &p) != nil {
		return nil
	}
	for _, f := range p.Files {
		if filepath.IsLocal(f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// remove removes those that were not written again.
func (l leftovers) remove(dir string, files []tensors.Digest) error {
	for _, name := range l {
		if slices.ContainsFunc(files, func(f tensors.Digest) bool { return f.Name == name }) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// print prints what was extracted, part by part or module by module.
func (x *extraction) print(env environment, opt extractOptions) error {
	what := "would become"
	if x.Out != "" {
		what = "is now in " + x.Out
	}
	if err := env.printf("%s - %s %s an adapter of %s, %s of the base's %s\n", x.Tuned, x.Base, what, table.Bytes(x.Bytes),
		table.Percent(float64(x.Bytes)/float64(x.Of)), table.Bytes(x.Of)); err != nil {
		return err
	}
	env.printf("it holds %s of the squared change: relative error %s\n\n", table.Percent(float64(x.Energy)), table.Sig(float64(x.Error), 3))
	if err := x.printModules(env, opt.modules); err != nil {
		return err
	}
	if len(x.Ranks) > 0 {
		if err := x.printRanks(env); err != nil {
			return err
		}
	}
	if opt.plot != "" {
		if err := plot.Save(opt.plot, x.curve()); err != nil {
			return err
		}
	}
	if err := env.footnotes(append(x.says(), x.Notes...)); err != nil {
		return err
	}
	if len(x.failed) > 0 {
		return x.failed
	}
	return nil
}

// says is what a reader must know of the parts that are no products, and of the
// loaders.
func (x *extraction) says() (notes []string) {
	if len(x.Whole) > 0 {
		notes = append(notes, fmt.Sprintf("%s saved whole (modules_to_save): %s", plural(len(x.Whole), "tensor"), some(x.Whole)))
	}
	notes = append(notes, leftNotes(x.Left)...)
	if len(x.Same) > 0 {
		notes = append(notes, fmt.Sprintf("%s did not change: %s", plural(len(x.Same), "tensor"), some(x.Same)))
	}
	for _, l := range x.Loaders {
		if len(l.Problems) > 0 {
			notes = append(notes, l.Loader+" "+strings.Join(l.Problems, "; "))
		}
	}
	return notes
}

// leftNotes are one for each reason why changes are in no part of an adapter.
func leftNotes(list []leftOut) (notes []string) {
	var reasons []string
	byReason := map[string][]leftOut{}
	for _, l := range list {
		if byReason[l.Reason] == nil {
			reasons = append(reasons, l.Reason)
		}
		byReason[l.Reason] = append(byReason[l.Reason], l)
	}
	for _, reason := range reasons {
		var names []string
		norm2 := 0.0
		for _, l := range byReason[reason] {
			names, norm2 = append(names, l.Tensor), norm2+float64(l.Norm)*float64(l.Norm)
		}
		notes = append(notes, fmt.Sprintf("%s left out, %s, which changed by a norm of %s: %s", plural(len(names), "tensor"), reason, table.Sig(math.Sqrt(norm2), 3), some(names)))
	}
	return notes
}

// printModules prints a row for every product, or one for every part.
func (x *extraction) printModules(env environment, all bool) error {
	columns := []table.Column{{Name: "module", Tail: true}, {Name: "shape", Right: true, Spare: true}, {Name: "rank", Right: true}, {Name: "energy", Right: true},
		{Name: "rel. error", Right: true}, {Name: "optimum", Right: true}, {Name: "size", Right: true, Spare: true}}
	var rows [][]string
	if all {
		for _, m := range x.Modules {
			optimum := table.Sig(float64(m.Optimum), 4)
			if !m.Exact {
				optimum = "~" + optimum
			}
			rows = append(rows, []string{strings.TrimSuffix(m.Tensor, ".weight"), fmt.Sprint(m.Shape), fmt.Sprint(m.Rank), table.Percent(float64(m.Energy)),
				table.Sig(float64(m.Error), 4), optimum, table.Bytes(m.Bytes)})
		}
		return env.printTable(columns, rows)
	}
	var parts []string
	byPart := map[string][]extracted{}
	for _, m := range x.Modules {
		key := tensors.KeyOf(m.Tensor)
		part := strings.TrimSuffix(key.Part, ".weight")
		if byPart[part] == nil {
			parts = append(parts, part)
		}
		byPart[part] = append(byPart[part], m)
	}
	for _, part := range parts {
		rows = append(rows, partRow(part, byPart[part]))
	}
	columns[0].Name = "part (all layers)"
	return env.printTable(columns, rows)
}

// partRow sums up the modules of a part: energies of all together, errors too.
func partRow(part string, list []extracted) []string {
	low, high, bytes := list[0].Rank, list[0].Rank, int64(0)
	var norm2, left2, best2 float64
	shapes, exact := []string{}, true
	for _, m := range list {
		low, high, bytes, exact = min(low, m.Rank), max(high, m.Rank), bytes+m.Bytes, exact && m.Exact
		n := float64(m.Norm) * float64(m.Norm)
		norm2, left2, best2 = norm2+n, left2+n*float64(m.Error)*float64(m.Error), best2+n*float64(m.Optimum)*float64(m.Optimum)
		if s := fmt.Sprint(m.Shape); !slices.Contains(shapes, s) {
			shapes = append(shapes, s)
		}
	}
	rank := fmt.Sprint(low)
	if high > low {
		rank = fmt.Sprintf("%d-%d", low, high)
	}
	got, best := lora.Residual{Norm2: norm2, Left2: left2}, lora.Residual{Norm2: norm2, Left2: best2}
	optimum := table.Sig(best.Error(), 4)
	if !exact {
		optimum = "~" + optimum
	}
	return []string{part, strings.Join(shapes, ", "), rank, table.Percent(got.Energy()), table.Sig(got.Error(), 4), optimum, table.Bytes(bytes)}
}
