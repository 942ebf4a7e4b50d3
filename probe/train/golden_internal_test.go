package train

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/probe/decoder/op"
	"surgeon/tensors"
)

// goldens are what PyTorch computed in float64 (testdata/gradients.py).
const goldens = "testdata/llama"

// golden is case.json.
type golden struct {
	Sequences []sequence `json:"sequences"`
	Loss      float64    `json:"loss"`
	Norm      float64    `json:"gradient_norm"`
	Norms     map[string]float64
	Optimiser struct {
		Steps, Warm     int
		Peak, Clip, Eps float64
		Decay           float64
		Betas           [2]float64
		Rates, Losses   []float64
		GradientNorms   []float64 `json:"gradient_norms"`
		LossAfter       float64   `json:"loss_after"`
	}
	LoRA struct {
		Rank  int
		Alpha float64
		Loss  float64
	}
	KL struct {
		Sequences    [][]int32
		Weight       float64
		Loss         float64
		CrossEntropy float64 `json:"cross_entropy"`
		Divergence   float64
		Norms        map[string]float64
	}
}

type sequence struct {
	IDs    []int32 `json:"ids"`
	Prompt int
}

func readGolden(t *testing.T) (g golden, c decoder.Config, base tensors.Source, data Data) {
	t.Helper()
	read := func(name string) []byte {
		raw, err := os.ReadFile(filepath.Join(goldens, name))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if err := json.Unmarshal(read("case.json"), &g); err != nil {
		t.Fatal(err)
	}
	c, err := decoder.ParseConfig(read("config.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range g.Sequences {
		e := Example{Tokens: s.IDs, Learned: make([]bool, len(s.IDs))}
		for i := s.Prompt; i < len(s.IDs); i++ {
			e.Learned[i] = true
		}
		data.Domain = append(data.Domain, e)
	}
	for _, ids := range g.KL.Sequences {
		data.Unlabelled = append(data.Unlabelled, Example{Tokens: ids, Learned: make([]bool, len(ids))})
	}
	return g, c, openFile(t, "model.safetensors"), data
}

func openFile(t *testing.T, name string) *tensors.Checkpoint {
	t.Helper()
	src, err := tensors.Open(filepath.Join(goldens, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// batchRows holds the three sequences of the case and no fourth.
const batchRows = 5 + 9 + 12 - 3

// near checks a number to three parts in a million: rounding to float32 along the
// way, which AdamW's first steps enlarge where a gradient is nearly zero.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 3e-6*max(1, math.Abs(want))) {
		t.Errorf("%s is %.9g, PyTorch's %.9g", what, got, want)
	}
}

// nearTensors compares values by name with a file's: the distance is at most so
// many times the size of the file's tensor.
func nearTensors(t *testing.T, file string, most float64, got map[string][]float32) {
	t.Helper()
	src := openFile(t, file)
	worst, at := 0.0, ""
	for _, name := range src.Names() {
		info, _ := src.Info(name)
		want := make([]float32, info.Len())
		if err := src.Read(want, name, 0); err != nil {
			t.Fatal(err)
		}
		if len(got[name]) != len(want) {
			t.Errorf("%s: %s has %d values here, %d there", file, name, len(got[name]), len(want))
			continue
		}
		distance, size := 0.0, 0.0
		for i, w := range want {
			d := float64(got[name][i] - w)
			distance, size = distance+d*d, size+float64(w)*float64(w)
		}
		relative := math.Sqrt(distance / size)
		if relative > worst {
			worst, at = relative, name
		}
		if !(relative <= most) {
			t.Errorf("%s: %s is off by %.2g of its size, want at most %.2g", file, name, relative, most)
		}
	}
	t.Logf("%s: %d tensors, at most %.2g off (%s)", file, len(src.Names()), worst, at)
}

func (r *Run) gradients(prefix string) map[string][]float32 {
	all := map[string][]float32{}
	for _, p := range r.trained {
		all[prefix+p.name] = op.Floats(p.gradient.Value())
	}
	return all
}

func begin(t *testing.T, c decoder.Config, base tensors.Source, data Data, opt Options) *Run {
	t.Helper()
	opt.BatchTokens = batchRows
	if opt.Steps == 0 {
		opt.Steps, opt.LearningRate = 1, 1e-3
	}
	r, err := New(c, base, data, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func step(t *testing.T, r *Run) Report {
	t.Helper()
	report, err := r.Step()
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestGoldenGradients(t *testing.T) {
	g, c, base, data := readGolden(t)
	r := begin(t, c, base, data, Options{})
	report := step(t, r)
	near(t, "the loss", report.Loss, g.Loss)
	near(t, "the norm of all gradients", report.GradientNorm, g.Norm)
	nearTensors(t, "gradients.safetensors", 1e-5, r.gradients(""))
}

// TestGoldenSteps makes five steps of AdamW with decay and clipping.
func TestGoldenSteps(t *testing.T) {
	g, c, base, data := readGolden(t)
	o := g.Optimiser
	r := begin(t, c, base, data, Options{Steps: o.Steps, LearningRate: o.Peak, WarmUp: o.Warm, Beta1: o.Betas[0], Beta2: o.Betas[1], Epsilon: o.Eps, WeightDecay: o.Decay, ClipNorm: o.Clip})
	for s := range o.Steps {
		report := step(t, r)
		near(t, "a learning rate", report.LearningRate, o.Rates[s])
		near(t, "a loss", report.Loss, o.Losses[s])
		near(t, "a gradient norm", report.GradientNorm, o.GradientNorms[s])
	}
	values := map[string][]float32{}
	for _, p := range r.parameters {
		values[p.name] = p.values
	}
	nearTensors(t, "after.safetensors", 1e-5, values)
}

func TestGoldenLowRank(t *testing.T) {
	g, c, base, data := readGolden(t)
	r := begin(t, c, base, data, Options{LowRank: &LowRank{Rank: g.LoRA.Rank, Alpha: g.LoRA.Alpha}})
	factors := openFile(t, "lora.safetensors")
	for _, p := range r.trained {
		if err := factors.Read(p.values, "base_model.model."+p.name, 0); err != nil {
			t.Fatal(err)
		}
		p.version++
	}
	if trained, _ := r.Parameters(); len(r.trained) != len(factors.Names()) {
		t.Errorf("%d factors (%d values) are trained, PyTorch's adapter has %d", len(r.trained), trained, len(factors.Names()))
	}
	near(t, "the loss", step(t, r).Loss, g.LoRA.Loss)
	nearTensors(t, "lora_gradients.safetensors", 1e-5, r.gradients("base_model.model."))
}

func TestGoldenDivergence(t *testing.T) {
	g, c, base, data := readGolden(t)
	rows := 0
	for _, s := range g.KL.Sequences {
		rows += len(s)
	}
	r := begin(t, c, base, data, Options{KL: g.KL.Weight, UnlabelledTokens: rows})
	teacher := openFile(t, "teacher/model.safetensors")
	for name, p := range r.teacher.of { // in the place of the model before
		if err := teacher.Read(p.values, name, 0); err != nil {
			t.Fatal(err)
		}
		p.version++
	}
	report := step(t, r)
	near(t, "the cross-entropy", report.Loss, g.KL.CrossEntropy)
	near(t, "the divergence", report.Divergence, g.KL.Divergence)
	near(t, "the loss", report.Loss+g.KL.Weight*report.Divergence, g.KL.Loss)
	nearTensors(t, "kl_gradients.safetensors", 1e-5, r.gradients(""))
	for name, values := range r.gradients("") {
		if strings.HasPrefix(name, "model.layers.1.") {
			square := 0.0
			for _, v := range values {
				square += float64(v) * float64(v)
			}
			near(t, "the norm of the gradient of "+name, math.Sqrt(square), g.KL.Norms[name])
		}
	}
}
