package decoder_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// picoContext is the longest sequence of a Pico.
const picoContext = 512

func TestScoreRefuses(t *testing.T) {
	m := pico(t, tensorstest.Pico{})
	good := decoder.Request{Prompt: []int32{1, 2}, Continuations: [][]int32{{3}}}
	refuse := func(bad decoder.Request, want string) {
		t.Helper()
		_, err := m.Score(context.Background(), []decoder.Request{good, bad, good}, decoder.Options{
			Progress: func(int64, int64) { t.Errorf("%s: something was computed before the requests were checked", want) },
		})
		var failed *decoder.RequestError
		if !errors.As(err, &failed) || failed.Request != 1 || err.Error() != "request 2: "+want {
			t.Errorf("error %v, want request 2: %s", err, want)
		}
		if !errors.Is(err, failed.Err) {
			t.Errorf("%v does not lead to its reason", err)
		}
	}
	request := func(prompt []int32, continuations ...[]int32) decoder.Request {
		return decoder.Request{Prompt: prompt, Continuations: continuations}
	}
	one := []int32{1}
	refuse(request(nil, one), "the prompt is empty: it needs at least one token")
	refuse(decoder.Request{Logits: true}, "the prompt is empty: it needs at least one token")
	refuse(request(one, one, nil), "continuation 2 is empty: it needs at least one token")
	refuse(request([]int32{1, -1}, one), "prompt: token id -1 is outside the vocabulary of 320")
	refuse(request([]int32{320}, one), "prompt: token id 320 is outside the vocabulary of 320")
	refuse(request(one, one, []int32{1, 320}), "continuation 2: token id 320 is outside the vocabulary of 320")
	refuse(request(one, []int32{math.MinInt32}), "continuation 1: token id -2147483648 is outside the vocabulary of 320")
	refuse(decoder.Request{Prompt: make([]int32, picoContext+1), Logits: true}, "prompt: 513 tokens are longer than the context of 512")
	refuse(request(make([]int32, picoContext), one, make([]int32, 2)), "continuation 2: 513 tokens are longer than the context of 512")
	refuse(request(one, make([]int32, picoContext+1)), "continuation 1: 513 tokens are longer than the context of 512")
}

// TestContextLimit fills the context to the last token, which need not be fed.
func TestContextLimit(t *testing.T) {
	m := pico(t, tensorstest.Pico{Layers: 1})
	for _, r := range []decoder.Request{
		{Prompt: make([]int32, picoContext), Logits: true},
		{Prompt: make([]int32, picoContext), Continuations: [][]int32{{1}}},
		{Prompt: make([]int32, 1), Continuations: [][]int32{make([]int32, picoContext)}},
	} {
		got := score(t, m, []decoder.Request{r})[0]
		for _, tokens := range got.Tokens {
			for i, v := range tokens {
				if !(v < 0) || math.IsInf(v, 0) {
					t.Errorf("%d tokens: log-likelihood %d is %g", len(r.Prompt), i, v)
				}
			}
		}
	}
}

// TestScoreNothing asks for nothing.
func TestScoreNothing(t *testing.T) {
	m := pico(t, tensorstest.Pico{})
	if got, err := m.Score(context.Background(), nil, decoder.Options{}); err != nil || len(got) != 0 {
		t.Errorf("no requests: %v, %v", got, err)
	}
	got := score(t, m, []decoder.Request{{Prompt: []int32{1}}, {Prompt: []int32{2}, Logits: true}})
	if len(got) != 2 || len(got[0].LogProbs) != 0 || got[0].Logits != nil || len(got[1].Logits) != picoVocabulary {
		t.Errorf("a prompt alone and one with logits: %d responses, %+v", len(got), got[0])
	}
}

// TestResponseAddsUp checks a response against the logits that the same model
// gives at each place: log-softmax, sum over tokens, greedy.
func TestResponseAddsUp(t *testing.T) {
	m := pico(t, tensorstest.Pico{Seed: 5})
	prompt := ids(3, 8, picoVocabulary)
	logitsAfter := func(sequence []int32) []float32 {
		return score(t, m, []decoder.Request{{Prompt: sequence, Logits: true}})[0].Logits
	}
	best := func(logits []float32) int32 { return int32(slices.Index(logits, slices.Max(logits))) }
	first := best(logitsAfter(prompt))
	second := best(logitsAfter(append(slices.Clone(prompt), first)))
	continuations := [][]int32{{first}, {first, second}, {first, second + 1}, {first + 1, second}}
	got := score(t, m, []decoder.Request{{Prompt: prompt, Continuations: continuations}})[0]
	if want := []bool{true, true, false, false}; !slices.Equal(got.Greedy, want) {
		t.Errorf("greedy %v, want %v", got.Greedy, want)
	}
	if got.Logits != nil {
		t.Error("logits that nobody asked for")
	}
	for i, continuation := range continuations {
		sequence, sum := slices.Clone(prompt), 0.0
		for j, id := range continuation {
			logits, total := logitsAfter(sequence), 0.0
			for _, v := range logits {
				total += math.Exp(float64(v))
			}
			want := float64(logits[id]) - math.Log(total)
			if math.Abs(got.Tokens[i][j]-want) > 1e-12 { // both in float64
				t.Errorf("continuation %d, token %d: %g, want %g", i, j, got.Tokens[i][j], want)
			}
			sum += got.Tokens[i][j]
			sequence = append(sequence, id)
		}
		if got.LogProbs[i] != sum {
			t.Errorf("continuation %d: %g is not the sum of its tokens, %g", i, got.LogProbs[i], sum)
		}
	}
}

// TestRequestsAreKept: Score changes neither the requests nor its own answers
// when the caller changes one.
func TestRequestsAreKept(t *testing.T) {
	m := pico(t, tensorstest.Pico{})
	r := decoder.Request{Prompt: []int32{1, 2}, Continuations: [][]int32{{3, 4}, {5}}, Logits: true}
	got := score(t, m, []decoder.Request{r, r})
	if !slices.Equal(r.Prompt, []int32{1, 2}) || !slices.Equal(r.Continuations[0], []int32{3, 4}) || !slices.Equal(r.Continuations[1], []int32{5}) {
		t.Errorf("the request became %+v", r)
	}
	before := got[1].Logits[0]
	got[0].Logits[0]++
	if got[1].Logits[0] != before {
		t.Error("two answers share their logits")
	}
}

// poisoned replaces one element of a tensor.
func poisoned(t *testing.T, p tensorstest.Pico, name string, value float32) tensors.Source {
	t.Helper()
	done := false
	src := copyOf(p.Weights(), name, func(m *tensorstest.Memory, info tensors.Info, raw []byte) {
		values := make([]float32, info.Len())
		tensors.Widen(values, raw, info.DType)
		values[3] = value
		m.Add(name, info.DType, info.Shape, values)
		done = true
	})
	if !done {
		t.Fatalf("no tensor %q", name)
	}
	return src
}

// TestNotFinite puts NaN and infinity into weights.
func TestNotFinite(t *testing.T) {
	p := tensorstest.Pico{Layers: 3, Untied: true}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	check := func(name string, value float32, want string) {
		t.Helper()
		m := mustOpen(t, picoConfig(t, p), poisoned(t, p, name, value))
		_, err := m.Score(context.Background(), []decoder.Request{{Prompt: []int32{0}, Continuations: [][]int32{{1}}}}, decoder.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%g in %s: error %v, want %q", value, name, err, want)
		}
	}
	check("model.layers.0.self_attn.o_proj.weight", nan, "layer 0 gives a value that is not finite")
	check("model.layers.1.mlp.down_proj.weight", nan, "layer 1 gives a value that is not finite")
	check("model.layers.2.input_layernorm.weight", nan, "layer 2 gives a value that is not finite")
	check("model.layers.2.self_attn.v_proj.weight", inf, "layer 2 gives a value that is not finite")
	check("model.layers.1.mlp.down_proj.weight", -inf, "layer 1 gives a value that is not finite")
	check("model.norm.weight", nan, "request 1: the log-likelihood of continuation 1 is not a number")
	check("lm_head.weight", nan, "request 1: the log-likelihood of continuation 1 is not a number")
}

// TestReadFails: an error of the Source names the tensor, and the weights are
// asked for a layer at a time.
func TestReadFails(t *testing.T) {
	p := tensorstest.Pico{Untied: true}
	request := []decoder.Request{{Prompt: []int32{1}, Continuations: [][]int32{{1}}}}
	for i, name := range []string{"model.embed_tokens.weight", "model.layers.0.input_layernorm.weight", "model.layers.1.mlp.down_proj.weight", "lm_head.weight", "model.norm.weight"} {
		var reads []string
		m := mustOpen(t, picoConfig(t, p), unreadable{p.Weights(), name, &reads})
		_, err := m.Score(context.Background(), request, decoder.Options{})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s cannot be read: error %v", name, err)
		}
		// In the order that they are needed in: what is read before each.
		if want := []int{1, 9, 17, 20, 21}[i]; len(reads) != want || reads[len(reads)-1] != name {
			t.Errorf("%s cannot be read: %d reads, the last of %q, want %d", name, len(reads), reads[len(reads)-1], want)
		}
	}
}

// TestCancelled stops before anything and in the middle.
func TestCancelled(t *testing.T) {
	m := pico(t, tensorstest.Pico{Layers: 3})
	requests := []decoder.Request{{Prompt: []int32{1, 2}, Continuations: [][]int32{{3}}}}
	for after := range 4 { // layers of the one batch; the last stop is before the head
		ctx, cancel := context.WithCancel(context.Background())
		steps := 0
		if after == 0 {
			cancel()
		}
		_, err := m.Score(ctx, requests, decoder.Options{Progress: func(done, total int64) {
			if steps++; steps == after {
				cancel()
			}
			if done != int64(2*steps) || total != 6 { // two rows and three layers
				t.Errorf("progress %d of %d after %d steps", done, total, steps)
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) || steps != after {
			t.Errorf("cancelled after step %d: %d steps, error %v", after, steps, err)
		}
	}
	// A model that was stopped goes on working.
	checkSame(t, "after being stopped", score(t, m, requests), score(t, pico(t, tensorstest.Pico{Layers: 3}), requests))
}
