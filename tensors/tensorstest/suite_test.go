package tensorstest_test

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// liar is a Source that keeps the contract but for one method, which is put in
// its place.
type liar struct {
	*tensorstest.Memory
	names func() []string
	info  func(name string) (tensors.Info, bool)
	raw   func(dst []byte, name string, at int64) error
	read  func(dst []float32, name string, from int) error
}

func (l liar) Names() []string {
	if l.names != nil {
		return l.names()
	}
	return l.Memory.Names()
}

func (l liar) Info(name string) (tensors.Info, bool) {
	if l.info != nil {
		return l.info(name)
	}
	return l.Memory.Info(name)
}

func (l liar) ReadRaw(dst []byte, name string, at int64) error {
	if l.raw != nil {
		return l.raw(dst, name, at)
	}
	return l.Memory.ReadRaw(dst, name, at)
}

func (l liar) Read(dst []float32, name string, from int) error {
	if l.read != nil {
		return l.read(dst, name, from)
	}
	return l.Memory.Read(dst, name, from)
}

// honest is a small Source with everything TestSource looks at.
func honest() *tensorstest.Memory {
	m := tensorstest.NewMemory()
	m.Add("a", tensors.BF16, []int{2, 3}, []float32{1, 2, 3, 4, 5, 6})
	m.Add("b", tensors.F32, nil, []float32{7})
	m.AddRaw("c", tensors.Info{DType: "I64", Shape: []int{1}}, []byte("12345678"))
	return m
}

// brokenSources break one clause of the contract each.
func brokenSources() map[string]tensors.Source {
	m := honest()
	sources := map[string]tensors.Source{
		"empty":         tensorstest.NewMemory(),
		"not sorted":    liar{Memory: m, names: func() []string { return []string{"b", "a", "c"} }},
		"named twice":   liar{Memory: m, names: func() []string { return []string{"a", "a", "b", "c"} }},
		"not described": liar{Memory: m, names: func() []string { return []string{"a", "b", "c", "d"} }},
		"describes ghosts": liar{Memory: m, info: func(name string) (tensors.Info, bool) {
			i, ok := m.Info(name)
			return i, ok || name == "no such tensor"
		}},
	}
	raw := func(name string, f func(dst []byte, name string, at int64) error) {
		sources[name] = liar{Memory: m, raw: f}
	}
	raw("ghost bytes", func(dst []byte, name string, at int64) error {
		return and(m.ReadRaw(dst, name, at), name != "no such tensor")
	})
	raw("no bytes", func([]byte, string, int64) error { return errors.New("unreadable") })
	raw("at is ignored", func(dst []byte, name string, at int64) error {
		if err := m.ReadRaw(dst, name, at); err != nil {
			return err
		}
		return m.ReadRaw(dst, name, 0)
	})
	raw("bytes past the end", func(dst []byte, name string, at int64) error {
		info, ok := m.Info(name)
		return and(m.ReadRaw(dst, name, at), !ok || at < 0 || at+int64(len(dst)) <= info.Bytes())
	})
	raw("bytes before the beginning", func(dst []byte, name string, at int64) error { return and(m.ReadRaw(dst, name, at), at >= 0) })
	raw("a range of other bytes", func(dst []byte, name string, at int64) error {
		err := m.ReadRaw(dst, name, at)
		if info, ok := m.Info(name); ok && err == nil && 0 < len(dst) && int64(len(dst)) < info.Bytes() {
			dst[0]++
		}
		return err
	})
	read := func(name string, f func(dst []float32, name string, from int) error) {
		sources[name] = liar{Memory: m, read: f}
	}
	read("ghost values", func(dst []float32, name string, from int) error {
		return and(m.Read(dst, name, from), name != "no such tensor")
	})
	read("integers", func(dst []float32, name string, from int) error { return and(m.Read(dst, name, from), name != "c") })
	read("past the end", func(dst []float32, name string, from int) error {
		info, _ := m.Info(name)
		return and(m.Read(dst, name, from), info.Len() == 0 || from < 0 || from+len(dst) <= info.Len())
	})
	read("before the beginning", func(dst []float32, name string, from int) error { return and(m.Read(dst, name, from), from >= 0) })
	read("unreadable", func(dst []float32, name string, from int) error {
		return errors.Join(m.Read(dst, name, from), errors.New("unreadable"))
	})
	read("from is ignored", func(dst []float32, name string, from int) error {
		if err := m.Read(dst, name, from); err != nil {
			return err
		}
		return m.Read(dst, name, 0)
	})
	read("other values", func(dst []float32, name string, from int) error {
		err := m.Read(dst, name, from)
		if err == nil && len(dst) > 0 {
			dst[len(dst)-1] = math.Nextafter32(dst[len(dst)-1], 0)
		}
		return err
	})
	return sources
}

// and is the error, or none where it is not wanted.
func and(err error, wanted bool) error {
	if wanted {
		return err
	}
	return nil
}

// delta is the fine-tune of honest that the broken Deltas are made of: one
// element unchanged.
var delta = []float32{1, 0, -2, 0.5, 3, 4}

type fakeDelta struct {
	names  []string
	add    func(dst []float32, from int, alpha float32)
	add64  func(dst []float64, from int, alpha float64)
	err    error
	mild   bool  // AddTo knows every name
	mild64 bool  // AddTo64 knows every name
	ghosts bool  // Info knows every name
	shape  []int // if it is not that of delta
}

func (f fakeDelta) Info(name string) (tensors.Info, bool) {
	shape := f.shape
	if shape == nil {
		shape = []int{2, 3}
	}
	return tensors.Info{DType: tensors.F32, Shape: shape}, f.ghosts || name == "a"
}

func (f fakeDelta) Names() []string { return f.names }

func (f fakeDelta) check(mild bool, n int, name string, from int) error {
	if !mild && (name != "a" || from < 0 || from+n > len(delta)) {
		return errors.New("no such range")
	}
	return f.err
}

func (f fakeDelta) AddTo(dst []float32, name string, from int, alpha float32) error {
	if err := f.check(f.mild, len(dst), name, from); err != nil {
		return err
	}
	if f.add != nil {
		f.add(dst, from, alpha)
		return nil
	}
	for i := range dst {
		if d := delta[from+i]; d != 0 {
			dst[i] += alpha * d
		}
	}
	return nil
}

func (f fakeDelta) AddTo64(dst []float64, name string, from int, alpha float64) error {
	if err := f.check(f.mild64, len(dst), name, from); err != nil {
		return err
	}
	if f.add64 != nil {
		f.add64(dst, from, alpha)
		return nil
	}
	for i := range dst {
		if d := delta[from+i]; d != 0 {
			dst[i] += alpha * float64(d)
		}
	}
	return nil
}

// brokenDeltas break one clause of the contract each.
func brokenDeltas() map[string]tensors.Delta {
	deltas := map[string]tensors.Delta{
		"empty":                     fakeDelta{},
		"not sorted":                fakeDelta{names: []string{"b", "a"}},
		"named twice":               fakeDelta{names: []string{"a", "a"}},
		"not in base":               fakeDelta{names: []string{"a", "x"}},
		"unreadable":                fakeDelta{names: []string{"a"}, err: errors.New("unreadable")},
		"adds to ghosts":            fakeDelta{names: []string{"a"}, mild: true},
		"adds to ghosts in float64": fakeDelta{names: []string{"a"}, mild64: true},
		"describes ghosts":          fakeDelta{names: []string{"a"}, ghosts: true},
		"of another shape":          fakeDelta{names: []string{"a"}, shape: []int{6}},
	}
	add := func(name string, f func(dst []float32, from int, alpha float32)) {
		deltas[name] = fakeDelta{names: []string{"a"}, add: f}
	}
	each := func(value func(i int, alpha, old float32) float32) func([]float32, int, float32) {
		return func(dst []float32, from int, alpha float32) {
			for i := range dst {
				if delta[from+i] != 0 {
					dst[i] = value(from+i, alpha, dst[i])
				}
			}
		}
	}
	add("alpha is ignored", each(func(i int, _, old float32) float32 { return old + delta[i] }))
	add("alpha squared", each(func(i int, alpha, old float32) float32 { return old + alpha*alpha*delta[i] }))
	add("overwrites", each(func(i int, alpha, _ float32) float32 { return alpha * delta[i] }))
	add("moves at alpha 0", each(func(i int, alpha, old float32) float32 {
		if alpha == 0 {
			return old + 1
		}
		return old + alpha*delta[i]
	}))
	add("touches zeros", func(dst []float32, from int, alpha float32) {
		for i := range dst {
			dst[i] += alpha * delta[from+i]
		}
	})
	add("from is ignored", func(dst []float32, _ int, alpha float32) {
		for i := range dst {
			if delta[i] != 0 {
				dst[i] += alpha * delta[i]
			}
		}
	})
	deltas["two values"] = fakeDelta{names: []string{"a"}, add64: func(dst []float64, from int, alpha float64) {
		for i := range dst {
			dst[i] += 1.001 * alpha * float64(delta[from+i])
		}
	}}
	return deltas
}

const child = "TENSORSTEST_BROKEN"

// TestSuitesFail checks that the suites notice every break of the contract,
// and nothing where it is kept. It starts itself as a child process, in which
// the suites run on what is broken and must fail.
func TestSuitesFail(t *testing.T) {
	if os.Getenv(child) != "" {
		for name, source := range brokenSources() {
			t.Run("source "+name, func(t *testing.T) { tensorstest.TestSource(t, source) })
		}
		for name, d := range brokenDeltas() {
			t.Run("delta "+name, func(t *testing.T) { tensorstest.TestDelta(t, honest(), d) })
		}
		return
	}
	tensorstest.TestSource(t, honest())
	tensorstest.TestSource(t, liar{Memory: honest()})
	tensorstest.TestDelta(t, honest(), fakeDelta{names: []string{"a"}})

	command := exec.Command(os.Args[0], "-test.run=^TestSuitesFail$", "-test.v")
	command.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOCOVERDIR=") }), child+"=1")
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the suites let everything pass: %v\n%s", err, output)
	}
	check := func(name string) {
		t.Helper()
		if !strings.Contains(string(output), "--- FAIL: TestSuitesFail/"+strings.ReplaceAll(name, " ", "_")+" ") {
			t.Errorf("the suite lets pass: %s", name)
		}
	}
	for name := range brokenSources() {
		check("source " + name)
	}
	for name := range brokenDeltas() {
		check("delta " + name)
	}
	if strings.Contains(string(output), "panic:") {
		t.Errorf("a suite panics:\n%s", output)
	}
}
