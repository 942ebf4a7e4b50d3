package record

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLogIndex compares the index with a map, over keys that collide in their
// places.
func TestLogIndex(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	x, want := newLogIndex(0), map[keyHash]int64{}
	for i := range 20000 {
		var key keyHash
		key[0] = byte(random.IntN(8)) // few places
		key[9], key[10] = byte(random.IntN(64)), byte(random.IntN(16))
		_, twice := want[key]
		if x.add(key, int64(i)) == twice {
			t.Fatalf("key %x is new: %v", key, !twice)
		}
		if !twice {
			want[key] = int64(i)
		}
	}
	if x.used != len(want) || x.used*4 > len(x.places)*3 {
		t.Errorf("%d keys in %d places, want %d keys", x.used, len(x.places), len(want))
	}
	for key, offset := range want {
		if got, ok := x.find(key); !ok || got != offset {
			t.Fatalf("key %x is at %d (%v), want %d", key, got, ok, offset)
		}
	}
	if _, ok := x.find(keyHash{255}); ok {
		t.Error("a key that was never added is found")
	}
}

// TestPythonFloat: what Python 3.11 prints as repr.
func TestPythonFloat(t *testing.T) {
	for want, x := range map[string]float64{
		"0.0": 0, "-0.0": math.Copysign(0, -1), "1.0": 1, "-5.006414890289307": -5.006414890289307, "0.1": 0.1, "0.0001": 1e-4, "1e-05": 1e-5, "1.5e-07": 1.5e-7,
		"1000000000000000.0": 1e15, "1e+16": 1e16, "1.2345678901234568e+17": 123456789012345678, "9007199254740992.0": 1 << 53, "5e-324": 5e-324,
		"1.7976931348623157e+308": math.MaxFloat64, "nan": math.NaN(), "inf": math.Inf(1), "-inf": math.Inf(-1), "0.3333333333333333": 1.0 / 3,
	} {
		if got := pythonFloat(x); got != want {
			t.Errorf("%v is %s, want %s", x, got, want)
		}
	}
}

func TestSafeName(t *testing.T) {
	for name, want := range map[string]string{"org/model": "org__model", `a"<>:/|\?*[]b`: "a__b", "C:\\x": "C__x", "..": "__", ".": "__", "": "__", "a.b_c-1": "a.b_c-1"} {
		if got := safeName(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func TestCanonical(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		got, err := canonical(json.RawMessage(in))
		if err != nil || string(got) != want {
			t.Errorf("%s is %s (%v), want %s", in, got, err, want)
		}
	}
	check(`{"b": 1.0, "a": [1e2, -0, -0.0, 0.10, 1E-7, 12345678901234567890123], "c": {"z": null, "<": "\u00e9\u003c\n"}}`,
		`{"a":[100,0,0,0.1,1e-7,12345678901234567890123],"b":1,"c":{"<":"é<\n","z":null}}`)
	check(` "x" `, `"x"`)
	for _, bad := range []string{`{"a": 1e999}`, `{`, `1 2`, ``} {
		if got, err := canonical(json.RawMessage(bad)); err == nil {
			t.Errorf("%q is %s", bad, got)
		}
	}
}

func TestLockBeside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	unlock, err := lockBeside(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockBeside(path); err == nil || !strings.Contains(err.Error(), "delete "+path+".lock if it has ended") || !strings.Contains(err.Error(), "process ") {
		t.Errorf("a second lock gives %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".lock"); !os.IsNotExist(err) {
		t.Errorf("the lock is left behind (%v)", err)
	}
	if _, err := lockBeside(path); err != nil {
		t.Errorf("locked again: %v", err)
	}
}

// TestClosed: what is one bracketed thing and what is not.
func TestClosed(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`: true, `{"a":"}"}`: true, `{"a":"\""}`: true, `{"a":"\\"}`: true, `{"a":[{},[]]}`: true,
		``: false, `{`: false, `{"a":"\"}`: false, `{"a":"\\\"}`: false, `{}}`: false, `{}{}`: false, `{"a":"b{"c":"d"}`: false, `{} `: false, "{\"a\":\"\x00\"}": false, `}{`: false,
	} {
		if got := closed([]byte(text)); got != want {
			t.Errorf("%q is closed: %v", text, got)
		}
	}
}
