package merge

import "sync"

// recent keeps the values that were asked for last. Each is computed once, also if
// several goroutines ask for it at once, and again if it was dropped. The zero
// value keeps the last one only.
type recent[K comparable, V any] struct {
	most int64 // bytes of the values that are kept, or the last one alone

	mu    sync.Mutex
	kept  map[K]*keeping[V]
	bytes int64
	turn  uint64
}

type keeping[V any] struct {
	once  sync.Once
	value V
	err   error
	bytes int64
	turn  uint64 // when it was asked for last
}

// get returns the value of a key, from compute if it is not there, which also says
// how many bytes it takes. A value that could not be computed is not kept.
func (r *recent[K, V]) get(key K, compute func() (value V, bytes int64, err error)) (V, error) {
	r.mu.Lock()
	if r.kept == nil {
		r.kept = map[K]*keeping[V]{}
	}
	k := r.kept[key]
	if k == nil {
		k = new(keeping[V])
		r.kept[key] = k
	}
	r.turn++
	k.turn = r.turn
	r.mu.Unlock()
	k.once.Do(func() {
		var bytes int64
		k.value, bytes, k.err = compute()
		r.computed(key, k, bytes)
	})
	return k.value, k.err
}

// computed takes a new value into account and drops the oldest ones for it.
func (r *recent[K, V]) computed(key K, k *keeping[V], bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k.err != nil {
		delete(r.kept, key)
		return
	}
	k.bytes = max(1, bytes)
	r.bytes += k.bytes
	for r.bytes > r.most {
		oldest, found := key, k
		for other, candidate := range r.kept {
			if candidate != k && candidate.bytes > 0 && (found == k || candidate.turn < found.turn) {
				oldest, found = other, candidate
			}
		}
		if found == k {
			return
		}
		delete(r.kept, oldest)
		r.bytes -= found.bytes
	}
}
