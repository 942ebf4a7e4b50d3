package merge_test

import (
	"errors"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
)

// named is a Delta of one tensor that cannot be read.
type named struct {
	name  string
	shape []int
}

func (n named) Info(string) (tensors.Info, bool) {
	return tensors.Info{DType: tensors.BF16, Shape: n.shape}, true
}
func (n named) Names() []string                               { return []string{n.name} }
func (n named) AddTo([]float32, string, int, float32) error   { return errUnreadable }
func (n named) AddTo64([]float64, string, int, float64) error { return errUnreadable }

var errUnreadable = errors.New("unreadable")

// TestRefusals name the term and the tensor.
func TestRefusals(t *testing.T) {
	base := vector(tensors.F32, 1)
	base.AddRaw("ids", tensors.Info{DType: "I64", Shape: []int{1}}, []byte("12345678"))
	check := func(delta tensors.Delta, words ...string) {
		t.Helper()
		m, err := merge.Apply(base, merge.Term{Label: "chem", Delta: delta, Alpha: merge.Number(1)})
		if m != nil || err == nil {
			t.Fatal("not refused")
		}
		for _, word := range append(words, "chem") {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%v does not say %q", err, word)
			}
		}
	}
	check(named{"y", []int{1}}, `"y"`, "does not have")
	check(named{"ids", []int{1}}, `"ids"`, "I64")
	check(named{"x", []int{2}}, `"x"`, "[2]", "[1]")
	check(diff(t, vector(tensors.F32, 1, 2), vector(tensors.F32, 2, 3)), `"x"`, "[2]", "[1]")
}

// TestErrors: what cannot be read is an error of Raw and Read.
func TestErrors(t *testing.T) {
	for _, d := range floats {
		base, _ := large(d)
		info, _ := base.Info("x")
		m := apply(t, base, merge.Term{Label: "chem", Delta: named{"x", info.Shape}, Alpha: merge.Number(1)})
		if _, err := tensors.Raw(m, "x"); !errors.Is(err, errUnreadable) {
			t.Errorf("Raw: %v", err)
		}
		if err := m.Read(make([]float32, 5), "x", 0); !errors.Is(err, errUnreadable) {
			t.Errorf("Read: %v", err)
		}
		if _, err := m.EffectiveAlpha(t.Context(), nil); !errors.Is(err, errUnreadable) {
			t.Errorf("EffectiveAlpha: %v", err)
		}
	}
	short := toward(t, vector(tensors.F32, 1, 2), vector(tensors.F32, 2, 3), 0.5)
	for _, read := range [][2]int{{2, 1}, {1, 2}, {1, -1}, {3, 0}} {
		if err := short.Read(make([]float32, read[0]), "x", read[1]); err == nil {
			t.Errorf("%d elements at %d of 2 were read", read[0], read[1])
		}
	}
}
