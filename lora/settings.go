package lora

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"surgeon/tensors"
)

// settings are those by which PEFT gives every module its rank and scale.
func (a *Adapter) settings() Settings {
	s := Settings{Base: a.Config.Base, Revision: a.Config.Revision, Task: a.Config.Task, Rank: 8, Alpha: 8, Tying: a.Config.tying}
	list := slices.Concat(a.LowRank, a.tiedProducts())
	s.Targets, s.Layers = a.targets()
	if len(list) > len(a.LowRank) {
		s.Targets, s.Tying = append(s.Targets, headModule), true // by its name PEFT knows what is tied
	}
	alphas := make([]float64, len(list))
	var ranks []int
	for i, l := range list {
		alphas[i] = l.alpha()
		ranks = append(ranks, l.Rank)
		s.DoRA, s.LoraBias, s.FanInOut = s.DoRA || l.Magnitude != nil, s.LoraBias || l.Bias != nil, s.FanInOut || l.Layout == Conv1D
	}
	if len(list) > 0 {
		s.Rank, s.Alpha = most(ranks), most(alphas)
	}
	for i, l := range list {
		path := regexp.QuoteMeta(moduleOf(l.Tensor))
		if l.Rank != s.Rank {
			s.Ranks = put(s.Ranks, path, l.Rank)
		}
		if alphas[i] != s.Alpha {
			s.Alphas = put(s.Alphas, path, alphas[i])
		}
	}
	a.whole(&s)
	for _, r := range a.Rows {
		s.Tokens = put(s.Tokens, moduleOf(r.Tensor), r.Index)
	}
	return s
}

// alpha is the lora_alpha that gives a product its scale, whole if it is but for
// rounding.
func (l LowRank) alpha() float64 {
	alpha := l.Scale * float64(l.Rank)
	if whole := math.Round(alpha); math.Abs(alpha-whole) <= 1e-12*math.Abs(alpha) {
		return whole
	}
	return alpha
}

// whole are the settings of what takes the base's place.
func (a *Adapter) whole(s *Settings) {
	adapted := a.adapted()
	saved := map[string]bool{}
	for _, r := range a.Replaced {
		module := r.module()
		if adapted[module] || strings.HasSuffix(r.Tensor, ".bias") {
			continue
		}
		saved[module] = true
		s.Saved = append(s.Saved, module)
		if a.Config.tiedHead(r.Tensor) {
			s.Saved, s.Tying = append(s.Saved, headModule), true
		}
	}
	for _, r := range a.Replaced {
		switch module := r.module(); {
		case !strings.HasSuffix(r.Tensor, ".bias") || saved[module]:
		case !adapted[module]:
			s.Bias = "all"
		case s.Bias == "":
			s.Bias = "lora_only"
		}
	}
}

// adapted are the modules that have factors.
func (a *Adapter) adapted() map[string]bool {
	list := map[string]bool{}
	for _, l := range a.LowRank {
		list[moduleOf(l.Tensor)] = true
	}
	return list
}

// most is the value that is most often in a list, the largest among equals.
func most[T int | float64](list []T) (best T) {
	counts := map[T]int{}
	for _, v := range list {
		counts[v]++
	}
	for v, n := range counts {
		if n > counts[best] || n == counts[best] && v > best {
			best = v
		}
	}
	return best
}

func put[V any](m map[string]V, key string, value V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}

// targets are names that choose the modules with factors and no others: the end of
// a name where it has factors in all layers, or else whole paths. If it is not known
// how many layers the base has, ends stand for the layers that are returned.
func (a *Adapter) targets() (list []string, layers []int) {
	in := map[string]map[int]bool{} // layers, by end
	count := a.Config.Layers
	for _, l := range a.LowRank {
		if layer, ok := layerOf(l.Tensor); ok {
			end := endOf(l.Tensor)
			if in[end] == nil {
				in[end] = map[int]bool{}
			}
			in[end][layer] = true
			count = max(count, layer+1)
		}
	}
	short := false
	for _, l := range a.LowRank {
		name := moduleOf(l.Tensor)
		if end := endOf(l.Tensor); len(in[end]) == count && count > 0 {
			name, short = end, true
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	if short && count > a.Config.Layers {
		for i := range count {
			layers = append(layers, i)
		}
	}
	return list, layers
}

// layerOf is the layer of a tensor, which is the only number of its path: whatever
// rule a release of PEFT goes by, it finds the same.
func layerOf(tensor string) (layer int, ok bool) {
	layer, ok = config{}.layerIn(moduleOf(tensor))
	numbers := 0
	for _, part := range strings.Split(tensor, ".") {
		if _, err := strconv.Atoi(part); err == nil {
			numbers++
		}
	}
	return layer, ok && numbers == 1 && layer == tensors.KeyOf(tensor).Layer
}

// baseLayers is the number of layers of a base, as far as it can be told from an
// adapter of it: where PEFT took a name's end for a module of every layer.
func (c config) baseLayers(list []LowRank) (count int) {
	if len(c.Layers) > 0 || !c.Excluded.none() {
		return 0
	}
	for _, l := range list {
		layer, ok := layerOf(l.Tensor)
		if ok && slices.Contains(c.Targets.list, endOf(l.Tensor)) {
			count = max(count, layer+1)
		}
	}
	return count
}

// endOf is the last part of a module's path.
func endOf(tensor string) string {
	module := moduleOf(tensor)
	return module[strings.LastIndexByte(module, '.')+1:]
}
