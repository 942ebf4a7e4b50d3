package token

import "slices"

// trie finds which of a set of strings a text begins with. The children of a
// node lie side by side in the order of their bytes.
type trie struct {
	nodes []trieNode
	roots [256]int32 // the children of the root, which is asked most
}

type trieNode struct {
	children int32 // where they begin
	value    int32 // of the string that ends here, or noValue
	count    uint16
	label    byte
}

const noValue = -1

// branch is the part of the sorted keys that begin with the bytes of one node.
type branch struct{ node, low, high, depth int }

// newTrie holds keys, none empty, with their values.
func newTrie(values map[string]int32) trie {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	t := trie{nodes: []trieNode{{value: noValue}}}
	waiting := []branch{{high: len(keys)}}
	for len(waiting) > 0 {
		b := waiting[0]
		waiting = waiting[1:]
		if b.low < b.high && len(keys[b.low]) == b.depth {
			t.nodes[b.node].value = values[keys[b.low]]
			b.low++
		}
		waiting = t.grow(b, keys, waiting)
	}
	for b := range t.roots {
		t.roots[b] = t.search(0, byte(b))
	}
	return t
}

// grow gives a node its children and adds their branches to waiting.
func (t *trie) grow(b branch, keys []string, waiting []branch) []branch {
	t.nodes[b.node].children = int32(len(t.nodes))
	for low := b.low; low < b.high; {
		label, high := keys[low][b.depth], low+1
		for high < b.high && keys[high][b.depth] == label {
			high++
		}
		waiting = append(waiting, branch{len(t.nodes), low, high, b.depth + 1})
		t.nodes = append(t.nodes, trieNode{value: noValue, label: label})
		t.nodes[b.node].count++
		low = high
	}
	return waiting
}

// child returns the node that b leads to, or 0, which no byte leads to.
func (t *trie) child(node int32, b byte) int32 {
	if node == 0 {
		return t.roots[b]
	}
	return t.search(node, b)
}

func (t *trie) search(node int32, b byte) int32 {
	low := t.nodes[node].children
	high := low + int32(t.nodes[node].count)
	end := high
	for low < high {
		middle := (low + high) / 2
		if t.nodes[middle].label < b {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < end && t.nodes[low].label == b {
		return low
	}
	return 0
}

// longest returns the value and the length of the longest string that text
// begins with; the length is 0 if there is none.
func (t *trie) longest(text string) (value int32, length int) {
	node := int32(0)
	for i := range len(text) {
		if node = t.child(node, text[i]); node == 0 {
			break
		}
		if found := t.nodes[node].value; found != noValue {
			value, length = found, i+1
		}
	}
	return value, length
}
