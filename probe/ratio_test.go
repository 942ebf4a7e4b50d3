//go:build ratio

package probe_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"surgeon/merge"
	"surgeon/probe"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
	"surgeon/tensors"
	"surgeon/tensors/kernel"
)

// TestEngineRatios times the engine against OpenBLAS and transformers, which it
// runs in turns on the same machine, and takes the best of two rounds of each
// (of the sweep, which takes minutes, one).
// It needs the real pair (SURGEON_PAIR), and SURGEON_PYTHON for the peers' side:
// a python with torch, transformers and numpy. Surgeon runs with the processor's
// best instructions that give the same bits everywhere, and with AMX, where
// there is any.
func TestEngineRatios(t *testing.T) {
	r := &race{t: t, base: openModel(t, needPair(t, "base")), chem: openModel(t, needPair(t, "chem")), sets: []string{kernel.Instructions()}}
	if best := kernel.Instructions(); kernel.Use("amx") == nil {
		r.sets = append(r.sets, "amx")
		t.Cleanup(func() { kernel.Use(best) })
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2)) // as the peers' side
	for _, threads := range []int{1, 2} {
		for _, rows := range []int{256, 1024} {
			r.run(fmt.Sprintf("product/%d/%d", threads, rows), func() { r.multiply(threads, rows) })
		}
	}
	r.run("prefill", r.prefill)
	r.run("generation", r.generate)
	r.run("sweep", r.sweep)
}

// race is one comparison after the other.
type race struct {
	t          *testing.T
	base, chem model
	sets       []string // of instructions
}

// run is a comparison as a test of its own.
func (r *race) run(name string, do func()) {
	whole := r.t
	defer func() { r.t = whole }()
	whole.Run(name, func(t *testing.T) { r.t = t; do() })
}

// compare runs surgeon's side with each set of instructions and the peer's, in
// so many rounds, and reports rates and ratios.
func (r *race) compare(rounds int, what, unit, peer string, ours func() float64, theirs func() float64) {
	r.t.Helper()
	best, other := map[string]float64{}, 0.0
	for range rounds {
		for _, set := range r.sets {
			if err := kernel.Use(set); err != nil {
				r.t.Fatal(err)
			}
			best[set] = max(best[set], ours())
		}
		other = max(other, theirs())
	}
	for _, set := range r.sets {
		line := fmt.Sprintf("%s: %s %.4g %s", what, set, best[set], unit)
		if other > 0 {
			line += fmt.Sprintf(", %s %.4g: ratio %.2f", peer, other, best[set]/other)
		}
		r.t.Log(line)
	}
}

func (r *race) multiply(threads, rows int) {
	const width = 4096
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	random := rand.New(rand.NewPCG(1, 2))
	normals := func(n int) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(random.NormFloat64())
		}
		return values
	}
	dst, x, weight, raw := make([]float32, rows*width), normals(rows*width), normals(width*width), make([]byte, 2*width*width)
	kernel.RoundBF16(raw, weight)
	var single, half kernel.Panels
	single.Pack(weight, width, width)
	half.PackBF16(raw, width, width)
	peer := func() float64 {
		return figure(r.t, runPeer(r.t, "gemm", fmt.Sprint(threads), fmt.Sprint(rows)), "gflops")
	}
	for kind, p := range map[string]*kernel.Panels{"float32": &single, "bfloat16": &half} {
		r.compare(2, fmt.Sprintf("%d x %d x %d, %s weight, %d threads", rows, width, width, kind, threads), "GFLOP/s", "OpenBLAS", func() float64 {
			return 2e-9 * float64(rows*width*width) / fastest(8, func() { p.Multiply(dst, x, rows) })
		}, peer)
	}
}

func (r *race) prefill() {
	var requests []decoder.Request
	for _, ids := range prompts(32, 128) {
		requests = append(requests, decoder.Request{Prompt: ids, Continuations: [][]int32{{5}}})
	}
	d := r.base.decoder(r.t)
	d.Keep()
	r.compare(2, "prefill of 32 x 128 tokens", "tokens/s", "transformers", func() float64 {
		return 32 * 128 / fastest(4, func() {
			if _, err := d.Score(context.Background(), requests, decoder.Options{}); err != nil {
				r.t.Fatal(err)
			}
		})
	}, r.rate("prefill"))
}

func (r *race) generate() {
	var texts []decoder.Generation
	for _, ids := range prompts(32, 32) {
		texts = append(texts, decoder.Generation{Prompt: ids, MaxTokens: 64})
	}
	d := r.base.decoder(r.t)
	d.Keep()
	r.compare(2, "generation of 32 x 64 tokens", "tokens/s", "transformers", func() float64 {
		return 32 * 64 / fastest(3, func() {
			if _, err := d.Generate(context.Background(), texts, decoder.GenerateOptions{}); err != nil {
				r.t.Fatal(err)
			}
		})
	}, r.rate("generate"))
}

// rate is what a peer says of the base.
func (r *race) rate(what string) func() float64 {
	return func() float64 {
		return figure(r.t, runPeer(r.t, what, os.Getenv("SURGEON_PAIR")+"/base"), "tokens_per_second")
	}
}

// sweep scores 11 alphas on 400 items; the peer writes, loads and scores one.
func (r *race) sweep() {
	file := fourHundred(r.t)
	set, err := task.Read("items", file, openFile(r.t, file))
	if err != nil {
		r.t.Fatal(err)
	}
	delta, err := tensors.Diff(r.base.weights, r.chem.weights)
	if err != nil {
		r.t.Fatal(err)
	}
	var candidates []probe.Candidate
	for i := range 11 {
		m, err := merge.Apply(r.base.weights, merge.Term{Label: "chem", Delta: delta, Alpha: merge.Number(float64(i) / 10)})
		if err != nil {
			r.t.Fatal(err)
		}
		candidates = append(candidates, probe.Candidate{ID: fmt.Sprint(i), Source: m})
	}
	b := &probe.Bench{Config: r.base.config, Tokenizer: r.base.tokenizer, Tasks: set.Tasks}
	dir := os.Getenv("SURGEON_PAIR")
	r.compare(1, "a sweep's alpha on 400 items", "an hour", "transformers", func() float64 {
		return 11 * 3600 / fastest(1, func() { mustScore(r.t, b, candidates...) })
	}, func() float64 {
		return figure(r.t, runPeer(r.t, "sweep", dir+"/base", dir+"/chem", file), "an_hour")
	})
}

// fourHundred writes a task of 400 items with four choices, scored by their
// texts: the pair's two files of such items, and training questions.
func fourHundred(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "items.jsonl")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	n := 0
	for _, name := range []string{"heldout_cloze", "general_cloze", "train"} {
		lines := bufio.NewScanner(openFile(t, needShared(t, "pair", "data", name+".jsonl")))
		for lines.Scan() && n < 400 {
			var item struct {
				ID      string   `json:"id"`
				Prompt  string   `json:"prompt"`
				Choices []string `json:"choices"`
				Gold    any      `json:"gold"`
			}
			if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
				t.Fatal(err)
			}
			if len(item.Choices) != 4 {
				continue
			}
			if name == "train" { // without the letters
				item.Prompt, _, _ = strings.Cut(item.Prompt, "\n")
				item.Prompt += "\nAnswer:"
				for k := range item.Choices {
					item.Choices[k] = " " + item.Choices[k]
				}
			}
			line, _ := json.Marshal(item)
			fmt.Fprintf(out, "%s\n", line)
			n++
		}
	}
	if n != 400 {
		t.Fatalf("%d items", n)
	}
	return path
}

func openFile(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// prompts are n prompts of random tokens.
func prompts(n, length int) (list [][]int32) {
	random := rand.New(rand.NewPCG(1, 2))
	for range n {
		ids := make([]int32, length)
		for i := range ids {
			ids[i] = 1000 + random.Int32N(39000)
		}
		list = append(list, ids)
	}
	return list
}

// fastest is the least time in seconds of n tries.
func fastest(n int, do func()) float64 {
	best := time.Duration(1 << 62)
	for range n {
		start := time.Now()
		do()
		best = min(best, time.Since(start))
	}
	return best.Seconds()
}

// figure is a number that a peer gave; 0 where there was no peer.
func figure(t *testing.T, answer map[string]any, name string) float64 {
	t.Helper()
	v, ok := answer[name].(float64)
	if answer != nil && !ok {
		t.Fatalf("the peer gives no %s: %v", name, answer)
	}
	return v
}

// runPeer runs the peers' side of a comparison, or returns nil where there is none.
func runPeer(t *testing.T, args ...string) map[string]any {
	t.Helper()
	python := os.Getenv("SURGEON_PYTHON")
	if python == "" {
		return nil
	}
	cmd := exec.Command(python, append([]string{"testdata/peers.py"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	var result map[string]any
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("%v: %v in %s", args, err, out)
	}
	return result
}
