package train_test

import (
	"testing"

	"surgeon/probe/decoder"
	"surgeon/probe/train"
)

// embedded is the shape of the embedded pair.
var embedded = decoder.Config{Family: "llama", Vocabulary: 768, Hidden: 128, Intermediate: 352, Layers: 4, Heads: 4, KVHeads: 2, HeadDim: 32, Context: 256,
	Epsilon: 1e-5, Tied: true, Layer: decoder.Layer{RoPE: decoder.RoPE{Theta: 1e4}}}

// examples are n sequences of so many tokens, the second half of which is
// learned.
func examples(n, tokens, vocabulary int) (list []train.Example) {
	for i := range n {
		e := train.Example{Tokens: make([]int32, tokens), Learned: make([]bool, tokens)}
		for j := range e.Tokens {
			e.Tokens[j], e.Learned[j] = int32((i*31+j*j*7+3)%vocabulary), j >= tokens/2
		}
		list = append(list, e)
	}
	return list
}

// BenchmarkStep makes steps of 8 sequences of 96 rows.
func BenchmarkStep(b *testing.B) {
	r, err := train.New(embedded, train.Initialise(embedded, 0.05, 1), train.Data{Domain: examples(64, 97, embedded.Vocabulary)},
		train.Options{Steps: 1 << 30, LearningRate: 1e-4})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := r.Step(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(768*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
}
