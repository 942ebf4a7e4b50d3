package lora

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"surgeon/tensors"
)

// settings are those by which PEFT gives every module its rank and scale.
func (a *Adapter) settings() Settings {
	s := Settings{Base: a.Config.Base, Revision: a.Config.Revision, Task: a.Config.Task, Rank: 8, Alpha: 8, Targets: a.targets()}
	alphas := map[string]float64{}
	var ranks []int
	var all []float64
	for _, l := range a.LowRank {
		alpha := l.Scale * float64(l.Rank)
		if whole := math.Round(alpha); math.Abs(alpha-whole) <= 1e-12*math.Abs(alpha) {
			alpha = whole
		}
		alphas[l.Tensor] = alpha
		ranks, all = append(ranks, l.Rank), append(all, alpha)
		s.Tying = s.Tying || a.Config.Tied && l.Layout == Embedding
		s.DoRA, s.LoraBias, s.FanInOut = s.DoRA || l.Magnitude != nil, s.LoraBias || l.Bias != nil, s.FanInOut || l.Layout == Conv1D
	}
	if len(ranks) > 0 {
		s.Rank, s.Alpha = most(ranks), most(all)
	}
	for _, l := range a.LowRank {
		path := regexp.QuoteMeta(moduleOf(l.Tensor))
		if l.Rank != s.Rank {
			s.Ranks = put(s.Ranks, path, l.Rank)
		}
		if alphas[l.Tensor] != s.Alpha {
			s.Alphas = put(s.Alphas, path, alphas[l.Tensor])
		}
	}
	adapted := func(module string) bool {
		return slices.ContainsFunc(a.LowRank, func(l LowRank) bool { return moduleOf(l.Tensor) == module })
	}
	for _, r := range a.Replaced {
		if module, ok := strings.CutSuffix(r.Tensor, ".bias"); ok {
			if s.Bias != "all" {
				s.Bias = "lora_only"
			}
			if !adapted(module) {
				s.Bias = "all"
			}
			continue
		}
		if module := moduleOf(r.Tensor); !adapted(module) {
			s.Saved = append(s.Saved, module)
			s.Tying = s.Tying || a.Config.tiedHead(r)
		}
	}
	for _, r := range a.Rows {
		s.Tokens = put(s.Tokens, moduleOf(r.Tensor), r.Index)
	}
	return s
}

// headModule is the module of the head, which PEFT wants to find in the file too
// where it is tied to an embedding that is saved whole.
const headModule = "lm_head"

// tiedHead reports whether a tensor in the base's place is an embedding that is the
// head as well.
func (c Config) tiedHead(r Replaced) bool {
	return c.Tied && tensors.KeyOf(r.Tensor).Part == tensors.PartEmbed
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
// a name where it has factors in all layers up to the last that is adapted, or else
// whole paths.
func (a *Adapter) targets() (list []string) {
	layers := map[string]map[int]bool{} // of an end
	highest := -1
	for _, l := range a.LowRank {
		key := tensors.KeyOf(l.Tensor)
		if end := endOf(l.Tensor); key.Layer != tensors.NoLayer {
			if layers[end] == nil {
				layers[end] = map[int]bool{}
			}
			layers[end][key.Layer] = true
			highest = max(highest, key.Layer)
		}
	}
	for _, l := range a.LowRank {
		name := moduleOf(l.Tensor)
		if end := endOf(l.Tensor); tensors.KeyOf(l.Tensor).Layer != tensors.NoLayer && len(layers[end]) == highest+1 {
			name = end
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// endOf is the last part of a module's path.
func endOf(tensor string) string {
	module := moduleOf(tensor)
	return module[strings.LastIndexByte(module, '.')+1:]
}
