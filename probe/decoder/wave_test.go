package decoder_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestScoreAll: in waves of all sizes every model answers as it does alone, and
// tells every answer once.
func TestScoreAll(t *testing.T) {
	requests := mixed()
	rows := 0
	var want [][]decoder.Response
	models := func() (list []*decoder.Model) {
		for seed := range 4 {
			p := tensorstest.Pico{Seed: uint64(seed), Untied: true}
			list = append(list, mustOpen(t, picoConfig(t, p), p.Weights()))
		}
		return list
	}
	for _, m := range models() {
		want = append(want, score(t, m, requests))
	}
	for _, streams := range []int64{1, 100 * 48 * 4, 1 << 20, 0} {
		told := map[string]int{}
		out, err := decoder.ScoreAll(context.Background(), models(), requests, decoder.WaveOptions{Streams: streams, Done: func(model, request int, r decoder.Response) {
			told[fmt.Sprint(model, " ", request)]++
			if !reflect.DeepEqual(r, want[model][request]) {
				t.Errorf("streams of %d bytes: model %d is said to answer %v", streams, model, r)
			}
		}})
		if err != nil || len(out) != 4 {
			t.Fatal(len(out), err)
		}
		for k, o := range out {
			if rows == 0 {
				rows = decoder.Rows(requests)
			}
			if o.Err != nil || o.Rows != int64(rows) || o.Time <= 0 {
				t.Errorf("model %d: %d rows in %v, %v", k, o.Rows, o.Time, o.Err)
			}
			checkSame(t, fmt.Sprintf("streams of %d bytes, model %d", streams, k), o.Responses, want[k])
		}
		if len(told) != 4*len(requests) {
			t.Errorf("streams of %d bytes: %d answers were told, not %d", streams, len(told), 4*len(requests))
		}
	}
}

// TestScoreAllFails: a model whose layer gives NaN, or whose weights cannot be
// read, is named by its place, and the others go on.
func TestScoreAllFails(t *testing.T) {
	p := tensorstest.Pico{Seed: 1}
	config := picoConfig(t, p)
	broken, reads := p.Weights(), []string{}
	nan := make([]float32, 48)
	nan[3] = float32(math.NaN())
	broken.Add("model.layers.1.post_attention_layernorm.weight", tensors.BF16, []int{48}, nan)
	good := mustOpen(t, config, p.Weights())
	requests := mixed()
	want := score(t, good, requests)
	out, err := decoder.ScoreAll(context.Background(), []*decoder.Model{
		mustOpen(t, config, broken), good, mustOpen(t, config, unreadable{p.Weights(), "model.layers.0.mlp.up_proj.weight", &reads}), mustOpen(t, config, p.Weights()),
	}, requests, decoder.WaveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for k, words := range []string{"layer 1 gives a value that is not finite", "", "model.layers.0.mlp.up_proj.weight", ""} {
		if words == "" {
			if out[k].Err != nil {
				t.Errorf("model %d: %v", k, out[k].Err)
			}
			checkSame(t, fmt.Sprint("model ", k), out[k].Responses, want)
		} else if out[k].Err == nil || !strings.Contains(out[k].Err.Error(), words) {
			t.Errorf("model %d: error %v does not say %q", k, out[k].Err, words)
		}
	}
}

// read notes the tensors that are read.
type read struct {
	tensors.Source
	names map[string]bool
}

func (r read) Read(dst []float32, name string, from int) error {
	r.names[name] = true
	return r.Source.Read(dst, name, from)
}

func (r read) ReadRaw(dst []byte, name string, at int64) error {
	r.names[name] = true
	return r.Source.ReadRaw(dst, name, at)
}

// TestScoreAllShares: what models have in common up to a layer is computed once, and
// their answers are those that each gives alone; a model that fails does not take
// those with it that it shares layers with.
func TestScoreAllShares(t *testing.T) {
	p := tensorstest.Pico{Seed: 1, Layers: 4}
	config := picoConfig(t, p)
	scaled := func(names ...string) tensors.Source {
		weights := p.Weights()
		for _, name := range names {
			info, _ := weights.Info(name)
			values := make([]float32, info.Len())
			if err := weights.Read(values, name, 0); err != nil {
				t.Fatal(err)
			}
			for i := range values {
				values[i] *= 1.5
			}
			weights.Add(name, tensors.F32, info.Shape, values)
		}
		return weights
	}
	nan := p.Weights()
	broken := make([]float32, 48)
	broken[3] = float32(math.NaN())
	nan.Add("model.layers.1.input_layernorm.weight", tensors.BF16, []int{48}, broken)
	changed := []int{4, 2, 1, 1, -1, 4} // the first layer, -1 for the embedding, that is not the first model's
	sources := []tensors.Source{p.Weights(), scaled("model.layers.2.mlp.up_proj.weight"), nan, nan, scaled("model.embed_tokens.weight"), p.Weights()}
	requests := mixed()
	var models []*decoder.Model
	var seen []map[string]bool
	for _, src := range sources {
		seen = append(seen, map[string]bool{})
		models = append(models, mustOpen(t, config, read{src, seen[len(seen)-1]}))
	}
	out, err := decoder.ScoreAll(context.Background(), models, requests, decoder.WaveOptions{Part: func(model, layer int) string {
		if layer >= changed[model] {
			return fmt.Sprint("changed ", changed[model])
		}
		return "as it was"
	}})
	if err != nil {
		t.Fatal(err)
	}
	for k, src := range sources {
		if k == 2 || k == 3 {
			if out[k].Err == nil || !strings.Contains(out[k].Err.Error(), "layer 1 gives a value that is not finite") {
				t.Errorf("model %d: %v", k, out[k].Err)
			}
			continue
		}
		checkSame(t, fmt.Sprint("model ", k), out[k].Responses, score(t, mustOpen(t, config, src), requests))
		for layer := range 4 {
			want := k == 0 || changed[k] <= layer
			if got := seen[k][fmt.Sprintf("model.layers.%d.mlp.down_proj.weight", layer)]; got != want {
				t.Errorf("model %d: layer %d is read: %v, want %v", k, layer, got, want)
			}
		}
	}
}

// pieces counts how often the beginning of a tensor is read.
type pieces struct {
	tensors.Source
	first map[string]int
}

func (p pieces) ReadRaw(dst []byte, name string, at int64) error {
	if at == 0 {
		p.first[name]++
	}
	return p.Source.ReadRaw(dst, name, at)
}

// TestScoreAllKeeps: where rows pass the layers in several waves, weights that may be
// kept are read once for each model, and answers are the same.
func TestScoreAllKeeps(t *testing.T) {
	p := tensorstest.Pico{Seed: 1}
	var requests []decoder.Request
	for i := range 8 {
		prompt := make([]int32, 200)
		for j := range prompt {
			prompt[j] = int32((7*i + 3*j + 1) % 64)
		}
		requests = append(requests, decoder.Request{Prompt: prompt, Continuations: [][]int32{{3, 4}, {5}}})
	}
	config := picoConfig(t, p)
	other := tensorstest.Pico{Seed: 2}
	want := [][]decoder.Response{score(t, mustOpen(t, config, p.Weights()), requests), score(t, mustOpen(t, config, other.Weights()), requests)}
	packed := mustOpen(t, config, p.Weights()).PackedBytes()
	for keep, reads := range map[int64]int{packed: 1, packed - 1: 4} {
		first := []map[string]int{{}, {}}
		models := []*decoder.Model{mustOpen(t, config, pieces{p.Weights(), first[0]}), mustOpen(t, config, pieces{other.Weights(), first[1]})}
		out, err := decoder.ScoreAll(context.Background(), models, requests, decoder.WaveOptions{Streams: 1, Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		for k, o := range out {
			checkSame(t, fmt.Sprintf("%d bytes, model %d", keep, k), o.Responses, want[k])
			if n := first[k]["model.layers.1.mlp.down_proj.weight"]; n != reads {
				t.Errorf("%d bytes, model %d: a weight is read %d times, not %d", keep, k, n, reads)
			}
		}
	}
}
