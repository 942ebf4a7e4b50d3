package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/cli/table"
	"surgeon/lora"
	"surgeon/merge"
	"surgeon/tensors"
)

// extraction is what lora extract says, and its JSON.
type extraction struct {
	Base    string           `json:"base"`
	Tuned   string           `json:"tuned"`
	Modules []extracted      `json:"modules"`
	Whole   []string         `json:"saved_whole"`        // norms, biases, the embedding
	Left    []leftOut        `json:"left_out,omitempty"` // changed, and not in the adapter
	Same    []string         `json:"unchanged,omitempty"`
	Energy  number           `json:"energy"`         // share of the squared norm of the whole change that the adapter holds
	Error   number           `json:"relative_error"` // of the whole change
	Bytes   int64            `json:"bytes"`          // of the adapter's tensors
	Of      int64            `json:"base_bytes"`
	Loaders []loaded         `json:"loaders"`
	Ranks   []scoredRank     `json:"ranks,omitempty"`
	Out     string           `json:"out,omitempty"`
	Files   []tensors.Digest `json:"files,omitempty"`
	Notes   []string         `json:"notes,omitempty"`

	in      *inputs
	vectors *lora.Decomposition
	adapter *lora.Adapter
	saved   tensors.Source // of what is saved whole; nil for nothing
	failed  failures
}

// extracted is one product of an extraction.
type extracted struct {
	Tensor  string `json:"tensor"`
	Shape   []int  `json:"shape"`
	Rank    int    `json:"rank"`
	Norm    number `json:"norm"`           // of the change
	Energy  number `json:"energy"`         // share of its square that the product holds
	Error   number `json:"relative_error"` // measured on the stored factors
	Optimum number `json:"optimum"`        // of the rank (Eckart and Young)
	Exact   bool   `json:"optimum_exact"`  // all singular values were computed
	Bytes   int64  `json:"bytes"`
}

// leftOut is a change that no part of the adapter holds.
type leftOut struct {
	Tensor string `json:"tensor"`
	Norm   number `json:"norm"`
	Reason string `json:"reason"`
}

// loaded is what a loader makes of an adapter.
type loaded struct {
	Loader   string   `json:"loader"`
	Problems []string `json:"problems,omitempty"`
}

// decompose makes the adapter, in memory.
func (x *extraction) decompose(ctx context.Context, opt extractOptions) error {
	t := x.in.tuned[0]
	step, finish := opt.progress("1/2 decompose", "elements")
	defer finish()
	options := lora.DecomposeOptions{Ranks: opt.ranks, DType: opt.dtype, Conv1D: x.in.base.conv1D(), Tied: x.in.base.tied(), Embedding: opt.embedding == "low-rank", Progress: step}
	if opt.ranks.Bytes > 0 {
		whole, err := x.wholeBytes(opt)
		if err != nil {
			return err
		}
		if options.Ranks.Bytes -= whole; options.Ranks.Bytes <= 0 {
			return usagef("--size: the tensors that are saved whole take %d bytes alone: give more, or --embedding low-rank, or --rest skip", whole)
		}
	}
	var err error
	if x.vectors, err = lora.Decompose(ctx, t.delta, options); err != nil {
		return fmt.Errorf("%s and %s: %w", x.Base, x.Tuned, err)
	}
	if err := x.keep(opt, t); err != nil {
		return err
	}
	x.adapter = x.whole(0, opt)
	if len(x.adapter.LowRank)+len(x.adapter.Replaced) == 0 {
		return fmt.Errorf("%s and %s: nothing to extract: no tensor that an adapter would hold has changed", x.Base, x.Tuned)
	}
	if opt.remainder > 0 {
		return x.sparse(ctx, opt)
	}
	return nil
}

// keep sorts what is no product into what is saved whole and what is left out.
func (x *extraction) keep(opt extractOptions, t *tuned) error {
	source := t.source
	if source == nil { // an adapter: the merged model
		m, err := x.in.merged(merge.Number(1))
		if err != nil {
			return err
		}
		source = m
	}
	var rest []string
	for _, name := range x.vectors.Rest {
		reason := ""
		switch part := tensors.KeyOf(name).Part; {
		case part == tensors.PartEmbed && opt.embedding == "skip":
			reason = "by --embedding skip"
		case part != tensors.PartEmbed && opt.rest == "skip":
			reason = "by --rest skip"
		case !strings.HasSuffix(name, ".weight") && !strings.HasSuffix(name, ".bias"):
			reason = "since they belong to no module that PEFT would save"
		}
		if reason == "" {
			rest = append(rest, name)
			continue
		}
		x.Left = append(x.Left, leftOut{Tensor: name, Reason: reason})
	}
	x.vectors.Rest, x.Whole, x.Same = rest, rest, x.vectors.Unchanged
	for _, m := range x.vectors.Matrices {
		if m.Rank == 0 {
			x.Left = append(x.Left, leftOut{Tensor: m.Tensor, Norm: number(math.Sqrt(m.Norm2)), Reason: "since the bytes hold more elsewhere"})
		}
	}
	if len(rest) > 0 {
		x.saved = source
	}
	return nil
}

// wholeBytes is what the tensors take that are saved whole.
func (x *extraction) wholeBytes(opt extractOptions) (n int64, err error) {
	delta := x.in.tuned[0].delta
	for _, name := range delta.Names() {
		info, _ := delta.Info(name)
		embed := tensors.KeyOf(name).Part == tensors.PartEmbed
		if len(info.Shape) == 2 && !(embed && opt.embedding == "save") || embed && opt.embedding != "save" || !embed && opt.rest != "save" {
			continue
		}
		changed, err := lora.Changed(delta, name)
		if err != nil {
			return 0, err
		}
		if changed {
			base, _ := x.in.base.Info(name)
			if n += base.Bytes(); embed && x.in.base.tied() {
				n += base.Bytes() // the head's copy
			}
		}
	}
	return n, nil
}

// whole is the adapter at a rank, 0 for the highest, without what is sparse.
func (x *extraction) whole(rank int, opt extractOptions) *lora.Adapter {
	a := x.vectors.Adapter(rank, x.saved)
	a.Config.Base, a.Config.Tied = x.Base, x.in.base.tied()
	for _, name := range x.in.base.Names() {
		a.Config.Layers = max(a.Config.Layers, tensors.KeyOf(name).Layer+1)
	}
	if opt.uniform {
		highest := 0
		for _, l := range a.LowRank {
			highest = max(highest, l.Rank)
		}
		for i := range a.LowRank {
			a.LowRank[i] = a.LowRank[i].Padded(highest)
		}
	}
	return a
}

// measure compares the adapter with the change that it stands for.
func (x *extraction) measure(ctx context.Context, opt extractOptions) error {
	// What is saved whole leaves nothing, and need not be read.
	parts := &lora.Adapter{Path: x.adapter.Path, LowRank: x.adapter.LowRank, Sparse: x.adapter.Sparse}
	delta, err := parts.Over(x.in.base)
	if err != nil {
		return err
	}
	step, finish := opt.progress("2/2 measure", "elements")
	defer finish()
	list, err := lora.Residuals(ctx, x.in.tuned[0].delta, delta, step)
	if err != nil {
		return err
	}
	var norm2, left2 float64
	for _, r := range list {
		norm2 += r.Norm2
		if !slices.Contains(x.Whole, r.Tensor) {
			left2 += r.Left2
		}
		for i := range x.Left {
			if x.Left[i].Tensor == r.Tensor {
				x.Left[i].Norm = number(math.Sqrt(r.Norm2))
			}
		}
	}
	total := lora.Residual{Norm2: norm2, Left2: left2}
	x.Energy, x.Error = number(total.Energy()), number(total.Error())
	x.list(list)
	x.Bytes, x.Of = x.adapter.Bytes(), bytesOf(x.in.base)
	if note := x.short(opt); note != "" {
		x.Notes = append(x.Notes, note)
	}
	for _, l := range x.adapter.Loaders() {
		x.Loaders = append(x.Loaders, loaded{l.Name, l.Problems})
	}
	return nil
}

// short says where the highest rank does not hold the energy that was asked for.
func (x *extraction) short(opt extractOptions) string {
	n := 0
	for _, m := range x.Modules {
		if float64(m.Energy) < opt.ranks.Energy-1e-6 {
			n++
		}
	}
	if n == 0 || opt.ranks.Energy == 0 {
		return ""
	}
	return fmt.Sprintf("%s hold less than %s of their change at rank %d, the highest allowed: give a higher --rank", plural(n, "module"), table.Percent(opt.ranks.Energy), opt.ranks.Rank)
}

// list describes every product.
func (x *extraction) list(residuals []lora.Residual) {
	for _, m := range x.vectors.Matrices {
		for _, r := range residuals {
			if r.Tensor == m.Tensor && m.Rank > 0 {
				optimum := number(m.Optimum(m.Rank))
				if !m.Exact {
					optimum = min(optimum, number(r.Error())) // no approximation is better than the best
				}
				x.Modules = append(x.Modules, extracted{Tensor: m.Tensor, Shape: r.Shape, Rank: m.Rank, Norm: number(math.Sqrt(r.Norm2)),
					Energy: number(r.Energy()), Error: number(r.Error()), Optimum: optimum, Exact: m.Exact,
					Bytes: int64(m.Rank) * int64(m.In+m.Out) * int64(m.DType.Size())})
			}
		}
	}
}

// bytesOf counts the bytes of all tensors.
func bytesOf(src tensors.Source) (n int64) {
	for _, name := range src.Names() {
		info, _ := src.Info(name)
		n += info.Bytes()
	}
	return n
}

// conv1D reports whether the model stores its matrices as GPT-2 does, [in, out].
func (m *model) conv1D() bool {
	data, _, err := m.folder().side("config.json")
	var config struct {
		Type string `json:"model_type"`
	}
	return err == nil && json.Unmarshal(data, &config) == nil && config.Type == "gpt2"
}

// sparse keeps the largest elements of what the ranks leave.
func (x *extraction) sparse(ctx context.Context, opt extractOptions) error {
	over, err := x.adapter.Over(x.in.base)
	if err != nil {
		return err
	}
	var names []string
	for _, m := range x.vectors.Matrices {
		names = append(names, m.Tensor)
	}
	x.adapter.Sparse, err = lora.Remainder(ctx, x.in.tuned[0].delta, over, names, opt.remainder)
	return err
}
