//go:build ratio

package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestRatios compares diff with what dd reads from the same cached files, and
// merge with what cp writes of one file while the other is read. All runs are
// interleaved on one machine, and the best of each counts, so that the ratios
// mean something where seconds do not. SURGEON_PAIR=DIR takes a real pair
// instead of a generated one of 512 MiB a side.
func TestRatios(t *testing.T) {
	dir := t.TempDir()
	base, tuned := filepath.Join(dir, "base.safetensors"), filepath.Join(dir, "tuned.safetensors")
	if pair := os.Getenv("SURGEON_PAIR"); pair != "" {
		base, tuned = filepath.Join(pair, "base", "model.safetensors"), filepath.Join(pair, "chem", "model.safetensors")
	} else {
		generate(t, base, tuned)
	}
	info, err := os.Stat(base)
	if err != nil {
		t.Fatal(err)
	}
	copied, merged := filepath.Join(dir, "copied"), filepath.Join(dir, "merged.safetensors")
	read := func(file string) { program(t, "dd", "if="+file, "of=/dev/null", "bs=1M") }
	jobs := []*job{
		{name: "dd, both files", work: func() { read(base); read(tuned) }},
		{name: "surgeon diff", work: func() { command(t, "diff", base, tuned) }},
		{name: "cp one, dd the other", work: func() { program(t, "cp", base, copied); read(tuned) }},
		{name: "the same, synced", work: func() { program(t, "cp", base, copied); program(t, "sync", copied); read(tuned) }},
		{name: "surgeon merge", work: func() { command(t, "merge", base, tuned, "--alpha", "0.4", "-o", merged) }},
	}
	for range 7 {
		for _, j := range jobs {
			os.Remove(copied)
			os.Remove(merged)
			os.Remove(filepath.Join(dir, "merged.surgeon.json"))
			j.run()
		}
	}
	gigabytes := 2 * float64(info.Size()) / 1e9
	for _, j := range jobs {
		t.Logf("%-22s %7.3f s  %6.2f GB/s read", j.name, j.best.Seconds(), gigabytes/j.best.Seconds())
	}
	ratio := func(what string, reference, ours *job) {
		t.Logf("%-46s %.2f", what, reference.best.Seconds()/ours.best.Seconds())
	}
	ratio("diff reads, of what dd reads (wanted: 0.8)", jobs[0], jobs[1])
	ratio("merge, of cp and dd, synced as it is (0.7)", jobs[3], jobs[4])
	ratio("merge, of cp and dd without a sync", jobs[2], jobs[4])
}

// job is something to time.
type job struct {
	name string
	work func()
	best time.Duration
}

func (j *job) run() {
	start := time.Now()
	j.work()
	if took := time.Since(start); j.best == 0 || took < j.best {
		j.best = took
	}
}

func program(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Skipf("%s: %v: %s", name, err, out)
	}
}

// command runs surgeon in process.
func command(t *testing.T, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(context.Background(), environment{out: &out, err: &errs}, args); code != ExitDone {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
}

// generate writes a pair of 32 matrices of 4096 x 2048 bfloat16 weights, the
// second a small change away.
func generate(t *testing.T, base, tuned string) {
	t.Helper()
	const rows, columns = 4096, 2048
	draw := tensorstest.NewRandom(1, "ratio")
	raw := [2][]byte{make([]byte, 2*rows*columns), make([]byte, 2*rows*columns)}
	for i := range rows * columns {
		v := 0.02 * draw.Normal(i)
		binary.LittleEndian.PutUint16(raw[0][2*i:], uint16(math.Float32bits(v)>>16))
		binary.LittleEndian.PutUint16(raw[1][2*i:], uint16(math.Float32bits(v+2e-4*draw.Normal(i+rows*columns))>>16))
	}
	for side, path := range []string{base, tuned} {
		m := tensorstest.NewMemory()
		for layer := range 32 {
			m.AddRaw("model.layers."+string(rune('A'+layer))+".weight", tensors.Info{DType: tensors.BF16, Shape: []int{rows, columns}}, raw[side])
		}
		if _, err := tensors.Write(t.Context(), path, m, tensors.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}
