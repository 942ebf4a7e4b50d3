package activation_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/activation"
	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestCollectTorch: Gram matrices of the embedded pico are PyTorch's in float64,
// within 3e-6 of their length.
func TestCollectTorch(t *testing.T) {
	want := theirs(t)
	worst := 0.0
	check := func(model, name string, g *activation.Grams, want summary) {
		t.Helper()
		matrix, n, ok := g.Of(name)
		if !ok {
			t.Fatalf("%s of %s was not measured", name, model)
		}
		got := summarise(matrix, n)
		off := func(a, b float64) { worst = max(worst, math.Abs(a-b)/want.Length) }
		off(got.Length, want.Length)
		off(got.Trace/float64(n), want.Trace/float64(n))
		off(got.Sum/float64(n), want.Sum/float64(n))
		for i, v := range want.At {
			off(got.At[i], v)
		}
		if !(worst <= 3e-6) {
			t.Fatalf("%s of %s: %+v, PyTorch's %+v", name, model, got, want)
		}
	}
	c, base := opened(t, filepath.Join(pico, "base"))
	_, chem := opened(t, filepath.Join(pico, "chem"))
	general, domain := collect(t, c, base, want.General, activation.Options{}), collect(t, c, chem, want.Domain, activation.Options{})
	for name, w := range want.Tensors {
		check("base", name, general, w.General)
		check("chem", name, domain, w.Domain)
	}
	if general.Tokens() != 33 || domain.Tokens() != 16 || len(general.Tensors()) != len(want.Tensors) {
		t.Errorf("%d and %d tokens, %d tensors", general.Tokens(), domain.Tokens(), len(general.Tensors()))
	}
	t.Logf("at most %.2g off", worst)
}

// TestCollectInputs: of prompts that take several batches, Gram matrices are those
// of what the decoder shows of one prompt after the other, added up in float64,
// within 2e-6 of their trace's mean. A prompt that comes twice counts twice.
func TestCollectInputs(t *testing.T) {
	for _, made := range []tensorstest.Pico{{Seed: 1}, {Seed: 2, Untied: true, DType: tensors.F32, Layers: 3}} {
		c := config(t, made)
		prompts := drawn(3, c.Vocabulary, several...)
		prompts = append(prompts, prompts[0], prompts[4][:9])
		var last, total int64
		g := collect(t, c, made.Weights(), prompts, activation.Options{Progress: func(done, all int64) { last, total = done, all }})
		seen := inputs(t, c, made.Weights(), prompts)
		if tokens := len(seen["model.layers.0.self_attn.q_proj.weight"]); g.Tokens() != tokens || last != int64(tokens*c.Layers) || total != last {
			t.Errorf("%d tokens, progress to %d of %d, want %d", g.Tokens(), last, total, tokens)
		}
		worst := 0.0
		for name, list := range seen {
			matrix, n, ok := g.Of(name)
			if !ok || n != len(list[0]) || len(matrix) != n*n {
				t.Fatalf("%s: %v, %d values of a width of %d", name, ok, len(matrix), n)
			}
			want, trace := make([]float64, n*n), 0.0
			for _, x := range list {
				for i, a := range x {
					for j, b := range x {
						want[i*n+j] += a * b / float64(len(list))
					}
				}
			}
			for i := range n {
				trace += want[i*n+i]
			}
			for i, w := range want {
				worst = max(worst, math.Abs(matrix[i]-w)/(trace/float64(n)))
			}
		}
		t.Logf("greatest difference %.2g of a mean diagonal element", worst)
		if !(worst > 0 && worst < 2e-6) {
			t.Errorf("greatest difference to sums in float64 is %g of a mean diagonal element", worst)
		}
	}
}

// TestCollectFamilies: every matrix of the blocks of every family has one, fused
// ones too; those that read one input have the same, others have others.
func TestCollectFamilies(t *testing.T) {
	families := map[string]bool{}
	for _, folder := range []string{"../decoder/testdata/forward", "../../../shared/golden/forward"} {
		dirs, _ := filepath.Glob(filepath.Join(folder, "*", "config.json"))
		for _, file := range dirs {
			c, src := opened(t, filepath.Dir(file))
			families[c.Family] = true
			t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) { checkFamily(t, c, src) })
		}
	}
	t.Logf("families: %v", families)
	if len(families) < 3 {
		t.Errorf("only %d families: the test looks in the wrong place", len(families))
	}
}

func checkFamily(t *testing.T, c decoder.Config, src tensors.Source) {
	g := collect(t, c, src, drawn(5, c.Vocabulary, 9, 4), activation.Options{})
	var want []string
	for _, tensor := range c.Tensors() {
		if len(tensor.Shape) == 2 && strings.Contains(tensor.Name, ".layers.") {
			want = append(want, tensor.Name)
			if _, n, _ := g.Of(tensor.Name); n != tensor.Shape[1] {
				t.Errorf("%s of shape %v: a width of %d", tensor.Name, tensor.Shape, n)
			}
		}
	}
	if slices.Sort(want); !slices.Equal(g.Tensors(), want) {
		t.Errorf("measured are %v, want %v", g.Tensors(), want)
	}
	reads := map[string]string{"q_proj": "block", "k_proj": "block", "v_proj": "block", "qkv_proj": "block", "o_proj": "heads",
		"gate_proj": "middle", "up_proj": "middle", "gate_up_proj": "middle", "down_proj": "gate"}
	input := func(name string) string {
		key := strings.TrimSuffix(name, ".weight")
		return strings.Split(name, ".")[2] + reads[key[strings.LastIndexByte(key, '.')+1:]]
	}
	for _, a := range want {
		for _, b := range want {
			one, _, _ := g.Of(a)
			two, _, _ := g.Of(b)
			if same := input(a) == input(b); slices.Equal(one, two) != same {
				t.Errorf("%s and %s have the same matrix: want %v", a, b, same)
			}
		}
	}
}

// TestCollectWant: what is not wanted is left out and the rest is the same; who
// shares a matrix with what is wanted has it as well.
func TestCollectWant(t *testing.T) {
	made := tensorstest.Pico{Seed: 1}
	c := config(t, made)
	prompts := drawn(3, c.Vocabulary, 12, 5)
	all := collect(t, c, made.Weights(), prompts, activation.Options{})
	check := func(want func(string) bool, names ...string) {
		t.Helper()
		g := collect(t, c, made.Weights(), prompts, activation.Options{Want: want})
		if !slices.Equal(g.Tensors(), names) || g.Tokens() != 17 {
			t.Errorf("measured are %v of %d tokens, want %v", g.Tensors(), g.Tokens(), names)
		}
		for _, name := range names {
			a, _, _ := g.Of(name)
			b, _, _ := all.Of(name)
			if !slices.Equal(a, b) {
				t.Errorf("%s is another one when it is alone", name)
			}
		}
	}
	check(func(name string) bool { return strings.HasSuffix(name, "1.self_attn.k_proj.weight") },
		"model.layers.1.self_attn.k_proj.weight", "model.layers.1.self_attn.q_proj.weight", "model.layers.1.self_attn.v_proj.weight")
	check(func(name string) bool {
		return strings.Contains(name, "down_proj") || strings.Contains(name, "0.self_attn.o_proj")
	},
		"model.layers.0.mlp.down_proj.weight", "model.layers.0.self_attn.o_proj.weight", "model.layers.1.mlp.down_proj.weight")
	check(func(string) bool { return false })
}

// TestCollectBits: the same bits for any number of threads, of one batch and of
// several.
func TestCollectBits(t *testing.T) {
	made := tensorstest.Pico{Seed: 4}
	c := config(t, made)
	for _, lengths := range [][]int{{11}, several} {
		var want *activation.Grams
		threads(1, func() { want = collect(t, c, made.Weights(), drawn(6, c.Vocabulary, lengths...), activation.Options{}) })
		for _, n := range []int{2, 5} {
			threads(n, func() {
				got := collect(t, c, made.Weights(), drawn(6, c.Vocabulary, lengths...), activation.Options{})
				for _, name := range want.Tensors() {
					a, _, _ := got.Of(name)
					b, _, _ := want.Of(name)
					if !slices.Equal(a, b) {
						t.Errorf("%d threads: %s has other bits", n, name)
					}
				}
			})
		}
	}
}

// TestCollectParts: means of all prompts are those of parts of them, each with its
// number of tokens, whatever batches that makes, within rounding.
func TestCollectParts(t *testing.T) {
	made := tensorstest.Pico{Seed: 4}
	c := config(t, made)
	prompts := drawn(6, c.Vocabulary, several...)
	all := collect(t, c, made.Weights(), prompts, activation.Options{})
	for _, cut := range []int{1, 3, 4} {
		a, b := collect(t, c, made.Weights(), prompts[:cut], activation.Options{}), collect(t, c, made.Weights(), prompts[cut:], activation.Options{})
		share := float64(a.Tokens()) / float64(all.Tokens())
		if a.Tokens()+b.Tokens() != all.Tokens() {
			t.Fatalf("%d and %d tokens of %d", a.Tokens(), b.Tokens(), all.Tokens())
		}
		for _, name := range all.Tensors() {
			want, n, _ := all.Of(name)
			x, _, _ := a.Of(name)
			y, _, _ := b.Of(name)
			size := summarise(want, n).Length
			for i, w := range want {
				if got := share*x[i] + (1-share)*y[i]; !(math.Abs(got-w) <= 1e-6*size) {
					t.Fatalf("cut at %d: %s, element %d: %g, want %g", cut, name, i, got, w)
				}
			}
		}
	}
}

// TestCollectRefuse: what cannot be measured is told in words.
func TestCollectRefuse(t *testing.T) {
	made := tensorstest.Pico{Seed: 3, DType: tensors.F32}
	c, src := config(t, made), made.Weights()
	check := func(ctx context.Context, c decoder.Config, src tensors.Source, prompts [][]int32, want string) error {
		t.Helper()
		g, err := activation.Collect(ctx, c, src, prompts, activation.Options{})
		if g != nil && err != nil {
			t.Errorf("%q: there are Gram matrices besides an error", want)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		return err
	}
	ctx := t.Context()
	good := [][]int32{{1, 2, 3}}
	check(ctx, c, src, nil, "no prompts")
	var request *decoder.RequestError
	if err := check(ctx, c, src, [][]int32{{1, 2}, {3, int32(c.Vocabulary)}}, "outside the vocabulary"); !errors.As(err, &request) || request.Request != 1 {
		t.Errorf("the prompt is not named: %#v", err)
	}
	check(ctx, c, src, [][]int32{{1}, {}}, "the prompt is empty")
	check(ctx, c, src, [][]int32{{-1}}, "outside the vocabulary")
	check(ctx, c, src, drawn(1, c.Vocabulary, c.Context+1), "tokens")
	check(ctx, c, tensors.Keep(src, func(name string) bool { return !strings.Contains(name, "1.mlp.up") }), good, "model.layers.1.mlp.up_proj.weight")
	check(ctx, config(t, tensorstest.Pico{Hidden: 96}), src, good, "shape")
	stopped, stop := context.WithCancel(ctx)
	stop()
	check(stopped, c, src, good, context.Canceled.Error())
	nan := func(list []float64) { list[0] = math.NaN() }
	check(ctx, c, changed(t, src, "1.self_attn.v_proj", nan), good, "finite")
	check(ctx, c, changed(t, src, "embed_tokens", scaled(math.Inf(1))), good, "finite")

	// Gate and up read what cannot be squared in float32, and the model goes on: its
	// gate is shut.
	huge := changed(t, changed(t, src, "1.post_attention_layernorm", scaled(1e25)), "1.mlp.gate_proj", scaled(0))
	check(ctx, c, huge, good, `tensor "model.layers.1.mlp.gate_proj.weight": the squares of its inputs are not finite in float32`)
	if _, err := activation.Collect(ctx, c, huge, good, activation.Options{Want: func(name string) bool { return !strings.Contains(name, "1.mlp") }}); err != nil {
		t.Errorf("what nobody wants to know: %v", err)
	}
}
