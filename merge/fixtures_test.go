package merge_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// floats are the types that are merged.
var floats = []tensors.DType{tensors.F32, tensors.F16, tensors.BF16}

func diff(t testing.TB, base, tuned tensors.Source) *tensors.Difference {
	t.Helper()
	d, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func apply(t testing.TB, base tensors.Source, terms ...merge.Term) *merge.Model {
	t.Helper()
	m, err := merge.Apply(base, terms...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// toward is the merge of a base with one tuned model.
func toward(t testing.TB, base, tuned tensors.Source, alpha float64) *merge.Model {
	t.Helper()
	return apply(t, base, merge.Term{Label: "tuned", Delta: diff(t, base, tuned), Alpha: merge.Number(alpha)})
}

func raw(t testing.TB, src tensors.Source, name string) []byte {
	t.Helper()
	data, err := tensors.Raw(src, name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sameBytes checks that two Sources hold the same bytes under the same names.
func sameBytes(t testing.TB, what string, got, want tensors.Source) {
	t.Helper()
	if !slices.Equal(got.Names(), want.Names()) {
		t.Fatalf("%s: names %q, want %q", what, got.Names(), want.Names())
	}
	for _, name := range want.Names() {
		if a, b := raw(t, got, name), raw(t, want, name); !bytes.Equal(a, b) {
			t.Errorf("%s: %s has other bytes", what, name)
		}
	}
}

// values reads a whole tensor.
func values(t testing.TB, src tensors.Source, name string) []float32 {
	t.Helper()
	info, _ := src.Info(name)
	dst := make([]float32, info.Len())
	if err := src.Read(dst, name, 0); err != nil {
		t.Fatal(err)
	}
	return dst
}

// vector is a Source of one tensor "x".
func vector(d tensors.DType, list ...float32) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	m.Add("x", d, []int{len(list)}, list)
	return m
}

// patterns is a Source of the given bits, the same in each type as far as they
// go: 32 bits, or their upper 16.
func patterns(d tensors.DType, words ...uint32) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	var data []byte
	for _, w := range words {
		if d == tensors.F32 {
			data = binary.LittleEndian.AppendUint32(data, w)
		} else {
			data = binary.LittleEndian.AppendUint16(data, uint16(w>>16))
		}
	}
	m.AddRaw("x", tensors.Info{DType: d, Shape: []int{len(words)}}, data)
	return m
}

// large is a pair of models of one tensor that takes three blocks and a piece.
func large(d tensors.DType) (base, tuned *tensorstest.Memory) {
	const n = 3*1<<16 + 17
	draw := tensorstest.NewRandom(3, "large")
	b, u := make([]float32, n), make([]float32, n)
	for i := range b {
		b[i] = draw.Normal(i)
		u[i] = b[i] + 0.01*draw.Normal(n+i)
	}
	return vector(d, b...), vector(d, u...)
}

// threads runs work under another number of processors.
func threads(n int, work func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	work()
}

// place is the distance between neighbours of a type at a magnitude, which for
// bf16, f16 and f32 has 8, 11 and 24 bits and ends at the smallest subnormal.
func place(d tensors.DType, magnitude float64) float64 {
	bits, least := map[tensors.DType]int{"BF16": 8, "F16": 11, "F32": 24}[d], map[tensors.DType]int{"BF16": -133, "F16": -24, "F32": -149}[d]
	if magnitude == 0 {
		return math.Ldexp(1, least)
	}
	_, exponent := math.Frexp(magnitude)
	return math.Ldexp(1, max(exponent-bits, least))
}
