package tensorstest

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"surgeon/tensors"
)

// TestSource checks that a Source keeps its contract: sorted unique names,
// descriptions that fit the bytes, reads of any range that equal the widened
// bytes, errors for what is not there.
func TestSource(t *testing.T, src tensors.Source) {
	t.Helper()
	names := src.Names()
	if len(names) == 0 {
		t.Fatal("the source is empty: nothing is proved")
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names are not sorted and unique: %q", names)
	}
	for _, name := range names {
		testTensor(t, src, name)
	}
	if _, ok := src.Info("no such tensor"); ok {
		t.Error("Info describes a tensor that is not there")
	}
	if err := src.ReadRaw(nil, "no such tensor", 0); err == nil {
		t.Error("ReadRaw of a tensor that is not there gives no error")
	}
	if err := src.Read(nil, "no such tensor", 0); err == nil {
		t.Error("Read of a tensor that is not there gives no error")
	}
}

func testTensor(t *testing.T, src tensors.Source, name string) {
	t.Helper()
	info, ok := src.Info(name)
	if !ok {
		t.Fatalf("%s: named but not described", name)
	}
	raw, err := tensors.Raw(src, name)
	if err != nil {
		t.Fatalf("%s: Raw: %v", name, err)
	}
	if int64(len(raw)) != info.Bytes() {
		t.Fatalf("%s: %d bytes, shape %v in %s asks for %d", name, len(raw), info.Shape, info.DType, info.Bytes())
	}
	testRaw(t, src, name, info, raw)
	if !info.DType.Float() {
		if err := src.Read(make([]float32, info.Len()), name, 0); err == nil {
			t.Errorf("%s: Read of type %s gives no error", name, info.DType)
		}
		return
	}
	n := info.Len()
	want := make([]float32, n)
	tensors.Widen(want, raw, info.DType)
	for _, piece := range ranges(n) {
		got := make([]float32, piece[1]-piece[0])
		if err := src.Read(got, name, piece[0]); err != nil {
			t.Fatalf("%s: Read %v: %v", name, piece, err)
		}
		for i, v := range got {
			if w := want[piece[0]+i]; math.Float32bits(v) != math.Float32bits(w) {
				t.Fatalf("%s: element %d read as %g (%x), its bytes say %g (%x)", name, piece[0]+i, v, math.Float32bits(v), w, math.Float32bits(w))
			}
		}
	}
	testRead64(t, src, name, raw, info)
	if err := src.Read(make([]float32, n+1), name, 0); err == nil {
		t.Errorf("%s: Read past the end gives no error", name)
	}
	if err := src.Read(make([]float32, 1), name, -1); err == nil {
		t.Errorf("%s: Read before the beginning gives no error", name)
	}
}

// testRead64 checks that Read64 loses nothing: rounded to the stored type it is
// the bytes again, but for the payload of a NaN of a type that has only one.
func testRead64(t *testing.T, src tensors.Source, name string, raw []byte, info tensors.Info) {
	t.Helper()
	values, again := make([]float64, info.Len()), make([]byte, len(raw))
	if err := tensors.Read64(src, values, name, 0); err != nil {
		t.Fatalf("%s: Read64: %v", name, err)
	}
	tensors.Round64(again, values, info.DType)
	size := info.DType.Size()
	for i, v := range values {
		if v == v && !bytes.Equal(raw[i*size:(i+1)*size], again[i*size:(i+1)*size]) {
			t.Fatalf("%s: element %d was read as %g, which is stored as %x and not as %x", name, i, v, again[i*size:(i+1)*size], raw[i*size:(i+1)*size])
		}
	}
}

// testRaw reads the bytes of a tensor by ranges.
func testRaw(t *testing.T, src tensors.Source, name string, info tensors.Info, want []byte) {
	t.Helper()
	unit := max(1, info.DType.Bits()/8) // ranges begin and end at elements
	for _, piece := range ranges(len(want) / unit) {
		from, to := piece[0]*unit, piece[1]*unit
		got := make([]byte, to-from)
		if err := src.ReadRaw(got, name, int64(from)); err != nil {
			t.Fatalf("%s: ReadRaw %d to %d: %v", name, from, to, err)
		}
		if !bytes.Equal(got, want[from:to]) {
			t.Fatalf("%s: the bytes %d to %d differ from those of the whole", name, from, to)
		}
	}
	if err := src.ReadRaw(make([]byte, len(want)+unit), name, 0); err == nil {
		t.Errorf("%s: ReadRaw past the end gives no error", name)
	}
	if err := src.ReadRaw(make([]byte, unit), name, int64(-unit)); err == nil {
		t.Errorf("%s: ReadRaw before the beginning gives no error", name)
	}
}

// ranges are the whole, both halves, an odd piece of the middle and nothing.
func ranges(n int) [][2]int {
	return [][2]int{{0, n}, {0, n / 2}, {n / 2, n}, {n / 3, max(n/3, 2*n/3)}, {n, n}}
}

// TestDelta checks that a Delta keeps its contract on a base: sorted names that
// the base has, addition that is linear in alpha and the same by ranges and as
// a whole, agreement of AddTo and AddTo64, untouched elements where the
// difference is zero, errors for what is not there.
func TestDelta(t *testing.T, base tensors.Source, delta tensors.Delta) {
	t.Helper()
	names := delta.Names()
	if len(names) == 0 {
		t.Fatal("the delta is empty: nothing is proved")
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names are not sorted and unique: %q", names)
	}
	for _, name := range names {
		info, ok := base.Info(name)
		if !ok {
			t.Errorf("%s: the base has no such tensor", name)
			continue
		}
		change, ok := delta.Info(name)
		if !ok || !slices.Equal(change.Shape, info.Shape) || !change.DType.Float() {
			t.Errorf("%s: the difference is %v %s, %v, of a base of %v", name, change.Shape, change.DType, ok, info.Shape)
			continue
		}
		testDifference(t, delta, name, info.Len())
	}
	if _, ok := delta.Info("no such tensor"); ok {
		t.Error("Info describes a difference that is not there")
	}
	if err := delta.AddTo(nil, "no such tensor", 0, 1); err == nil {
		t.Error("AddTo of a tensor that is not there gives no error")
	}
	if err := delta.AddTo64(nil, "no such tensor", 0, 1); err == nil {
		t.Error("AddTo64 of a tensor that is not there gives no error")
	}
}

func testDifference(t *testing.T, delta tensors.Delta, name string, n int) {
	t.Helper()
	add := func(from, length int, alpha float32, start float32) []float32 {
		dst := make([]float32, length)
		for i := range dst {
			dst[i] = start
		}
		if err := delta.AddTo(dst, name, from, alpha); err != nil {
			t.Fatalf("%s: AddTo: %v", name, err)
		}
		return dst
	}
	negativeZero := float32(math.Copysign(0, -1))
	whole, doubled, negated := add(0, n, 1, 0), add(0, n, 2, 0), add(0, n, -1, 0)
	none, onZero := add(0, n, 0, 3), add(0, n, 1, negativeZero)
	wide := make([]float64, n)
	if err := delta.AddTo64(wide, name, 0, 1); err != nil {
		t.Fatalf("%s: AddTo64: %v", name, err)
	}
	for i, v := range whole {
		switch {
		case doubled[i] != 2*v || negated[i] != -v:
			t.Fatalf("%s: element %d is %g at alpha 1, %g at 2, %g at -1", name, i, v, doubled[i], negated[i])
		case none[i] != 3:
			t.Fatalf("%s: element %d moved to %g at alpha 0", name, i, none[i])
		case math.Abs(wide[i]-float64(v)) > 1e-6*math.Abs(wide[i]):
			t.Fatalf("%s: element %d is %g in float32 and %g in float64", name, i, v, wide[i])
		case v == 0 && !math.Signbit(float64(onZero[i])):
			t.Fatalf("%s: element %d has no difference but turned -0 into +0", name, i)
		}
	}
	for _, piece := range ranges(n) {
		if got := add(piece[0], piece[1]-piece[0], 1, 0); !slices.Equal(got, whole[piece[0]:piece[1]]) {
			t.Fatalf("%s: the range %v differs from the whole", name, piece)
		}
	}
}
