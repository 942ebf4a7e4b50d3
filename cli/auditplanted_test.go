package cli

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// checkout is the project's folder.
var checkout, _ = filepath.Abs("..")

// damaged copies an embedded model to a folder and changes its bfloat16 tensors.
func damaged(t *testing.T, dir, name, from string, change func(tensor func(name string) []uint16)) string {
	t.Helper()
	for _, file := range []string{"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"} {
		write(t, filepath.Join(dir, name), file, read(t, pairFile(from, file)))
	}
	raw := []byte(read(t, pairFile(from, "model.safetensors")))
	n := binary.LittleEndian.Uint64(raw)
	var header map[string]struct {
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	open := map[string][]uint16{}
	change(func(name string) []uint16 {
		info, there := header[name]
		if !there {
			t.Fatalf("no tensor %s", name)
		}
		if open[name] == nil {
			for at := info.Offsets[0]; at < info.Offsets[1]; at += 2 {
				open[name] = append(open[name], binary.LittleEndian.Uint16(raw[8+int(n)+at:]))
			}
		}
		return open[name]
	})
	for name, values := range open {
		for i, v := range values {
			binary.LittleEndian.PutUint16(raw[8+int(n)+header[name].Offsets[0]+2*i:], v)
		}
	}
	return filepath.Dir(write(t, filepath.Join(dir, name), "model.safetensors", string(raw)))
}

// pairFile is a file of an embedded model in the checkout.
func pairFile(model, file string) string {
	return filepath.Join(checkout, "testdata", "pair", model, file)
}

func bfloat(v uint16) float64 { return float64(math.Float32frombits(uint32(v) << 16)) }

// toBfloat rounds to the nearest bfloat16.
func toBfloat(v float64) uint16 {
	bits := math.Float32bits(float32(v))
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// noise adds normal noise of a size relative to each value's tensor.
func noise(values []uint16, size float64, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	square := 0.0
	for _, v := range values {
		square += bfloat(v) * bfloat(v) / float64(len(values))
	}
	for i, v := range values {
		values[i] = toBfloat(bfloat(v) + size*math.Sqrt(square)*r.NormFloat64())
	}
}

// TestPlantedDamage: known damage to a healthy copy is found where it was done.
func TestPlantedDamage(t *testing.T) {
	withPair(t)
	withoutGradients(t)
	dir := t.TempDir()
	t.Chdir(dir)
	check := func(want, base, name, from string, change func(tensor func(name string) []uint16)) {
		t.Helper()
		r := decoded[auditResult](t, "audit", base, damaged(t, dir, name, from, change), "--tasks", "pair", "--domain", "pair_chemistry_trained", "--limit", "8", "--references", "24",
			"--repairs", "interpolation", "--finalists", "best", "--out", name+".run", "--json")
		if got := worstGroup(r); got != want {
			t.Errorf("%s: most harm is found in %s, want %s: %+v", name, got, want, r.Where.Groups)
		}
	}
	check("layer 2 mlp", "base", "noise", "base", func(tensor func(string) []uint16) {
		for i, part := range []string{"gate", "up", "down"} {
			noise(tensor(fmt.Sprintf("model.layers.2.mlp.%s_proj.weight", part)), 2, uint64(i))
		}
	})
	check("layer 1 attention", "base", "swapped", "base", func(tensor func(string) []uint16) {
		const head = 32 * 128 // rows of a head times the width
		q := tensor("model.layers.1.self_attn.q_proj.weight")
		for i := range head {
			q[i], q[3*head+i] = q[3*head+i], q[i]
			q[head+i], q[2*head+i] = q[2*head+i], q[head+i]
		}
	})
	check("norms", "base", "scaled", "base", func(tensor func(string) []uint16) {
		values := tensor("model.norm.weight")
		for i, v := range values {
			values[i] = toBfloat(0.3 * bfloat(v))
		}
	})
	base := damaged(t, dir, "whole", "base", func(func(string) []uint16) {})
	check("embedding", "chem-replay", "reverted", "chem-replay", func(tensor func(string) []uint16) {
		raw := []byte(read(t, filepath.Join(base, "model.safetensors")))
		n := int(binary.LittleEndian.Uint64(raw))
		values := tensor("model.embed_tokens.weight") // the first tensor of both files
		for i := range values {
			values[i] = binary.LittleEndian.Uint16(raw[8+n+2*i:])
		}
	})
	if _, err := os.Stat("noise.run/memo.pdf"); err != nil {
		t.Error(err)
	}
}
