package tensors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// target is a path that has a name to write beside.
func target(path string) (string, error) {
	switch path = filepath.Clean(path); filepath.Base(path) {
	case ".", "..", string(filepath.Separator):
		return "", fmt.Errorf("%s: cannot be the target: name a directory that is not there yet", path)
	}
	return path, nil
}

// Vacant refuses a target of Write that is already there, or that cannot be
// written: before any work is done. With force it lets a .safetensors file
// pass, and a directory that Write has made before.
func Vacant(path string, force bool) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return canWrite(path)
	case err != nil:
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	if info.IsDir() != strings.HasSuffix(path, suffix) { // of the kind that Write would make
		if replaceable(path, info, force) {
			return canWrite(path)
		}
		if force {
			return fmt.Errorf("%s: the target is not, or not only, what surgeon wrote (its %s names that): remove it yourself if that is what you want", path, Provenance)
		}
	}
	return fmt.Errorf("%s: the target exists: choose another, remove it, or replace what surgeon wrote with --force", path)
}

func replaceable(path string, info fs.FileInfo, force bool) bool {
	if !info.IsDir() {
		return force && info.Mode().IsRegular()
	}
	if entries, err := os.ReadDir(path); err == nil && len(entries) == 0 {
		return true
	}
	return force && wrote(path)
}

// wrote reports whether a directory holds what a Write made and nothing else,
// by the files that its provenance names.
func wrote(path string) bool {
	data, err := os.ReadFile(filepath.Join(path, Provenance))
	var p struct{ Files []Digest }
	if err != nil || json.Unmarshal(data, &p) != nil {
		return false
	}
	known := map[string]bool{Provenance: true}
	for _, f := range p.Files {
		known[f.Name] = true
	}
	entries, err := os.ReadDir(path)
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !known[e.Name()] })
}

// canWrite makes and removes a file in the nearest directory above a target
// that exists.
func canWrite(path string) error {
	dir := existing(path)
	f, err := os.CreateTemp(dir, ".surgeon-*")
	if err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, cause(err))
	}
	f.Close()
	return os.Remove(f.Name())
}

// existing is the nearest directory above a target that exists.
func existing(path string) string {
	for dir := filepath.Dir(filepath.Clean(path)); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return dir
		}
	}
}

// room refuses a file system that has no space for so many bytes.
func room(path string, need int64) error {
	if free := freeSpace(existing(path)); free >= 0 && free < need {
		return fmt.Errorf("it takes %s and %s are free: make room or choose another target", amount(need), amount(free))
	}
	return nil
}

// amount prints an amount of bytes.
func amount(n int64) string {
	switch {
	case n < 1<<20:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.4g GiB", float64(n)/(1<<30))
}

// putDirectory gives a finished directory its final name, if that is still
// vacant. What may be replaced is moved away first and removed when the new one
// stands there.
func putDirectory(partial, path string, force bool) error {
	if err := Vacant(path, force); err != nil {
		return err
	}
	old := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".replaced")
	if force {
		if err := os.RemoveAll(old); err != nil {
			return cause(err)
		}
		if err := os.Rename(path, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	} else if err := ignoreAbsent(os.Remove(path)); err != nil { // an empty directory
		return cause(err)
	}
	if err := os.Rename(partial, path); err != nil {
		if force {
			err = errors.Join(err, ignoreAbsent(os.Rename(old, path)))
		}
		return err
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return err
	}
	return cause(os.RemoveAll(old))
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
