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

const (
	singleFile = "model.safetensors"
	indexFile  = "model.safetensors.index.json"
	suffix     = ".safetensors"
)

// Checkpoint is a Source over safetensors files. It keeps them mapped, and
// what Raw returns is valid, until Close.
type Checkpoint struct {
	path     string // as given to Open
	root     string // the directory of the weights, as errors call it
	dir      fs.FS  // the directory of the weights: side files are read from here
	files    []File
	metadata map[string]string // of the first file that has any
	tensors  map[string]stored
	names    []string // sorted
	closers  []func() error
}

// File is one file of weights of a Checkpoint.
type File struct {
	Name  string // within the checkpoint's directory
	Bytes int64

	data []byte
}

type stored struct {
	info Info
	data []byte // in the mapped file
	file string
}

// Open opens a .safetensors file, a shard index (*.index.json) or a model
// directory, and maps its files into memory. The error names the file, the
// tensor and the rule that is broken, and is an fs.ErrNotExist where the path
// or a file it needs is missing.
func Open(path string) (*Checkpoint, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	dir, target := filepath.Dir(path), filepath.Base(path)
	if info.IsDir() {
		dir, target = path, ""
	}
	return open(path, dir, os.DirFS(dir), target, mapped(dir))
}

// OpenFS opens a file system that is a model directory, reading whole files
// into memory. The name is what errors call it.
func OpenFS(fsys fs.FS, name string) (*Checkpoint, error) {
	load := func(file string) ([]byte, func() error, error) {
		data, err := fs.ReadFile(fsys, file)
		return data, func() error { return nil }, err
	}
	return open(name, name, fsys, "", load)
}

// OpenFile opens one file of safetensors in a file system, reading it into memory.
// The name is what errors call it.
func OpenFile(fsys fs.FS, file, name string) (*Checkpoint, error) {
	load := func(file string) ([]byte, func() error, error) {
		data, err := fs.ReadFile(fsys, file)
		return data, func() error { return nil }, err
	}
	return open(name, filepath.Dir(name), fsys, file, load)
}

// loader returns the bytes of a file and what releases them.
type loader func(file string) (data []byte, release func() error, err error)

func open(name, root string, dir fs.FS, target string, load loader) (*Checkpoint, error) {
	c := &Checkpoint{path: name, root: root, dir: dir, tensors: map[string]stored{}}
	target, err := weights(dir, name, target)
	if err == nil {
		if strings.HasSuffix(target, ".json") {
			err = c.openShards(target, load)
		} else {
			err = c.openFile(target, load)
		}
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	slices.Sort(c.names)
	return c, nil
}

// weights finds the file that leads to the weights of a model directory.
func weights(dir fs.FS, name, target string) (string, error) {
	if target != "" {
		if strings.HasSuffix(target, suffix) || strings.HasSuffix(target, ".index.json") {
			return target, nil
		}
		return "", fmt.Errorf("%s: not a %s file, a %s index or a model directory%s", name, suffix, "*.index.json", advice(target))
	}
	for _, file := range []string{indexFile, singleFile} {
		if _, err := fs.Stat(dir, file); err == nil {
			return file, nil
		}
	}
	// What begins with a dot is hidden: the leftovers of a killed Write are.
	if others, _ := fs.Glob(dir, "[^.]*"+suffix); len(others) == 1 {
		return others[0], nil
	} else if len(others) > 1 {
		return "", fmt.Errorf("%s: holds %d %s files and no %s that orders them: name one of them", name, len(others), suffix, indexFile)
	}
	for _, pattern := range []string{"*.bin", "*.pt", "*.pth", "*.gguf"} {
		if others, _ := fs.Glob(dir, pattern); len(others) > 0 {
			return "", fmt.Errorf("%s: no %s is in it, only %s%s", name, singleFile, quote(others[0]), advice(others[0]))
		}
	}
	return "", fmt.Errorf("%s: a directory without weights: neither %s nor %s is in it", name, singleFile, indexFile)
}

// advice says what to do with a file of weights in another format.
func advice(file string) string {
	switch strings.ToLower(path.Ext(file)) {
	case ".bin", ".pt", ".pth", ".ckpt":
		return ": PyTorch weights: load them in transformers and save_pretrained them, which writes safetensors"
	case ".gguf":
		return ": GGUF holds weights quantised for llama.cpp: use the safetensors checkpoint that it was converted from"
	}
	return ""
}

// openFile adds the tensors of one file.
func (c *Checkpoint) openFile(file string, load loader) error {
	data, release, err := load(file)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File(file), cause(err))
	}
	c.closers = append(c.closers, release)
	var parsed []located
	var metadata map[string]string
	if err = guard(func() error { parsed, metadata, err = parseFile(data); return err }); err != nil {
		return fmt.Errorf("%s: %w", c.File(file), err)
	}
	if c.metadata == nil {
		c.metadata = metadata
	}
	if len(c.tensors) == 0 {
		c.tensors = make(map[string]stored, len(parsed))
	}
	c.names = slices.Grow(c.names, len(parsed))
	for _, t := range parsed {
		if other, twice := c.tensors[t.name]; twice {
			return fmt.Errorf("%s: tensor %s is in %s too", c.File(file), quote(t.name), other.file)
		}
		c.tensors[t.name] = stored{t.info, t.data, file}
		c.names = append(c.names, t.name)
	}
	c.files = append(c.files, File{file, int64(len(data)), data})
	return nil
}

// File returns the path of a file beside the weights, for messages.
func (c *Checkpoint) File(name string) string {
	if c.root != c.path && filepath.Base(c.path) == name {
		return c.path
	}
	return filepath.Join(c.root, name)
}

// Close releases the mapped files.
func (c *Checkpoint) Close() error {
	var first error
	for _, release := range c.closers {
		if err := release(); err != nil && first == nil {
			first = err
		}
	}
	c.closers = nil
	return first
}

// Path returns the path or name the checkpoint was opened by.
func (c *Checkpoint) Path() string { return c.path }

// Dir returns the directory that holds the weights, for the side files:
// config.json, tokenizer.json and so on.
func (c *Checkpoint) Dir() fs.FS { return c.dir }

// Files returns the files of weights in the order they were opened.
func (c *Checkpoint) Files() []File { return c.files }

// Metadata returns the __metadata__ of the first file that has any.
func (c *Checkpoint) Metadata() map[string]string { return c.metadata }

// Names implements Source.
func (c *Checkpoint) Names() []string { return c.names }

// Info implements Source.
func (c *Checkpoint) Info(name string) (Info, bool) {
	t, ok := c.tensors[name]
	return t.info, ok
}

// Raw returns all bytes of a tensor: a slice of the mapped file, without a
// copy. A file that is truncated while it is mapped faults where the slice is
// read; ReadRaw and Read turn that into an error.
func (c *Checkpoint) Raw(name string) ([]byte, error) {
	t, err := c.find(name)
	return t.data, err
}

// ReadRaw implements Source.
func (c *Checkpoint) ReadRaw(dst []byte, name string, at int64) error {
	t, err := c.find(name)
	if err != nil {
		return err
	}
	if at < 0 || int64(len(dst)) > int64(len(t.data))-at {
		return c.in(name, fmt.Errorf("bytes %d to %d are outside its %d", at, at+int64(len(dst))-1, len(t.data)))
	}
	return c.in(name, guard(func() error { copy(dst, t.data[at:]); return nil }))
}

// view lends a range of the mapped bytes of a tensor: see View.
func (c *Checkpoint) view(name string, at, n int64, use func(raw []byte) error) error {
	t, err := c.find(name)
	if err != nil {
		return err
	}
	if at < 0 || n < 0 || n > int64(len(t.data))-at {
		return c.in(name, fmt.Errorf("bytes %d to %d are outside its %d", at, at+n-1, len(t.data)))
	}
	return c.in(name, guard(func() error { return use(t.data[at : at+n]) }))
}

// Read implements Source.
func (c *Checkpoint) Read(dst []float32, name string, from int) error {
	t, err := c.find(name)
	if err != nil {
		return err
	}
	if err := t.info.checkRange(len(dst), from); err != nil {
		return c.in(name, err)
	}
	size := t.info.DType.Size()
	return c.in(name, guard(func() error {
		Widen(dst, t.data[from*size:(from+len(dst))*size], t.info.DType)
		return nil
	}))
}

func (c *Checkpoint) find(name string) (stored, error) {
	t, ok := c.tensors[name]
	if !ok {
		return stored{}, fmt.Errorf("%s: no tensor %s", c.path, quote(name))
	}
	return t, nil
}

// in says where an error of reading a tensor happened.
func (c *Checkpoint) in(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: tensor %s: %w", c.File(c.tensors[name].file), quote(name), err)
}

// checkRange checks a read of n elements at from.
func (i Info) checkRange(n, from int) error {
	if !i.DType.Float() {
		return fmt.Errorf("type %s cannot be read as numbers", i.DType)
	}
	if from < 0 || n > i.Len()-from {
		return fmt.Errorf("elements %d to %d are outside shape %v", from, from+n-1, i.Shape)
	}
	return nil
}
