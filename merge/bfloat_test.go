package merge_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// words16 is a bf16 model of one tensor "x".
func words16(list []uint16) *tensorstest.Memory {
	var data []byte
	for _, w := range list {
		data = binary.LittleEndian.AppendUint16(data, w)
	}
	m := tensorstest.NewMemory()
	m.AddRaw("x", tensors.Info{DType: tensors.BF16, Shape: []int{len(list)}}, data)
	return m
}

// pairs16 are bf16 models whose elements pair every pattern with partners:
// equal, near, opposite, special, any.
func pairs16() (base, tuned []uint16) {
	random := rand.New(rand.NewPCG(3, 4))
	special := []uint16{0, 0x8000, 1, 0x8001, 0x007f, 0x0080, 0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7f81, 0x7fc0, 0xffc1, 0x3f80}
	for i := range 1 << 16 {
		b := uint16(i)
		for _, u := range []uint16{b, b + 1, b - 2, b ^ 0x8000, special[random.IntN(len(special))], uint16(random.Uint32())} {
			base, tuned = append(base, b), append(tuned, u)
		}
	}
	return base, tuned
}

// TestFastPath: the kernel for bf16 gives the bits of the general path, which a
// Delta that is no Difference takes, for every pattern. Which NaN arithmetic
// makes is the processor's choice; a NaN of the base keeps its bits.
func TestFastPath(t *testing.T) {
	b, u := pairs16()
	base, tuned := words16(b), words16(u)
	delta := diff(t, base, tuned)
	for _, alpha := range []float64{0.1, 0.3, 0.5, 1, 1.7, -1, -0.4, 1e30, -1e30, 1e-30, 1e-300, 1e300, math.Inf(1), math.NaN()} {
		fast, general := raw(t, apply(t, base, term(delta, alpha)), "x"), raw(t, apply(t, base, term(hidden{delta}, alpha)), "x")
		if alpha == 1 { // the fast path gives the tuned model's bytes: another base makes it compute
			base := plainSource{map[string]tensors.Source{"m": base}}
			fast = raw(t, apply(t, base, term(diff(t, base, tuned), alpha)), "x")
		}
		moved := 0
		for i := range b {
			x, y := binary.LittleEndian.Uint16(fast[2*i:]), binary.LittleEndian.Uint16(general[2*i:])
			nan := x&0x7fff > 0x7f80 && y&0x7fff > 0x7f80
			if x != y && !(nan && b[i]&0x7fff <= 0x7f80) {
				t.Fatalf("alpha %v: %#04x towards %#04x is %#04x, in general %#04x", alpha, b[i], u[i], x, y)
			}
			if (u[i] == b[i] || b[i]&0x7fff > 0x7f80) && x != b[i] {
				t.Fatalf("alpha %v: %#04x towards %#04x became %#04x", alpha, b[i], u[i], x)
			}
			if x != b[i] {
				moved++
			}
		}
		if moved < 1000 {
			t.Errorf("alpha %v: %d elements moved: the test does not test", alpha, moved)
		}
	}
}

// TestFastPathMeasures: what a Record notes on the fast path is what it notes
// on the general one, but for the order of the sums; so is what it refuses.
func TestFastPathMeasures(t *testing.T) {
	base, tuned := long(tensors.BF16, 0, 0), long(tensors.BF16, 1, 0.01)
	delta := diff(t, base, tuned)
	for _, alpha := range []float64{0.1, 0.4, -2, 1.7} {
		fast, general := effectOf(t, apply(t, base, term(delta, alpha)).Record(false)), effectOf(t, apply(t, base, term(hidden{delta}, alpha)).Record(false))
		x, y := fast.Terms[0].Effective, general.Terms[0].Effective
		if !(math.Abs(x-y) <= 1e-12*math.Abs(y)) || slices.EqualFunc(fast.Tensors, general.Tensors, func(a, b merge.TensorEffect) bool { return a.Name != b.Name }) {
			t.Errorf("alpha %v: effective %v, in general %v", alpha, x, y)
		}
	}
	b, u := pairs16()
	for from := 0; from < len(b); from += 6 * 37 {
		base, tuned := words16(b[from:from+6]), words16(u[from:from+6])
		for _, alpha := range []float64{0.3, 1e30} {
			fast, general := apply(t, base, term(diff(t, base, tuned), alpha)).Record(false), apply(t, base, term(hidden{diff(t, base, tuned)}, alpha)).Record(false)
			if x, y := fast.ReadRaw(make([]byte, 12), "x", 0), general.ReadRaw(make([]byte, 12), "x", 0); (x == nil) != (y == nil) || x != nil && x.Error() != y.Error() {
				t.Errorf("%#04x at %v: %v, in general %v", b[from], alpha, x, y)
			}
		}
	}
}

// TestUncomparable: Sources that cannot be compared are merged by the general
// path, whatever hides what makes them so.
func TestUncomparable(t *testing.T) {
	hide := func(src tensors.Source) plainSource { return plainSource{map[string]tensors.Source{"m": src}} }
	for _, alpha := range []float64{0.5, 1} {
		base, tuned := vector("BF16", 1), vector("BF16", 2)
		want := values(t, toward(t, base, tuned, alpha), "x")[0]
		if got := values(t, toward(t, hide(base), tuned, alpha), "x")[0]; got != want {
			t.Errorf("alpha %v: %v, want %v", alpha, got, want)
		}
		t.Run("inside", func(t *testing.T) {
			type around struct{ tensors.Source }
			if got := values(t, toward(t, around{hide(base)}, tuned, alpha), "x")[0]; got != want {
				t.Errorf("alpha %v: %v, want %v", alpha, got, want)
			}
		})
	}
}
