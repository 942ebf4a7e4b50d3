package lora

import (
	"fmt"
	"slices"

	"surgeon/tensors"
)

// Loader is a program that reads adapters, and what of one it refuses or would
// compute wrongly.
type Loader struct {
	Name     string
	Problems []string // none if it gives what the adapter means
}

// vllmRank is the highest rank that vLLM takes.
const vllmRank = 512

// Loaders says what PEFT, vLLM and llama.cpp make of an adapter as Write writes it.
// The rules are those of vLLM's lora/peft_helper.py and of llama.cpp's
// convert_lora_to_gguf.py: the first takes one scale for all modules from r and
// lora_alpha and refuses modules_to_save and DoRA; the second divides lora_alpha by
// the rank of each product, and knows factors and norms.
func (a *Adapter) Loaders() []Loader {
	peft, vllm, llama := Loader{Name: "PEFT"}, Loader{Name: "vLLM"}, Loader{Name: "llama.cpp"}
	both := func(format string, values ...any) {
		vllm.Problems = append(vllm.Problems, fmt.Sprintf(format, values...))
		llama.Problems = append(llama.Problems, fmt.Sprintf(format, values...))
	}
	scales, alphas, dora, bias, highest := map[float64]bool{}, map[float64]bool{}, 0, 0, 0
	for _, l := range a.LowRank {
		scales[l.Scale], alphas[l.Scale*float64(l.Rank)] = true, true
		highest = max(highest, l.Rank)
		if l.Magnitude != nil {
			dora++
		}
		if l.Bias != nil {
			bias++
		}
	}
	if a.Config.Tied && slices.ContainsFunc(a.LowRank, func(l LowRank) bool { return l.Layout == Embedding }) {
		both("does not know ensure_weight_tying: a head that is tied to the embedding stays the base's")
	}
	norms, whole := 0, 0
	for _, r := range a.Replaced {
		if tensors.KeyOf(r.Tensor).Norm() {
			norms++
		} else {
			whole++
		}
	}
	if len(a.Sparse) > 0 {
		peft.Problems = append(peft.Problems, "does not read the single elements of "+remainderFile)
		both("does not read the single elements of %s", remainderFile)
	}
	if dora > 0 {
		both("refuses DoRA (%d modules)", dora)
	}
	if bias > 0 {
		both("does not know lora_bias (%d modules)", bias)
	}
	if len(a.Rows) > 0 {
		both("does not know trainable_token_indices")
	}
	if norms+whole > 0 {
		vllm.Problems = append(vllm.Problems, fmt.Sprintf("refuses modules_to_save (%d tensors)", norms+whole))
	}
	if whole > 0 {
		llama.Problems = append(llama.Problems, fmt.Sprintf("refuses whole tensors but norms (%d)", whole))
	}
	if norms > 0 {
		llama.Problems = append(llama.Problems, fmt.Sprintf("keeps whole norms in its file, but does not apply them (%d)", norms))
	}
	if len(scales) > 1 {
		vllm.Problems = append(vllm.Problems, "takes one lora_alpha/r for all modules: scales differ")
	}
	if len(alphas) > 1 {
		llama.Problems = append(llama.Problems, "divides one lora_alpha by the rank of each module: ranks or alphas differ")
	}
	if highest > vllmRank {
		vllm.Problems = append(vllm.Problems, fmt.Sprintf("takes ranks up to %d: the highest is %d", vllmRank, highest))
	}
	return []Loader{peft, vllm, llama}
}
