package tensors

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
)

// WriteOptions are the choices of Write. The zero value writes weights only,
// into one file.
type WriteOptions struct {
	Metadata  map[string]string // __metadata__ of every file; "format": "pt" is added, as transformers wants it
	ShardSize int64             // most bytes of tensors in a file of a model directory; 0 is no limit
	Side      fs.FS             // directory whose side files are copied beside the weights; may be nil

	// Replace holds files of a model directory that are written in the place
	// of side files of their name.
	Replace map[string][]byte

	// Beside makes further files, by name, when the weights and the side files
	// are written and their digests are known. Beside a single file they stand
	// in its directory, where only Force and Resume replace one. May be nil.
	Beside func(files []Digest) (map[string][]byte, error)

	// Identity names what is written: inputs and recipe. A write is resumed
	// only with the identity that it was begun with.
	Identity string
	Resume   bool // go on with a write that was cut off; without one, begin
	Force    bool // replace a target that Write has made before

	// Alongside digests checkpoints that src reads, at little cost, while it is
	// read: Beside may ask it for the Digests. May be nil.
	Alongside *Alongside

	Progress func(done, total int64) // bytes of weights written; may be nil
}

// Provenance is the file by which Write knows a directory that it may replace:
// callers put it beside the weights.
const Provenance = "surgeon.json"

// Write puts a Source on disk. A path that ends in .safetensors becomes that
// one file; any other becomes a model directory: model.safetensors, or shards
// and their index, and the side files. A few megabytes of tensors are in
// memory at a time. The Digests are those of all files, weights first.
//
// Everything is written into a hidden place beside the target, synced, and
// renamed when it is complete: whatever stops Write, nothing half-written has
// the final name. A Write that was cancelled or killed leaves the shards that
// were finished and a journal of them in .NAME.partial; with Resume they are
// checked by their digests and kept, and the result has the bytes of an
// unbroken one. After any other error nothing is left.
//
// Before the first byte it refuses a target that exists, unless it is an empty
// directory or Force is set, and a file system without room.
func Write(ctx context.Context, path string, src Source, opt WriteOptions) ([]Digest, error) {
	path, err := target(path)
	if err == nil {
		err = Vacant(path, opt.Force)
	}
	if err != nil {
		return nil, err
	}
	metadata := map[string]string{"format": "pt"}
	for k, v := range opt.Metadata {
		metadata[k] = v
	}
	single := strings.HasSuffix(path, suffix)
	if single {
		opt.ShardSize = 0
	}
	plan, err := planShards(src, opt.ShardSize, metadata)
	if err != nil {
		return nil, fmt.Errorf("%s: not written: %w", path, err)
	}
	w := &writing{path: path, src: src, opt: opt, plan: plan, single: single}
	digests, err := w.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: not written: %w", path, err)
	}
	return digests, nil
}

// Unfinished is the error of a Write that was cancelled when it had finished
// some of its shards, or that found those of another.
type Unfinished struct {
	Partial  string // the directory that holds them
	Finished int    // shards that are finished
	Shards   int
	Err      error
}

// Error implements error.
func (u *Unfinished) Error() string {
	return fmt.Sprintf("%d of %d shards are finished in %s: %v", u.Finished, u.Shards, u.Partial, u.Err)
}

// Unwrap returns what stopped the Write.
func (u *Unfinished) Unwrap() error { return u.Err }
