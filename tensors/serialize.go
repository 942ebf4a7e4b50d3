package tensors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/nlpodyssey/safetensors"
)

// writeWeights writes the file, syncs and closes it, and reads its header back.
func writeWeights(ctx context.Context, f *os.File, src Source, opt WriteOptions) (Written, error) {
	metadata := map[string]string{"format": "pt"}
	for k, v := range opt.Metadata {
		metadata[k] = v
	}
	out := &countingWriter{w: f, sum: sha256.New()}
	views, state, err := viewsOf(ctx, src, opt)
	if err != nil {
		return Written{}, err
	}
	state.out = out
	err = guard(func() error { return safetensors.SerializeToWriter(views, metadata, stopping{out, state}) })
	if state.err != nil {
		err = state.err // the reason, not its consequence
	}
	if err != nil {
		return Written{}, err
	}
	if state.progress != nil {
		state.progress(state.total, state.total)
	}
	if err := f.Chmod(0o644); err != nil {
		return Written{}, cause(err)
	}
	if err := f.Sync(); err != nil {
		return Written{}, cause(err)
	}
	if err := f.Close(); err != nil {
		return Written{}, cause(err)
	}
	if err := readBack(f.Name(), src); err != nil {
		return Written{}, err
	}
	return Written{Bytes: out.n, SHA256: hex.EncodeToString(out.sum.Sum(nil))}, nil
}

// readBack opens what was written and checks that every tensor is there.
func readBack(path string, src Source) error {
	c, err := Open(path)
	if err != nil {
		return fmt.Errorf("what was written cannot be read back: %w", err)
	}
	defer c.Close()
	if !slices.Equal(c.Names(), src.Names()) {
		return fmt.Errorf("%d tensors were written and %d read back, or under other names", len(src.Names()), len(c.Names()))
	}
	for _, name := range src.Names() {
		want, _ := src.Info(name)
		if got, _ := c.Info(name); got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
			return fmt.Errorf("tensor %s was written as %v %s and read back as %v %s", quote(name), want.Shape, want.DType, got.Shape, got.DType)
		}
	}
	return nil
}

// writing is the state that the views of one file share.
type writing struct {
	ctx      context.Context
	err      error // the first one; View.Data cannot return it
	progress func(done, total int64)
	total    int64
	out      *countingWriter
}

// view is one tensor as the safetensors writer asks for it.
type view struct {
	source Source
	name   string
	info   Info
	state  *writing
}

func viewsOf(ctx context.Context, src Source, opt WriteOptions) (map[string]view, *writing, error) {
	state := &writing{ctx: ctx, progress: opt.Progress}
	views := map[string]view{}
	for _, name := range src.Names() {
		info, ok := src.Info(name)
		if !ok {
			return nil, nil, fmt.Errorf("tensor %s is named but not described", quote(name))
		}
		if name == metadataKey || !utf8.ValidString(name) {
			return nil, nil, fmt.Errorf("a tensor cannot be called %s", quote(name))
		}
		if _, err := safetensors.ParseDType(string(info.DType)); err != nil {
			return nil, nil, fmt.Errorf("tensor %s has type %q, which the format does not have", quote(name), info.DType)
		}
		views[name] = view{src, name, info, state}
		state.total += info.Bytes()
	}
	return views, state, nil
}

func (v view) DType() safetensors.DType {
	d, err := safetensors.ParseDType(string(v.info.DType))
	if err != nil {
		panic(err)
	}
	return d
}

func (v view) Shape() []uint64 {
	shape := make([]uint64, len(v.info.Shape)) // never nil: that would be written as null
	for i, d := range v.info.Shape {
		shape[i] = uint64(d)
	}
	return shape
}

func (v view) DataLen() uint64 { return uint64(v.info.Bytes()) }

// Data reads the tensor when its turn has come. On an error it returns
// nothing; the error is kept and stops the writer.
func (v view) Data() []byte {
	if v.state.err == nil {
		v.state.err = v.state.ctx.Err()
	}
	if v.state.err != nil {
		return nil
	}
	raw, err := v.source.Raw(v.name)
	if err == nil && int64(len(raw)) != v.info.Bytes() {
		err = fmt.Errorf("tensor %s has %d bytes, its shape %v in %s asks for %d", quote(v.name), len(raw), v.info.Shape, v.info.DType, v.info.Bytes())
	}
	if err != nil {
		v.state.err = err
		return nil
	}
	if v.state.progress != nil {
		v.state.progress(min(v.state.out.n, v.state.total), v.state.total)
	}
	return raw
}

// stopping ends the safetensors writer after an error of a view.
type stopping struct {
	io.Writer
	state *writing
}

func (s stopping) Write(p []byte) (int, error) {
	if s.state.err != nil {
		return 0, s.state.err
	}
	return s.Writer.Write(p)
}

// countingWriter counts and digests what passes.
type countingWriter struct {
	w   io.Writer
	n   int64
	sum hash.Hash
}

func (c *countingWriter) Write(p []byte) (int, error) {
	c.sum.Write(p) // first: memory that is gone faults here, where guard sees it, and not in the kernel
	n, err := c.w.Write(p)
	c.n += int64(n)
	if err != nil {
		err = cause(err)
	}
	return n, err
}
