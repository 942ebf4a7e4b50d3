package activation_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"surgeon/probe/activation"
	"surgeon/probe/decoder"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

func config(t testing.TB, p tensorstest.Pico) decoder.Config {
	t.Helper()
	c, err := decoder.ParseConfig(p.Config())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func opened(t testing.TB, dir string) (decoder.Config, tensors.Source) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := decoder.ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	src, err := tensors.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return c, src
}

// drawn are prompts of the given lengths.
func drawn(seed uint64, vocabulary int, lengths ...int) (prompts [][]int32) {
	random, at := tensorstest.NewRandom(seed, "prompts"), 0
	for _, n := range lengths {
		prompt := make([]int32, n)
		for i := range prompt {
			prompt[i] = int32(random.Intn(at, vocabulary))
			at++
		}
		prompts = append(prompts, prompt)
	}
	return prompts
}

// several are lengths of prompts that take three batches of the decoder.
var several = []int{40, 1, 300, 7, 500, 23}

func collect(t testing.TB, c decoder.Config, src tensors.Source, prompts [][]int32, opt activation.Options) *activation.Grams {
	t.Helper()
	g, err := activation.Collect(t.Context(), c, src, prompts, opt)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// inputs are what each matrix multiplies, [tokens][width], of one prompt after the
// other.
func inputs(t testing.TB, c decoder.Config, src tensors.Source, prompts [][]int32) map[string][][]float64 {
	t.Helper()
	m, err := decoder.Open(c, src)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][][]float64{}
	for _, prompt := range prompts {
		if err := m.Inputs(t.Context(), [][]int32{prompt}, func(in decoder.Input) error {
			for r := range in.Rows {
				x := make([]float64, in.Width)
				for i := range x {
					x[i] = float64(in.Values[r*in.Width+i])
				}
				for _, name := range in.Tensors {
					all[name] = append(all[name], x)
				}
			}
			return nil
		}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// outputs are the mean over inputs of |W x|^2, by hand.
func outputs(weight []float64, inputs [][]float64) (mean float64) {
	for _, x := range inputs {
		for from := 0; from < len(weight); from += len(x) {
			y := 0.0
			for i, v := range x {
				y += weight[from+i] * v
			}
			mean += y * y / float64(len(inputs))
		}
	}
	return mean
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

// changed is a copy of a model, of which values of tensors whose names have a part
// in them are others.
func changed(t testing.TB, src tensors.Source, part string, change func(list []float64)) *tensorstest.Memory {
	t.Helper()
	m := tensorstest.NewMemory()
	for _, name := range src.Names() {
		info, _ := src.Info(name)
		list := values(t, src, name)
		if strings.Contains(name, part) {
			change(list)
		}
		raw := make([]byte, info.Bytes())
		tensors.Round64(raw, list, info.DType)
		m.AddRaw(name, info, raw)
	}
	return m
}

func scaled(by float64) func([]float64) {
	return func(list []float64) {
		for i := range list {
			list[i] *= by
		}
	}
}

func diff(t testing.TB, base, tuned tensors.Source) tensors.Delta {
	t.Helper()
	d, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func threads(n int, do func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	do()
}

func near(t testing.TB, what string, got, want, most float64) {
	t.Helper()
	if !(math.Abs(got-want) <= most) {
		t.Errorf("%s is %.9g, want %.9g within %.2g", what, got, want, most)
	}
}

// golden is testdata/grams.json.
type golden struct {
	General, Domain [][]int32
	Tensors         map[string]struct {
		General, Domain     summary
		OnGeneral, OnDomain [2]float64 // energies of base and difference
	}
}

type summary struct {
	Trace, Sum, Length float64
	At                 [4]float64
}

// summarise is what the golden has of a Gram matrix.
func summarise(g []float64, n int) (s summary) {
	square := 0.0
	for i, v := range g {
		s.Sum += v
		square += v * v
		if i%(n+1) == 0 {
			s.Trace += v
		}
	}
	s.Length = math.Sqrt(square)
	s.At = [4]float64{g[0], g[n], g[n/2*n+n/3], g[n*n-1]}
	return s
}

const pico = "../../testdata/pico"

func theirs(t *testing.T) (g golden) {
	t.Helper()
	data, err := os.ReadFile("testdata/grams.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Tensors) != 14 {
		t.Fatalf("%d tensors", len(g.Tensors))
	}
	return g
}
