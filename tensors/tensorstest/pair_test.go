package tensorstest_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"surgeon/tensors/tensorstest"
)

var update = flag.Bool("update", false, "write the embedded pair again")

const embedded = "../../testdata/pico"

// TestEmbeddedPair checks that the files of testdata/pico are what the builder
// makes, byte for byte.
func TestEmbeddedPair(t *testing.T) {
	made := t.TempDir()
	models := map[string]tensorstest.Pico{"base": {Seed: 7}, "chem": {Seed: 7, Drift: 0.05}}
	for name, pico := range models {
		if err := pico.Write(filepath.Join(made, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(made, "symbols.jsonl"), tensorstest.Items(), 0o644); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.RemoveAll(embedded); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(embedded, os.DirFS(made)); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"base/model.safetensors", "base/config.json", "base/tokenizer.json", "chem/model.safetensors", "chem/config.json", "chem/tokenizer.json", "symbols.jsonl"} {
		want, err := os.ReadFile(filepath.Join(made, file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(embedded, file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("testdata/pico/%s is not what the builder makes: run this test with -update and look at the difference", file)
		}
	}
}

func TestContracts(t *testing.T) {
	for _, p := range []tensorstest.Pico{{Seed: 1}, {Seed: 2, DType: "F16", Untied: true}, {Seed: 3, DType: "F32", Layers: 3}} {
		tensorstest.TestSource(t, p.Weights())
	}
}
