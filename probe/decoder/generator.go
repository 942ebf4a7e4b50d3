package decoder

import (
	"context"
	"errors"
	"slices"

	"surgeon/tensors/kernel"
)

const (
	generatedSequences = 64
	generatedCache     = 512 << 20
)

// generator is a Generate that runs.
type generator struct {
	m        *Model
	requests []Generation
	opt      GenerateOptions
	answers  []Generated
	tokens   int64 // generated so far
	rows     int64 // fed so far

	waiting []*sequence // in lexical order of ids
	active  []*sequence // in the order in which they joined
	last    *sequence   // the last that joined: the next one may share its beginning
}

func newGenerator(m *Model, requests []Generation, opt GenerateOptions) *generator {
	if opt.Sequences < 1 {
		opt.Sequences = generatedSequences
	}
	if opt.Cache < 1 {
		opt.Cache = generatedCache
	}
	g := &generator{m: m, requests: requests, opt: opt, answers: make([]Generated, len(requests))}
	for i, r := range requests {
		g.waiting = append(g.waiting, &sequence{request: i, prompt: len(r.Prompt), ids: slices.Clone(r.Prompt)})
	}
	g.sort()
	return g
}

func (g *generator) sort() {
	slices.SortStableFunc(g.waiting, func(a, b *sequence) int { return slices.Compare(a.ids, b.ids) })
}

// step feeds the last token of every active sequence and the prompts of those
// that join, and takes a token for each.
func (g *generator) step(ctx context.Context) error {
	g.evict()
	b, rows := newSteps(g.m.config, g.active)
	joined := g.join(b)
	rows = append(rows, joined.add(b, g.last)...)
	if n := len(joined); n > 0 {
		g.last = joined[n-1]
	}
	g.active = append(g.active, joined...)
	tokens, err := g.draw(ctx, b, rows)
	if err != nil {
		return err
	}
	joined.part()
	active := g.active[:0]
	for i, s := range g.active {
		answer, finished := s.accept(g.requests[s.request], tokens[i], g.m.config.Context)
		if !finished {
			active = append(active, s)
			continue
		}
		g.answers[s.request] = answer
		if g.opt.Done != nil {
			g.opt.Done(s.request, answer)
		}
	}
	if g.tokens += int64(len(g.active)); g.opt.Progress != nil {
		g.opt.Progress(g.tokens)
	}
	clear(g.active[len(active):])
	g.active = active
	return nil
}

// evict sends sequences back to wait, the last first, until the caches of the
// rest have room. What they generated is fed with the prompt
// when they join again.
func (g *generator) evict() {
	if g.room(0) > g.opt.Cache {
		g.last = nil
	}
	kept := len(g.active)
	for len(g.active) > 1 && g.room(0) > g.opt.Cache {
		s := g.active[len(g.active)-1]
		s.caches, g.active = nil, g.active[:len(g.active)-1]
		g.waiting = append(g.waiting, s)
	}
	if len(g.active) < kept {
		g.sort()
	}
}

// room is the memory of all caches, and of so many tokens more. Layers are
// alike.
func (g *generator) room(more int) int64 {
	var first []*kernel.Cache
	if g.last != nil {
		first = append(first, g.last.caches[0])
	}
	for _, s := range g.active {
		first = append(first, s.caches[0])
	}
	c := g.m.config
	return int64(c.Layers) * (kernel.CachesBytes(first) + kernel.CacheBytes(more, c.KVHeads, c.HeadDim))
}

// join takes waiting sequences that fit beside the rows of the batch: one at
// least, if nothing else is to be done.
func (g *generator) join(b *batch) joining {
	n, fed := 0, 0
	before := g.last
	for _, s := range g.waiting {
		fed += len(s.ids)
		if before != nil {
			fed -= shared(before.ids, s.ids)
		}
		full := len(g.active)+n >= g.opt.Sequences || len(b.tokens)+fed > batchRows || g.room(fed) > g.opt.Cache
		if full && len(g.active)+n > 0 {
			break
		}
		before, n = s, n+1
	}
	joined := slices.Clone(g.waiting[:n])
	clear(g.waiting[:n]) // or their caches would stay in memory when they have ended
	g.waiting = g.waiting[n:]
	return joined
}

// draw runs a batch and draws a token for each active sequence from the logits
// of its row.
func (g *generator) draw(ctx context.Context, b *batch, rows []int) ([]int32, error) {
	g.rows += int64(len(b.tokens))
	streams, err := g.m.streams([]*batch{b})
	if err != nil {
		return nil, err
	}
	for layer := range g.m.config.Layers {
		if err := g.m.advance(ctx, layer, []*batch{b}, streams, func(int) {}); err != nil {
			return nil, err
		}
	}
	tokens := make([]int32, len(rows))
	err = g.m.logits(ctx, streams[0], rows, func(i int, logits []float32) error {
		s := g.active[i]
		if !kernel.Finite(logits) {
			return &RequestError{s.request, errors.New("its logits are not finite")}
		}
		tokens[i] = g.requests[s.request].Sampling.draw(logits, len(s.ids)-s.prompt)
		return nil
	})
	return tokens, err
}

// newSteps makes a batch of the last tokens of sequences, behind their caches,
// and lists the row of each.
func newSteps(c Config, active []*sequence) (b *batch, rows []int) {
	b = &batch{leaves: map[int]int{}, caches: make([][]*kernel.Cache, c.Layers)}
	for i, s := range active {
		last := len(s.ids) - 1
		b.tokens = append(b.tokens, s.ids[last])
		b.positions = append(b.positions, int32(last))
		b.segments = append(b.segments, kernel.Segment{Start: i, End: i + 1, Parent: -1})
		for layer, cache := range s.caches {
			b.caches[layer] = append(b.caches[layer], cache)
		}
		rows = append(rows, i)
	}
	return b, rows
}

// joining are sequences in lexical order whose ids are to be fed.
type joining []*sequence

// add adds the sequences to a batch as a forest, with a cache for every segment,
// and lists the row of the last token of each. What the first ones share with a
// sequence that was fed before is taken from its caches.
func (j joining) add(b *batch, before *sequence) (rows []int) {
	if len(j) == 0 {
		return nil
	}
	ids, order := make([][]int32, len(j)), make([]int, len(j))
	for i, s := range j {
		ids[i], order[i] = s.ids, i
	}
	first := len(b.segments)
	b.grow(ids, order, 0, -1)
	for layer := range b.caches {
		for range b.segments[first:] {
			b.caches[layer] = append(b.caches[layer], new(kernel.Cache))
		}
	}
	if before != nil {
		b.shorten(first, before)
	}
	for i, s := range j {
		leaf := b.leaves[i]
		rows = append(rows, b.segments[leaf].End-1)
		for layer := range b.caches {
			s.caches = append(s.caches, b.caches[layer][leaf])
		}
	}
	return rows
}

// part gives sequences with the same ids, which were fed once, caches of their
// own.
func (j joining) part() {
	for i := 1; i < len(j); i++ {
		if j[i].caches[0] != j[i-1].caches[0] {
			continue
		}
		for layer, cache := range j[i].caches {
			j[i].caches[layer] = cache.Prefix(cache.Len())
		}
	}
}

// shorten takes the beginning of a tree, one of the segments from first on,
// from the caches of a sequence, and its rows out of the batch.
func (b *batch) shorten(first int, before *sequence) {
	for r := first; r < len(b.segments); r++ {
		root := b.segments[r]
		n := min(shared(before.ids[:before.caches[0].Len()], b.tokens[root.Start:root.End]), root.End-root.Start-1)
		if root.Parent >= 0 || n == 0 {
			continue
		}
		b.tokens = slices.Delete(b.tokens, root.Start, root.Start+n)
		b.positions = slices.Delete(b.positions, root.Start, root.Start+n)
		b.segments[r].End -= n
		for later := r + 1; later < len(b.segments); later++ {
			b.segments[later].Start -= n
			b.segments[later].End -= n
		}
		for layer := range b.caches {
			b.caches[layer][r] = before.caches[layer].Prefix(n)
		}
		return // the other trees begin with other tokens
	}
}
