package decoder

import (
	"context"
	"math"
	"runtime"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// Choices share a prompt that is longer than a batch, too.
func TestLongPromptIsShared(t *testing.T) {
	check := func(name string, sequences [][]int32, most int) {
		t.Helper()
		rows := 0
		for _, b := range plan(sequences, batchRows) {
			rows += len(b.tokens)
		}
		if rows > most {
			t.Errorf("%s: %d rows are computed, %d would do", name, rows, most)
		}
	}
	prompt := make([]int32, 600)
	check("four one-token choices after 600 tokens", [][]int32{prompt, prompt, prompt, prompt}, 600)
	var sequences [][]int32
	for i := range 4 {
		sequences = append(sequences, append(make([]int32, 500, 510), int32(i+1), 7, 7, 7, 7, 7, 7, 7))
	}
	check("four nine-token choices after 500 tokens", sequences, 500+4*8)
}

// Graphs of other numbers of rows do not keep weights of the past.
func TestOneLayerInMemory(t *testing.T) {
	p := tensorstest.Pico{Hidden: 512, DType: tensors.F32}
	m := picoModel(t, p)
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return int64(s.HeapAlloc)
	}
	score := func(n int) int64 {
		if _, err := m.Score(context.Background(), []Request{{Prompt: make([]int32, n), Logits: true}}, Options{}); err != nil {
			t.Fatal(err)
		}
		return heap()
	}
	first, last := score(1), int64(0)
	for n := 2; n <= 10; n++ {
		last = score(n)
	}
	layer := int64(4 * 512 * 512 * (1 + 0.5 + 0.5 + 1 + 2 + 2 + 2))
	if last-first > layer {
		t.Errorf("nine more numbers of rows keep %d more bytes, %.1f layers", last-first, float64(last-first)/float64(layer))
	}
	runtime.KeepAlive(m)
}

// Logits that are not numbers are an error, as log-likelihoods are.
func TestLogitsNotFinite(t *testing.T) {
	p := tensorstest.Pico{}
	c, err := ParseConfig(p.Config())
	if err != nil {
		t.Fatal(err)
	}
	src, norm := p.Weights(), make([]float32, 48)
	norm[0] = float32(math.NaN())
	src.Add(normName, tensors.F32, []int{48}, norm)
	m, err := Open(c, src)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Score(context.Background(), []Request{{Prompt: []int32{1}, Logits: true}}, Options{}); err == nil {
		t.Error("NaN logits are returned without an error")
	}
}

func TestParseConfigIsExact(t *testing.T) {
	const sizes = `{"model_type":"llama","vocab_size":8,"hidden_size":8,"intermediate_size":8,"num_hidden_layers":1,"num_attention_heads":2,"max_position_embeddings":16,`
	for name, fields := range map[string]string{
		"a field in other letters switches one off": `"tie_word_embeddings":true,"Tie_Word_Embeddings":false`,
		"a rotary field in other letters":           `"rope_scaling":{"type":"linear","FACTOR":2}`,
		"two rotary settings that disagree":         `"rope_parameters":{"rope_type":"default"},"rope_scaling":{"rope_type":"yarn","factor":4,"x":1}`,
		"epsilon is infinite in float32":            `"rms_norm_eps":1e300`,
		"infinite frequencies from theta":           `"rope_theta":1e-300`,
		"infinite frequencies from the factor":      `"rope_scaling":{"type":"linear","factor":1e-300}`,
		"heads do not divide the width":             `"hidden_size":9,"num_attention_heads":4`,
	} {
		if c, err := ParseConfig([]byte(sizes + fields + "}")); err == nil {
			t.Errorf("%s: accepted as %+v", name, c)
		}
	}
}
