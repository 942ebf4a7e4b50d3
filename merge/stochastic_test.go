package merge

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"math"
	"slices"
	"testing"

	"surgeon/tensors"
)

// rounding is what the tests know of a type by themselves: its smallest
// positive number, and the number after 1.
var rounding = []struct {
	d              tensors.DType
	tiny, afterOne float64
}{
	{tensors.F32, 0x1p-149, 1 + 0x1p-23},
	{tensors.F16, 0x1p-24, 1 + 0x1p-10},
	{tensors.BF16, 0x1p-133, 1 + 0x1p-7},
	{tensors.F8E4M3, 0x1p-9, 1.125},
	{tensors.F8E5M2, 0x1p-16, 1.25},
}

// drawn rounds the same value n times and returns what is stored.
func drawn(d tensors.DType, v float64, n int, s stream) []float32 {
	raw, stored := make([]byte, n*d.Size()), make([]float32, n)
	roundStochastic(raw, slices.Repeat([]float64{v}, n), d, s, 0)
	tensors.Widen(stored, raw, d)
	return stored
}

// TestUnbiased: the mean of many roundings is the value, and each is one of
// its two neighbours, as often as the value is near it.
func TestUnbiased(t *testing.T) {
	const n = 20_000
	s := newStream(1, "unbiased")
	check := func(d tensors.DType, v, below, above float64) {
		t.Helper()
		up := 0
		for _, stored := range drawn(d, v, n, s) {
			if w := float64(stored); w != below && w != above {
				t.Fatalf("%s: %v became %v, which is neither %v nor %v", d, v, w, below, above)
			} else if w == above {
				up++
			}
		}
		share := (v - below) / (above - below)
		if off, limit := math.Abs(float64(up)/n-share), 5*math.Sqrt(share*(1-share)/n); off > limit {
			t.Errorf("%s: %v went up in %d of %d draws, expected %.4f of them", d, v, up, n, share)
		}
	}
	for _, r := range rounding {
		step := r.afterOne - 1
		for _, share := range []float64{0.001, 0.1, 0.25, 0.5, 0.7, 0.999} {
			for _, scale := range []float64{1, -1, 4, -0x1p-3} { // within the normal numbers
				low, high := min(scale, scale*r.afterOne), max(scale, scale*r.afterOne)
				check(r.d, low+share*(high-low), low, high)
			}
			check(r.d, 2-share*step, 2-step, 2)              // up to the next power of two
			check(r.d, -2+share*step, -2, -2+step)           //
			check(r.d, share*r.tiny, 0, r.tiny)              // below all numbers
			check(r.d, -share*r.tiny, -r.tiny, 0)            //
			check(r.d, (2+share)*r.tiny, 2*r.tiny, 3*r.tiny) // subnormal
			check(r.d, -(2+share)*r.tiny, -3*r.tiny, -2*r.tiny)
		}
		normal := r.tiny / step // the smallest normal number: on both sides of it numbers lie as near
		check(r.d, normal-0.3*r.tiny, normal-r.tiny, normal)
		check(r.d, normal+0.3*r.tiny, normal, normal+r.tiny)
		most := lattices[r.d].most
		check(r.d, most*(1-step/8), most-step*math.Exp2(math.Floor(math.Log2(most))), most)
	}
}

// TestUnbiasedSum: a change far below the distance of the numbers is lost to
// nearest rounding and kept in the mean by this one.
func TestUnbiasedSum(t *testing.T) {
	const n, v = 20_000, 1 + 0x1p-12
	var sum float64
	for _, stored := range drawn(tensors.BF16, v, n, newStream(2, "sum")) {
		sum += float64(stored) - 1
	}
	const share = 0x1p-12 / 0x1p-7
	if off, limit := math.Abs(sum/n-(v-1)), 5*0x1p-7*math.Sqrt(share*(1-share)/n); off > limit {
		t.Errorf("the mean of %v is %v off, at most %v is expected", v, off, limit)
	}
}

// sameAsNearest checks that values round stochastically as they do to nearest.
func sameAsNearest(t *testing.T, d tensors.DType, values []float64) {
	t.Helper()
	want, got := make([]byte, len(values)*d.Size()), make([]byte, len(values)*d.Size())
	tensors.Round64(want, values, d)
	for seed := range uint64(20) {
		if roundStochastic(got, values, d, newStream(seed, "nearest"), 0); !bytes.Equal(got, want) {
			t.Fatalf("%s, seed %d: %x, want %x", d, seed, got, want)
		}
	}
}

// TestExact: what a type holds stays, to the bit; what is no number or too
// large becomes what nearest rounding makes of it.
func TestExact(t *testing.T) {
	for _, r := range rounding {
		l := lattices[r.d]
		sameAsNearest(t, r.d, []float64{0, math.Copysign(0, -1), 1, -1, r.afterOne, -r.afterOne, r.tiny, -r.tiny, 3 * r.tiny, l.most, -l.most,
			math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(math.NaN(), -1), 1e300, -1e300,
			math.Nextafter(l.most, math.Inf(1)), l.most * (1 + 0x1p-20), -l.most * 1.01, l.most * 1.5})
		if size := r.d.Size(); size <= 2 {
			sameAsNearest(t, r.d, everyValue(r.d))
		}
	}
	sameAsNearest(t, tensors.F64, []float64{0.1, -1e-320, 1e308, math.Copysign(0, -1), math.Inf(1)})
	raw := make([]byte, 2)
	for seed := range uint64(100) { // a negative value that becomes 0 keeps its sign, as to nearest
		if roundStochastic(raw, []float64{-1e-42}, tensors.BF16, newStream(seed, "sign"), 0); raw[1] != 0x80 {
			t.Fatalf("-1e-42 became %x", raw)
		}
	}
}

// everyValue are all values of a type of at most 16 bits, NaN apart.
func everyValue(d tensors.DType) []float64 {
	var values []float64
	raw, value := make([]byte, 2), make([]float32, 1)
	for i := range 1 << (8 * d.Size()) {
		binary.LittleEndian.PutUint16(raw, uint16(i))
		if tensors.Widen(value, raw[:d.Size()], d); value[0] == value[0] {
			values = append(values, float64(value[0]))
		}
	}
	return values
}

// TestNeighbours: between all neighbours of the small types a value becomes the
// lower one or the higher one, whichever side of the share the draw falls on.
func TestNeighbours(t *testing.T) {
	for _, r := range rounding[1:] {
		l := lattices[r.d]
		values := slices.DeleteFunc(everyValue(r.d), func(v float64) bool { return math.IsInf(v, 0) || v < 0 || math.Signbit(v) })
		slices.Sort(values)
		if values[len(values)-1] != l.most || values[1] != r.tiny {
			t.Errorf("%s: numbers from %v to %v, want %v to %v", r.d, values[1], values[len(values)-1], r.tiny, l.most)
		}
		for i, low := range values[:len(values)-1] {
			high := values[i+1]
			v := low + 0.25*(high-low) // exact in float64
			for _, sign := range []float64{1, -1} {
				if up, down := l.round(sign*v, math.Nextafter(0.25, 0)), l.round(sign*v, 0.25); up != sign*high || down != sign*low {
					t.Fatalf("%s: %v becomes %v or %v, want %v or %v", r.d, sign*v, up, down, sign*high, sign*low)
				}
			}
		}
	}
}

// TestSplit: the draw of an element depends on its place in the tensor, not on
// the range that is rounded; seeds and names give different draws.
func TestSplit(t *testing.T) {
	const n = 1000
	values := make([]float64, n)
	for i := range values {
		values[i] = newStream(7, "values").uniform(i) - 0.5
	}
	before := slices.Clone(values)
	whole := func(d tensors.DType, s stream) []byte {
		raw := make([]byte, n*d.Size())
		roundStochastic(raw, values, d, s, 0)
		return raw
	}
	for _, r := range rounding {
		s, size := newStream(3, "model.norm.weight"), r.d.Size()
		want, got := whole(r.d, s), make([]byte, n*r.d.Size())
		for _, length := range []int{1, 7, 64, 999} {
			for from := 0; from < n; from += length {
				to := min(from+length, n)
				roundStochastic(got[from*size:to*size], values[from:to], r.d, s, from)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s in pieces of %d: other bytes", r.d, length)
			}
		}
		for _, other := range []stream{newStream(4, "model.norm.weight"), newStream(3, "model.norm.bias"), newStream(3, "")} {
			if bytes.Equal(whole(r.d, other), want) {
				t.Errorf("%s: another stream gives the same bytes", r.d)
			}
		}
	}
	if !slices.Equal(values, before) {
		t.Error("the values were changed")
	}
}

// TestStream pins the stream: a seed that was written into a record gives the
// same model for ever.
func TestStream(t *testing.T) {
	check := func(s stream, want ...uint64) {
		t.Helper()
		for i, w := range want {
			if got := uint64(s.uniform(i) * 0x1p53); got != w>>11 {
				t.Errorf("value %d of %x is %#x, want %#x", i, s.key, got, w>>11)
			}
		}
	}
	// The first outputs of SplitMix64 with seed 0, whose state is golden at first.
	check(stream{golden}, 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f)
	hash := fnv.New64a()
	hash.Write([]byte("\x08\x07\x06\x05\x04\x03\x02\x01model.norm.weight"))
	if got, want := newStream(0x0102030405060708, "model.norm.weight").key, mix64(hash.Sum64()); got != want {
		t.Errorf("key %#x, want %#x", got, want)
	}
	check(newStream(42, "model.layers.0.mlp.up_proj.weight"), 0xc0878cc34644b33a, 0x406c67fc13938ea8, 0xbd6283160697a9e3, 0x2aba06c3621c9a2e)
	raw := make([]byte, 2*8)
	roundStochastic(raw, slices.Repeat([]float64{1.004}, 8), tensors.BF16, newStream(42, "model.norm.weight"), 1<<40)
	if want := "813f803f803f803f813f803f813f813f"; want != hex.EncodeToString(raw) {
		t.Errorf("bytes %s, want %s", hex.EncodeToString(raw), want)
	}
}

// TestUniform: values are in [0,1) and lie evenly.
func TestUniform(t *testing.T) {
	const n = 100_000
	var counts [10]int
	s := newStream(9, "uniform")
	for i := range n {
		u := s.uniform(i)
		if u < 0 || u >= 1 {
			t.Fatalf("value %d is %v", i, u)
		}
		counts[int(u*10)]++
	}
	for i, count := range counts { // standard deviation sqrt(n*0.1*0.9) = 95
		if math.Abs(float64(count)-n/10) > 5*95 {
			t.Errorf("%d of %d values begin with %d", count, n, i)
		}
	}
}

// BenchmarkRoundStochastic rounds a block to bf16.
func BenchmarkRoundStochastic(b *testing.B) {
	values := make([]float64, 1<<16)
	for i := range values {
		values[i] = newStream(7, "values").uniform(i)
	}
	raw := make([]byte, 2*len(values))
	b.SetBytes(int64(len(values)))
	for b.Loop() {
		roundStochastic(raw, values, tensors.BF16, newStream(1, "x"), 0)
	}
}
