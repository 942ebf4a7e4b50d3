package tensors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"

	"surgeon/tensors/kernel"
	"surgeon/tensors/kernel/pairsum"
)

// Digest is the SHA-256 of a file, or of the bytes of a tensor.
type Digest struct {
	Name   string `json:"name"` // of a file within its directory; of a tensor
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// DigestBytes digests a file that is in memory.
func DigestBytes(name string, data []byte) Digest {
	return digestOf(name, int64(len(data)), sha256.Sum256(data))
}

func digestOf(name string, n int64, sum [sha256.Size]byte) Digest {
	return Digest{name, n, hex.EncodeToString(sum[:])}
}

// digestLen is the number of bytes that are read at a time.
const digestLen = 1 << 20

// DigestTensors digests the bytes of every tensor, in the order of their
// names, without shapes and types: two tensors of the same bytes have the same
// digest wherever they are. progress, which may be nil, counts bytes.
func DigestTensors(ctx context.Context, src Source, progress func(done, total int64)) ([]Digest, error) {
	var list []viewed
	for _, name := range src.Names() {
		info, _ := src.Info(name)
		list = append(list, viewed{name, info.Bytes(), func(at, n int64, use func(raw []byte) error) error { return View(src, name, at, n, use) }})
	}
	return digestAll(ctx, list, progress)
}

// DigestFiles digests the files of weights. progress, which may be nil, counts
// bytes.
func (c *Checkpoint) DigestFiles(ctx context.Context, progress func(done, total int64)) ([]Digest, error) {
	var list []viewed
	for _, f := range c.files {
		list = append(list, viewed{f.Name, f.Bytes, func(at, n int64, use func(raw []byte) error) error {
			err := guard(func() error { return use(f.data[at : at+n]) })
			if err != nil {
				err = fmt.Errorf("%s: %w", c.File(f.Name), err)
			}
			return err
		}})
	}
	return digestAll(ctx, list, progress)
}

// viewed is a sequence of bytes to digest.
type viewed struct {
	name string
	size int64
	view func(at, n int64, use func(raw []byte) error) error
}

// chunk lends at most digestLen bytes from a place on; none behind the end.
func (v viewed) chunk(at int64, use func(raw []byte) error) error {
	n := min(digestLen, v.size-at)
	if n <= 0 {
		return use(nil)
	}
	return v.view(at, n, use)
}

// digestAll digests a list two by two, on all processors, and returns the
// error of the first pair that failed. A core digests two streams in the time
// of one; see package pairsum.
func digestAll(ctx context.Context, list []viewed, progress func(done, total int64)) ([]Digest, error) {
	var total int64
	digests := make([]Digest, len(list))
	for i, v := range list {
		digests[i] = Digest{Name: v.name, Bytes: v.size}
		total += v.size
	}
	var report sync.Mutex
	var next, done atomic.Int64
	step := func(n int64) {
		if sum := done.Add(n); progress != nil {
			report.Lock()
			defer report.Unlock()
			progress(sum, total)
		}
	}
	failed := make([]error, (len(list)+1)/2)
	kernel.Parallel(len(failed), func(int, int) { // each takes what is next: sizes differ
		for p := int(next.Add(1)) - 1; p < len(failed); p = int(next.Add(1)) - 1 {
			pair := [2]viewed{list[2*p]}
			if 2*p+1 < len(list) {
				pair[1] = list[2*p+1]
			}
			var sums [2]string
			sums, failed[p] = digest(ctx, pair, step)
			for i := 2 * p; i < min(2*p+2, len(list)); i++ {
				digests[i].SHA256 = sums[i-2*p]
			}
		}
	})
	for _, err := range failed {
		if err != nil {
			return digests, err
		}
	}
	return digests, nil
}

// digest reads two sequences side by side and returns their sums.
func digest(ctx context.Context, pair [2]viewed, step func(n int64)) (sums [2]string, err error) {
	first, second := pairsum.New(), pairsum.New()
	for at := int64(0); at < max(pair[0].size, pair[1].size); at += digestLen {
		if err := ctx.Err(); err != nil {
			return sums, err
		}
		err := pair[0].chunk(at, func(x []byte) error {
			return pair[1].chunk(at, func(y []byte) error {
				pairsum.Write(first, second, x, y)
				step(int64(len(x) + len(y)))
				return nil
			})
		})
		if err != nil {
			return sums, err
		}
	}
	x, y := first.Sum(), second.Sum()
	return [2]string{hex.EncodeToString(x[:]), hex.EncodeToString(y[:])}, nil
}
