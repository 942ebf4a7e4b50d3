package merge_test

import (
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// TestCover decides every tensor of two models before anything is merged.
func TestCover(t *testing.T) {
	add := func(m *tensorstest.Memory, name string, d tensors.DType, shape []int, fill byte) {
		info := tensors.Info{DType: d, Shape: shape}
		m.AddRaw(name, info, slices.Repeat([]byte{fill}, int(info.Bytes())))
	}
	check := func(what string, change func(base, tuned *tensorstest.Memory), merged int, copied []string, refusal string) {
		t.Helper()
		base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
		change(base, tuned)
		c, err := merge.Cover(diff(t, base, tuned))
		if refusal != "" {
			if err == nil || !strings.Contains(err.Error(), refusal) || c.Merged != 0 || c.Copied != nil {
				t.Errorf("%s: %v, %v; want %q", what, c, err, refusal)
			}
			return
		}
		var names []string
		for _, u := range c.Copied {
			if names = append(names, u.Name); u.Reason == "" {
				t.Errorf("%s: %s is copied without a reason", what, u.Name)
			}
		}
		if err != nil || c.Merged != merged || !slices.Equal(names, copied) {
			t.Errorf("%s: %d merged, %q copied, %v; want %d, %q", what, c.Merged, names, err, merged, copied)
		}
	}
	both := func(base, tuned *tensorstest.Memory) {
		add(base, "x", "F32", []int{2}, 1)
		add(tuned, "x", "F32", []int{2}, 2)
	}
	and := func(more func(base, tuned *tensorstest.Memory)) func(base, tuned *tensorstest.Memory) {
		return func(base, tuned *tensorstest.Memory) { both(base, tuned); more(base, tuned) }
	}
	check("all alike", both, 1, nil, "")
	check("other number type", and(func(b, u *tensorstest.Memory) { add(b, "y", "F32", []int{2}, 1); add(u, "y", "BF16", []int{2}, 1) }), 2, nil, "")
	check("only in the base", and(func(b, u *tensorstest.Memory) { add(b, "y", "F32", []int{2}, 1) }), 1, []string{"y"}, "")
	check("integers, same", and(func(b, u *tensorstest.Memory) { add(b, "y", "I64", []int{2}, 1); add(u, "y", "I64", []int{2}, 1) }), 1, nil, "")
	check("integers, unlike", and(func(b, u *tensorstest.Memory) { add(b, "y", "I64", []int{2}, 1); add(u, "y", "I64", []int{2}, 2) }), 1, []string{"y"}, "")
	check("number and integer", and(func(b, u *tensorstest.Memory) { add(b, "y", "F32", []int{2}, 1); add(u, "y", "I32", []int{2}, 2) }), 1, []string{"y"}, "")
	check("only in the tuned", and(func(b, u *tensorstest.Memory) { add(u, "y", "F32", []int{2}, 1) }), 0, nil, `tensor "y" cannot be merged: the base has no such tensor`)
	check("only in the tuned, integers", and(func(b, u *tensorstest.Memory) { add(u, "y", "I64", []int{2}, 1) }), 0, nil, `tensor "y" cannot be merged`)
	check("other shape", and(func(b, u *tensorstest.Memory) { add(b, "y", "F32", []int{2}, 1); add(u, "y", "F32", []int{3}, 1) }), 0, nil, `tensor "y" cannot be merged: shape [2] in the base, [3] in the tuned model`)
	check("other shape, integers", and(func(b, u *tensorstest.Memory) { add(b, "y", "I64", []int{2}, 1); add(u, "y", "I64", []int{3}, 1) }), 0, nil, `tensor "y" cannot be merged: shape`)
	check("the first of two", and(func(b, u *tensorstest.Memory) { add(u, "z", "F32", []int{2}, 1); add(u, "y", "F32", []int{2}, 1) }), 0, nil, `tensor "y"`)
	check("nothing in common", func(b, u *tensorstest.Memory) { add(b, "y", "F32", []int{2}, 1) }, 0, nil, "no tensor in common")
	check("nothing at all", func(b, u *tensorstest.Memory) {}, 0, nil, "no tensor in common")
}
