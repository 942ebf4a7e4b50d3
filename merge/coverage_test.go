package merge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// add adds a tensor whose bytes are all the same.
func add(m *tensorstest.Memory, name string, d tensors.DType, shape []int, fill byte) {
	info := tensors.Info{DType: d, Shape: shape}
	m.AddRaw(name, info, slices.Repeat([]byte{fill}, int(info.Bytes())))
}

// TestReconcile decides every tensor of two models before anything is merged,
// under each policy: what the result holds, and what is said of it.
func TestReconcile(t *testing.T) {
	type result struct{ names, copied, leftOut string } // names with the first byte of each tensor at alpha 0
	check := func(what string, change func(base, tuned *tensorstest.Memory), refusal string, base, tuned result) {
		t.Helper()
		b, u := tensorstest.NewMemory(), tensorstest.NewMemory()
		add(b, "x", "F32", []int{2}, 1)
		add(u, "x", "F32", []int{2}, 2)
		change(b, u)
		r, err := merge.Reconcile(b, u, merge.Refuse)
		if (err == nil) != (refusal == "") || err != nil && (r != nil || !strings.Contains(err.Error(), refusal) || !strings.Contains(err.Error(), "--on-mismatch")) {
			t.Errorf("%s: %v, %v; want %q", what, r, err, refusal)
		}
		for policy, want := range map[merge.Policy]result{merge.TakeBase: base, merge.TakeTuned: tuned} {
			r, err := merge.Reconcile(b, u, policy)
			if err != nil {
				t.Errorf("%s, %s: %v", what, policy, err)
				continue
			}
			got := result{copied: listed(t, r.Copied), leftOut: listed(t, r.LeftOut)}
			m := apply(t, r.Base, merge.Term{Label: "t", Delta: r.Delta, Alpha: merge.Number(0)})
			for _, name := range m.Names() {
				got.names += fmt.Sprintf("%s%d ", name, raw(t, m, name)[0])
			}
			if got != want {
				t.Errorf("%s, %s: %q, want %q", what, policy, got, want)
			}
			if len(r.Delta.Unmatched) > 0 {
				t.Errorf("%s, %s: undecided %v", what, policy, r.Delta.Unmatched)
			}
		}
	}
	y := func(d, e tensors.DType, shape, other []int, fill, otherFill byte) func(b, u *tensorstest.Memory) {
		return func(b, u *tensorstest.Memory) {
			if shape != nil {
				add(b, "y", d, shape, fill)
			}
			if other != nil {
				add(u, "y", e, other, otherFill)
			}
		}
	}
	two, three := []int{2}, []int{3}
	both := result{names: "x1 y1 "}
	check("all alike", y("F32", "F32", two, two, 1, 2), "", both, both)
	check("other number type", y("F32", "BF16", two, two, 1, 2), "", both, both)
	check("integers, same", y("I64", "I64", two, two, 1, 1), "", both, both)
	check("only in the base", y("F32", "", two, nil, 1, 0), `tensor "y" cannot be merged: the tuned model has no such tensor`,
		result{"x1 y1 ", "y ", ""}, result{"x1 ", "", "y "})
	check("only in the tuned", y("", "F32", nil, two, 0, 2), `tensor "y" cannot be merged: the base has no such tensor`,
		result{"x1 ", "", "y "}, result{"x1 y2 ", "y ", ""})
	check("integers, unlike", y("I64", "I64", two, two, 1, 2), `tensor "y" cannot be merged: type I64 cannot be subtracted`,
		result{"x1 y1 ", "y ", ""}, result{"x1 y2 ", "y ", ""})
	check("number and integer", y("F32", "I32", two, two, 1, 2), `tensor "y" cannot be merged: type F32 in the base, I32 in the tuned model`,
		result{"x1 y1 ", "y ", ""}, result{"x1 y2 ", "y ", ""})
	check("other shape", y("F32", "F32", two, three, 1, 2), `tensor "y" cannot be merged: shape [2] in the base, [3] in the tuned model`,
		result{"x1 y1 ", "y ", ""}, result{"x1 y2 ", "y ", ""})
	check("the first of two", func(b, u *tensorstest.Memory) { add(u, "z", "F32", two, 2); add(u, "y", "F32", two, 2) }, `tensor "y" cannot be merged: the base has no such tensor (and 1 more tensor)`,
		result{"x1 ", "", "y z "}, result{"x1 y2 z2 ", "y z ", ""})
}

// listed joins the names of decisions, each of which must have a reason.
func listed(t *testing.T, list []tensors.Unmatched) (names string) {
	t.Helper()
	for _, u := range list {
		if names += u.Name + " "; !strings.Contains(u.Reason, ": ") {
			t.Errorf("%s: %q does not say what was found and what is done", u.Name, u.Reason)
		}
	}
	return names
}

// TestReconcileNothing refuses models that have nothing to merge.
func TestReconcileNothing(t *testing.T) {
	b, u := tensorstest.NewMemory(), tensorstest.NewMemory()
	if _, err := merge.Reconcile(b, u, merge.TakeBase); err == nil || !strings.Contains(err.Error(), "no tensor in common") {
		t.Errorf("two empty models: %v", err)
	}
	add(b, "y", "I32", []int{2}, 1)
	add(u, "y", "I32", []int{2}, 1)
	if _, err := merge.Reconcile(b, u, merge.Refuse); err == nil || !strings.Contains(err.Error(), "no tensor in common") {
		t.Errorf("integers: %v", err)
	}
}

// TestResizedVocabulary merges the rows that both embeddings have and copies
// the others from the side that has them.
func TestResizedVocabulary(t *testing.T) {
	const name = "model.embed_tokens.weight"
	rows := func(n int, v float32) *tensorstest.Memory {
		m := tensorstest.NewMemory()
		m.Add(name, tensors.BF16, []int{n, 2}, slices.Repeat([]float32{v}, 2*n))
		return m
	}
	check := func(base, tuned int, policy merge.Policy, words string, want ...float32) {
		t.Helper()
		r, err := merge.Reconcile(rows(base, 1), rows(tuned, 3), policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := listed(t, r.Copied); got != name+" " || !strings.Contains(r.Copied[0].Reason, words) || r.Merged != 1 {
			t.Errorf("%v, %d merged; want %q", r.Copied, r.Merged, words)
		}
		m := apply(t, r.Base, merge.Term{Label: "t", Delta: r.Delta, Alpha: merge.Number(0.5)})
		tensorstest.TestSource(t, m)
		if got := values(t, m, name); !slices.Equal(got, want) {
			t.Errorf("%d and %d rows, %s: %v, want %v", base, tuned, policy, got, want)
		}
	}
	check(2, 3, merge.TakeBase, "2 rows merged, 0 copied from the base", 2, 2, 2, 2)
	check(2, 3, merge.TakeTuned, "2 rows merged, 1 copied from the tuned model", 2, 2, 2, 2, 3, 3)
	check(3, 2, merge.TakeBase, "2 rows merged, 1 copied from the base", 2, 2, 2, 2, 1, 1)
	check(3, 2, merge.TakeTuned, "2 rows merged, 0 copied from the tuned model", 2, 2, 2, 2)
}

// TestScaled refuses 8-bit weights that are stored in units of something.
func TestScaled(t *testing.T) {
	for _, scale := range []string{"m.weight_scale", "m.weight_scale_inv", "m.scale"} {
		b, plain := tensorstest.NewMemory(), tensorstest.NewMemory()
		add(b, "m.weight", "F8_E4M3", []int{2}, 1)
		add(plain, "m.weight", "F8_E4M3", []int{2}, 2)
		if _, err := merge.Reconcile(b, plain, merge.Refuse); err != nil {
			t.Errorf("without a scale: %v", err)
		}
		add(b, scale, "F32", []int{}, 1)
		for _, models := range [][2]tensors.Source{{b, plain}, {plain, b}} {
			if _, err := merge.Reconcile(models[0], models[1], merge.TakeBase); err == nil || !strings.Contains(err.Error(), scale) {
				t.Errorf("%s: %v", scale, err)
			}
		}
	}
}
