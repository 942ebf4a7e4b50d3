package merge

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// asked asks for keys in their order, each of so many bytes, and returns how often
// they were computed.
func asked(t *testing.T, r *recent[string, string], keys string, bytes int64) (computed string) {
	t.Helper()
	for _, k := range keys {
		key := string(k)
		got, err := r.get(key, func() (string, int64, error) {
			computed += key
			return "value of " + key, bytes, nil
		})
		if err != nil || got != "value of "+key {
			t.Fatalf("%s: %q, %v", key, got, err)
		}
	}
	return computed
}

// TestRecent: what was asked for last is there, what is oldest goes first, and what
// is larger than all room is kept alone.
func TestRecent(t *testing.T) {
	check := func(most, bytes int64, keys, want string) {
		t.Helper()
		r := recent[string, string]{most: most}
		if got := asked(t, &r, keys, bytes); got != want {
			t.Errorf("room for %d of %d bytes each, asked for %s: computed %s, want %s", most, bytes, keys, got, want)
		}
		if r.bytes > max(most, bytes) || r.bytes != int64(len(r.kept))*max(1, bytes) {
			t.Errorf("room for %d: %d values of %d bytes are kept, %d in all", most, len(r.kept), bytes, r.bytes)
		}
	}
	check(30, 10, "abcabc", "abc")
	check(30, 10, "abcdabcd", "abcdabcd") // the next one is always the one that went
	check(30, 10, "abcadbac", "abcdbc")   // a was asked for again and stays
	check(29, 10, "abcba", "abca")
	check(5, 10, "aabba", "aba")
	check(0, 10, "aaba", "aba")
	check(3, 0, "abcdd", "abcd") // values of no bytes count as one
}

// TestRecentOnce: several that ask at once wait for one computation.
func TestRecentOnce(t *testing.T) {
	var all sync.WaitGroup
	var times [5]atomic.Int32
	r := recent[int, int]{most: 40}
	for i := range 100 {
		all.Go(func() {
			key := i % 5
			v, err := r.get(key, func() (int, int64, error) {
				times[key].Add(1)
				return 10 * key, 8, nil
			})
			if err != nil || v != 10*key {
				t.Errorf("key %d: %d, %v", key, v, err)
			}
		})
	}
	all.Wait()
	for key := range times {
		if n := times[key].Load(); n != 1 {
			t.Errorf("key %d was computed %d times", key, n)
		}
	}
}

// TestRecentFailed: a value that could not be computed is not kept and drops no
// other.
func TestRecentFailed(t *testing.T) {
	r, failed := recent[string, string]{most: 10}, errors.New("the disk is gone")
	asked(t, &r, "a", 10)
	for range 2 {
		if v, err := r.get("b", func() (string, int64, error) { return "half", 10, failed }); !errors.Is(err, failed) {
			t.Errorf("%q, %v", v, err)
		}
	}
	if again := asked(t, &r, "ab", 5); again != "b" {
		t.Errorf("computed %q after a failure, want b alone", again)
	}
	if len(r.kept) != 1 || r.bytes != 5 {
		t.Errorf("%d values are kept, of %d bytes", len(r.kept), r.bytes)
	}
}
