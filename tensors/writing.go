package tensors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// writing is one Write under way.
type writing struct {
	path   string // the final name
	src    Source
	opt    WriteOptions
	plan   *checkpointPlan
	single bool // one file, not a directory

	partial string // the directory everything is written into
	done    int64  // bytes of weights
}

// run writes into the partial directory and puts the result in place.
func (w *writing) run(ctx context.Context) ([]Digest, error) {
	parent, base := filepath.Dir(w.path), filepath.Base(w.path)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return nil, cause(err)
	}
	w.partial = filepath.Join(parent, "."+base+".partial")
	j, err := openJournal(w.partial, w.plan.identity(w.opt.Identity), w.opt.Resume)
	if err != nil {
		return nil, err
	}
	defer j.close()
	defer w.opt.Alongside.begin(ctx)()
	digests, err := w.weights(ctx, j)
	if err == nil {
		digests, err = w.besides(digests)
	}
	if err == nil {
		err = w.finish(j)
	}
	if err == nil {
		return digests, nil
	}
	if finished := len(j.finished); ctx.Err() != nil && finished > 0 && !w.single {
		return nil, &Unfinished{w.partial, finished, len(w.plan.shards), err}
	}
	return nil, errors.Join(err, os.RemoveAll(w.partial))
}

// weights writes the shards that the journal does not hold.
func (w *writing) weights(ctx context.Context, j *journal) ([]Digest, error) {
	var digests []Digest
	need := w.plan.bytes
	for _, s := range w.plan.shards {
		if _, ok := j.finished[s.file]; ok {
			need -= s.bytes
		}
	}
	if err := room(w.path, need); err != nil {
		return nil, err
	}
	for _, s := range w.plan.shards {
		d, err := w.shard(ctx, j, s)
		if err != nil {
			return nil, err
		}
		digests = append(digests, d)
	}
	return digests, nil
}

// shard keeps a finished shard whose bytes are what the journal says, or
// writes it.
func (w *writing) shard(ctx context.Context, j *journal, s shard) (Digest, error) {
	path := filepath.Join(w.partial, s.file)
	if d, ok := j.finished[s.file]; ok {
		if w.intact(ctx, path, d) {
			w.step(s.bytes)
			return d, nil
		}
		if err := ctx.Err(); err != nil {
			return Digest{}, err
		}
		delete(j.finished, s.file)
	}
	d, err := writeShard(ctx, path, w.src, s, w.opt.Alongside, w.step)
	if err == nil {
		err = syncDirectory(w.partial)
	}
	if err == nil {
		err = j.add(d)
	}
	return d, err
}

// intact reports whether a file has the bytes of a digest.
func (w *writing) intact(ctx context.Context, path string, want Digest) bool {
	c, err := Open(path)
	if err != nil {
		return false
	}
	defer c.Close()
	got, err := c.DigestFiles(ctx, nil)
	return err == nil && got[0].Bytes == want.Bytes && got[0].SHA256 == want.SHA256
}

func (w *writing) step(n int64) {
	if w.done += n; w.opt.Progress != nil {
		w.opt.Progress(min(w.done, w.plan.bytes), w.plan.bytes)
	}
}

// besides writes what stands beside the weights.
func (w *writing) besides(files []Digest) ([]Digest, error) {
	if w.single { // its file takes the target's name
		files[0].Name = filepath.Base(w.path)
	} else {
		own := maps.Clone(w.opt.Replace)
		if own == nil {
			own = map[string][]byte{}
		}
		if w.plan.index != nil {
			own[indexFile] = w.plan.index
		}
		side, err := copySide(w.partial, w.opt.Side, own)
		if err != nil {
			return nil, err
		}
		files = append(files, side...)
		if files, err = w.add(files, own); err != nil {
			return nil, err
		}
	}
	if w.opt.Beside == nil {
		return files, nil
	}
	made, err := w.opt.Beside(slices.Clone(files))
	if err != nil {
		return nil, err
	}
	return w.add(files, made)
}

// add writes files into the partial directory.
func (w *writing) add(files []Digest, contents map[string][]byte) ([]Digest, error) {
	for _, name := range sortedKeys(contents) {
		if err := w.free(name, files); err != nil {
			return nil, err
		}
		d, err := writeFile(w.partial, name, contents[name])
		if err != nil {
			return nil, err
		}
		files = append(files, d)
	}
	return files, nil
}

// free refuses the name of a file of the caller's that leads elsewhere, or that
// another file has.
func (w *writing) free(name string, files []Digest) error {
	taken := slices.ContainsFunc(files, func(d Digest) bool { return d.Name == name }) || w.single && name == singleFile
	if !plainName(name) || name[0] == '.' || taken {
		return fmt.Errorf("a file cannot be called %s there", quote(name))
	}
	if _, err := os.Lstat(filepath.Join(filepath.Dir(w.path), name)); w.single && err == nil && !w.opt.Force && !w.opt.Resume {
		return fmt.Errorf("%s, which belongs beside it, is there already: remove it or choose another target", name)
	}
	return nil
}

// finish puts everything in place. The journal goes last: until then a write
// that is cut off can be resumed.
func (w *writing) finish(j *journal) error {
	if w.opt.Progress != nil {
		w.opt.Progress(w.plan.bytes, w.plan.bytes)
	}
	if w.single {
		return w.finishSingle()
	}
	if err := j.remove(); err != nil {
		return err
	}
	if err := os.Chmod(w.partial, 0o755); err != nil {
		return cause(err)
	}
	if err := syncDirectory(w.partial); err != nil {
		return err
	}
	return putDirectory(w.partial, w.path, w.opt.Force)
}

// finishSingle moves the file, and what stands beside it, out of the partial
// directory.
func (w *writing) finishSingle() error {
	if err := Vacant(w.path, w.opt.Force); err != nil {
		return err
	}
	entries, err := os.ReadDir(w.partial)
	if err != nil {
		return cause(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != singleFile && name != journalFile {
			if err := os.Rename(filepath.Join(w.partial, name), filepath.Join(filepath.Dir(w.path), name)); err != nil {
				return err
			}
		}
	}
	if err := os.Rename(filepath.Join(w.partial, singleFile), w.path); err != nil {
		return err
	}
	if err := syncDirectory(filepath.Dir(w.path)); err != nil {
		return err
	}
	return cause(os.RemoveAll(w.partial))
}

var (
	errUnasked = errors.New("go on with --resume, or remove the directory")
	errOther   = errors.New("it belongs to another merge, of other inputs, alphas, types or shard sizes: repeat that command with --resume, or remove the directory")
)

// checkLeftover refuses to write over the finished shards of another write,
// or over any without being asked to resume.
func checkLeftover(partial string, resume, same bool, finished, shards int) error {
	switch {
	case finished == 0:
		return nil
	case !same:
		return &Unfinished{partial, finished, shards, errOther}
	case !resume:
		return &Unfinished{partial, finished, shards, errUnasked}
	}
	return nil
}
