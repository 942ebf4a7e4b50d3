package decoder_test

import (
	"math"
	"slices"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/tensors/tensorstest"
)

// TestHidden: before the first layer it is the mean of the embedding's rows, behind
// the last one what norm and head make logits of; and it is the same whatever is
// asked beside it.
func TestHidden(t *testing.T) {
	made := tensorstest.Pico{Seed: 2, Untied: true}
	m, weights := pico(t, made), made.Weights()
	prompts := [][]int32{{1, 2, 3, 4}, {1, 2, 3, 9, 9}, {1, 2}, {7}, {1, 2, 3, 4}}
	var requests []decoder.Request
	for i, p := range prompts {
		requests = append(requests, decoder.Request{Prompt: p, Hidden: true, Logits: i == 3, Continuations: [][]int32{{5, 6}}})
	}
	requests = append(requests, decoder.Request{Prompt: []int32{1, 2, 3}, Logits: true})
	got := score(t, m, requests)
	info, _ := weights.Info("model.embed_tokens.weight")
	width := info.Shape[1]
	for i, p := range prompts {
		alone := score(t, m, []decoder.Request{{Prompt: p, Hidden: true}})[0]
		if len(alone.Hidden) != m.Config().Layers+1 || len(alone.Hidden) != len(got[i].Hidden) {
			t.Fatalf("prompt %d: %d and %d streams of %d layers", i, len(alone.Hidden), len(got[i].Hidden), m.Config().Layers)
		}
		for layer := range alone.Hidden {
			if !slices.Equal(alone.Hidden[layer], got[i].Hidden[layer]) {
				t.Errorf("prompt %d, layer %d: other values beside other requests", i, layer)
			}
		}
		if (got[i].Logits != nil) != (i == 3) {
			t.Errorf("prompt %d: logits %v", i, got[i].Logits != nil)
		}
		row := make([]float32, width)
		for column := range width {
			sum := 0.0
			for _, id := range p {
				if err := weights.Read(row, "model.embed_tokens.weight", int(id)*width); err != nil {
					t.Fatal(err)
				}
				sum += float64(row[column])
			}
			if mean := sum / float64(len(p)); math.Abs(mean-got[i].Hidden[0][column]) > 1e-12 {
				t.Fatalf("prompt %d, column %d: %v before the layers, want %v", i, column, got[i].Hidden[0][column], mean)
			}
		}
	}
	if got[5].Hidden != nil {
		t.Error("a stream that nobody asked for")
	}
	last, norm, head := got[3].Hidden[m.Config().Layers], make([]float32, width), make([]float32, picoVocabulary*width)
	square := 0.0
	for _, v := range last {
		square += v * v
	}
	for name, into := range map[string][]float32{"model.norm.weight": norm, "lm_head.weight": head} {
		if err := weights.Read(into, name, 0); err != nil {
			t.Fatal(err)
		}
	}
	for token, logit := range got[3].Logits {
		want := 0.0
		for i, v := range last {
			want += v / math.Sqrt(square/float64(width)+float64(m.Config().Epsilon)) * float64(norm[i]) * float64(head[token*width+i])
		}
		if math.Abs(want-float64(logit)) > 1e-4 {
			t.Fatalf("token %d: logit %v, norm and head of the last stream give %v", token, logit, want)
		}
	}
}
