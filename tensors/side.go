package tensors

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// sideFiles are the patterns of the files that make weights a model. A
// directory's README and its weights are not among them. They are copied from
// a directory that has the first of them, which makes it a model's.
var sideFiles = []string{
	"config.json", "generation_config.json", "preprocessor_config.json",
	"tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "*.model", "*.tiktoken",
	"chat_template*", "*.py", "LICENSE*", "NOTICE*", "USE_POLICY*",
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
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == sideFiles[0] }) {
		return nil, nil
	}
	var written []Written
	for _, entry := range entries {
		// A link is followed: what it leads to must be a file.
		if info, err := fs.Stat(side, entry.Name()); err != nil || !info.Mode().IsRegular() || !isSide(entry.Name()) {
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
