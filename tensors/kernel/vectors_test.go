package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// operands are what the loops read and write: n elements each, raw ones in two
// bytes.
type operands struct {
	dst, base, tuned          []float32
	rawDst, rawBase, rawTuned []byte
	alpha                     float32
}

// loops are all functions of this package that have assembly, but Linear.
// They return the numbers that are not in dst or rawDst.
var loops = []struct {
	name string
	run  func(o operands) string
}{
	{"WidenBF16", func(o operands) string { WidenBF16(o.dst, o.rawBase); return "" }},
	{"WidenF16", func(o operands) string { WidenF16(o.dst, o.rawBase); return "" }},
	{"RoundBF16", func(o operands) string { RoundBF16(o.rawDst, o.base); return "" }},
	{"RoundF16", func(o operands) string { RoundF16(o.rawDst, o.base); return "" }},
	{"Compare", func(o operands) string { return digits(Compare(o.base, o.tuned)) }},
	{"CompareBF16", func(o operands) string { return digits(CompareBF16(o.rawBase, o.rawTuned)) }},
	{"AddDifference", func(o operands) string { AddDifference(o.dst, o.base, o.tuned, o.alpha); return "" }},
	{"Finite", func(o operands) string { return digits(Finite(o.base)) }},
	{"MergeBF16", func(o operands) string { return digits(MergeBF16(o.rawDst, o.rawBase, o.rawTuned, o.alpha)) }},
	{"MergeProjectBF16", func(o operands) string {
		return digits(MergeProjectBF16(o.rawDst, o.rawBase, o.rawTuned, o.alpha))
	}},
}

// digits prints numbers so that different bits print differently, but NaNs.
func digits(values ...any) string { return fmt.Sprintf("%x", values) }

// place copies the operands to wherever memory gives a piece of so many bytes.
func (o operands) place(memory func(size int) []byte) operands {
	floats := func(values []float32) []float32 {
		piece := memory(4 * len(values))
		placed := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(piece))), len(values))
		copy(placed, values)
		return placed
	}
	words := func(raw []byte) []byte {
		piece := memory(len(raw))
		copy(piece, raw)
		return piece
	}
	return operands{
		floats(o.dst), floats(o.base), floats(o.tuned),
		words(o.rawDst), words(o.rawBase), words(o.rawTuned), o.alpha,
	}
}

// results are the bits of all that a loop gave and may have changed.
func (o operands) results(numbers string) []byte {
	all := []byte(numbers)
	for _, values := range [][]float32{o.dst, o.base, o.tuned} {
		for _, v := range values {
			all = binary.LittleEndian.AppendUint32(all, math.Float32bits(v))
		}
	}
	return append(append(append(all, o.rawDst...), o.rawBase...), o.rawTuned...)
}

// special are the float32 with which something can go wrong, among them the
// neighbours of where float16 and bfloat16 overflow, and NaNs of each kind.
var special = []uint32{
	0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000, 0x3f808000, 0x3f818000,
	0x7f7fffff, 0xff7fffff, 0x7f7f8000, 0x7f7f7fff, 0x477fefff, 0x477ff000, 0x33000000, 0x33000001, 0x387fffff,
	0x7f800000, 0xff800000, 0x7f800001, 0xff800001, 0x7f808000, 0x7fc00000, 0xffc12345, 0x7fa10000, 0xffffffff,
}

// draw makes n elements of a base and its fine-tune: some unchanged, some
// moved a little, some far; odd is the share of them with special bits.
func draw(random *rand.Rand, n int, odd float64) operands {
	value := func() float32 {
		if random.Float64() >= odd {
			return float32(random.NormFloat64() * math.Exp2(float64(random.IntN(24))))
		}
		if random.IntN(2) == 0 {
			return math.Float32frombits(random.Uint32())
		}
		return math.Float32frombits(special[random.IntN(len(special))])
	}
	o := operands{
		make([]float32, n), make([]float32, n), make([]float32, n),
		make([]byte, 2*n), make([]byte, 2*n), make([]byte, 2*n), 0.3,
	}
	for i := range n {
		o.dst[i], o.base[i] = value(), value()
		switch random.IntN(4) {
		case 0:
			o.tuned[i] = o.base[i]
		case 1:
			o.tuned[i] = o.base[i] * 1.01
		default:
			o.tuned[i] = value()
		}
		binary.LittleEndian.PutUint16(o.rawDst[2*i:], uint16(math.Float32bits(o.dst[i])>>16))
		binary.LittleEndian.PutUint16(o.rawBase[2*i:], uint16(math.Float32bits(o.base[i])>>16))
		binary.LittleEndian.PutUint16(o.rawTuned[2*i:], uint16(math.Float32bits(o.tuned[i])>>16))
	}
	return o
}

// agree runs every loop plainly and as this processor does it, with the
// operands at odd places in memory: the same bits, and nothing written around.
func agree(t *testing.T, what string, o operands) {
	t.Helper()
	for _, loop := range loops {
		run := func() []byte {
			var around [][]byte
			placed := o.place(func(size int) []byte {
				piece := len(around) / 2
				at := 64 + 4*piece
				if piece >= 3 { // the raw ones, at odd addresses
					at++
				}
				whole := bytes.Repeat([]byte{0xa5}, at+size+64)
				around = append(around, whole[:at], whole[at+size:])
				return whole[at : at+size : at+size]
			})
			results := placed.results(loop.run(placed))
			for _, piece := range around {
				if bytes.Count(piece, []byte{0xa5}) != len(piece) {
					t.Fatalf("%s of %s: something around an operand was written", loop.name, what)
				}
			}
			return results
		}
		var plain []byte
		plainly(func() { plain = run() })
		vector := run()
		for i := range min(len(plain), len(vector)) {
			if plain[i] != vector[i] {
				t.Fatalf("%s of %s: byte %d of %d is %#x in the plain loop, %#x in the other", loop.name, what, i, len(plain), plain[i], vector[i])
			}
		}
	}
}

// TestVectors compares the plain loops and those in assembly for every length
// around a few turns of 8 and 16 and around the pieces of 512 that the plain
// loops take, for finite values and for all others.
func TestVectors(t *testing.T) {
	lengths := []int{511, 512, 513, 1024, 1031, 3000}
	for n := range 71 {
		lengths = append(lengths, n)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range lengths {
		for _, odd := range []float64{0, 0.01, 0.5} {
			for range 3 {
				agree(t, fmt.Sprintf("%d elements, %v of them odd", n, odd), draw(random, n, odd))
			}
		}
	}
	// Alphas that make NaNs, overflow and subnormals of finite values.
	for _, alpha := range []float32{0, float32(math.Copysign(0, -1)), 1, -1, 1e-40, 3e38, float32(math.Inf(-1)), float32(math.NaN())} {
		for _, odd := range []float64{0, 0.01, 0.5} {
			o := draw(random, 200, odd)
			o.alpha = alpha
			agree(t, fmt.Sprintf("alpha %v", alpha), o)
		}
	}
}

// TestVectorsLonely puts each special value at each place of a group of
// finite ones, on either side and on both: the branches for NaN and infinity
// are taken for one lane alone.
func TestVectorsLonely(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 37 {
		for _, bits := range special {
			o, v, word := draw(random, 37, 0), math.Float32frombits(bits), uint16(bits>>16)
			switch random.IntN(3) {
			case 0:
				o.base[i] = v
				binary.LittleEndian.PutUint16(o.rawBase[2*i:], word)
			case 1:
				o.tuned[i] = v
				binary.LittleEndian.PutUint16(o.rawTuned[2*i:], word)
			default:
				o.base[i], o.tuned[i] = v, v
				binary.LittleEndian.PutUint16(o.rawBase[2*i:], word)
				binary.LittleEndian.PutUint16(o.rawTuned[2*i:], word)
			}
			agree(t, fmt.Sprintf("%#08x at %d", bits, i), o)
		}
	}
}

// TestVectorsPatterns runs through all words of 16 bits, and through float32
// with every upper half and lower halves around the ties of both types.
func TestVectorsPatterns(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const n = 1 << 16
	for _, lower := range []uint32{0, 1, 0x0fff, 0x1000, 0x1001, 0x3000, 0x7fff, 0x8000, 0x8001, 0xffff} {
		o := operands{
			make([]float32, n), make([]float32, n), make([]float32, n),
			make([]byte, 2*n), make([]byte, 2*n), make([]byte, 2*n), 0.7,
		}
		for i := range n {
			o.base[i], o.tuned[i] = math.Float32frombits(uint32(i)<<16|lower), math.Float32frombits(random.Uint32())
			binary.LittleEndian.PutUint16(o.rawBase[2*i:], uint16(i))
			binary.LittleEndian.PutUint16(o.rawTuned[2*i:], uint16(random.Uint32()))
		}
		agree(t, fmt.Sprintf("all patterns over %#04x", lower), o)
	}
}
