package merge_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// anyBits is a model of a tensor "x" of every pattern of bits of a type, or of
// 65536 random ones among which are NaNs with payloads, -0 and infinities.
func anyBits(d tensors.DType, seed uint64) *tensorstest.Memory {
	random := rand.New(rand.NewPCG(seed, 7))
	special := []uint64{0x7ff0000000000001, 0xfff8000000000abc, 1 << 63, 0x7ff0000000000000, 1, 0x7f81_0001_ffa5_0001, 0x8000_0000_7fc0_1234}
	var data []byte
	for _, word := range random.Perm(1 << 16) {
		switch wide := random.Uint64(); d.Size() {
		case 1:
			data = append(data, byte(word))
		case 2:
			data = binary.LittleEndian.AppendUint16(data, uint16(word))
		default:
			if word < 1<<14 {
				wide = special[word%len(special)]
			}
			data = append(data, binary.LittleEndian.AppendUint64(nil, wide)[8-d.Size():]...)
		}
	}
	m := tensorstest.NewMemory()
	m.AddRaw("x", tensors.Info{DType: d, Shape: []int{1 << 16}}, data)
	return m
}

// TestEveryEnd: alpha 0 gives the base's bytes and alpha 1 the tuned model's,
// in every type and for any bits, also when they are asked for by type or
// rounded at random.
func TestEveryEnd(t *testing.T) {
	for _, d := range everyType {
		base, tuned := anyBits(d, 1), anyBits(d, 2)
		delta := diff(t, base, tuned)
		check := func(what string, m *merge.Model, want tensors.Source) {
			t.Helper()
			for _, options := range []merge.Options{{}, {DType: d}, {Stochastic: true}, {DType: d, Stochastic: true, Seed: 3}} {
				sameBytes(t, string(d)+" "+what, m.With(options), want)
				sameBytes(t, string(d)+" "+what+", recorded", m.With(options).Record(true), want)
			}
		}
		check("no terms", apply(t, base), base)
		check("alpha 0", apply(t, base, term(delta, 0)), base)
		check("alpha 1", apply(t, base, term(delta, 1)), tuned)
		check("alpha 0 twice", apply(t, base, term(delta, 0), term(outer0{delta}, 0)), base)
		check("alpha 1 and 0", apply(t, base, term(hidden{delta}, 0), term(delta, 1)), tuned)
	}
}

// outer0 is a Delta whose values must not be asked for.
type outer0 struct{ tensors.Delta }

func (outer0) AddTo([]float32, string, int, float32) error   { return errUnreadable }
func (outer0) AddTo64([]float64, string, int, float64) error { return errUnreadable }

// TestTypedEnds: at alpha 1 the tuned model's bytes are given where its type is
// the one asked for, whatever the base's is; else values of the base's type. At
// alpha 0 and another type these are the base's values, rounded once. Of a NaN
// it stays one.
func TestTypedEnds(t *testing.T) {
	for _, d := range everyType {
		for _, e := range everyType {
			base, tuned := long(d, 0, 0), long(e, 1, 0.5)
			m := toward(t, base, tuned, 1)
			if got := m.With(merge.Options{DType: e}); !bytes.Equal(raw(t, got, "x"), raw(t, tuned, "x")) {
				t.Errorf("%s towards %s: not the tuned model's bytes", d, e)
			}
			odd, end := anyBits(d, 1), anyBits(e, 2)
			if got := toward(t, odd, end, 1).With(merge.Options{DType: e, Stochastic: true}); !bytes.Equal(raw(t, got, "x"), raw(t, end, "x")) {
				t.Errorf("%s towards %s: other bits than the tuned model's", d, e)
			}
			if d == e {
				continue
			}
			if infoOf(m, "x").DType != d || bytes.Equal(raw(t, m, "x"), raw(t, tuned, "x")) {
				t.Errorf("%s towards %s: bytes of another type", d, e)
			}
			got, values := wide(t, toward(t, odd, end, 0).With(merge.Options{DType: e}), "x"), wide(t, odd, "x")
			for i, v := range values {
				values[i] = nearest(e, v)
			}
			sameValues(t, string(d+" as "+e), got, values)
		}
	}
}

// TestFarEnd: the tuned value, rounded once, is the result at alpha 1 of any
// types, also where the difference from the base cannot hold it: where the base
// is much larger, and where the tuned value is -0.
func TestFarEnd(t *testing.T) {
	for _, d := range everyType {
		for _, e := range everyType {
			base, tuned := long(d, 0, 0), long(e, 1, 0.5)
			stored(base, "far", d, []int{2}, []float64{448, 1})
			stored(tuned, "far", e, []int{2}, []float64{formats[e].smallest(), math.Copysign(0, -1)})
			for _, out := range []tensors.DType{"", tensors.F64, tensors.F8E4M3} {
				m := toward(t, base, tuned, 1).With(merge.Options{DType: out})
				for _, name := range []string{"x", "far"} {
					want := wide(t, tuned, name)
					for i, v := range want {
						want[i] = nearest(infoOf(m, name).DType, v)
					}
					sameValues(t, string(d+" towards "+e+" as "+out), wide(t, m, name), want)
				}
			}
		}
	}
}
