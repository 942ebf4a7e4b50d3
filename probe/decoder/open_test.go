package decoder_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// copyOf copies the tensors of a model but one, which change may add again.
func copyOf(src *tensorstest.Memory, but string, change func(m *tensorstest.Memory, info tensors.Info, raw []byte)) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	for _, name := range src.Names() {
		info, _ := src.Info(name)
		raw, err := tensors.Raw(src, name)
		if err != nil {
			panic(err)
		}
		switch {
		case name != but:
			m.AddRaw(name, info, raw)
		case change != nil:
			change(m, info, slices.Clone(raw))
		}
	}
	return m
}

// TestOpenRefuses takes away, reshapes and retypes each tensor in turn.
func TestOpenRefuses(t *testing.T) {
	biased := decoder.Config{
		Vocabulary: 10, Hidden: 4, Intermediate: 6, Layers: 2, Heads: 2, KVHeads: 1, HeadDim: 2, Context: 9,
		Epsilon: 1e-5, AttentionBias: true, MLPBias: true, Layer: decoder.Layer{RoPE: decoder.RoPE{Theta: 100}},
	}
	untied := tensorstest.Pico{Untied: true}
	check := func(c decoder.Config, whole *tensorstest.Memory, tensorCount int) {
		t.Helper()
		if n := len(whole.Names()); n != tensorCount {
			t.Fatalf("%d tensors, want %d", n, tensorCount)
		}
		mustOpen(t, c, whole)
		for _, name := range whole.Names() {
			info, _ := whole.Info(name)
			refuseOpen(t, c, copyOf(whole, name, nil), name, "missing", fmt.Sprint(info.Shape))
			reshaped := tensors.Info{DType: info.DType, Shape: slices.Concat(info.Shape, []int{1})}
			refuseOpen(t, c, copyOf(whole, name, func(m *tensorstest.Memory, _ tensors.Info, raw []byte) { m.AddRaw(name, reshaped, raw) }),
				name, fmt.Sprint(reshaped.Shape), fmt.Sprint(info.Shape))
			integers := tensors.Info{DType: "I32", Shape: info.Shape}
			refuseOpen(t, c, copyOf(whole, name, func(m *tensorstest.Memory, _ tensors.Info, _ []byte) {
				m.AddRaw(name, integers, make([]byte, integers.Bytes()))
			}), name, "I32")
		}
	}
	// Embedding and norm; nine tensors a block, seven more with biases; a head.
	check(picoConfig(t, tensorstest.Pico{}), tensorstest.Pico{}.Weights(), 2+2*9)
	check(picoConfig(t, untied), untied.Weights(), 2+2*9+1)
	check(biased, weightsOf(biased, 1), 2+2*16+1)
}

// refuseOpen checks that Open fails and that the error has all words.
func refuseOpen(t *testing.T, c decoder.Config, src tensors.Source, words ...string) {
	t.Helper()
	_, err := decoder.Open(c, src)
	if err == nil {
		t.Errorf("Open accepts a model whose tensor is wrong: %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not have %q", err, word)
		}
	}
}

// TestOpenTransposed: a matrix of the right size the wrong way round.
func TestOpenTransposed(t *testing.T) {
	c, name := picoConfig(t, tensorstest.Pico{}), "model.layers.1.mlp.down_proj.weight"
	src := copyOf(tensorstest.Pico{}.Weights(), name, func(m *tensorstest.Memory, info tensors.Info, raw []byte) {
		slices.Reverse(info.Shape)
		m.AddRaw(name, info, raw)
	})
	refuseOpen(t, c, src, name, "[96 48]", "[48 96]")
}

// TestOpenMore: tensors that the architecture does not ask for are refused by
// name, but for what says the same again. Open reads no other weight.
func TestOpenMore(t *testing.T) {
	c := picoConfig(t, tensorstest.Pico{})
	src := copyOf(tensorstest.Pico{}.Weights(), "", nil)
	src.AddRaw("model.layers.0.self_attn.rotary_emb.inv_freq", tensors.Info{DType: "I64", Shape: []int{1}}, make([]byte, 8))
	if _, err := decoder.Open(c, unreadable{src, "", nil}); err != nil {
		t.Error(err)
	}
	embedding, err := tensors.Raw(src, "model.embed_tokens.weight")
	if err != nil {
		t.Fatal(err)
	}
	info, _ := src.Info("model.embed_tokens.weight")
	src.AddRaw("lm_head.weight", info, embedding) // the model is tied, and saved with its head
	if _, err := decoder.Open(c, src); err != nil {
		t.Error(err)
	}
	other := slices.Clone(embedding)
	other[0]++
	src.AddRaw("lm_head.weight", info, other)
	refuseOpen(t, c, src, "lm_head.weight", "model.embed_tokens.weight", "tie_word_embeddings")
	for _, name := range []string{"model.layers.0.self_attn.q_proj.bias", "model.layers.0.self_attn.q_norm.weight", "model.layers.2.input_layernorm.weight", "score.weight"} {
		more := copyOf(tensorstest.Pico{}.Weights(), "", nil)
		more.Add(name, tensors.F32, []int{1}, []float32{1})
		refuseOpen(t, c, more, name, "not understood")
	}
}

// unreadable is a Source whose tensors cannot be read, or only one of them. It
// keeps the names in the order they are asked for, one for all pieces of a
// tensor.
type unreadable struct {
	tensors.Source
	only  string
	reads *[]string // may be nil
}

func (u unreadable) Read(dst []float32, name string, from int) error {
	if err := u.ask(name); err != nil {
		return err
	}
	return u.Source.Read(dst, name, from)
}

func (u unreadable) ReadRaw(dst []byte, name string, at int64) error {
	if err := u.ask(name); err != nil {
		return err
	}
	return u.Source.ReadRaw(dst, name, at)
}

func (u unreadable) ask(name string) error {
	if u.reads != nil && (len(*u.reads) == 0 || (*u.reads)[len(*u.reads)-1] != name) {
		*u.reads = append(*u.reads, name)
	}
	if u.only == "" || u.only == name {
		return fmt.Errorf("tensor %q: the disk is gone", name)
	}
	return nil
}
