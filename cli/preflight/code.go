package preflight

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
)

// vocabularyPatterns are the patterns of what tokenizers read that have no
// tokenizer.json.
var vocabularyPatterns = []string{"vocab.json", "vocab.txt", "merges.txt", "added_tokens.json", "*.model", "*.tiktoken"}

// vocabularyFiles compares what stands in for tokenizer.json, byte by byte.
func (c *comparison) vocabularyFiles() error {
	return c.files(vocabularyPatterns, "the vocabularies may differ, which cannot be seen without tokenizer.json: save both tokenizers with transformers first")
}

// code compares the remote code beside the weights, byte by byte.
func (c *comparison) code() error { return c.files([]string{"*.py"}, remoteCode) }

// files finds files of some patterns that only one side has, or that differ.
func (c *comparison) files(patterns []string, says string) error {
	base, err := names(c.base.dir, patterns)
	if err != nil {
		return fmt.Errorf("base: %w", err)
	}
	tuned, err := names(c.tuned.dir, patterns)
	if err != nil {
		return fmt.Errorf("tuned: %w", err)
	}
	maps.Copy(base, tuned)
	for _, name := range slices.Sorted(maps.Keys(base)) {
		if err := c.file(name, says); err != nil {
			return err
		}
	}
	return nil
}

// names lists the entries of a directory that match a pattern.
func names(dir fs.FS, patterns []string) (map[string]bool, error) {
	found := map[string]bool{}
	if dir == nil {
		return found, nil
	}
	entries, err := fs.ReadDir(dir, ".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		for _, pattern := range patterns {
			if ok, _ := path.Match(pattern, entry.Name()); ok {
				found[entry.Name()] = true
			}
		}
	}
	return found, nil
}

// file compares one file.
func (c *comparison) file(name, says string) error {
	base, tuned, err := c.read(name, configLimits)
	if err != nil {
		return err
	}
	if c.faulty(name, base, tuned) || base.there == tuned.there && bytes.Equal(base.data, tuned.data) {
		return nil
	}
	c.add(Finding{Warning, printable(name), "", base.size(), tuned.size(), says})
	return nil
}

func (c content) size() string {
	if !c.there {
		return absent
	}
	return counted(len(c.data), "byte")
}
