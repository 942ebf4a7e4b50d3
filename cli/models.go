package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"surgeon/lora"
	"surgeon/probe/decoder"
	"surgeon/probe/record"
	"surgeon/tensors"
	"surgeon/testdata"
)

// embedded are the models and tasks that the program brings along.
var embedded = testdata.Pair()

// orPair is the models that were named, or the embedded base and chem where none
// were.
func orPair(names []string) []string {
	if len(names) == 0 {
		return embedded.Models[:2]
	}
	return names
}

// model is an opened checkpoint and what the user called it.
type model struct {
	*tensors.Checkpoint
	name     string
	embedded bool
}

// openModel finds what a model name means: a path that exists, or else the
// name of an embedded model.
func openModel(name string) (*model, error) {
	if _, ok := openAdapterFS(name); ok {
		return nil, fmt.Errorf("%s: is a LoRA adapter, which stands only where a tuned model is expected: merge it first (surgeon merge BASE %s --alpha 1 -o OUT), or score it unwritten (surgeon merge --alpha-sweep=1 BASE %s)", name, name, name)
	}
	if _, err := os.Stat(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		c, err := tensors.Open(name)
		if err != nil {
			return nil, err
		}
		return &model{Checkpoint: c, name: name}, nil
	}
	dir, ok := embedded.Model(name)
	if !ok {
		return nil, fmt.Errorf("%s: no such file or directory, and no embedded model of that name (there are %s)", name, some(embedded.Models))
	}
	c, err := tensors.OpenFS(dir, "embedded "+name)
	if err != nil {
		return nil, err
	}
	return &model{Checkpoint: c, name: name, embedded: true}, nil
}

// openAdapterFS finds the directory of an adapter: a path that exists, or else the
// name of an embedded one.
func openAdapterFS(name string) (fs.FS, bool) {
	if _, err := os.Stat(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		dir := os.DirFS(name)
		return dir, lora.Is(dir)
	}
	dir, ok := embedded.Model(name)
	return dir, ok && lora.Is(dir)
}

// notes are what a reader must know of where embedded models came from.
func notes(brought bool) []string {
	if brought {
		return []string{embedded.Note}
	}
	return nil
}

// config reads the model's architecture.
func (m *model) config() (decoder.Config, error) {
	data, path, err := m.folder().side("config.json")
	if err != nil {
		return decoder.Config{}, err
	}
	config, err := decoder.ParseConfig(data)
	if err != nil {
		return decoder.Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
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

// weightFiles are the files of a model's weights, with the digests that sha256sum prints.
func (m *model) weightFiles(ctx context.Context, progress func(done, total int64)) (files []record.Input, err error) {
	digests, err := m.DigestFiles(ctx, progress)
	for _, d := range digests {
		files = append(files, record.Input{Name: d.Name, Digest: d.SHA256})
	}
	return files, err
}

// identity is a digest of all that decides what a model answers: its weights,
// configuration and tokenizer. It reads all of them.
func (m *model) identity(ctx context.Context) (string, error) {
	digests, err := tensors.DigestTensors(ctx, m, nil)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for i, name := range m.Names() {
		fmt.Fprintf(sum, "%s %s\n", name, digests[i].SHA256)
	}
	for _, file := range []string{"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"} {
		data, err := fs.ReadFile(m.Dir(), file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		fmt.Fprintf(sum, "%s %x\n", file, sha256.Sum256(data))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
