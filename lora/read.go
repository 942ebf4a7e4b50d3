package lora

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"surgeon/tensors"
)

// read takes the tensors of a file for what their names say, and holds them against
// the configuration.
func (a *Adapter) read(c config, file tensors.Source) error {
	for _, name := range file.Names() {
		short, ok := strings.CutPrefix(name, prefix)
		if !ok {
			return fmt.Errorf("tensor %q does not begin with %q", name, prefix)
		}
		if err := a.part(c, file, name, short); err != nil {
			return err
		}
	}
	if len(a.LowRank)+len(a.Replaced)+len(a.Rows) == 0 {
		return errors.New("holds no factors and nothing else to add")
	}
	slices.SortFunc(a.LowRank, func(x, y LowRank) int { return cmp.Compare(x.Tensor, y.Tensor) })
	slices.SortFunc(a.Replaced, func(x, y Replaced) int { return cmp.Compare(x.Tensor, y.Tensor) })
	if err := a.against(c, a.tiedFactors(c)); err != nil {
		return err
	}
	a.Config.Layers = c.baseLayers(a.LowRank)
	return a.untie(c)
}

// part reads what a tensor belongs to: a product by its A, others by themselves.
func (a *Adapter) part(c config, file tensors.Source, name, short string) error {
	ending := func(suffix string) (module string, ok bool) { return strings.CutSuffix(short, suffix) }
	partner := func(own string, others ...string) error {
		module, _ := ending(own)
		for _, other := range others {
			if has(file, prefix+module+other) {
				return nil
			}
		}
		return fmt.Errorf("tensor %q has no partner %q", name, prefix+module+others[0])
	}
	for _, pair := range [][2]string{{suffixA, suffixB}, {embeddingA, embeddingB}} {
		if module, ok := ending(pair[0]); ok {
			if err := partner(pair[0], pair[1]); err != nil {
				return err
			}
			return a.product(c, file, module, pair)
		}
		if _, ok := ending(pair[1]); ok {
			return partner(pair[1], pair[0])
		}
	}
	for _, companion := range []string{suffixBias, magnitude, oldMagnitude} {
		if _, ok := ending(companion); ok {
			return partner(companion, suffixA, embeddingA)
		}
	}
	if module, ok := ending(tokenRows); ok {
		return a.tokens(c, file, name, module)
	}
	tensor := strings.Replace(short, baseLayer+".", ".", 1)
	if strings.Contains(short, ".lora_") || !strings.HasSuffix(tensor, ".weight") && !strings.HasSuffix(tensor, ".bias") {
		return fmt.Errorf("tensor %q is not understood: it is no part of LoRA that surgeon knows", name)
	}
	if info, _ := file.Info(name); !info.DType.Float() {
		return fmt.Errorf("tensor %q is stored as %s, which is no number type", name, info.DType)
	}
	a.Replaced = append(a.Replaced, Replaced{Tensor: tensor, Values: file, Name: name})
	return nil
}

func has(file tensors.Source, name string) bool {
	_, ok := file.Info(name)
	return ok
}

// product reads the factors of a module and what comes with them.
func (a *Adapter) product(c config, file tensors.Source, module string, pair [2]string) error {
	nameA, nameB := prefix+module+pair[0], prefix+module+pair[1]
	infoA, _ := file.Info(nameA)
	infoB, _ := file.Info(nameB)
	if len(infoA.Shape) != 2 || len(infoB.Shape) != 2 || infoA.Shape[0] != infoB.Shape[1] || infoA.Shape[0] == 0 {
		return fmt.Errorf("tensors %q and %q have shapes %v and %v: want [rank in] and [out rank]", nameA, nameB, infoA.Shape, infoB.Shape)
	}
	rank := infoA.Shape[0]
	l := LowRank{Tensor: weightOf(module), Rank: rank, In: infoA.Shape[1], Out: infoB.Shape[0], Scale: c.scale(module, rank), DType: infoA.DType}
	switch {
	case pair[0] == embeddingA:
		l.Layout = Embedding
	case c.FanInOut && tensors.KeyOf(l.Tensor).Part != tensors.PartHead:
		l.Layout = Conv1D
	}
	var err error
	if l.A, err = values(file, nameA); err != nil {
		return err
	}
	if l.B, err = values(file, nameB); err != nil {
		return err
	}
	if l.Magnitude, err = a.companion(file, module, l.Out, magnitude, oldMagnitude); err != nil {
		return err
	}
	if l.Bias, err = a.companion(file, module, l.Out, suffixBias); err != nil {
		return err
	}
	switch {
	case c.DoRA && l.Magnitude == nil:
		return fmt.Errorf("tensor %q has no %q, which use_dora in %s asks for", nameA, prefix+module+magnitude, configFile)
	case !c.DoRA && l.Magnitude != nil:
		return fmt.Errorf("tensor %q belongs to DoRA, and use_dora is not set in %s", prefix+module+magnitude, configFile)
	case c.DoRA && l.Layout == Embedding:
		return fmt.Errorf("tensor %q: DoRA of an embedding is not supported", nameA)
	case !c.LoraBias && l.Bias != nil:
		return fmt.Errorf("tensor %q is a trained bias, and lora_bias is not set in %s", prefix+module+suffixBias, configFile)
	case c.LoraBias && l.Bias == nil && l.Layout != Embedding:
		return fmt.Errorf("tensor %q has no %q, which lora_bias in %s asks for", nameA, prefix+module+suffixBias, configFile)
	}
	for _, name := range []string{nameB, prefix + module + magnitude, prefix + module + oldMagnitude, prefix + module + suffixBias} {
		if info, ok := file.Info(name); ok && info.DType != l.DType {
			l.DType = tensors.F32 // one that holds both
		}
	}
	if l.Bias != nil && !slices.ContainsFunc(l.Bias, func(v float32) bool { return v != 0 }) {
		l.Bias = nil // PEFT has one for every module or for none
	}
	a.LowRank = append(a.LowRank, l)
	return nil
}

// companion reads the vector that stands beside a product under one of some names;
// nil for none.
func (a *Adapter) companion(file tensors.Source, module string, length int, suffixes ...string) ([]float32, error) {
	for _, suffix := range suffixes {
		name := prefix + module + suffix
		info, ok := file.Info(name)
		if !ok {
			continue
		}
		if info.Len() != length {
			return nil, fmt.Errorf("tensor %q has shape %v: want %d elements, one for each output", name, info.Shape, length)
		}
		return values(file, name)
	}
	return nil, nil
}

// values reads a tensor whole and refuses what is not finite.
func values(file tensors.Source, name string) ([]float32, error) {
	info, _ := file.Info(name)
	if !info.DType.Float() {
		return nil, fmt.Errorf("tensor %q is stored as %s, which is no number type", name, info.DType)
	}
	list := make([]float32, info.Len())
	if err := file.Read(list, name, 0); err != nil {
		return nil, err
	}
	for i, v := range list {
		if v-v != 0 {
			return nil, fmt.Errorf("tensor %q: element %d is %v, which is not finite", name, i, v)
		}
	}
	return list, nil
}

// tokens reads rows of an embedding.
func (a *Adapter) tokens(c config, file tensors.Source, name, module string) error {
	info, _ := file.Info(name)
	index, ok := c.Tokens[embeddingName], false
	if index != nil {
		ok = tensors.KeyOf(weightOf(module)).Part == tensors.PartEmbed
	}
	for _, key := range slices.Sorted(maps.Keys(c.Tokens)) { // of several the last
		if key != embeddingName && ends(module, key) {
			index, ok = c.Tokens[key], true
		}
	}
	if !ok || len(info.Shape) != 2 || info.Shape[0] != len(index) {
		return fmt.Errorf("tensor %q has shape %v, and trainable_token_indices in %s has %d rows for module %q", name, info.Shape, configFile, len(index), module)
	}
	list, err := values(file, name)
	if err != nil {
		return err
	}
	a.Rows = append(a.Rows, Rows{Tensor: weightOf(module), Width: info.Shape[1], Index: index, Values: list, DType: info.DType})
	return nil
}
