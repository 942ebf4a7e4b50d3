package decoder

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"testing/quick"
)

// workload is a set of sequences and a limit of rows. Sequences over three ids
// and of a few tokens share beginnings, begin one another and come twice.
type workload struct {
	sequences [][]int32
	limit     int
}

// Generate implements quick.Generator.
func (workload) Generate(r *rand.Rand, _ int) reflect.Value {
	w := workload{limit: 1 + r.Intn(30)}
	for range r.Intn(25) {
		sequence := make([]int32, 1+r.Intn(10))
		for i := range sequence {
			sequence[i] = int32(r.Intn(3))
		}
		w.sequences = append(w.sequences, sequence)
	}
	return reflect.ValueOf(w)
}

// faults lists what is wrong with the batches planned for a workload.
func (w workload) faults() (list []string) {
	fault := func(format string, arguments ...any) { list = append(list, fmt.Sprintf(format, arguments...)) }
	planned := map[int]int{}
	for _, b := range plan(w.sequences, w.limit) {
		for _, text := range b.faults() {
			fault("%s", text)
		}
		prefixes := map[string]bool{}
		for sequence, leaf := range b.leaves {
			planned[sequence]++
			want := w.sequences[sequence]
			if tokens, positions := b.walk(leaf); !slices.Equal(tokens, want) {
				fault("sequence %d is %v, its batch holds %v at %v", sequence, want, tokens, positions)
			}
			for i := range want {
				prefixes[fmt.Sprint(want[:i+1])] = true
				if row := b.row(sequence, i); b.tokens[row] != want[i] || int(b.positions[row]) != i {
					fault("row %d of sequence %d holds token %d at %d, want %d at %d", i, sequence, b.tokens[row], b.positions[row], want[i], i)
				}
			}
		}
		if len(b.tokens) != len(prefixes) { // a row for each different beginning, no more
			fault("%d rows for %d different beginnings", len(b.tokens), len(prefixes))
		}
		longest := 0
		for sequence := range b.leaves {
			longest = max(longest, len(w.sequences[sequence]))
		}
		if len(b.leaves) > 1 && len(b.tokens) > 4*max(w.limit, longest) {
			fault("%d sequences have %d rows, more than %d", len(b.leaves), len(b.tokens), w.limit)
		}
	}
	for i := range w.sequences {
		if planned[i] != 1 {
			fault("sequence %d is planned %d times", i, planned[i])
		}
	}
	return list
}

// faults lists what is wrong with the form of a batch.
func (b *batch) faults() (list []string) {
	end := 0
	for i, s := range b.segments {
		if s.Start != end || s.End <= s.Start || s.Parent >= i || s.Parent < -1 {
			list = append(list, fmt.Sprintf("segment %d of %v does not follow the others", i, b.segments))
		}
		end = s.End
	}
	if end != len(b.tokens) || end != len(b.positions) || end == 0 {
		list = append(list, fmt.Sprintf("segments to %d for %d tokens at %d positions", end, len(b.tokens), len(b.positions)))
	}
	return list
}

// walk reads a sequence from its leaf to its root.
func (b *batch) walk(leaf int) (tokens, positions []int32) {
	for s := leaf; s >= 0; s = b.segments[s].Parent {
		segment := b.segments[s]
		tokens = slices.Concat(b.tokens[segment.Start:segment.End], tokens)
		positions = slices.Concat(b.positions[segment.Start:segment.End], positions)
	}
	return tokens, positions
}

func TestPlanProperties(t *testing.T) {
	property := func(w workload) bool { return len(w.faults()) == 0 }
	if err := quick.Check(property, &quick.Config{MaxCount: 3000, Rand: rand.New(rand.NewSource(1))}); err != nil {
		t.Error(err)
		if failed, ok := err.(*quick.CheckError); ok {
			t.Error(failed.In[0].(workload).faults())
		}
	}
}

// TestPlanRows says how many rows the batches of chosen workloads have.
func TestPlanRows(t *testing.T) {
	check := func(name string, limit int, want []int, sequences ...[]int32) {
		t.Helper()
		w := workload{sequences, limit}
		if list := w.faults(); len(list) > 0 {
			t.Errorf("%s: %q", name, list)
		}
		var rows []int
		for _, b := range plan(sequences, limit) {
			rows = append(rows, len(b.tokens))
		}
		if !slices.Equal(rows, want) {
			t.Errorf("%s: batches of %v rows, want %v", name, rows, want)
		}
	}
	check("nothing", 9, nil)
	check("one", 9, []int{3}, []int32{1, 2, 3})
	check("the same three times", 9, []int{3}, []int32{1, 2, 3}, []int32{1, 2, 3}, []int32{1, 2, 3})
	check("one begins the other", 9, []int{4}, []int32{1, 2, 3, 4}, []int32{1, 2})
	check("a chain of beginnings", 9, []int{4}, []int32{1}, []int32{1, 2, 3, 4}, []int32{1, 2}, []int32{1, 2, 3})
	check("choices of one prompt", 9, []int{5}, []int32{1, 2, 3}, []int32{1, 2, 4}, []int32{1, 2, 5})
	check("nothing in common", 9, []int{4}, []int32{1, 2}, []int32{2, 1})
	check("exactly the limit", 4, []int{4}, []int32{1, 2}, []int32{2, 1})
	check("one more than the limit", 3, []int{2, 2}, []int32{1, 2}, []int32{2, 1})
	check("longer than the limit", 2, []int{3, 1}, []int32{1, 2, 3}, []int32{2})
	check("choices of a prompt over the limit", 4, []int{8}, []int32{1, 2, 3, 4, 5, 6}, []int32{1, 2, 3, 4, 5, 7}, []int32{1, 2, 3, 4, 5, 8})
	check("the same over the limit", 2, []int{3}, []int32{1, 2, 3}, []int32{1, 2, 3})
	check("half is new", 4, []int{4, 4}, []int32{1, 2, 3, 4}, []int32{1, 5, 6, 7})
	check("four times the first", 2, []int{8, 2}, []int32{1, 2}, []int32{1, 3}, []int32{1, 4}, []int32{1, 5}, []int32{1, 6}, []int32{1, 7}, []int32{1, 8}, []int32{1, 9})
	check("a limit of one", 1, []int{1, 2}, []int32{1}, []int32{2, 1})
}

// TestRows: the rows that are asked about come in order, each once, with the
// questions of all sequences that share it.
func TestRows(t *testing.T) {
	s := newScoring([]Request{
		{Prompt: []int32{1, 2}, Continuations: [][]int32{{3, 4}, {5}}, Logits: true},
		{Prompt: []int32{0, 0, 0}, Logits: true},
		{Prompt: []int32{1}, Continuations: [][]int32{{2, 3}}},
	}, nil)
	batches := plan(s.sequences, 100)
	if len(batches) != 1 {
		t.Fatalf("%d batches, want 1", len(batches))
	}
	// Rows 0 to 2 are the second prompt, 3 to 5 are 1, 2, 3.
	var got []string
	for _, w := range s.rows(batches[0]) {
		var questions []string
		for _, q := range w.questions {
			questions = append(questions, fmt.Sprint(q.request, q.continuation, q.index))
		}
		slices.Sort(questions)
		got = append(got, fmt.Sprintf("%d: %q", w.row, questions))
	}
	want := []string{
		`2: ["1 -1 -1"]`,
		`3: ["2 0 0"]`,
		`4: ["0 -1 -1" "0 0 0" "0 1 0" "2 0 1"]`,
		`5: ["0 0 1"]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}
