//go:build linux || darwin

package pairsum

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
)

// guarded maps a page of memory between two that nobody may touch. The test's
// end unmaps them.
func guarded(t *testing.T) (page, forbidden []byte) {
	t.Helper()
	size := os.Getpagesize()
	mapped, err := syscall.Mmap(-1, 0, 3*size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip("no memory map: ", err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(mapped) })
	for _, page := range [][]byte{mapped[:size], mapped[2*size:]} {
		if err := syscall.Mprotect(page, syscall.PROT_NONE); err != nil {
			t.Skip("no protected memory: ", err)
		}
	}
	return mapped[size : 2*size], mapped[2*size:]
}

// TestBounds puts both streams at either end of their own page: a read outside
// of them ends the test program.
func TestBounds(t *testing.T) {
	one, _ := guarded(t)
	two, _ := guarded(t)
	random := rand.New(rand.NewPCG(11, 12))
	copy(one, noise(random, len(one)))
	copy(two, noise(random, len(two)))
	bothWays(t, func(t *testing.T) {
		for n := range 200 {
			for _, m := range []int{0, 63, 64, 128, 130, n, n + 1, len(two)} {
				for _, s := range [][2][]byte{{one[len(one)-n:], two[len(two)-m:]}, {one[:n:n], two[:m:m]}} {
					p := newPair()
					p.Write(s[0], s[1])
					check(t, p, s[0], s[1])
				}
			}
		}
	})
}

// TestFault: reading a mapped file that was truncated is a panic that can be
// recovered from, in assembly too.
func TestFault(t *testing.T) {
	page, forbidden := guarded(t)
	fault := func(what string, x, y []byte) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if _, ok := recover().(interface{ Addr() uintptr }); !ok {
				t.Errorf("%s: no fault", what)
			}
		}()
		newPair().Write(x, y)
	}
	bothWays(t, func(t *testing.T) {
		fault("first", forbidden, page)
		fault("second", page, forbidden)
	})
}
