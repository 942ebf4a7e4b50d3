package tensors_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// wide are values of float64 that float32 cannot hold: too fine, too large, too
// small; and some that every type holds.
var wide = []float64{1 + 0x1p-52, -math.Pi, math.MaxFloat64, 0x1p-1074, 0x1p-1000, math.Copysign(0, -1), math.Inf(-1), 0.5, 448}

// wideSource holds the wide values in F64, and eight numbers in each other
// number type.
func wideSource() *tensorstest.Memory {
	m := tensorstest.NewMemory()
	var raw []byte
	for _, v := range wide {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	m.AddRaw("F64", tensors.Info{DType: "F64", Shape: []int{3, 3}}, raw)
	for _, d := range []tensors.DType{"F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"} {
		m.Add(string(d), d, []int{8}, counted(0, 8))
	}
	m.AddRaw("I8", tensors.Info{DType: "I8", Shape: []int{8}}, make([]byte, 8))
	return m
}

// sources opens a Source in the ways in which the functions of the package
// treat it differently: in memory, mapped, conformed.
func sources(t *testing.T, m *tensorstest.Memory) map[string]tensors.Source {
	t.Helper()
	c, err := tensors.Open(unbroken(t, m, "out", tensors.WriteOptions{}))
	return map[string]tensors.Source{"memory": m, "mapped": closing(t, c, err), "conformed": tensors.Conform(m, m)}
}

// TestRead64 reads F64 exactly, where Read rounds, and every narrower type.
func TestRead64(t *testing.T) {
	for how, src := range sources(t, wideSource()) {
		got := make([]float64, 7)
		if err := tensors.Read64(src, got, "F64", 1); err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if math.Float64bits(v) != math.Float64bits(wide[1+i]) {
				t.Errorf("%s: element %d is %v, want %v", how, 1+i, v, wide[1+i])
			}
		}
		narrow := make([]float32, len(wide))
		if err := src.Read(narrow, "F64", 0); err != nil {
			t.Fatal(err)
		}
		for i, v := range narrow {
			if math.Float32bits(v) != math.Float32bits(float32(wide[i])) {
				t.Errorf("%s: element %d rounds to %v, want %v", how, i, v, float32(wide[i]))
			}
		}
		for _, name := range []string{"F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"} {
			eight := make([]float64, 6)
			if err := tensors.Read64(src, eight, name, 2); err != nil || !slices.Equal(eight, []float64{0.25, 0.375, 0.5, 0.625, 0.75, 0.875}) {
				t.Errorf("%s: %s: %v, %v", how, name, eight, err)
			}
		}
	}
}

// TestRead64Ranges: what cannot be read is an error, whichever the type, also
// where the place in bytes does not fit in 64 bits.
func TestRead64Ranges(t *testing.T) {
	for how, src := range sources(t, wideSource()) {
		check := func(name string, n, from int, ok bool) {
			t.Helper()
			if err := tensors.Read64(src, make([]float64, n), name, from); (err == nil) != ok {
				t.Errorf("%s: %d of %s at %d: %v", how, n, name, from, err)
			}
		}
		check("F64", 9, 0, true)
		check("F64", 0, 9, true)
		check("F64", 1, 9, false)
		check("F64", 10, 0, false)
		check("F64", 1, -1, false)
		check("F32", 1, 8, false)
		check("F32", 1, -1, false)
		check("I8", 1, 0, false)
		check("none", 1, 0, false)
	}
}

// TestRead64Far does the same where the place in bytes is 0 modulo 2^64.
func TestRead64Far(t *testing.T) {
	for how, src := range sources(t, wideSource()) {
		for _, from := range []int{1 << 61, -1 << 61, math.MinInt} {
			if err := tensors.Read64(src, make([]float64, 1), "F64", from); err == nil {
				t.Errorf("%s: element %d of 9 was read", how, from)
			}
		}
	}
}

// TestWideDelta: differences of F64 are exact in AddTo64.
func TestWideDelta(t *testing.T) {
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	put := func(m *tensorstest.Memory, v ...float64) {
		var raw []byte
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(x))
		}
		m.AddRaw("x", tensors.Info{DType: "F64", Shape: []int{len(v)}}, raw)
	}
	put(base, 1, 1, 0x1p-1000, 5, math.NaN(), 7)
	put(tuned, 1+0x1p-52, 1, 0x1p-999, math.MaxFloat64, math.NaN(), 8)
	difference, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	got := []float64{0, 3, 0, 0, 3, 10}
	if err := difference.AddTo64(got, "x", 0, 1); err != nil {
		t.Fatal(err)
	}
	if want := []float64{0x1p-52, 3, 0x1p-1000, math.MaxFloat64, 3, 11}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	broken := errors.New("the disk is on fire")
	for _, d := range []*tensors.Difference{{Base: unreadable{base, broken}, Tuned: tuned}, {Base: base, Tuned: unreadable{tuned, broken}}} {
		if err := errors.Join(d.AddTo64(got, "x", 0, 1), d.AddTo(make([]float32, 6), "x", 0, 1)); !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
	}
}

// TestDifferenceTypes holds the types that TestDifference leaves out to the
// contract of a Delta, each with itself and with one of 16 bits.
func TestDifferenceTypes(t *testing.T) {
	for _, d := range []tensors.DType{"F64", "F8_E4M3", "F8_E5M2"} {
		for _, e := range []tensors.DType{d, "BF16"} {
			base, tuned := tensorstest.Pico{Seed: 3, DType: d}.Weights(), tensorstest.Pico{Seed: 3, DType: e, Drift: 0.5}.Weights()
			difference, err := tensors.Diff(base, tuned)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(difference.Names(), base.Names()) {
				t.Errorf("%s and %s: %q", d, e, difference.Names())
			}
			tensorstest.TestDelta(t, base, difference)
		}
	}
}

// TestView lends the bytes of any range, of a mapped file and of any other
// Source, and passes errors on: its own and those of the user.
func TestView(t *testing.T) {
	for how, src := range sources(t, every()) {
		for _, name := range src.Names() {
			want, _ := tensors.Raw(every(), name)
			half := int64(len(want)) / 2
			for _, piece := range [][2]int64{{0, 2 * half}, {0, half}, {half, half}, {half, 0}, {2 * half, 0}} {
				calls := 0
				err := tensors.View(src, name, piece[0], piece[1], func(raw []byte) error {
					calls++
					if !bytes.Equal(raw, want[piece[0]:piece[0]+piece[1]]) {
						t.Errorf("%s: %s: other bytes in %v", how, name, piece)
					}
					return nil
				})
				if err != nil || calls != 1 {
					t.Errorf("%s: %s: %v: %v, %d calls", how, name, piece, err, calls)
				}
			}
			broken := errors.New("enough")
			if err := tensors.View(src, name, 0, 1, func([]byte) error { return broken }); !errors.Is(err, broken) {
				t.Errorf("%s: %s: the error of the user became %v", how, name, err)
			}
		}
		never := func([]byte) error { t.Errorf("%s: use is called", how); return nil }
		for _, piece := range [][2]int64{{-8, 8}, {0, 1 << 20}, {1 << 20, 0}, {math.MaxInt64, 8}, {8, math.MinInt64}, {8, -8}} {
			if how != "mapped" && (piece[1] < 0 || piece[0] == math.MaxInt64) {
				continue // what a Source in memory makes of it is its own affair
			}
			if err := tensors.View(src, "a F64", piece[0], piece[1], never); err == nil {
				t.Errorf("%s: %v of 8192 bytes gives no error", how, piece)
			}
		}
		if err := tensors.View(src, "none", 0, 8, never); err == nil {
			t.Errorf("%s: a tensor that is not there is lent", how)
		}
	}
}

// TestViewNested: one View inside another has bytes of its own.
func TestViewNested(t *testing.T) {
	m := every()
	a, _ := tensors.Raw(m, "a F32")
	b, _ := tensors.Raw(m, "b U8")
	err := tensors.View(m, "a F32", 0, 64, func(outer []byte) error {
		return tensors.View(m, "b U8", 0, 64, func(inner []byte) error {
			if !bytes.Equal(outer, a[:64]) || !bytes.Equal(inner, b[:64]) {
				t.Error("the two share a buffer")
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
}

// TestRaw gives all bytes, or an error for what is not there.
func TestRaw(t *testing.T) {
	for how, src := range sources(t, every()) {
		sameTensors(t, src, every())
		if raw, err := tensors.Raw(src, "none"); err == nil || len(raw) > 0 {
			t.Errorf("%s: %d bytes of what is not there, %v", how, len(raw), err)
		}
	}
}

// TestReadEight reads every value of the types of 8 bits, and refuses to read
// the types that are no numbers, of whatever size.
func TestReadEight(t *testing.T) {
	m := tensorstest.NewMemory()
	raw := make([]byte, 256)
	for i := range raw {
		raw[i] = byte(i)
	}
	for _, d := range formatTypes {
		m.AddRaw(string(d.name), tensors.Info{DType: d.name, Shape: []int{256 * 8 / d.bits / 3 * 3 / 4 * 4}}, raw[:256*8/d.bits/3*3/4*4*d.bits/8])
	}
	c, err := tensors.Open(unbroken(t, m, "out", tensors.WriteOptions{}))
	closing(t, c, err)
	tensorstest.TestSource(t, c)
	// 0x38 and 0x3c are 1 in E4M3 and E5M2, the next byte is one place more.
	for _, check := range []struct {
		d    tensors.DType
		at   int
		want []float32
	}{{"F8_E4M3", 0x38, []float32{1, 1.125}}, {"F8_E5M2", 0x3c, []float32{1, 1.25}}, {"F8_E4M3", 0x7e, []float32{448}}, {"F8_E5M2", 0x7b, []float32{57344, float32(math.Inf(1))}}} {
		got := make([]float32, len(check.want))
		if err := c.Read(got, string(check.d), check.at); err != nil || !slices.Equal(got, check.want) {
			t.Errorf("%s at %#x: %v, %v; want %v", check.d, check.at, got, err, check.want)
		}
	}
	for _, d := range formatTypes {
		if err := c.Read(make([]float32, 1), string(d.name), 0); (err == nil) != d.name.Float() {
			t.Errorf("%s: %v", d.name, err)
		}
	}
}
