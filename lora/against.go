package lora

import (
	"fmt"
	"slices"
	"strings"

	"surgeon/tensors"
)

// against holds what is there against what the configuration says is there. The
// factors that PEFT ties to others (tied, an index, or -1) are not asked for.
func (a *Adapter) against(c config, tied int) error {
	for i, l := range a.LowRank {
		if i != tied {
			if err := c.fits(l); err != nil {
				return err
			}
		}
	}
	if err := c.matched(a.LowRank); err != nil {
		return err
	}
	for _, name := range c.Saved {
		if !slices.ContainsFunc(a.Replaced, func(r Replaced) bool { return within(r.module(), name) }) {
			return fmt.Errorf("modules_to_save in %s has %q, and no tensor of it is there", configFile, name)
		}
	}
	for _, r := range a.Replaced {
		if err := c.allows(r); err != nil {
			return err
		}
	}
	if len(c.Tokens) > 0 && len(a.Rows) == 0 {
		return fmt.Errorf("trainable_token_indices is set in %s, and no rows are there", configFile)
	}
	return a.consistent()
}

// fits holds a product against the rank that its module gets, and against whether
// PEFT adapts the module.
func (c config) fits(l LowRank) error {
	module := moduleOf(l.Tensor)
	a, b := suffixA, suffixB
	if l.Layout == Embedding {
		a, b = embeddingA, embeddingB
	}
	if rank := c.rank(module); l.Rank != rank {
		return fmt.Errorf("tensors %q and %q have shapes [%d %d] and [%d %d]: rank %d, which %s says, asks for [%d in] and [out %d]",
			prefix+module+a, prefix+module+b, l.Rank, l.In, l.Out, l.Rank, rank, configFile, rank, rank)
	}
	if why := c.chosen(module); why != "" {
		return fmt.Errorf("tensor %q adapts module %q, which PEFT would not adapt: in %s %s", prefix+module+a, module, configFile, why)
	}
	return nil
}

// matched holds the patterns and names of the configuration against the modules
// that have factors.
func (c config) matched(list []LowRank) error {
	var modules []string
	for _, l := range list {
		modules = append(modules, moduleOf(l.Tensor))
	}
	if key := c.Ranks.unused(modules); key != "" {
		return fmt.Errorf("rank_pattern in %s: %q matches no module that has factors", configFile, key)
	}
	if key := c.Alphas.unused(modules); key != "" {
		return fmt.Errorf("alpha_pattern in %s: %q matches no module that has factors", configFile, key)
	}
	for _, name := range c.Targets.list {
		left := c.Excluded.match != nil || c.Excluded.has(name) || slices.ContainsFunc(c.Saved, func(saved string) bool { return within(name, saved) })
		if !left && !slices.ContainsFunc(modules, func(m string) bool { return ends(m, name) }) {
			return fmt.Errorf("target_modules in %s has %q, and no module of that name has factors", configFile, name)
		}
	}
	return nil
}

// allows says why a tensor would not be there that takes the base's place.
func (c config) allows(r Replaced) error {
	switch {
	case slices.ContainsFunc(c.Saved, func(name string) bool { return within(r.module(), name) }):
	case strings.HasSuffix(r.Tensor, ".bias"):
		if c.Bias == "none" {
			return fmt.Errorf(`tensor %q is a trained bias, and bias is "none" in %s`, r.Name, configFile)
		}
	case !strings.Contains(r.Name, baseLayer+".") && !(c.Tying && tensors.KeyOf(r.Tensor).Part == tensors.PartHead):
		return fmt.Errorf("tensor %q is of no module that modules_to_save in %s has", r.Name, configFile)
	}
	return nil
}

// module is that of the tensor.
func (r Replaced) module() string { return r.Tensor[:strings.LastIndexByte(r.Tensor, '.')] }

// consistent refuses parts of one tensor that do not fit each other.
func (a *Adapter) consistent() error {
	for i, r := range a.Replaced {
		if i > 0 && a.Replaced[i-1].Tensor == r.Tensor {
			return fmt.Errorf("tensors %q and %q both take the place of the base's %q", a.Replaced[i-1].Name, r.Name, r.Tensor)
		}
	}
	for i, l := range a.LowRank {
		if i > 0 && a.LowRank[i-1].Tensor == l.Tensor {
			return fmt.Errorf("tensor %q has factors twice", l.Tensor)
		}
		for _, r := range a.Replaced {
			info, _ := r.Values.Info(r.Name)
			rows, columns := l.shape()
			switch want := []int{l.Out}; {
			case r.Tensor == l.Tensor && !slices.Equal(info.Shape, []int{rows, columns}):
				return fmt.Errorf("tensor %q has shape %v, and the factors of its module change a [%d %d]", r.Name, info.Shape, rows, columns)
			case r.Tensor == biasOf(moduleOf(l.Tensor)) && !slices.Equal(info.Shape, want):
				return fmt.Errorf("tensor %q has shape %v, and the factors of its module have outputs %v", r.Name, info.Shape, want)
			}
		}
	}
	for _, r := range a.Rows {
		taken := func(tensor string) bool { return tensor == r.Tensor }
		if slices.ContainsFunc(a.LowRank, func(l LowRank) bool { return taken(l.Tensor) }) || slices.ContainsFunc(a.Replaced, func(p Replaced) bool { return taken(p.Tensor) }) {
			return fmt.Errorf("tensor %q is changed by trainable_token_indices and by something else, which PEFT does not allow", r.Tensor)
		}
		for i, row := range r.Index {
			if slices.Contains(r.Index[:i], row) {
				return fmt.Errorf("trainable_token_indices in %s has row %d of tensor %q twice", configFile, row, r.Tensor)
			}
		}
	}
	return nil
}
