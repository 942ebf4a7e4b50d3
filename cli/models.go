package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"surgeon/lora"
	"surgeon/probe/decoder"
	"surgeon/probe/token"
	"surgeon/tensors"
	"surgeon/testdata"
)

// model is an opened checkpoint and what the user called it.
type model struct {
	*tensors.Checkpoint
	name     string
	embedded bool
}

// openModel finds what a model name means: a path that exists, or else the
// name of an embedded model.
func openModel(name string) (*model, error) {
	if lora.Is(name) {
		return nil, fmt.Errorf("%s: is a LoRA adapter, which stands only where a tuned model is expected", name)
	}
	if _, err := os.Stat(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		c, err := tensors.Open(name)
		if err != nil {
			return nil, err
		}
		return &model{Checkpoint: c, name: name}, nil
	}
	dir, ok := testdata.Model(name)
	if !ok {
		return nil, fmt.Errorf("%s: no such file or directory, and no embedded model of that name (there are %s)", name, strings.Join(testdata.Models, " and "))
	}
	c, err := tensors.OpenFS(dir, "embedded "+name)
	if err != nil {
		return nil, err
	}
	return &model{Checkpoint: c, name: name, embedded: true}, nil
}

// notes are what a reader must know of where embedded models came from.
func notes(embedded bool) []string {
	if embedded {
		return []string{testdata.Note}
	}
	return nil
}

// side reads a file beside the weights and returns its path, for messages.
func (m *model) side(file string) ([]byte, string, error) {
	path := m.File(file)
	data, err := fs.ReadFile(m.Dir(), file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, path, fmt.Errorf("%s: not there: a model needs it beside its weights to be run", path)
	}
	return data, path, err
}

// config reads the model's architecture.
func (m *model) config() (decoder.Config, error) {
	data, path, err := m.side("config.json")
	if err != nil {
		return decoder.Config{}, err
	}
	config, err := decoder.ParseConfig(data)
	if err != nil {
		return decoder.Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

// tokenizer reads the model's tokenizer.
func (m *model) tokenizer() (*token.Tokenizer, error) {
	data, path, err := m.side("tokenizer.json")
	if err != nil {
		return nil, err
	}
	t, err := token.New(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "token: tokenizer.json: "))
	}
	return t, nil
}

// tied reports whether config.json ties the head to the embedding.
func (m *model) tied() bool {
	data, err := fs.ReadFile(m.Dir(), "config.json")
	var config struct {
		Tie bool `json:"tie_word_embeddings"`
	}
	return err == nil && json.Unmarshal(data, &config) == nil && config.Tie
}

// head is the name of the tensor of the output head, "" if there is none.
func (m *model) head() string { return m.outside(tensors.PartHead) }

func (m *model) outside(part string) string {
	for _, name := range m.Names() {
		if tensors.KeyOf(name).Part == part && strings.HasSuffix(name, ".weight") {
			return name
		}
	}
	return ""
}

// repeatsEmbedding reports whether a head has the bytes of the embedding.
func (m *model) repeatsEmbedding(head string) bool {
	embed := m.outside(tensors.PartEmbed)
	if embed == "" {
		return false
	}
	same, err := tensors.SameBytes(m, head, m, embed)
	return err == nil && same
}

// parameters counts the elements of all tensors.
func parameters(src tensors.Source) int64 {
	var n int64
	for _, name := range src.Names() {
		info, _ := src.Info(name)
		n += int64(info.Len())
	}
	return n
}
