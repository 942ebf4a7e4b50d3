package tensors

import (
	"context"
	"fmt"
	"runtime"

	"surgeon/tensors/kernel/pairsum"
)

// Alongside digests the files of weights of checkpoints while something that is
// made of them is written: see WriteOptions.Alongside.
//
// Write digests what it writes, chunk by chunk, and with every chunk as many
// bytes of each checkpoint. They were just read, so that nothing is read twice,
// and two streams at a time cost a core what one does (package pairsum): three
// that go along with each other take one and a half times what one takes. Where
// there are cores to spare the checkpoints have one of their own.
//
// One Write can use an Alongside. One goroutine at a time may call Digests.
type Alongside struct {
	lanes []*lane
	apart chan struct{} // closed when they have been digested on a core of their own; nil if they are not
	err   error         // of that
}

// lane is one checkpoint that is digested file by file.
type lane struct {
	path    func(file string) string // how errors call a file
	files   []File                   // that are not finished
	at      int64                    // in the first of them
	sum     *pairsum.Stream          // of the first of them
	digests []Digest                 // of those that are
}

// NewAlongside returns an Alongside of checkpoints, of which nothing is
// digested yet. They must stay open until Digests has returned, and Write.
func NewAlongside(checkpoints ...*Checkpoint) *Alongside {
	a := &Alongside{}
	for _, c := range checkpoints {
		a.lanes = append(a.lanes, &lane{path: c.File, files: c.files, sum: pairsum.New()})
	}
	return a
}

// Digests digests what is left and returns the digests of all files of weights,
// in the order of the checkpoints. A file that became shorter since it was
// opened is an error.
func (a *Alongside) Digests(ctx context.Context) ([][]Digest, error) {
	if a.apart != nil {
		<-a.apart
	} else {
		a.err = a.finish(ctx)
	}
	digests := make([][]Digest, len(a.lanes))
	for i, l := range a.lanes {
		digests[i] = l.digests
	}
	return digests, a.err
}

// coresToSpare is the number of cores from which on the checkpoints are digested
// apart from what is written: one makes that, one digests it, one writes it.
const coresToSpare = 4

// begin starts to digest on a core of its own where there is one to spare. What
// it returns stops that and waits for its end.
func (a *Alongside) begin(ctx context.Context) (stop func()) {
	if a == nil || runtime.GOMAXPROCS(0) < coresToSpare {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	a.apart = make(chan struct{})
	go func() {
		defer close(a.apart)
		a.err = a.finish(ctx)
	}()
	return func() { cancel(); <-a.apart }
}

// finish digests what is left of all checkpoints.
func (a *Alongside) finish(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		stretches := a.next(chunkLen)
		if len(stretches) == 0 {
			return nil
		}
		if err := digestStretches(stretches); err != nil {
			return err
		}
	}
}

// chunk digests a chunk of what is written, and as many bytes of each
// checkpoint.
func (a *Alongside) chunk(sum *pairsum.Stream, written []byte) error {
	stretches := []stretch{{sum: sum, data: written}}
	if a != nil && a.apart == nil {
		stretches = append(stretches, a.next(int64(len(written)))...)
	}
	return digestStretches(stretches)
}

// next takes the next n bytes, or less, of every checkpoint that has some left.
func (a *Alongside) next(n int64) (stretches []stretch) {
	for _, l := range a.lanes {
		if s, ok := l.next(n); ok {
			stretches = append(stretches, s)
		}
	}
	return stretches
}

// next ends with the file: the next call finishes it and begins another.
func (l *lane) next(n int64) (stretch, bool) {
	if len(l.files) > 0 && l.at == l.files[0].Bytes {
		l.digests = append(l.digests, digestOf(l.files[0].Name, l.at, l.sum.Sum()))
		l.files, l.at, l.sum = l.files[1:], 0, pairsum.New()
	}
	if len(l.files) == 0 {
		return stretch{}, false
	}
	data := l.files[0].data[l.at:]
	data = data[:min(n, int64(len(data)))]
	l.at += int64(len(data))
	return stretch{l.sum, data, l.path(l.files[0].Name)}, true
}

// stretch is what is next in one stream.
type stretch struct {
	sum  *pairsum.Stream
	data []byte
	path string // of the file whose mapped bytes these are, if they are
}

// digestStretches digests stretches of different streams two by two: the first
// halves of all, then the second ones. So three make three pairs, and only what
// is alone has no partner.
func digestStretches(stretches []stretch) error {
	halves := make([]stretch, 0, 2*len(stretches))
	for _, s := range stretches {
		halves = append(halves, stretch{s.sum, s.data[:len(s.data)/2], s.path})
	}
	for _, s := range stretches {
		halves = append(halves, stretch{s.sum, s.data[len(s.data)/2:], s.path})
	}
	err := guard(func() error {
		for i := 0; i < len(halves); i += 2 {
			x, y := halves[i], halves[i+1]
			if x.sum == y.sum {
				x.sum.Write(x.data)
				y.sum.Write(y.data)
				continue
			}
			pairsum.Write(x.sum, y.sum, x.data, y.data)
		}
		return nil
	})
	for _, h := range halves {
		if err != nil && h.gone() {
			return fmt.Errorf("%s: %w", h.path, err)
		}
	}
	return err
}

// gone reports whether the end of mapped bytes is no longer in the file.
func (s stretch) gone() bool {
	var last [1]byte
	return len(s.data) > 0 && guard(func() error { copy(last[:], s.data[len(s.data)-1:]); return nil }) != nil
}
