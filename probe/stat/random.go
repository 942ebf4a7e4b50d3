package stat

import (
	"math/bits"
	"runtime"
	"sync"
)

// Every random number of this package is a function of the caller's seed, of
// what it is for and of its place in the row of draws, and of nothing else.
// So draws can be shared out among any number of processors without changing
// a bit of the result.

// purpose keeps the streams of different uses of one seed apart.
type purpose uint64

const (
	forFlips purpose = iota + 1
	forBootstrap
	forLargest
	forGap
)

// golden is 2^64 divided by the golden ratio, the step of splitmix64.
const golden = 0x9e3779b97f4a7c15

// mix scrambles x. Applied to the multiples of golden after a start value it
// is the generator splitmix64 (Steele, Lea and Flood, Fast Splittable
// Pseudorandom Number Generators, OOPSLA 2014; constants of Stafford's
// variant 13).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// stream returns the start value of the random numbers of one draw: number j
// of them, from 1, is mix(start + j*golden).
func stream(seed uint64, use purpose, index int) uint64 {
	return mix(mix(mix(seed+golden)+uint64(use)*golden) + uint64(index)*golden)
}

// below turns a random word into a number from 0 to n-1 (Lemire, ACM TOMACS
// 29, 2019, without the rejection step: no number is favoured by more than
// n/2^64).
func below(word uint64, n int) int {
	high, _ := bits.Mul64(word, uint64(n))
	return int(high)
}

// unit turns a random word into a number in [0,1).
func unit(word uint64) float64 { return float64(word>>11) * 0x1p-53 }

// parallel calls work for parts of the range from 0 to n-1 that together cover
// it once, on all processors, and returns when all are done. The parts differ
// with the number of processors, so work must treat every index by itself.
func parallel(n int, work func(from, to int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		work(0, n)
		return
	}
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() { work(worker*n/workers, (worker+1)*n/workers) })
	}
	group.Wait()
}
