//go:build linux || darwin

package kernel

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
)

// guarded maps pages of memory, each between two that nobody may touch. The
// test's end unmaps them.
func guarded(t *testing.T, count int) (pages, forbidden [][]byte) {
	t.Helper()
	size := os.Getpagesize()
	for range count {
		mapped, err := syscall.Mmap(-1, 0, 3*size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			t.Skip("no memory map: ", err)
		}
		t.Cleanup(func() { _ = syscall.Munmap(mapped) })
		for _, page := range [][]byte{mapped[:size], mapped[2*size:]} {
			if err := syscall.Mprotect(page, syscall.PROT_NONE); err != nil {
				t.Skip("no protected memory: ", err)
			}
			forbidden = append(forbidden, page)
		}
		pages = append(pages, mapped[size:2*size])
	}
	return pages, forbidden
}

// TestVectorsBounds puts every operand at either end of its own page: a read
// or write outside a slice ends the test program.
func TestVectorsBounds(t *testing.T) {
	pages, _ := guarded(t, 6)
	random := rand.New(rand.NewPCG(7, 8))
	for n := range 71 {
		for _, odd := range []float64{0, 0.05} {
			for _, end := range []bool{false, true} {
				for _, loop := range loops {
					next := 0
					o := draw(random, n, odd).place(func(size int) []byte {
						whole := pages[next]
						next++
						if end {
							return whole[len(whole)-size:]
						}
						return whole[:size:size]
					})
					loop.run(o)
				}
			}
		}
	}
}

// TestVectorsFault: reading a mapped file that was truncated is a panic that
// can be recovered from, in assembly too.
func TestVectorsFault(t *testing.T) {
	_, forbidden := guarded(t, 3)
	raw := forbidden[0]
	fault := func(what string, work func()) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if _, ok := recover().(interface{ Addr() uintptr }); !ok {
				t.Errorf("%s: no fault", what)
			}
		}()
		work()
	}
	n := len(raw) / 2
	values, words := make([]float32, n), make([]byte, len(raw))
	fault("WidenBF16", func() { WidenBF16(values, raw) })
	fault("WidenF16", func() { WidenF16(values, raw) })
	fault("CompareBF16, base", func() { CompareBF16(raw, words) })
	fault("CompareBF16, tuned", func() { CompareBF16(words, raw) })
	fault("MergeBF16", func() { MergeBF16(words, raw, words, 1) })
	fault("MergeProjectBF16", func() { MergeProjectBF16(words, words, raw, 1) })
}
