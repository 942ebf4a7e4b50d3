package merge_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
)

// bad is a Source of which one element of one tensor cannot be read.
type bad struct {
	tensors.Source
	name string
	at   int
}

func unreadable(src tensors.Source, name string, at int) tensors.Source {
	return &bad{src, name, at}
}

func (b *bad) ReadRaw(dst []byte, name string, at int64) error {
	size := infoOf(b.Source, name).DType.Size()
	if from := int(at) / size; name == b.name && from <= b.at && b.at < from+len(dst)/size {
		return errUnreadable
	}
	return b.Source.ReadRaw(dst, name, at)
}

func (b *bad) Read(dst []float32, name string, from int) error {
	if name == b.name && from <= b.at && b.at < from+len(dst) {
		return errUnreadable
	}
	return b.Source.Read(dst, name, from)
}

// once is a Source that can be read a number of times; then it fails.
type once struct {
	tensors.Source
	left *int
}

func (o once) spend() error {
	if *o.left--; *o.left < 0 {
		return errUnreadable
	}
	return nil
}

func (o once) ReadRaw(dst []byte, name string, at int64) error {
	if err := o.spend(); err != nil {
		return err
	}
	return o.Source.ReadRaw(dst, name, at)
}

func (o once) Read(dst []float32, name string, from int) error {
	if err := o.spend(); err != nil {
		return err
	}
	return o.Source.Read(dst, name, from)
}

// TestPassedOn: what a Source cannot read is the error of every reader, on
// every path, and what lies before and after it is read.
func TestPassedOn(t *testing.T) {
	const at = 100_000
	for _, d := range everyType {
		base, tuned := long(d, 0, 0), long(d, 1, 0.1)
		for _, alpha := range []float64{0.3, 1} {
			for what, sides := range map[string][2]tensors.Source{"base": {unreadable(base, "x", at), tuned}, "tuned": {base, unreadable(tuned, "x", at)}} {
				delta := diff(t, sides[0], sides[1])
				for _, m := range []*merge.Model{apply(t, sides[0], term(delta, alpha)), apply(t, sides[0], term(hidden{delta}, alpha)), stochastically(apply(t, sides[0], term(hidden{delta}, alpha)), "", 1)} {
					size := d.Size()
					if err := m.Read(make([]float32, 10), "x", at-9); !errors.Is(err, errUnreadable) && !(alpha == 1 && what == "base") {
						t.Errorf("%s, %s: Read: %v", d, what, err)
					}
					for _, src := range []tensors.Source{m, m.Record(true)} {
						if err := src.ReadRaw(make([]byte, longLen*size), "x", 0); !errors.Is(err, errUnreadable) && !(alpha == 1 && what == "base") {
							t.Errorf("%s, %s: ReadRaw: %v", d, what, err)
						}
						if err := src.ReadRaw(make([]byte, 100*size), "x", 0); err != nil {
							t.Errorf("%s, %s: before it: %v", d, what, err)
						}
						if err := src.ReadRaw(make([]byte, 100*size), "x", int64((at+1)*size)); err != nil {
							t.Errorf("%s, %s: after it: %v", d, what, err)
						}
					}
					if err := effectError(t, m.Record(true)); !errors.Is(err, errUnreadable) {
						t.Errorf("%s, %s: Effect: %v", d, what, err)
					}
					if got, err := m.EffectiveAlpha(t.Context(), nil); !errors.Is(err, errUnreadable) || !math.IsNaN(got) {
						t.Errorf("%s, %s: EffectiveAlpha: %v, %v", d, what, got, err)
					}
				}
			}
		}
	}
}

// TestFailingLate lets a Source fail at its first read, its second, and so on,
// until all succeed: no path forgets an error. The models have a NaN in the
// base, which is read once more by itself.
func TestFailingLate(t *testing.T) {
	for _, d := range everyType {
		for _, out := range []tensors.DType{"", tensors.F32} {
			for _, allow := range []bool{true, false} {
				failures := 0
				for reads := 0; ; reads++ {
					left := math.MaxInt
					clean, broken := row(d, 1, 2, 3), row(d, math.NaN(), 2, 4)
					base, tuned := once{broken, &left}, row(d, 2, 3, 5)
					m := apply(t, base, term(hidden{diff(t, clean, tuned)}, 0.5)).With(merge.Options{DType: out})
					left = reads
					err := m.Record(allow).ReadRaw(make([]byte, infoOf(m, "x").Bytes()), "x", 0)
					if !errors.Is(err, errUnreadable) {
						if (err == nil) != allow {
							t.Errorf("%s as %s: %v", d, out, err)
						}
						break
					}
					failures++
				}
				if failures < 3 {
					t.Errorf("%s as %s: %d reads of the base: the test does not test", d, out, failures)
				}
			}
		}
	}
}

// TestEffectProgress sums up to the bytes that are stored, and stops when told,
// before the first tensor and after it.
func TestEffectProgress(t *testing.T) {
	m := models(t, tensors.BF16)["as F64"]
	var last, calls int64
	want := infoOf(m, "x").Bytes() + infoOf(m, "still").Bytes()
	if _, err := m.Record(true).Effect(t.Context(), func(done, total int64) {
		if calls++; done <= last || total != want {
			t.Errorf("%d of %d after %d, want %d", done, total, last, want)
		}
		last = done
	}); err != nil || last != want || calls != 2 {
		t.Errorf("%d of %d in %d calls: %v", last, want, calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls = 0
	if e, err := m.Record(true).Effect(ctx, func(int64, int64) { calls++; cancel() }); !errors.Is(err, context.Canceled) || calls != 1 || e != nil {
		t.Errorf("%v, %v after %d tensors", e, err, calls)
	}
	if _, err := m.Record(true).Effect(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
