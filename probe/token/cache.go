package token

import (
	"slices"
	"strings"
	"sync"
)

// Words repeat, and most are short. The bounds keep the cache below 20 MB.
const (
	cachedWords = 1 << 16
	cachedBytes = 48
)

// cache remembers the ids of words. The zero value is ready for use.
type cache struct {
	mutex sync.RWMutex
	words map[string][]int32
}

func (c *cache) get(word string) ([]int32, bool) {
	if len(word) > cachedBytes {
		return nil, false
	}
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	ids, ok := c.words[word]
	return ids, ok
}

// put copies what it keeps, so that no text is held back for one word of it. A
// full cache begins anew: simple, and the frequent words are soon back.
func (c *cache) put(word string, ids []int32) {
	if len(word) > cachedBytes {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.words == nil || len(c.words) >= cachedWords {
		c.words = make(map[string][]int32)
	}
	c.words[strings.Clone(word)] = slices.Clone(ids)
}
