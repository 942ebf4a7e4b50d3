package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Parallel splits 0..n into one contiguous piece per processor and runs work
// on them at once. The pieces must write disjoint memory.
func Parallel(n int, work func(low, high int)) {
	pieces := min(runtime.GOMAXPROCS(0), n)
	switch {
	case pieces <= 0:
	case pieces == 1:
		work(0, n)
	case standing.busy.TryLock():
		defer standing.busy.Unlock()
		standing.run(&job{n: n, pieces: pieces, work: work})
	default: // inside or beside another Parallel
		var group sync.WaitGroup
		for i := 1; i < pieces; i++ {
			group.Go(func() { work(i*n/pieces, (i+1)*n/pieces) })
		}
		work(0, n/pieces)
		group.Wait()
	}
}

// inTurn cuts 0..n into pieces of step and runs work on them, by as many workers
// as there are processors: each takes the next piece when it has done one, so that
// pieces may cost more or less. The pieces must write disjoint memory.
func inTurn(n, step int, work func(low, high int)) {
	var next atomic.Int64
	pieces := (n + step - 1) / step
	Parallel(min(runtime.GOMAXPROCS(0), pieces), func(int, int) {
		for low := int(next.Add(1)-1) * step; low < n; low = int(next.Add(1)-1) * step {
			work(low, min(low+step, n))
		}
	})
}

// job is one Parallel. Whoever comes first takes a piece, so a worker that
// wakes up late keeps nobody waiting.
type job struct {
	n, pieces       int
	work            func(low, high int)
	taken, finished atomic.Int32
}

// help runs pieces until none is left.
func (j *job) help() {
	for {
		i := int(j.taken.Add(1)) - 1
		if i >= j.pieces {
			return
		}
		j.work(i*j.n/j.pieces, (i+1)*j.n/j.pieces)
		j.finished.Add(1)
	}
}

// crew is workers that wait for the next job. The kernels of one layer follow
// each other within microseconds, where to start a goroutine on another
// processor takes tens of them: a worker looks for the next job for a while
// before it sleeps.
type crew struct {
	busy    sync.Mutex
	workers int
	current atomic.Pointer[job]
	asleep  atomic.Int32
	wake    chan struct{}
}

var standing = crew{wake: make(chan struct{}, 1024)}

// patience is how often a worker looks for a job before it sleeps: about a
// tenth of a millisecond.
const patience = 1 << 16

// run does a job together with the workers.
func (c *crew) run(j *job) {
	for ; c.workers < j.pieces-1; c.workers++ {
		go c.serve(c.current.Load())
	}
	c.current.Store(j)
	for n := min(c.asleep.Load(), int32(j.pieces-1)); n > 0; n-- {
		select {
		case c.wake <- struct{}{}:
		default: // enough are on their way
		}
	}
	j.help()
	for int(j.finished.Load()) < j.pieces {
		runtime.Gosched()
	}
	c.current.Store(idle) // or the job's memory would stay
}

// idle is the job between jobs.
var idle = new(job)

// serve is the life of a worker that has seen a job before.
func (c *crew) serve(seen *job) {
	for {
		j := c.next(seen)
		if seen = j; j != idle {
			j.help()
		}
	}
}

// next waits for another job than the one that was seen.
func (c *crew) next(seen *job) *job {
	for {
		for range patience {
			if j := c.current.Load(); j != seen {
				return j
			}
		}
		c.asleep.Add(1)
		// A job that came in between did not see this worker asleep.
		if j := c.current.Load(); j != seen {
			c.asleep.Add(-1)
			return j
		}
		<-c.wake
		c.asleep.Add(-1)
	}
}
