package tensors_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

const (
	embedding = "model.embed_tokens.weight"
	headName  = "lm_head.weight"
	middle    = "model.layers.0.mlp.weight"
)

// counted makes n values that every number type holds: first, first+1, ... in
// eighths, up to 15/8.
func counted(first, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32((first+i)%16) / 8
	}
	return values
}

// values reads a whole tensor.
func values(t *testing.T, src tensors.Source, name string) []float32 {
	t.Helper()
	info, ok := src.Info(name)
	if !ok {
		t.Fatalf("no tensor %s", name)
	}
	read := make([]float32, info.Len())
	if err := src.Read(read, name, 0); err != nil {
		t.Fatal(err)
	}
	return read
}

// TestConform shows a Source in another layout: names and shapes of like,
// values of src where it has them, and keeps the contract of a Source.
func TestConform(t *testing.T) {
	src, like := tensorstest.NewMemory(), tensorstest.NewMemory()
	add := func(m *tensorstest.Memory, name string, d tensors.DType, first int, shape ...int) {
		m.Add(name, d, shape, counted(first, tensors.Info{Shape: shape}.Len()))
	}
	raw := func(m *tensorstest.Memory, name string, bytes ...byte) {
		m.AddRaw(name, tensors.Info{DType: "I8", Shape: []int{len(bytes)}}, bytes)
	}
	add(src, embedding, "F16", 0, 3, 4) // two rows fewer
	add(like, embedding, "BF16", 1, 5, 4)
	add(src, headName, "BF16", 2, 7, 4) // two rows more, in another type
	add(like, headName, "F32", 3, 5, 4)
	add(src, middle, "F16", 4, 2, 3) // the same shape in another type
	add(like, middle, "F32", 5, 2, 3)
	add(src, "other shape", "F32", 6, 3, 2)
	add(like, "other shape", "F32", 7, 2, 3)
	add(src, "resized but no vocabulary", "F32", 6, 3, 2)
	add(like, "resized but no vocabulary", "F32", 7, 2, 2)
	add(like, "missing", "F16", 8, 3)
	add(src, "extra", "F16", 9, 3)
	raw(src, "no number", 1, 2, 3)
	raw(like, "no number", 4, 5, 6)
	raw(src, "number in one only", 1, 2)
	add(like, "number in one only", "F32", 3, 2)
	add(src, "nothing", "F16", 0, 0, 4)
	add(like, "nothing", "F32", 0, 0, 4)

	c := tensors.Conform(src, like)
	tensorstest.TestSource(t, c)
	if !slices.Equal(c.Names(), like.Names()) {
		t.Errorf("names %q, want %q", c.Names(), like.Names())
	}
	check := func(name string, d tensors.DType, shape []int, want []float32) {
		t.Helper()
		info, ok := c.Info(name)
		if !ok || info.DType != d || !slices.Equal(info.Shape, shape) {
			t.Errorf("%s: %v, %v; want %v %s", name, info, ok, shape, d)
		}
		if got := values(t, c, name); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	check(embedding, "F32", []int{5, 4}, slices.Concat(counted(0, 12), counted(1, 20)[12:]))
	check(headName, "F32", []int{5, 4}, counted(2, 28)[:20])
	check(middle, "F16", []int{2, 3}, counted(4, 6))
	check("other shape", "F32", []int{2, 3}, counted(7, 6))
	check("resized but no vocabulary", "F32", []int{2, 2}, counted(7, 4))
	check("missing", "F16", []int{3}, counted(8, 3))
	check("number in one only", "F32", []int{2}, counted(3, 2))
	if got, err := tensors.Raw(c, "no number"); err != nil || !slices.Equal(got, []byte{4, 5, 6}) {
		t.Errorf("no number: %v, %v", got, err)
	}
	if _, ok := c.Info("extra"); ok {
		t.Error("what like does not name is there")
	}
}

// TestConformShrunk: of a vocabulary that src has in the same type and longer,
// the rows behind the end of like's are not there.
func TestConformShrunk(t *testing.T) {
	src, like := tensorstest.NewMemory(), tensorstest.NewMemory()
	src.Add(headName, tensors.BF16, []int{7, 4}, counted(2, 28))
	like.Add(headName, tensors.BF16, []int{5, 4}, counted(3, 20))
	c := tensors.Conform(src, like)
	if got := values(t, c, headName); !slices.Equal(got, counted(2, 28)[:20]) {
		t.Errorf("%v", got)
	}
	tensorstest.TestSource(t, c)
}

// TestConformTypes: rows of two types are stored in the narrowest type that
// holds both, with every value that either has.
func TestConformTypes(t *testing.T) {
	check := func(a, b, want tensors.DType) {
		for _, pair := range [][2]tensors.DType{{a, b}, {b, a}} {
			t.Run(fmt.Sprint(pair[0], " and ", pair[1]), func(t *testing.T) {
				src, like := tensorstest.NewMemory(), tensorstest.NewMemory()
				extremes := func(d tensors.DType) []float32 {
					tiny, huge := extremesOf[d][0], extremesOf[d][1]
					return []float32{float32(tiny), float32(huge), -1.25, 0}
				}
				src.Add(embedding, pair[0], []int{2, 2}, extremes(pair[0]))
				like.Add(embedding, pair[1], []int{4, 2}, append(make([]float32, 4), extremes(pair[1])...))
				c := tensors.Conform(src, like)
				tensorstest.TestSource(t, c)
				if info, _ := c.Info(embedding); info.DType != want {
					t.Errorf("%s, want %s", info.DType, want)
				}
				if got, all := values(t, c, embedding), append(extremes(pair[0]), extremes(pair[1])...); !slices.Equal(got, all) {
					t.Errorf("%v, want %v", got, all)
				}
			})
		}
	}
	for _, d := range []tensors.DType{"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"} {
		check(d, d, d)
		check("F64", d, "F64")
		if d != "F64" {
			check("F32", d, "F32")
		}
	}
	check("BF16", "F16", "F32")
	check("F16", "F8_E4M3", "F16")
	check("F16", "F8_E5M2", "F16")
	check("BF16", "F8_E4M3", "BF16")
	check("BF16", "F8_E5M2", "BF16")
	check("F8_E4M3", "F8_E5M2", "F16")
}

// extremesOf are the smallest and the largest positive value of each type that
// float32 holds too.
var extremesOf = map[tensors.DType][2]float64{
	"F64": {0x1p-149, math.MaxFloat32}, "F32": {0x1p-149, math.MaxFloat32}, "F16": {0x1p-24, 65504},
	"BF16": {0x1p-133, 0x1.FEp127}, "F8_E4M3": {0x1p-9, 448}, "F8_E5M2": {0x1p-16, 57344},
}

// TestConformErrors: errors of either Source are those of the Conformed, also
// in a range that both give.
func TestConformErrors(t *testing.T) {
	broken := errors.New("the disk is on fire")
	src, like := tensorstest.NewMemory(), tensorstest.NewMemory()
	src.Add(embedding, tensors.F16, []int{1, 2}, []float32{1, 2})
	like.Add(embedding, tensors.F32, []int{2, 2}, []float32{3, 4, 5, 6})
	good := tensors.Conform(src, like)
	check := func(what string, c *tensors.Conformed, fails bool, n, from int) {
		t.Helper()
		err := c.Read(make([]float32, n), embedding, from)
		rawErr := c.ReadRaw(make([]byte, 4*n), embedding, int64(4*from))
		if errors.Is(err, broken) != fails || errors.Is(rawErr, broken) != fails {
			t.Errorf("%s, %d at %d: %v and %v", what, n, from, err, rawErr)
		}
	}
	fire := func(m *tensorstest.Memory) tensors.Source { return unreadable{m, broken} }
	for _, fails := range []bool{true, false} {
		check("src burns", tensors.Conform(fire(src), like), fails, 2, 2*boolInt(!fails))
		check("like burns", tensors.Conform(src, fire(like)), fails, 2, 2*boolInt(fails))
	}
	check("src burns", tensors.Conform(fire(src), like), true, 4, 0)
	check("like burns", tensors.Conform(src, fire(like)), true, 4, 0)
	check("nothing burns", good, false, 4, 0)
	for _, from := range []int{-1, 1, 4, 5} {
		if err := good.Read(make([]float32, 4), embedding, from); err == nil || !strings.Contains(err.Error(), embedding) {
			t.Errorf("4 of 4 elements at %d: %v", from, err)
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// unreadable is a Source of which nothing can be read.
type unreadable struct {
	tensors.Source
	err error
}

func (u unreadable) ReadRaw([]byte, string, int64) error { return u.err }
func (u unreadable) Read([]float32, string, int) error   { return u.err }

// TestResized is about vocabularies only: the rows of an embedding or head.
func TestResized(t *testing.T) {
	check := func(name string, a, b tensors.Info, want bool) {
		t.Helper()
		if got := tensors.Resized(name, a, b); got != want {
			t.Errorf("%s of %v and %v: %v", name, a, b, got)
		}
	}
	info := func(d tensors.DType, shape ...int) tensors.Info { return tensors.Info{DType: d, Shape: shape} }
	check(embedding, info("F16", 3, 4), info("BF16", 5, 4), true)
	check(headName, info("F16", 5, 4), info("BF16", 3, 4), true)
	check("lm_head.bias", info("F16", 5), info("F16", 3), false)
	check(embedding, info("F16", 3, 4), info("F16", 3, 5), false)
	check(embedding, info("F16", 3, 4), info("F16", 3, 4, 1), false)
	check(embedding, info("F16"), info("F16"), false)
	check(embedding, info("I8", 3, 4), info("I8", 5, 4), false)
	check(embedding, info("F16", 3, 4), info("I8", 5, 4), false)
	check(middle, info("F16", 3, 4), info("F16", 5, 4), false)
}

// TestKeep leaves tensors out, and keeps the contract of a Source.
func TestKeep(t *testing.T) {
	src := mixed(tensors.BF16)
	kept := tensors.Keep(src, func(name string) bool { return name == "scalar" || name == "ids" })
	tensorstest.TestSource(t, kept)
	if want := []string{"ids", "scalar"}; !slices.Equal(kept.Names(), want) {
		t.Errorf("names %q, want %q", kept.Names(), want)
	}
	want := tensorstest.NewMemory()
	for _, name := range kept.Names() {
		info, _ := src.Info(name)
		raw, _ := tensors.Raw(src, name)
		want.AddRaw(name, info, raw)
	}
	sameTensors(t, kept, want)
	const left = "empty"
	if _, ok := kept.Info(left); ok {
		t.Error("what was left out is described")
	}
	if kept.Read(nil, left, 0) == nil || kept.ReadRaw(nil, left, 0) == nil {
		t.Error("what was left out can be read")
	}
	if none := tensors.Keep(src, func(string) bool { return false }); len(none.Names()) > 0 {
		t.Errorf("of nothing %q is kept", none.Names())
	}
}
