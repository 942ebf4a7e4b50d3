package merge_test

import (
	"bytes"
	"math"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
)

// NaN that is the same in both models keeps its bytes at alpha 0.5.
func TestEdgeNaN(t *testing.T) {
	for _, d := range floats {
		base, tuned := patterns(d, 0x7f810001, 0x7fc10001, 0xffc10001, 0x3f800000), patterns(d, 0x7f810001, 0x7fc10001, 0xffc10001, 0x40000000)
		size := 3 * d.Size()
		if got, want := raw(t, toward(t, base, tuned, 0.5), "x")[:size], raw(t, base, "x")[:size]; !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", d, got, want)
		}
	}
}

// one infinity that does not change makes the effective alpha NaN.
func TestEdgeEffectiveInfinity(t *testing.T) {
	inf := float32(math.Inf(-1))
	for _, alpha := range []float64{0, 0.5, 1} {
		if got := effective(t, toward(t, vector("F32", inf, 1), vector("F32", inf, 2), alpha)); got != alpha {
			t.Errorf("%v, asked for %v", got, alpha)
		}
	}
}

type plainSource struct{ m map[string]tensors.Source }

func (p plainSource) Names() []string                    { return p.m["m"].Names() }
func (p plainSource) Info(n string) (tensors.Info, bool) { return p.m["m"].Info(n) }
func (p plainSource) ReadRaw(dst []byte, name string, at int64) error {
	return p.m["m"].ReadRaw(dst, name, at)
}
func (p plainSource) Read(dst []float32, name string, from int) error {
	return p.m["m"].Read(dst, name, from)
}

// a Source that is not comparable must not panic at alpha 1.
func TestEdgeUncomparable(t *testing.T) {
	base := plainSource{map[string]tensors.Source{"m": vector("F32", 1)}}
	if got := values(t, toward(t, base, vector("F32", 2), 1), "x"); got[0] != 2 {
		t.Error(got)
	}
}

// 32 bits on any side are merged in float64; also the base of the Difference, and a Difference of other Sources.
func TestEdgeWide(t *testing.T) {
	base := vector("BF16", 1)
	d := diff(t, vector("F32", 1), vector("BF16", 1+0x1p-7))
	_ = d
	wide := vector("F32", -0x1p-23)
	delta := diff(t, wide, vector("BF16", 0x1p-7)) // 2^-7 + 2^-23
	m := apply(t, base, merge.Term{Label: "t", Delta: delta, Alpha: merge.Number(0.5)})
	if got := values(t, m, "x")[0]; got != 1+0x1p-7 { // 1 + 2^-8 + 2^-24: above the tie
		t.Errorf("%v, want %v", got, 1+0x1p-7)
	}
}

// a Difference whose tensor has another shape than the base's.
func TestEdgeShape(t *testing.T) {
	base := vector("F32", 1, 2)
	d := diff(t, vector("F32", 1, 2, 3), vector("F32", 2, 3, 4))
	m, err := merge.Apply(base, merge.Term{Label: "t", Delta: d, Alpha: merge.Number(1)})
	if err == nil {
		t.Errorf("accepted; gives %v", values(t, m, "x"))
	}
}

// Read of nothing outside a tensor.
func TestEdgeReadOutside(t *testing.T) {
	m := toward(t, vector("F32", 1, 2), vector("F32", 2, 3), 0.5)
	for _, from := range []int{-1, 3} {
		if err := m.Read(nil, "x", from); err == nil {
			t.Errorf("no error at %d of 2", from)
		}
	}
}
