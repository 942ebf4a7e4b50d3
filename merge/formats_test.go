package merge_test

import (
	"math"
	"sync"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// everyType are all types that are merged.
var everyType = []tensors.DType{tensors.F64, tensors.F32, tensors.F16, tensors.BF16, tensors.F8E4M3, tensors.F8E5M2}

// format is what the tests know of a type by themselves: the bits after the
// leading one, the exponent of the smallest normal number, the largest number,
// and what lies beyond it.
type format struct {
	mantissa, least int
	most, beyond    float64
}

var formats = map[tensors.DType]format{
	tensors.F64:    {52, -1022, math.MaxFloat64, math.Inf(1)},
	tensors.F32:    {23, -126, math.MaxFloat32, math.Inf(1)},
	tensors.F16:    {10, -14, 65504, math.Inf(1)},
	tensors.BF16:   {7, -126, 0x1.fep127, math.Inf(1)},
	tensors.F8E4M3: {3, -6, 448, math.NaN()},
	tensors.F8E5M2: {2, -14, 57344, math.Inf(1)},
}

// smallest is the smallest positive number.
func (f format) smallest() float64 { return math.Ldexp(1, f.least-f.mantissa) }

// quantum is the distance of a type's numbers at a magnitude.
func quantum(d tensors.DType, magnitude float64) float64 {
	f := formats[d]
	if magnitude == 0 {
		return f.smallest()
	}
	_, exponent := math.Frexp(magnitude)
	return math.Ldexp(1, max(exponent-1, f.least)-f.mantissa)
}

// nearest rounds to a type, ties to even: by dividing, not by bits.
func nearest(d tensors.DType, v float64) float64 {
	switch {
	case math.IsInf(v, 0):
		return math.Copysign(formats[d].beyond, v)
	case d == tensors.F64, v != v:
		return v
	}
	q := quantum(d, math.Abs(v))
	rounded := math.RoundToEven(v/q) * q
	if math.Abs(rounded) > formats[d].most {
		return math.Copysign(formats[d].beyond, v)
	}
	return math.Copysign(rounded, v)
}

// alike reports whether two values are equal, or both no numbers.
func alike(a, b float64) bool { return a == b || a != a && b != b }

// wide reads a whole tensor in float64.
func wide(t testing.TB, src tensors.Source, name string) []float64 {
	t.Helper()
	info, _ := src.Info(name)
	dst := make([]float64, info.Len())
	if err := tensors.Read64(src, dst, name, 0); err != nil {
		t.Fatal(err)
	}
	return dst
}

// stored adds a tensor of float64 values, rounded to its type.
func stored(m *tensorstest.Memory, name string, d tensors.DType, shape []int, list []float64) {
	info := tensors.Info{DType: d, Shape: shape}
	data := make([]byte, info.Bytes())
	tensors.Round64(data, list, d)
	m.AddRaw(name, info, data)
}

// row is a Source of one tensor "x" of float64 values.
func row(d tensors.DType, list ...float64) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	stored(m, "x", d, []int{len(list)}, list)
	return m
}

// longLen are two blocks of a merge and 31 elements, of shape longShape.
const longLen = 2<<16 + 31

var longShape = []int{3, longLen / 3}

// draws are the values that long models are made of, with all 53 bits: number
// 0 is the base, the others are directions to tune it in.
var draws = sync.OnceValue(func() (list [4][]float64) {
	for k := range list {
		draw, fine := tensorstest.NewRandom(uint64(k), "long"), tensorstest.NewRandom(uint64(k), "fine")
		list[k] = make([]float64, longLen)
		for i := range list[k] {
			list[k][i] = float64(draw.Normal(i)) + float64(fine.Uint64(i)>>11)*0x1p-83
		}
	}
	return list
})

// long is a model of one large tensor "x", some integers, and a small tensor
// "still" that tuning leaves alone: the base, or tuned in a direction. Its bytes
// are made once and are not to be changed.
func long(d tensors.DType, direction int, drift float64) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	key := [3]any{d, direction, drift}
	data, ok := made.Load(key)
	if !ok {
		list := make([]float64, longLen)
		for i, v := range draws()[0] {
			list[i] = v + drift*draws()[direction][i]
		}
		fresh := make([]byte, longLen*d.Size())
		tensors.Round64(fresh, list, d)
		data, _ = made.LoadOrStore(key, fresh)
	}
	m.AddRaw("x", tensors.Info{DType: d, Shape: longShape}, data.([]byte))
	stored(m, "still", d, []int{5}, draws()[0][:5])
	m.AddRaw("ids", tensors.Info{DType: "I64", Shape: []int{1}}, []byte("12345678"))
	return m
}

var made sync.Map // the bytes of long models

// hidden is a Delta that nobody knows to be a Difference: what an adapter is.
type hidden struct{ tensors.Delta }

// outer is a Delta of rank one for the tensor "x" of long models.
type outer struct{ dtype tensors.DType }

func (o outer) Names() []string { return []string{"x"} }
func (o outer) Info(name string) (tensors.Info, bool) {
	return tensors.Info{DType: o.dtype, Shape: longShape}, name == "x"
}

// at is an element: a power of two or 0, so that it is exact in any arithmetic.
func (o outer) at(i int) float64 {
	r, c := i/longShape[1], i%longShape[1]
	if c%3 == 0 {
		return 0
	}
	return math.Ldexp(1, -r-c%4)
}

func (o outer) AddTo(dst []float32, name string, from int, alpha float32) error {
	if name != "x" || from < 0 || from+len(dst) > longLen {
		return errUnreadable
	}
	for i := range dst {
		if d := o.at(from + i); d != 0 {
			dst[i] += alpha * float32(d)
		}
	}
	return nil
}

func (o outer) AddTo64(dst []float64, name string, from int, alpha float64) error {
	if name != "x" || from < 0 || from+len(dst) > longLen {
		return errUnreadable
	}
	for i := range dst {
		if d := o.at(from + i); d != 0 {
			dst[i] += float64(alpha * d)
		}
	}
	return nil
}

// term is a summand with a number for its alpha.
func term(delta tensors.Delta, alpha float64) merge.Term {
	return merge.Term{Label: "tuned", Delta: delta, Alpha: merge.Number(alpha)}
}
