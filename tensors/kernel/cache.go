package kernel

import (
	"fmt"
	"slices"
)

// Cache holds the keys and values of one layer along one sequence, packed as
// Attention multiplies them. The zero value is an empty one. Caches that have a
// common beginning share the full pages of it.
type Cache struct {
	length int
	heads  [][]*page // per head of keys and values; a page for each 256 positions
}

// Len is the number of tokens whose keys and values are held.
func (c *Cache) Len() int { return c.length }

// CacheBytes is the memory of a Cache of so many tokens.
func CacheBytes(tokens, kvHeads, dim int) int64 {
	full, rest := tokens/innerBlock, tokens%innerBlock
	positions := full * innerBlock
	if rest > 0 {
		positions += pageCapacity(rest)
	}
	return 4 * int64(positions) * int64(kvHeads) * int64(dim+panels(dim)*panelColumns)
}

// CachesBytes is the memory of caches, with pages that several share counted
// once.
func CachesBytes(caches []*Cache) int64 {
	counted := map[*page]bool{}
	var total int64
	for _, c := range caches {
		for _, pages := range c.heads {
			for _, p := range pages {
				if !counted[p] {
					counted[p] = true
					total += p.keys.Bytes() + p.values.Bytes()
				}
			}
		}
	}
	return total
}

// Prefix returns a cache of the first tokens that goes its own way.
func (c *Cache) Prefix(tokens int) *Cache {
	if tokens > c.length {
		panic(fmt.Sprintf("kernel: a prefix of %d tokens of a cache of %d", tokens, c.length))
	}
	child := &Cache{length: tokens, heads: make([][]*page, len(c.heads))}
	for h, pages := range c.heads {
		child.heads[h] = fork(pages[:(tokens+innerBlock-1)/innerBlock], tokens)
	}
	return child
}

// fork returns pages of so many tokens that go their own way. One that is full
// never changes and is shared.
func fork(pages []*page, tokens int) []*page {
	pages = slices.Clone(pages)
	if last := len(pages) - 1; tokens%innerBlock != 0 {
		pages[last] = pages[last].clone()
	}
	return pages
}

// extend makes room in pages of from tokens for those up to to.
func extend(pages []*page, dim, from, to int) []*page {
	for len(pages)*innerBlock < to {
		pages = append(pages, new(page))
	}
	for i := from / innerBlock; i < len(pages); i++ {
		pages[i].grow(min(innerBlock, to-i*innerBlock), dim)
	}
	return pages
}

// page is the keys and values of one head at up to 256 positions, which is the
// length of the chains of the product with the values. What it holds of
// positions that were not written yet is 0.
type page struct {
	keys   Panels // [capacity, dim]
	values Panels // [dim, capacity]: the transposed values
}

// pageCapacity is the number of positions that a page for so many has: a power
// of two of panels, so that a page which grows is copied three times at most.
func pageCapacity(positions int) int {
	capacity := panelColumns
	for capacity < positions {
		capacity *= 2
	}
	return capacity
}

// reset makes an empty page for so many positions. NaN would not be multiplied
// away by a weight of 0.
func (p *page) reset(positions, dim int) {
	capacity := panels(positions) * panelColumns
	p.keys.out, p.keys.in = capacity, dim
	p.keys.single = zeros(p.keys.single, capacity*dim)
	p.values.out, p.values.in = panels(dim)*panelColumns, capacity
	p.values.single = zeros(p.values.single, capacity*p.values.out)
}

// grow makes room for so many positions in all and keeps those it has.
func (p *page) grow(positions, dim int) {
	if p.keys.out >= positions {
		return
	}
	old := *p
	*p = page{}
	p.reset(pageCapacity(positions), dim)
	copy(p.keys.single, old.keys.single)
	for n := range panels(dim) * min(1, old.values.in) {
		copy(p.values.single[n*p.values.in*panelColumns:], old.values.single[n*old.values.in*panelColumns:(n+1)*old.values.in*panelColumns])
	}
}

func (p *page) clone() *page {
	c := *p
	c.keys.single, c.values.single = slices.Clone(p.keys.single), slices.Clone(p.values.single)
	return &c
}

// put packs the key and the value of a position.
func (p *page) put(position int, key, value []float32) {
	at := position/panelColumns*panelColumns*p.keys.in + position%panelColumns
	for i, v := range key {
		p.keys.single[at+i*panelColumns] = v
	}
	for start := 0; start < len(value); start += panelColumns {
		n := start / panelColumns
		copy(p.values.single[(n*p.values.in+position)*panelColumns:], value[start:min(start+panelColumns, len(value))])
	}
}
