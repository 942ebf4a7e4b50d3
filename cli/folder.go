package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"surgeon/probe/chat"
	"surgeon/probe/token"
)

// folder is where a model's side files are: tokenizer, chat template, how to
// generate. There may be no weights in it.
type folder struct {
	fs.FS
	path func(file string) string // for messages
}

// openFolder finds the side files of a model name without looking for weights.
func openFolder(name string) (folder, error) {
	info, err := os.Stat(name)
	if err == nil {
		dir := name
		if !info.IsDir() {
			dir = filepath.Dir(name)
		}
		return folder{os.DirFS(dir), func(file string) string { return filepath.Join(dir, file) }}, nil
	}
	if dir, ok := embedded.Model(name); ok && errors.Is(err, fs.ErrNotExist) {
		return folder{dir, func(file string) string { return "embedded " + name + "/" + file }}, nil
	}
	return folder{}, err
}

// folder is that of a model.
func (m *model) folder() folder { return folder{m.Dir(), m.File} }

// side reads a file and returns its path, for messages.
func (f folder) side(file string) ([]byte, string, error) {
	path := f.path(file)
	data, err := fs.ReadFile(f, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, path, missing{path}
	}
	return data, path, err
}

// missing is the error of a file that is not there.
type missing struct{ path string }

// Error implements error.
func (m missing) Error() string {
	return m.path + ": not there: a model needs it beside its weights to be run"
}

// Unwrap makes it one of package fs.
func (m missing) Unwrap() error { return fs.ErrNotExist }

// tokenizer reads tokenizer.json.
func (f folder) tokenizer() (*token.Tokenizer, error) {
	data, path, err := f.side("tokenizer.json")
	if err != nil {
		return nil, err
	}
	t, err := token.New(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "token: tokenizer.json: "))
	}
	return t, nil
}

// eos lists the tokens that end a generation: those of generation_config.json,
// or else those of config.json.
func (f folder) eos() ([]int32, error) {
	for _, file := range []string{"generation_config.json", "config.json"} {
		data, err := fs.ReadFile(f, file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var config struct {
			EOS json.RawMessage `json:"eos_token_id"`
		}
		if err := json.Unmarshal(data, &config); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path(file), err)
		}
		if len(config.EOS) == 0 || string(config.EOS) == "null" {
			continue
		}
		ids, err := oneOrMore[int32](config.EOS)
		if err != nil {
			return nil, fmt.Errorf("%s: eos_token_id is %s: want a token id or a list of them", f.path(file), config.EOS)
		}
		return slices.Compact(ids), nil
	}
	return nil, nil
}

// chat reads the chat template.
func (f folder) chat() (*chat.Template, error) {
	var files [2][]byte
	for i, file := range []string{"tokenizer_config.json", "chat_template.jinja"} {
		data, err := fs.ReadFile(f, file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		files[i] = data
	}
	t, err := chat.Read(files[0], files[1])
	switch {
	case errors.Is(err, chat.ErrNone):
		return nil, fmt.Errorf("%s: %w", f.path("."), err)
	case err != nil && files[1] != nil:
		return nil, fmt.Errorf("%s: %w", f.path("chat_template.jinja"), err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", f.path("tokenizer_config.json"), err)
	}
	return t, nil
}

// oneOrMore reads a value or a list of them.
func oneOrMore[T any](data []byte) ([]T, error) {
	var list []T
	if json.Unmarshal(data, &list) == nil {
		return list, nil
	}
	var one T
	err := json.Unmarshal(data, &one)
	return []T{one}, err
}
