package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/probe/decoder"
)

// projections are the matrices of a block that an adapter may stand beside.
var projections = []string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}

// Check says whether a model can have such an adapter: the error names the rank,
// the alpha or the target that it cannot have.
func (l *LowRank) Check(c decoder.Config) error {
	switch least := min(c.Hidden, c.KVHeads*c.HeadDim, c.Intermediate); {
	case l.Rank < 1 || l.Rank > least:
		return fmt.Errorf("LoRA of rank %d: want from 1 to %d, the smallest side of a projection", l.Rank, least)
	case !(l.Alpha > 0) || math.IsInf(l.Alpha, 0):
		return fmt.Errorf("LoRA with alpha %g: want a positive number", l.Alpha)
	}
	for _, target := range l.Targets {
		if !slices.Contains(projections, target) {
			return fmt.Errorf("LoRA target %q: there are %s", target, strings.Join(projections, ", "))
		}
	}
	return nil
}

// Projections are those that get an adapter, in the order of a block.
func (l *LowRank) Projections() (list []string) {
	for _, p := range projections {
		if len(l.Targets) == 0 || slices.Contains(l.Targets, p) {
			list = append(list, p)
		}
	}
	return list
}

// beside reports whether factors stand beside a tensor.
func (l *LowRank) beside(name string) bool {
	module, ok := strings.CutSuffix(name, ".weight")
	return ok && strings.HasPrefix(module, "model.layers.") && slices.Contains(l.Projections(), module[strings.LastIndexByte(module, '.')+1:])
}

func (l *LowRank) scale() float32 { return float32(l.Alpha / float64(l.Rank)) }

// The ends of the names of an adapter's factors.
const (
	endA = ".lora_A.weight"
	endB = ".lora_B.weight"
)

// adapts reports whether a parameter is a factor of an adapter.
func (p *parameter) adapts() bool {
	return strings.HasSuffix(p.name, endA) || strings.HasSuffix(p.name, endB)
}

// addLowRank puts factors beside the projections: A [rank, in] uniform within
// 1/sqrt(in), B [out, rank] zero, as PEFT initialises them, so that the model is
// the one before.
func (r *Run) addLowRank() {
	l := r.options.LowRank
	for _, p := range slices.Clone(r.parameters) {
		if !l.beside(p.name) {
			continue
		}
		name := strings.TrimSuffix(p.name, ".weight")
		out, in := p.shape[0], p.shape[1]
		a := &parameter{name: name + endA, shape: []int{l.Rank, in}, values: make([]float32, l.Rank*in), decayed: true}
		b := &parameter{name: name + endB, shape: []int{out, l.Rank}, values: make([]float32, out*l.Rank), decayed: true}
		draw, bound := newRandom(r.options.Seed, a.name), 1/math.Sqrt(float64(in))
		for i := range a.values {
			a.values[i] = float32(bound * (2*draw.float(i) - 1))
		}
		r.parameters = append(r.parameters, a, b)
	}
}

// Adapter is the factors of a run's adapter by PEFT's names, nil where all weights
// are trained.
func (r *Run) Adapter() *Weights {
	if r.options.LowRank == nil {
		return nil
	}
	w := NewWeights()
	for _, p := range r.parameters {
		if p.adapts() {
			w.add("base_model.model."+p.name, p)
		}
	}
	return w
}
