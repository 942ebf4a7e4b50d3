package probe_test

import (
	"os"
	"path/filepath"
	"testing"

	"surgeon/probe/decoder"
	"surgeon/probe/token"
	"surgeon/tensors"
)

// shared holds what other programs computed; it lies beside the project.
const shared = "../../shared"

// needShared returns a path under shared, or skips the test.
func needShared(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{shared}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there: this test compares with the reference material that lies beside the project in %s", path, shared)
	}
	return path
}

// needPair returns a model folder of the real pair (base or chem), or skips
// the test.
func needPair(t *testing.T, name string) string {
	t.Helper()
	pair := os.Getenv("SURGEON_PAIR")
	if pair == "" {
		t.Skipf("SURGEON_PAIR is not set: it names the folder of the real pair, which %s/pair/make_pair.py builds", shared)
	}
	dir := filepath.Join(pair, name)
	if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); err != nil {
		t.Skipf("%s: no model there: %s/pair/make_pair.py %s builds it", dir, shared, pair)
	}
	return dir
}

// needHeavy skips a test that takes minutes unless it is asked for.
func needHeavy(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes minutes: left out by -short")
	}
	if os.Getenv("SURGEON_HEAVY") != "1" {
		t.Skip("takes minutes: set SURGEON_HEAVY=1 to run it")
	}
}

// model is an opened model folder.
type model struct {
	config    decoder.Config
	tokenizer *token.Tokenizer
	weights   tensors.Source
}

func openModel(t testing.TB, dir string) model {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	config, err := decoder.ParseConfig(read("config.json"))
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := token.New(read("tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	weights, err := tensors.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { weights.Close() })
	return model{config, tokenizer, weights}
}

func (m model) decoder(t testing.TB) *decoder.Model {
	t.Helper()
	d, err := decoder.Open(m.config, m.weights)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
