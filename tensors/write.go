package tensors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/nlpodyssey/safetensors"
)

// WriteOptions are the choices of Write. The zero value writes weights only.
type WriteOptions struct {
	Metadata map[string]string       // __metadata__ of the file; "format": "pt" is added, as transformers wants it
	Side     fs.FS                   // directory whose side files are copied beside the weights; may be nil
	Progress func(done, total int64) // bytes of weights written; may be nil
}

// Written describes a file that Write has put in place.
type Written struct {
	Name   string `json:"name"` // within the directory, or the base name of a single file
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// sideFiles are the patterns of the files that make weights a model. A
// directory's README and its weights are not among them.
var sideFiles = []string{
	"config.json", "generation_config.json", "preprocessor_config.json",
	"tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt", "*.model", "*.tiktoken",
	"chat_template*", "*.py", "LICENSE*", "NOTICE*", "USE_POLICY*",
}

// Write puts a Source on disk. A path that ends in .safetensors becomes that
// one file; any other becomes a model directory with model.safetensors and the
// side files. One tensor is in memory at a time. Everything is written under a
// temporary name beside the target, synced, and renamed when it is complete:
// whatever stops Write, nothing half-written has the final name. A target that
// exists already, unless it is an empty directory, is refused. Cancelling ctx
// stops the work between two tensors.
func Write(ctx context.Context, path string, src Source, opt WriteOptions) ([]Written, error) {
	path = filepath.Clean(path)
	if err := Vacant(path); err != nil {
		return nil, err
	}
	var written []Written
	var err error
	if strings.HasSuffix(path, suffix) {
		written, err = writeSingle(ctx, path, src, opt)
	} else {
		written, err = writeDirectory(ctx, path, src, opt)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: not written: %w", path, err)
	}
	return written, nil
}

// Vacant refuses a target of Write that is already there.
func Vacant(path string) error {
	entries, err := os.ReadDir(path)
	switch {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%s: the target exists and is not empty: choose another or remove it", path)
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return nil
	}
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s: the target exists: choose another or remove it", path)
	}
	return fmt.Errorf("%s: %w", path, cause(err))
}

func writeSingle(ctx context.Context, path string, src Source, opt WriteOptions) (_ []Written, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, cause(err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".partial-*"+suffix)
	if err != nil {
		return nil, cause(err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	written, err := writeWeights(ctx, f, src, opt)
	if err != nil {
		return nil, err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, err
	}
	written.Name = filepath.Base(path)
	return []Written{written}, syncDirectory(filepath.Dir(path))
}

func writeDirectory(ctx context.Context, path string, src Source, opt WriteOptions) (_ []Written, err error) {
	parent := filepath.Dir(path)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return nil, cause(err)
	}
	temporary, err := os.MkdirTemp(parent, "."+filepath.Base(path)+".partial-*")
	if err != nil {
		return nil, cause(err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(temporary)
		}
	}()
	written, err := copySide(temporary, opt.Side)
	if err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(temporary, singleFile))
	if err != nil {
		return nil, cause(err)
	}
	weights, err := writeWeights(ctx, f, src, opt)
	if err != nil {
		f.Close()
		return nil, err
	}
	weights.Name = singleFile
	return append(written, weights), putInPlace(temporary, path)
}

// putInPlace renames a finished directory to its final name.
func putInPlace(temporary, path string) error {
	if err := os.Chmod(temporary, 0o755); err != nil {
		return cause(err)
	}
	if err := syncDirectory(temporary); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty directory, see Vacant
		return cause(err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// writeWeights writes the file, syncs and closes it, and reads its header back.
func writeWeights(ctx context.Context, f *os.File, src Source, opt WriteOptions) (Written, error) {
	metadata := map[string]string{"format": "pt"}
	for k, v := range opt.Metadata {
		metadata[k] = v
	}
	out := &countingWriter{w: f, sum: sha256.New()}
	views, state, err := viewsOf(ctx, src, opt)
	if err != nil {
		return Written{}, err
	}
	state.out = out
	err = safetensors.SerializeToWriter(views, metadata, stopping{out, state})
	if state.err != nil {
		err = state.err // the reason, not its consequence
	}
	if err != nil {
		return Written{}, err
	}
	if err := f.Chmod(0o644); err != nil {
		return Written{}, cause(err)
	}
	if err := f.Sync(); err != nil {
		return Written{}, cause(err)
	}
	if err := f.Close(); err != nil {
		return Written{}, cause(err)
	}
	if err := readBack(f.Name(), src); err != nil {
		return Written{}, err
	}
	return Written{Bytes: out.n, SHA256: hex.EncodeToString(out.sum.Sum(nil))}, nil
}

// readBack opens what was written and checks that every tensor is there.
func readBack(path string, src Source) error {
	c, err := Open(path)
	if err != nil {
		return fmt.Errorf("what was written cannot be read back: %w", err)
	}
	defer c.Close()
	if len(c.Names()) != len(src.Names()) {
		return fmt.Errorf("%d tensors were written and %d read back", len(src.Names()), len(c.Names()))
	}
	return nil
}

// writing is the state that the views of one file share.
type writing struct {
	ctx      context.Context
	err      error // the first one; View.Data cannot return it
	progress func(done, total int64)
	total    int64
	out      *countingWriter
}

// view is one tensor as the safetensors writer asks for it.
type view struct {
	source Source
	name   string
	info   Info
	state  *writing
}

func viewsOf(ctx context.Context, src Source, opt WriteOptions) (map[string]view, *writing, error) {
	state := &writing{ctx: ctx, progress: opt.Progress}
	views := map[string]view{}
	for _, name := range src.Names() {
		info, ok := src.Info(name)
		if !ok {
			return nil, nil, fmt.Errorf("tensor %q is named but not described", name)
		}
		if name == "__metadata__" {
			return nil, nil, fmt.Errorf("a tensor cannot be called %q", name)
		}
		views[name] = view{src, name, info, state}
		state.total += info.Bytes()
	}
	return views, state, nil
}

func (v view) DType() safetensors.DType {
	d, err := safetensors.ParseDType(string(v.info.DType))
	if err != nil {
		panic(err)
	}
	return d
}

func (v view) Shape() []uint64 {
	shape := make([]uint64, len(v.info.Shape)) // never nil: that would be written as null
	for i, d := range v.info.Shape {
		shape[i] = uint64(d)
	}
	return shape
}

func (v view) DataLen() uint64 { return uint64(v.info.Bytes()) }

// Data reads the tensor when its turn has come. On an error it returns
// nothing; the error is kept and stops the writer.
func (v view) Data() []byte {
	if v.state.err == nil {
		v.state.err = v.state.ctx.Err()
	}
	if v.state.err != nil {
		return nil
	}
	raw, err := v.source.Raw(v.name)
	if err == nil && int64(len(raw)) != v.info.Bytes() {
		err = fmt.Errorf("tensor %q has %d bytes, its shape %v in %s asks for %d", v.name, len(raw), v.info.Shape, v.info.DType, v.info.Bytes())
	}
	if err != nil {
		v.state.err = err
		return nil
	}
	if v.state.progress != nil {
		v.state.progress(min(v.state.out.n, v.state.total), v.state.total)
	}
	return raw
}

// stopping ends the safetensors writer after an error of a view.
type stopping struct {
	io.Writer
	state *writing
}

func (s stopping) Write(p []byte) (int, error) {
	if s.state.err != nil {
		return 0, s.state.err
	}
	return s.Writer.Write(p)
}

// countingWriter counts and digests what passes.
type countingWriter struct {
	w   io.Writer
	n   int64
	sum hash.Hash
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.sum.Write(p[:n])
	if err != nil {
		err = cause(err)
	}
	return n, err
}

// copySide copies the side files of a model directory.
func copySide(dir string, side fs.FS) ([]Written, error) {
	if side == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(side, ".")
	if err != nil {
		return nil, err
	}
	var written []Written
	for _, entry := range entries {
		if entry.IsDir() || !isSide(entry.Name()) {
			continue
		}
		w, err := copyFile(dir, side, entry.Name())
		if err != nil {
			return nil, err
		}
		written = append(written, w)
	}
	return written, nil
}

func isSide(name string) bool {
	if strings.HasSuffix(name, suffix) || strings.HasSuffix(name, ".index.json") {
		return false
	}
	for _, pattern := range sideFiles {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

func copyFile(dir string, side fs.FS, name string) (Written, error) {
	in, err := side.Open(name)
	if err != nil {
		return Written{}, err
	}
	defer in.Close()
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return Written{}, cause(err)
	}
	defer f.Close()
	out := &countingWriter{w: f, sum: sha256.New()}
	if _, err := io.Copy(out, in); err != nil {
		return Written{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := f.Sync(); err != nil {
		return Written{}, cause(err)
	}
	return Written{name, out.n, hex.EncodeToString(out.sum.Sum(nil))}, nil
}
