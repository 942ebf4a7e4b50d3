package tensors

import (
	"fmt"
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

// copySide copies the side files of a model directory, but for those that have
// content of their own.
func copySide(dir string, side fs.FS, own map[string][]byte) ([]Digest, error) {
	names, err := SideFiles(side)
	if err != nil {
		return nil, err
	}
	var copied []Digest
	for _, name := range names {
		if _, ok := own[name]; ok {
			continue
		}
		data, err := fs.ReadFile(side, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, cause(err))
		}
		d, err := writeFile(dir, name, data)
		if err != nil {
			return nil, err
		}
		copied = append(copied, d)
	}
	return copied, nil
}

// SideFiles lists the side files of a model directory, sorted; none where
// there is no config.json, or no directory.
func SideFiles(side fs.FS) ([]string, error) {
	if side == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(side, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		// A link is followed: what it leads to must be a file.
		if info, err := fs.Stat(side, entry.Name()); err == nil && info.Mode().IsRegular() && isSide(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	if !slices.Contains(names, sideFiles[0]) {
		return nil, nil
	}
	return names, nil
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

// writeFile writes a small file and syncs it.
func writeFile(dir, name string, data []byte) (Digest, error) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return Digest{}, cause(err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return Digest{}, fmt.Errorf("%s: %w", name, cause(err))
	}
	return DigestBytes(name, data), finish(f)
}
