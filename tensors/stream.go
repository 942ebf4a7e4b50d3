package tensors

import (
	"context"
	"fmt"
	"os"
	"slices"

	"surgeon/tensors/kernel/pairsum"
)

const (
	chunkLen = 2 << 20 // bytes of a tensor that are made at a time
	chunks   = 4       // that are under way: made, digested, written
)

// writeShard writes one file of a plan, syncs it and reads its header back.
// Three things happen at once: the Source makes the bytes of a chunk, the one
// before it is digested, the one before that is written.
func writeShard(ctx context.Context, path string, src Source, s shard, along *Alongside, step func(n int64)) (Digest, error) {
	f, err := os.Create(path)
	if err != nil {
		return Digest{}, cause(err)
	}
	defer f.Close()
	sum := pairsum.New()
	if err := pour(ctx, f, sum, src, s, along, step); err != nil {
		return Digest{}, err
	}
	if err := finish(f); err != nil {
		return Digest{}, err
	}
	if err := readBack(path, src, s); err != nil {
		return Digest{}, err
	}
	return digestOf(s.file, s.bytes, sum.Sum()), nil
}

// finish gives a file its permissions and makes it durable.
func finish(f *os.File) error {
	if err := f.Chmod(0o644); err != nil {
		return cause(err)
	}
	if err := f.Sync(); err != nil {
		return cause(err)
	}
	return cause(f.Close())
}

// pour writes the header and the bytes of all tensors of a shard.
func pour(ctx context.Context, f *os.File, sum *pairsum.Stream, src Source, s shard, along *Alongside, step func(n int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	free, made, digested := make(chan []byte, chunks), make(chan []byte, chunks), make(chan []byte, chunks)
	for range chunks {
		free <- make([]byte, chunkLen)
	}
	go func() {
		defer close(made)
		if err := produce(ctx, src, s, free, made); err != nil {
			cancel(err)
		}
	}()
	sum.Write(s.header)
	go func() {
		defer close(digested)
		for chunk := range made {
			if err := along.chunk(sum, chunk); err != nil {
				cancel(err)
			}
			digested <- chunk
		}
	}()
	syncs := newSyncs(f)
	_, err := f.Write(s.header)
	for chunk := range digested {
		if err == nil {
			_, err = f.Write(chunk)
			step(int64(len(chunk)))
			syncs.wrote(len(chunk))
		}
		if err != nil {
			cancel(cause(err)) // and empty the channels
		}
		free <- chunk[:chunkLen]
	}
	if err := syncs.wait(); err != nil {
		cancel(err)
	}
	return context.Cause(ctx)
}

// syncs makes a file durable while it is written, so that the last sync has
// little left to do.
type syncs struct {
	due     chan struct{}
	result  chan error
	pending int // bytes since the last one
}

// syncLen is the number of bytes after which a sync is due.
const syncLen = 16 << 20

func newSyncs(f *os.File) *syncs {
	s := &syncs{due: make(chan struct{}, 1), result: make(chan error, 1)}
	go func() {
		var first error
		for range s.due {
			if err := f.Sync(); err != nil && first == nil {
				first = cause(err) // told once: the last sync may not see it again
			}
		}
		s.result <- first
	}()
	return s
}

// wrote counts bytes, and starts a sync unless one is under way.
func (s *syncs) wrote(n int) {
	if s.pending += n; s.pending < syncLen {
		return
	}
	select {
	case s.due <- struct{}{}:
		s.pending = 0
	default:
	}
}

func (s *syncs) wait() error {
	close(s.due)
	return <-s.result
}

// produce reads the tensors of a shard in chunks.
func produce(ctx context.Context, src Source, s shard, free <-chan []byte, made chan<- []byte) error {
	for _, name := range s.names {
		info, _ := src.Info(name)
		for at := int64(0); at < info.Bytes(); at += chunkLen {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			chunk := (<-free)[:min(chunkLen, info.Bytes()-at)]
			if err := src.ReadRaw(chunk, name, at); err != nil {
				return err
			}
			made <- chunk
		}
	}
	return nil
}

// readBack opens what was written and checks that every tensor is there.
func readBack(path string, src Source, s shard) error {
	c, err := Open(path)
	if err != nil {
		return fmt.Errorf("what was written cannot be read back: %w", err)
	}
	defer c.Close()
	if names := slices.Sorted(slices.Values(s.names)); !slices.Equal(c.Names(), names) {
		return fmt.Errorf("%d tensors were written and %d read back, or under other names", len(names), len(c.Names()))
	}
	for _, name := range s.names {
		want, _ := src.Info(name)
		if got, _ := c.Info(name); got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
			return fmt.Errorf("tensor %s was written as %v %s and read back as %v %s", quote(name), want.Shape, want.DType, got.Shape, got.DType)
		}
	}
	return nil
}
