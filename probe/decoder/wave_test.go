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
				rows = int(o.Rows)
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
