package tensors

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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

// Vacant refuses a target of Write that is already there, or that cannot be
// written: before any work is done.
func Vacant(path string) error {
	entries, err := os.ReadDir(path)
	switch {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%s: the target exists and is not empty: choose another or remove it", path)
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return writable(path)
	}
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s: the target exists: choose another or remove it", path)
	}
	return fmt.Errorf("%s: %w", path, cause(err))
}

// writable makes and removes a file in the nearest directory above a target
// that exists.
func writable(path string) error {
	for dir := filepath.Dir(filepath.Clean(path)); ; dir = filepath.Dir(dir) {
		f, err := os.CreateTemp(dir, ".surgeon-*")
		if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: cannot be written: %w", path, cause(err))
		}
		f.Close()
		return os.Remove(f.Name())
	}
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
