package pairsum

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// bothWays runs a test with the assembly, where there is one, and without.
func bothWays(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Run("assembly", func(t *testing.T) {
		if !abreast {
			t.Skip("this processor has no instructions for it")
		}
		test(t)
	})
	t.Run("plain", func(t *testing.T) { plainly(func() { test(t) }) })
}

// plainly runs work with the assembly switched off.
func plainly(work func()) {
	defer func(before bool) { abreast = before }(abreast)
	abreast = false
	work()
}

// check compares the sums of a pair with those of what was written to it.
func check(t *testing.T, p *pair, x, y []byte) {
	t.Helper()
	first, second := p.Sum()
	if first != sha256.Sum256(x) {
		t.Fatalf("first stream of %d bytes, beside %d: %x", len(x), len(y), first)
	}
	if second != sha256.Sum256(y) {
		t.Fatalf("second stream of %d bytes, beside %d: %x", len(y), len(x), second)
	}
}

// pair is two streams that are written side by side.
type pair struct{ first, second *Stream }

func newPair() *pair { return &pair{New(), New()} }

func (p *pair) Write(x, y []byte) { Write(p.first, p.second, x, y) }

func (p *pair) Sum() (first, second [sha256.Size]byte) { return p.first.Sum(), p.second.Sum() }

// noise returns n bytes that differ from call to call.
func noise(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// TestVectors has the examples of FIPS 180-2, appendix B, and of NIST's
// "SHA256.pdf", as either stream and beside each other.
func TestVectors(t *testing.T) {
	vectors := []struct{ message, sum string }{
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
			"cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
		{strings.Repeat("a", 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	}
	bothWays(t, func(t *testing.T) {
		for _, v := range vectors {
			for _, w := range vectors {
				p := newPair()
				p.Write([]byte(v.message), []byte(w.message))
				first, second := p.Sum()
				if hex.EncodeToString(first[:]) != v.sum || hex.EncodeToString(second[:]) != w.sum {
					t.Errorf("%d bytes beside %d: %x, %x", len(v.message), len(w.message), first, second)
				}
			}
		}
	})
}

// TestLengths has every pair of lengths around the first four blocks.
func TestLengths(t *testing.T) {
	const most = 300
	random := rand.New(rand.NewPCG(1, 2))
	x, y := noise(random, most), noise(random, most)
	bothWays(t, func(t *testing.T) {
		for n := range most + 1 {
			for m := range most + 1 {
				p := newPair()
				p.Write(x[:n], y[:m])
				check(t, p, x[:n], y[:m])
			}
		}
	})
}

// TestSplits writes streams of random lengths in random parts, at addresses of
// any alignment, and asks for sums on the way.
func TestSplits(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	bothWays(t, func(t *testing.T) {
		for range 2000 {
			x, y := noise(random, random.IntN(3000)), noise(random, random.IntN(3000))
			part := 1 + random.IntN(400)
			p := newPair()
			for i, j := 0, 0; i < len(x) || j < len(y); {
				n, m := min(random.IntN(part+1), len(x)-i), min(random.IntN(part+1), len(y)-j)
				p.Write(x[i:i+n], y[j:j+m])
				i, j = i+n, j+m
				if random.IntN(8) == 0 {
					check(t, p, x[:i], y[:j])
				}
			}
			check(t, p, x, y)
		}
	})
}

// TestUneven has streams of very different lengths, and of more blocks than
// the assembly takes in one turn.
func TestUneven(t *testing.T) {
	const whole = turn * blockLen
	random := rand.New(rand.NewPCG(5, 6))
	x, y := noise(random, 5*whole+7), noise(random, 5*whole+7)
	lengths := []int{0, 1, 63, 64, 65, whole - 1, whole, whole + 64, 2 * whole, len(x)}
	bothWays(t, func(t *testing.T) {
		for _, n := range lengths {
			for _, m := range lengths {
				p := newPair()
				p.Write(x[:n], y[:m])
				check(t, p, x[:n], y[:m])
				p.Write(x[n:], y[m:]) // the rest, where the other has more
				check(t, p, x, y)
			}
		}
	})
}

// TestAlike: one slice can be both streams, and pairs do not share anything.
func TestAlike(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	x, y := noise(random, 1000), noise(random, 1000)
	bothWays(t, func(t *testing.T) {
		p, q := newPair(), newPair()
		p.Write(x, x)
		q.Write(y, x)
		p.Write(y, y)
		check(t, p, join(x, y), join(x, y))
		check(t, q, y, x)
	})
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestPartners: streams may change their partners, and be written alone.
func TestPartners(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	bothWays(t, func(t *testing.T) {
		for range 300 {
			var streams [4]*Stream
			var written [4][]byte
			for i := range streams {
				streams[i] = New()
			}
			for range 12 {
				i, j := random.IntN(4), random.IntN(4)
				x, y := noise(random, random.IntN(300)), noise(random, random.IntN(300))
				written[i] = append(written[i], x...)
				if i == j {
					if n, err := streams[i].Write(x); n != len(x) || err != nil {
						t.Fatal(n, err)
					}
					continue
				}
				Write(streams[i], streams[j], x, y)
				written[j] = append(written[j], y...)
			}
			for i, s := range streams {
				if s.Sum() != sha256.Sum256(written[i]) {
					t.Fatalf("stream %d of %d bytes: %x", i, len(written[i]), s.Sum())
				}
			}
		}
	})
}

// TestItself: a stream cannot stand beside itself.
func TestItself(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	s := New()
	Write(s, s, []byte{1}, []byte{2})
}

// TestReadsOnly: what is written stays as it is.
func TestReadsOnly(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	x, y := noise(random, 700), noise(random, 700)
	p := newPair()
	before := join(x, y)
	p.Write(x, y)
	if !bytes.Equal(before, join(x, y)) {
		t.Error("Write changed a stream")
	}
}

// TestKnown: hashes of other states than those described are left alone.
func TestKnown(t *testing.T) {
	if !isKnown(sha256.New()) {
		t.Error("crypto/sha256 has another state in this version of Go: pairs are digested one by one")
	}
	begun := sha256.New()
	begun.Write([]byte{1})
	if isKnown(begun) {
		t.Error("a hash of one byte is known as empty")
	}
	if isKnown(sha256.New224()) {
		t.Error("SHA-224 is known as SHA-256")
	}
	if isKnown(stranger{}) {
		t.Error("a hash without a state is known")
	}
}

// stranger is a hash that keeps its state to itself.
type stranger struct{ hash.Hash }

// TestInstructions compares what the processor was asked with what Linux says
// about it.
func TestInstructions(t *testing.T) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || runtime.GOARCH != "amd64" {
		t.Skip("nobody to ask")
	}
	has := func(flag string) bool { return slices.Contains(strings.Fields(string(info)), flag) }
	if want := has("sha_ni") && has("avx2"); instructions != want {
		t.Errorf("instructions is %v, Linux says %v", instructions, want)
	}
}

// FuzzPair splits both streams where the input says.
func FuzzPair(f *testing.F) {
	f.Add([]byte("abc"), []byte(""), 1, 0)
	f.Add(make([]byte, 200), make([]byte, 130), 64, 1)
	f.Add(make([]byte, 64), make([]byte, 640), 0, 63)
	f.Fuzz(func(t *testing.T, x, y []byte, n, m int) {
		n, m = within(n, len(x)), within(m, len(y))
		write := func() {
			p := newPair()
			p.Write(x[:n], y[:m])
			check(t, p, x[:n], y[:m])
			p.Write(x[n:], y[m:])
			check(t, p, x, y)
		}
		write()
		plainly(write)
	})
}

// within maps any number into 0..most.
func within(n, most int) int { return int(uint(n) % uint(most+1)) }
