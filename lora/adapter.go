// Package lora reads, makes and changes low-rank adapters.
//
//  1. [Open] reads a directory as PEFT saves it, adapter_config.json and
//     adapter_model.safetensors: LoRA with its variants (rslora, DoRA, patterns,
//     embeddings, biases), whole tensors and rows that take the base's place. What
//     it does not understand it refuses by name. [Adapter.Over] is what an adapter
//     adds to a base, as a tensors.Delta: it is measured, swept, merged and scored
//     like a fine-tune, and never multiplied out as a whole.
//  2. [Decompose] finds the leading directions of a task vector, and
//     [Decomposition.Adapter] makes an adapter of them; [Residuals] measures what it
//     leaves.
//  3. [Adapter.Rescaled], [Adapter.Truncated], [Concatenated], [Shrink] and others
//     make adapters of adapters, on their factors alone.
//  4. [Adapter.Write] puts an adapter on disk as PEFT loads it; [Adapter.Loaders]
//     says what other programs make of it.
package lora

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"surgeon/tensors"
)

// RemainderFile is the file beside an adapter's factors that holds its single
// elements (Sparse), where there are any.
const RemainderFile = "surgeon_remainder.safetensors"

const (
	configFile = "adapter_config.json"
	weightFile = "adapter_model.safetensors"
)

// Adapter is what changes a base, by parts that are each sorted by tensor.
type Adapter struct {
	Path     string // or what else it is called in errors
	Config   Config
	LowRank  []LowRank
	Replaced []Replaced
	Rows     []Rows
	Sparse   []Sparse

	files []io.Closer // that Replaced are read from
}

// Is reports whether a directory holds an adapter.
func Is(dir fs.FS) bool {
	_, err := fs.Stat(dir, configFile)
	return err == nil
}

// Open reads an adapter. Its factors, a few per cent of the base's size, are kept
// in memory; whole tensors stay in the file until Close. Errors name the file and
// the field or tensor.
func Open(dir string) (*Adapter, error) { return OpenFS(os.DirFS(dir), dir) }

// OpenFS is Open of a file system that is such a directory. The name is what errors
// call it.
func OpenFS(dir fs.FS, name string) (*Adapter, error) {
	path := filepath.Join(name, configFile)
	data, err := fs.ReadFile(dir, configFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	c, err := parseConfig(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	path = filepath.Join(name, weightFile)
	file, err := tensors.OpenFile(dir, weightFile, path)
	if err != nil {
		return nil, err
	}
	a := &Adapter{Path: name, Config: Config{Base: c.Base, Revision: c.Revision, Task: c.Task, tying: c.ties()}, files: []io.Closer{file}}
	if err := a.read(c, file); err != nil {
		a.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := a.readSparse(dir, name); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// readSparse reads what an extraction by surgeon left beside the factors.
func (a *Adapter) readSparse(dir fs.FS, name string) error {
	path := filepath.Join(name, remainderFile)
	file, err := tensors.OpenFile(dir, remainderFile, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	a.Sparse, err = readRemainders(file, path)
	return err
}

// Close closes the files of an adapter.
func (a *Adapter) Close() error {
	var list []error
	for _, f := range a.files {
		list = append(list, f.Close())
	}
	return errors.Join(list...)
}

// cause is the reason of an error of a file, without the file.
func cause(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// Parameters returns the number of values in all parts.
func (a *Adapter) Parameters() (n int64) {
	for _, l := range a.LowRank {
		n += int64(len(l.A) + len(l.B) + len(l.Magnitude) + len(l.Bias))
	}
	for _, r := range a.Replaced {
		info, _ := r.Values.Info(r.Name)
		n += int64(info.Len())
	}
	for _, r := range a.Rows {
		n += int64(len(r.Values))
	}
	for _, s := range a.Sparse {
		n += int64(len(s.Values))
	}
	return n
}

// Zero reports whether an adapter holds nothing but products that are zero: with it
// a base is the base.
func (a *Adapter) Zero() bool {
	zero := func(values []float32) bool {
		return !slices.ContainsFunc(values, func(v float32) bool { return v != 0 })
	}
	for _, l := range a.LowRank {
		if l.Magnitude != nil || !zero(l.Bias) || l.Scale != 0 && !zero(l.A) && !zero(l.B) {
			return false
		}
	}
	return len(a.Replaced)+len(a.Rows)+len(a.Sparse) == 0
}

// Names of an adapter's tensors around the path of a module.
const (
	prefix       = "base_model.model."
	suffixA      = ".lora_A.weight"
	suffixB      = ".lora_B.weight"
	suffixBias   = ".lora_B.bias"
	embeddingA   = ".lora_embedding_A"
	embeddingB   = ".lora_embedding_B"
	magnitude    = ".lora_magnitude_vector"
	oldMagnitude = ".lora_magnitude_vector.weight"
	tokenRows    = ".token_adapter.trainable_tokens_delta"
	baseLayer    = ".base_layer"
)

// weightOf and biasOf are the tensors of a module.
func weightOf(module string) string { return module + ".weight" }
func biasOf(module string) string   { return module + ".bias" }

// moduleOf is the module of a weight.
func moduleOf(tensor string) string { return strings.TrimSuffix(tensor, ".weight") }
