package decoder_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
	"surgeon/tensors/tensorstest"
)

// inputs are what each tensor of a model multiplies on prompts, all rows.
func inputs(t *testing.T, m *decoder.Model, prompts [][]int32) map[string][]float32 {
	t.Helper()
	all, layer := map[string][]float32{}, 0
	var done, total int64
	err := m.Inputs(context.Background(), prompts, func(in decoder.Input) error {
		if in.Layer < layer || len(in.Values) != in.Rows*in.Width {
			t.Fatalf("layer %d after %d, %d values of %d rows of %d", in.Layer, layer, len(in.Values), in.Rows, in.Width)
		}
		layer = in.Layer
		for _, name := range in.Tensors {
			all[name] = append(all[name], in.Values...)
		}
		return nil
	}, func(d, t int64) { done, total = d, t })
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, p := range prompts {
		rows += len(p)
	}
	if want := int64(rows * m.Config().Layers); done != want || total != want {
		t.Errorf("progress ends at %d of %d, want %d", done, total, want)
	}
	return all
}

// TestInputs compares with the plain decoder, which runs one prompt after the
// other: prompts with a beginning in common, twice the same one, and more of them
// than a batch holds.
func TestInputs(t *testing.T) {
	for _, made := range []tensorstest.Pico{{Seed: 1}, {Seed: 2, Untied: true, DType: tensors.F32, Layers: 3}} {
		c := picoConfig(t, made)
		prompts := [][]int32{{1, 2, 3, 4}, {9}, {1, 2, 3, 4}, {1, 2, 3, 7, 8}}
		for n := range 60 {
			prompts = append(prompts, ids(uint64(n), 9, c.Vocabulary))
		}
		got := inputs(t, mustOpen(t, c, made.Weights()), prompts)
		worst, want := 0.0, map[string][]float64{}
		p := plain{c: c, src: made.Weights(), see: func(name string, x []float64) { want[name] = append(want[name], x...) }}
		for i, prompt := range prompts {
			if i > 4 && i < len(prompts)-2 { // the plain one takes its time
				continue
			}
			clear(want)
			p.logits(prompt)
			at := 0
			for _, before := range prompts[:i] {
				at += len(before)
			}
			for name, x := range want {
				if name == "lm_head.weight" || name == "model.embed_tokens.weight" {
					continue
				}
				width := len(x) / len(prompt)
				for j, v := range x {
					worst = max(worst, math.Abs(v-float64(got[name][at*width+j])))
				}
			}
		}
		if len(got) != 7*c.Layers {
			t.Errorf("%d tensors of %d layers", len(got), c.Layers)
		}
		t.Logf("greatest difference %.2g", worst)
		if !(worst > 0 && worst < 2e-5) {
			t.Errorf("greatest difference to the plain decoder is %g, more than 2e-5", worst)
		}
	}
}

// after are the parts whose inputs a matrix has a say in, the nearest ones.
var after = map[string]string{"q_proj": "o_proj", "k_proj": "o_proj", "v_proj": "o_proj", "qkv_proj": "o_proj", "o_proj": "up_proj",
	"gate_proj": "down_proj", "up_proj": "down_proj", "gate_up_proj": "down_proj"}

// TestInputsOfEveryFamily: every matrix of the blocks has inputs of its width;
// another matrix in its place leaves them as they are and changes those of the next
// one.
func TestInputsOfEveryFamily(t *testing.T) {
	families := map[string]bool{}
	for _, folder := range []string{"testdata/forward", forward, os.Getenv("SURGEON_FORWARD")} {
		files, _ := filepath.Glob(filepath.Join(folder, "*", "config.json"))
		for _, file := range files {
			m := open(t, filepath.Dir(file))
			families[m.Config().Family] = true
			t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) { checkInputs(t, filepath.Dir(file), *m.Config()) })
		}
	}
	t.Logf("families: %v", families)
	if len(families) < 3 {
		t.Errorf("only %d families: the test looks in the wrong place", len(families))
	}
}

func checkInputs(t *testing.T, dir string, c decoder.Config) {
	src, err := tensors.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	prompts := [][]int32{ids(1, 12, c.Vocabulary), ids(2, 5, c.Vocabulary)}
	before := inputs(t, mustOpen(t, c, src), prompts)
	matrices := 0
	for _, tensor := range c.Tensors() {
		part := tensors.KeyOf(tensor.Name).Part
		if len(tensor.Shape) != 2 || !strings.Contains(tensor.Name, ".layers.") {
			continue
		}
		matrices++
		if len(before[tensor.Name]) != 17*tensor.Shape[1] {
			t.Fatalf("%s: %d inputs, want 17 of %d", tensor.Name, len(before[tensor.Name]), tensor.Shape[1])
		}
		if tensors.KeyOf(tensor.Name).Layer > 0 {
			continue
		}
		changed := tensorstest.NewMemory()
		for _, name := range src.Names() {
			info, _ := src.Info(name)
			values := make([]float32, info.Len())
			if err := src.Read(values, name, 0); err != nil {
				t.Fatal(err)
			}
			if name == tensor.Name {
				for i := range values {
					values[i] *= 1 + float32(i%3)
				}
			}
			changed.Add(name, info.DType, info.Shape, values)
		}
		now := inputs(t, mustOpen(t, c, changed), prompts)
		for name, x := range now {
			key := tensors.KeyOf(name)
			same := slices.Equal(x, before[name])
			next := after[part[strings.IndexByte(part, '.')+1:]]
			switch {
			case name == tensor.Name && !same:
				t.Errorf("%s in another form has other inputs itself", name)
			case key.Layer == 1 && same:
				t.Errorf("%s in another form leaves the inputs of %s in the next layer", tensor.Name, name)
			case key.Layer == 0 && next != "" && strings.HasSuffix(strings.Replace(key.Part, "gate_up", "up", 1), next) && same:
				t.Errorf("%s in another form leaves the inputs of %s", tensor.Name, name)
			}
		}
	}
	if len(before) != matrices {
		t.Errorf("inputs of %d tensors, the blocks have %d matrices", len(before), matrices)
	}
}

// TestInputsRefuse: prompts that do not fit, errors of the one who looks, a run
// that was stopped, activations that are not finite.
func TestInputsRefuse(t *testing.T) {
	made := tensorstest.Pico{Seed: 3}
	m := pico(t, made)
	see := func(decoder.Input) error { return nil }
	check := func(err error, words string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("error %v, want %q", err, words)
		}
	}
	check(m.Inputs(context.Background(), nil, see, nil), "no prompts")
	check(m.Inputs(context.Background(), [][]int32{{1}, {}}, see, nil), "request 2: the prompt is empty")
	check(m.Inputs(context.Background(), [][]int32{{1 << 20}}, see, nil), "outside the vocabulary")
	stop := errors.New("enough")
	seen := 0
	err := m.Inputs(context.Background(), [][]int32{{1, 2}}, func(decoder.Input) error { seen++; return stop }, nil)
	if !errors.Is(err, stop) || seen != 1 {
		t.Errorf("an error of see: %v after %d", err, seen)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := m.Inputs(ctx, [][]int32{{1, 2}}, see, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was stopped: %v", err)
	}
	calls := 0
	if err := m.Inputs(context.Background(), [][]int32{{1, 2}}, func(decoder.Input) error { calls++; return nil }, nil); err != nil || calls != 8 {
		t.Errorf("afterwards: %v, %d inputs, want 4 of each layer", err, calls)
	}
	score(t, m, []decoder.Request{{Prompt: []int32{1, 2}, Logits: true}}) // nobody looks now
	if calls != 8 {
		t.Error("Score shows inputs to one who looked before")
	}
}

// TestInputsThreads: the same bits for any number of threads.
func TestInputsThreads(t *testing.T) {
	made := tensorstest.Pico{Seed: 4}
	prompts := [][]int32{ids(1, 40, picoVocabulary), ids(2, 300, picoVocabulary), ids(3, 300, picoVocabulary)}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want := inputs(t, pico(t, made), prompts)
	runtime.GOMAXPROCS(3)
	got := inputs(t, pico(t, made), prompts)
	for name := range want {
		if !slices.Equal(got[name], want[name]) || !kernel.Finite(got[name]) {
			t.Errorf("%s: other bits with 3 threads", name)
		}
	}
}
