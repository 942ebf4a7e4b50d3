package lora

import "surgeon/tensors"

// Layout is how the product of two factors lies in the tensor that it changes.
type Layout int

const (
	Linear    Layout = iota // tensor [Out, In]: B A
	Conv1D                  // tensor [In, Out]: (B A)', as GPT-2 stores its weights (PEFT's fan_in_fan_out)
	Embedding               // tensor [In, Out]: (B A)', where In is the vocabulary
)

// LowRank is the difference Scale * B A of one tensor of a base (Hu et al., arXiv
// 2106.09685).
type LowRank struct {
	Tensor        string // of the base: "model.layers.0.self_attn.q_proj.weight"
	Layout        Layout
	Rank, In, Out int
	Scale         float64       // lora_alpha/Rank, or lora_alpha/sqrt(Rank) if rank-stabilised (Kalajdzievski, arXiv 2312.03732)
	A, B          []float32     // [Rank, In], [Out, Rank]
	DType         tensors.DType // that the factors are stored in

	// Magnitude [Out], if any, is what the norms of the rows of the changed
	// weight are set to: DoRA (Liu et al., arXiv 2402.09353).
	Magnitude []float32
	// Bias [Out], if any, is added to the module's bias, times Scale: PEFT's
	// lora_bias.
	Bias []float32
}

// Replaced is a tensor that takes the place of the base's: one of PEFT's
// modules_to_save, a trained bias, or a copy of the base under an adapted
// embedding.
type Replaced struct {
	Tensor string // of the base
	Values tensors.Source
	Name   string // of the tensor in Values
}

// Rows are rows of an embedding that take the place of the base's: PEFT's
// trainable_token_indices.
type Rows struct {
	Tensor string // of the base, [vocabulary, Width]
	Width  int
	Index  []int     // of the rows, in the order of Values
	Values []float32 // [len(Index), Width]
	DType  tensors.DType
}
