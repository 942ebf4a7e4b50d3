package tensors

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
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
	closers  []io.Closer
}

// File is one file of weights of a Checkpoint.
type File struct {
	Name  string // within the checkpoint's directory
	Bytes int64
}

type stored struct {
	info Info
	data []byte
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
	load := func(file string) ([]byte, io.Closer, error) {
		data, err := fs.ReadFile(fsys, file)
		return data, io.NopCloser(nil), err
	}
	return open(name, name, fsys, "", load)
}

// loader returns the bytes of a file and what releases them.
type loader func(file string) ([]byte, io.Closer, error)

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
	sort.Strings(c.names)
	return c, nil
}

// weights finds the file that leads to the weights of a model directory.
func weights(dir fs.FS, name, target string) (string, error) {
	if target != "" {
		if strings.HasSuffix(target, suffix) || strings.HasSuffix(target, ".index.json") {
			return target, nil
		}
		return "", fmt.Errorf("%s: not a %s file, a %s index or a model directory", name, suffix, "*.index.json")
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
	if others, _ := fs.Glob(dir, "*.bin"); len(others) > 0 {
		return "", fmt.Errorf("%s: holds PyTorch weights (%s) and no %s: convert them to safetensors first", name, others[0], singleFile)
	}
	return "", fmt.Errorf("%s: a directory without weights: neither %s nor %s is in it", name, singleFile, indexFile)
}

// openFile adds the tensors of one file.
func (c *Checkpoint) openFile(file string, load loader) error {
	data, closer, err := load(file)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File(file), cause(err))
	}
	c.closers = append(c.closers, closer)
	metadata, body, err := parseFile(data)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File(file), err)
	}
	if c.metadata == nil {
		c.metadata = metadata.Metadata()
	}
	for name, parsed := range metadata.Tensors() {
		info, err := infoOf(parsed)
		if err != nil {
			return fmt.Errorf("%s: tensor %s: %w", c.File(file), quote(name), err)
		}
		if other, twice := c.tensors[name]; twice {
			return fmt.Errorf("%s: tensor %s is in %s too", c.File(file), quote(name), other.file)
		}
		c.tensors[name] = stored{info, body[parsed.DataOffsets[0]:parsed.DataOffsets[1]], file}
		c.names = append(c.names, name)
	}
	c.files = append(c.files, File{file, int64(len(data))})
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
	for _, closer := range c.closers {
		if err := closer.Close(); err != nil && first == nil {
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

// Raw implements Source: a slice of the mapped file, without a copy.
func (c *Checkpoint) Raw(name string) ([]byte, error) {
	t, ok := c.tensors[name]
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %s", c.path, quote(name))
	}
	return t.data, nil
}

// Read implements Source.
func (c *Checkpoint) Read(dst []float32, name string, from int) error {
	t, ok := c.tensors[name]
	if !ok {
		return fmt.Errorf("%s: no tensor %s", c.path, quote(name))
	}
	if err := t.info.checkRange(len(dst), from); err != nil {
		return fmt.Errorf("%s: tensor %s: %w", c.File(t.file), quote(name), err)
	}
	size := t.info.DType.Size()
	err := guard(func() error {
		Widen(dst, t.data[from*size:(from+len(dst))*size], t.info.DType)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: tensor %s: %w", c.File(t.file), quote(name), err)
	}
	return nil
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

// cause takes the path out of a file error: the caller names it.
func cause(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return p.Err
	}
	return err
}
