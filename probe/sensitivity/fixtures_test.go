package sensitivity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"surgeon/probe/chat"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
	"surgeon/probe/token"
	"surgeon/probe/train"
	"surgeon/tensors"
)

// tiny is a model that makes a step in a millisecond: 4 query heads over 2, tied.
var tiny = decoder.Config{Family: "llama", Vocabulary: 48, Hidden: 32, Intermediate: 48, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8, Context: 64,
	Epsilon: 1e-5, Tied: true, Layer: decoder.Layer{RoPE: decoder.RoPE{Theta: 1e4}}}

func tinyBase() *train.Weights { return train.Initialise(tiny, 0.08, 3) }

// sums are examples that can be learned: 1, a, b, 2, and then what a and b say, a
// value further for others.
func sums(n int, further int32) (list []train.Example) {
	for i := range n {
		a, b := int32(i%5), int32(i/5%5)
		list = append(list, train.Example{
			Tokens:  []int32{1, 10 + a, 20 + b, 2, 30 + (a+b+further)%10, 40 + b},
			Learned: []bool{false, false, false, false, true, true},
		})
	}
	return list
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func opened(t testing.TB, dir string) *tensors.Checkpoint {
	t.Helper()
	src, err := tensors.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func diff(t testing.TB, base, tuned tensors.Source) *tensors.Difference {
	t.Helper()
	d, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func values(t testing.TB, src tensors.Source, name string) []float64 {
	t.Helper()
	info, ok := src.Info(name)
	if !ok {
		t.Fatalf("there is no tensor %q", name)
	}
	list := make([]float64, info.Len())
	if err := tensors.Read64(src, list, name, 0); err != nil {
		t.Fatal(err)
	}
	return list
}

func decoderConfig(t testing.TB, name string) decoder.Config {
	t.Helper()
	c, err := decoder.ParseConfig(file(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pair is where the embedded pair lies.
const pair = "../../testdata/pair"

// embedded is the pair, with its base's tokenizer and template. Its tests run on one
// thread, unless they are alone for minutes: beside those of other packages several
// threads wait for each other.
type embedded struct {
	config     decoder.Config
	base, chem *tensors.Checkpoint
	tokenizer  *token.Tokenizer
	encoding   train.Encoding
}

func openPair(t testing.TB) embedded {
	t.Helper()
	if testing.Short() {
		t.Skip("takes seconds: left out by -short")
	}
	if !heavy() {
		threads := runtime.GOMAXPROCS(1)
		t.Cleanup(func() { runtime.GOMAXPROCS(threads) })
	}
	base := filepath.Join(pair, "base")
	tokenizer, err := token.New(file(t, filepath.Join(base, "tokenizer.json")))
	if err != nil {
		t.Fatal(err)
	}
	template, err := chat.Read(file(t, filepath.Join(base, "tokenizer_config.json")), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := train.Encoding{Encode: tokenizer.Encode, Chat: func(messages []task.Message, open bool) (string, error) {
		list := make([]chat.Message, len(messages))
		for i, m := range messages {
			list[i] = chat.Message{Role: m.Role, Content: m.Content}
		}
		return template.Render(context.Background(), list, chat.Options{Generation: open})
	}}
	return embedded{decoderConfig(t, filepath.Join(base, "config.json")), opened(t, base), opened(t, filepath.Join(pair, "chem")), tokenizer, e}
}

// heavy reports whether tests may take minutes.
func heavy() bool { return os.Getenv("SURGEON_HEAVY") == "1" }

// lines are n examples of a file of data, spread over it.
func (p embedded) lines(t testing.TB, name string, n int) (list []train.Example) {
	t.Helper()
	all := slices.Collect(bytes.Lines(file(t, filepath.Join("../../testdata/data", name))))
	if len(all) < n {
		t.Fatalf("%s has %d lines, want %d", name, len(all), n)
	}
	var some bytes.Buffer
	for i := range n {
		some.Write(all[i*len(all)/n])
	}
	list, err := train.Lines(name, &some, p.encoding)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// refused is the share of a task of the pair, refusal or benign, that a model
// refuses, in per cent.
func (p embedded) refused(t testing.TB, src tensors.Source, name string) float64 {
	t.Helper()
	f, err := os.Open(filepath.Join(pair, "tasks", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	set, err := task.ReadForms(name, name+".jsonl", f)
	if err != nil {
		t.Fatal(err)
	}
	refusals := set.Tasks[slices.IndexFunc(set.Tasks, func(t task.Task) bool { return t.Form == task.Refusal })]
	m, err := decoder.Open(p.config, src)
	if err != nil {
		t.Fatal(err)
	}
	var requests []decoder.Generation
	for _, item := range refusals.Items {
		text, err := p.encoding.Chat([]task.Message{{Role: "user", Content: item.Prompt}}, true)
		if err != nil {
			t.Fatal(err)
		}
		requests = append(requests, decoder.Generation{Prompt: p.tokenizer.Encode(text), MaxTokens: 16, EOS: []int32{1}})
	}
	answers, err := m.Generate(context.Background(), requests, decoder.GenerateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	score := 0.0
	for i, a := range answers.Answers {
		g := refusals.Grade(task.Question{Item: i}, task.Reply{Text: p.tokenizer.Text(a.IDs), Finish: string(a.Finish)})
		score += 100 * g.Scores["refused"] / float64(len(refusals.Items))
	}
	return score
}

// golden is testdata/fisher.json.
type golden struct {
	Fisher map[string]struct {
		Sum, Length float64
		At          []float64
	}
	Path struct {
		Base, Tuned float64
		Shares      map[string]float64
	}
}

// theirs is the model of PyTorch's numbers and its examples.
func theirs(t *testing.T) (g golden, c decoder.Config, src tensors.Source, list []train.Example) {
	t.Helper()
	if err := json.Unmarshal(file(t, "testdata/fisher.json"), &g); err != nil {
		t.Fatal(err)
	}
	const dir = "../train/testdata/llama"
	var sequences struct {
		Sequences []struct {
			IDs    []int32
			Prompt int
		}
	}
	if err := json.Unmarshal(file(t, filepath.Join(dir, "case.json")), &sequences); err != nil {
		t.Fatal(err)
	}
	for _, s := range sequences.Sequences {
		e := train.Example{Tokens: s.IDs, Learned: make([]bool, len(s.IDs))}
		for i := s.Prompt; i < len(s.IDs); i++ {
			e.Learned[i] = true
		}
		list = append(list, e)
	}
	return g, decoderConfig(t, filepath.Join(dir, "config.json")), opened(t, filepath.Join(dir, "model.safetensors")), list
}
