package decoder

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"surgeon/tensors/kernel"
)

// Sampling says how a token is drawn from logits. The zero value takes the most
// likely one, the lowest id among equals.
type Sampling struct {
	Temperature float64 // logits are divided by it; 0 is greedy
	TopK        int     // only so many most likely tokens may be drawn; 0: all
	// TopP leaves the fewest most likely tokens whose probabilities add up to it
	// (nucleus sampling, Holtzman et al., arXiv 1904.09751); 0 is 1: all.
	TopP float64
	Seed uint64
}

func (s Sampling) check() error {
	switch {
	case !(s.Temperature >= 0 && s.Temperature <= math.MaxFloat64):
		return fmt.Errorf("temperature %g must be 0 or positive", s.Temperature)
	case s.TopK < 0:
		return fmt.Errorf("top_k %d must be 0 or positive", s.TopK)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return fmt.Errorf("top_p %g must be between 0 and 1", s.TopP)
	}
	return nil
}

// draw takes the token that stands at a number of a generation. It depends on
// the logits, the seed and the number alone. Temperature, TopK and TopP are
// applied in this order, as transformers does, in float64.
func (s Sampling) draw(logits []float32, number int) int32 {
	best := kernel.ArgMax(logits)
	if s.Temperature == 0 {
		return int32(best)
	}
	likely := s.likely(logits, float64(logits[best]))
	var total float64
	for i := range likely {
		likely[i].weight = math.Exp((likely[i].logit - float64(logits[best])) / s.Temperature)
		total += likely[i].weight
	}
	if s.nucleus() {
		likely, total = nucleus(likely, s.TopP*total)
	}
	at := rand.New(rand.NewPCG(s.Seed, uint64(number))).Float64() * total
	for _, c := range likely {
		if at -= c.weight; at < 0 {
			return c.token
		}
	}
	return likely[len(likely)-1].token
}

// choice is a token that may be drawn.
type choice struct {
	token         int32
	logit, weight float64
}

// nucleus reports whether TopP leaves anything out.
func (s Sampling) nucleus() bool { return s.TopP > 0 && s.TopP < 1 }

// negligible is how many temperatures below the largest a logit is of no weight:
// a million tokens of e^-40 are not a millionth of a millionth.
const negligible = 40

// likely lists the tokens that TopK leaves; the most likely first, the lowest id
// among equals, where an order is asked for by TopK or TopP.
func (s Sampling) likely(logits []float32, largest float64) []choice {
	if s.TopK > 0 && s.TopK < len(logits) {
		return highest(logits, s.TopK)
	}
	list := make([]choice, 0, len(logits))
	for i, v := range logits {
		if v := float64(v); v >= largest-negligible*s.Temperature {
			list = append(list, choice{token: int32(i), logit: v})
		}
	}
	if s.nucleus() {
		slices.SortStableFunc(list, descending)
	}
	return list
}

func descending(a, b choice) int { return cmp.Compare(b.logit, a.logit) }

// highest lists the k most likely tokens in order. Most of a vocabulary is below
// the k highest that were met so far, so little is ever moved.
func highest(logits []float32, k int) []choice {
	list := make([]choice, 0, k+1)
	for i, v := range logits {
		c := choice{token: int32(i), logit: float64(v)}
		if len(list) == k && c.logit <= list[k-1].logit {
			continue
		}
		at, _ := slices.BinarySearchFunc(list, c, func(a, c choice) int {
			if a.logit >= c.logit {
				return -1
			}
			return 1
		})
		list = slices.Insert(list, at, c)
		list = list[:min(len(list), k)]
	}
	return list
}

// nucleus returns the first choices whose weights reach enough, and their sum.
func nucleus(likely []choice, enough float64) ([]choice, float64) {
	var sum float64
	for i, c := range likely {
		if sum += c.weight; sum >= enough {
			return likely[:i+1], sum
		}
	}
	return likely, sum
}
