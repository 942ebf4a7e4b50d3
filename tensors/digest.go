package tensors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
	"sync/atomic"

	"surgeon/tensors/kernel"
)

// Digest is the SHA-256 of a file, or of the bytes of a tensor.
type Digest struct {
	Name   string `json:"name"` // of a file within its directory; of a tensor
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// DigestBytes digests a file that is in memory.
func DigestBytes(name string, data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest{name, int64(len(data)), hex.EncodeToString(sum[:])}
}

// digestLen is the number of bytes that are read at a time.
const digestLen = 1 << 20

// DigestTensors digests the bytes of every tensor, in the order of their
// names, without shapes and types: two tensors of the same bytes have the same
// digest wherever they are. progress, which may be nil, counts bytes.
func DigestTensors(ctx context.Context, src Source, progress func(done, total int64)) ([]Digest, error) {
	list := make([]Digest, len(src.Names()))
	for i, name := range src.Names() {
		info, _ := src.Info(name)
		list[i] = Digest{Name: name, Bytes: info.Bytes()}
	}
	return list, digestAll(ctx, list, progress, func(i int) viewer {
		return func(at, n int64, use func(raw []byte) error) error { return View(src, list[i].Name, at, n, use) }
	})
}

// DigestFiles digests the files of weights of a checkpoint. progress, which
// may be nil, counts bytes.
func (c *Checkpoint) DigestFiles(ctx context.Context, progress func(done, total int64)) ([]Digest, error) {
	list := make([]Digest, len(c.files))
	for i, f := range c.files {
		list[i] = Digest{Name: f.Name, Bytes: f.Bytes}
	}
	return list, digestAll(ctx, list, progress, func(i int) viewer {
		return func(at, n int64, use func(raw []byte) error) error {
			return guard(func() error { return use(c.files[i].data[at : at+n]) })
		}
	})
}

// viewer lends a range of a sequence of bytes.
type viewer func(at, n int64, use func(raw []byte) error) error

// digestAll fills in the sums of a list, several at a time, and returns the
// error of the first that failed.
func digestAll(ctx context.Context, list []Digest, progress func(done, total int64), open func(i int) viewer) error {
	var done, total, next atomic.Int64
	for _, d := range list {
		total.Add(d.Bytes)
	}
	var report sync.Mutex
	step := func(n int64) {
		if sum := done.Add(n); progress != nil {
			report.Lock()
			defer report.Unlock()
			progress(sum, total.Load())
		}
	}
	failed := make([]error, len(list))
	kernel.Parallel(len(list), func(int, int) { // each takes what is next: sizes differ
		for i := int(next.Add(1)) - 1; i < len(list); i = int(next.Add(1)) - 1 {
			list[i].SHA256, failed[i] = digest(ctx, list[i].Bytes, open(i), step)
		}
	})
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// digest reads size bytes and returns their sum.
func digest(ctx context.Context, size int64, view viewer, step func(n int64)) (string, error) {
	sum := sha256.New()
	for at := int64(0); at < size; at += digestLen {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n := min(digestLen, size-at)
		if err := view(at, n, func(raw []byte) error { _, err := sum.Write(raw); return err }); err != nil {
			return "", err
		}
		step(n)
	}
	return hexadecimal(sum), nil
}

func hexadecimal(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }
