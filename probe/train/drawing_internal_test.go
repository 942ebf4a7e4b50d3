package train

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"surgeon/probe/decoder/op"
	"surgeon/tensors/kernel"
)

// pools are a domain of 37 and three slices of 5, 20 and 40 to replay, every
// example with tokens of its own.
func pools() (data Data) {
	add := func(to *[]Example, slice string, n, first int) {
		for i := range n {
			e := Example{Tokens: []int32{int32(first), int32(i)}, Learned: []bool{false, true}, Slice: slice}
			for range i % 7 {
				e.Tokens, e.Learned = append(e.Tokens, 1), append(e.Learned, true)
			}
			*to = append(*to, e)
		}
	}
	add(&data.Domain, "", 37, 0)
	add(&data.Replay, "arithmetic", 5, 1)
	add(&data.Replay, "facts", 20, 2)
	add(&data.Replay, "refusals", 40, 3)
	return data
}

func drawn(t *testing.T, opt Options) *drawing {
	t.Helper()
	d, err := newDrawing(small, pools(), opt.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestReplayShares: over 2,000 draws the replayed share, and the share of every slice of
// them, are within four standard errors of what is asked for, whatever the sizes of
// the slices; and the doses add up.
func TestReplayShares(t *testing.T) {
	const n = 2000
	check := func(what string, count, of int, p float64) {
		t.Helper()
		if off := math.Abs(float64(count) - p*float64(of)); off > 4*math.Sqrt(p*(1-p)*float64(of)) {
			t.Errorf("%s: %d of %d, want about %.3f", what, count, of, p)
		}
	}
	for _, share := range []float64{0, 0.1, 0.5, 0.9} {
		for seed := range uint64(3) {
			d := drawn(t, Options{ReplayShare: share, Seed: seed})
			replayed, slices := 0, map[string]int{}
			for range n {
				e, after, again := d.peek()
				if once, same, _ := d.peek(); once != e || fmt.Sprint(same) != fmt.Sprint(after) {
					t.Fatal("looking at the next example twice gives two")
				}
				if d.cursor = after; again {
					replayed++
					slices[e.Slice]++
				}
			}
			name := fmt.Sprintf("share %g, seed %d", share, seed)
			check(name, replayed, n, share)
			for _, slice := range d.slices {
				check(name+", "+slice, slices[slice], replayed, 1.0/3)
			}
			sum := 0
			doses := (&Run{draw: d}).Doses()
			for _, dose := range doses {
				sum += dose.Drawn
				if dose.Drawn != slices[dose.Slice] || dose.Epoch != float64(dose.Drawn)/float64(dose.Pool) {
					t.Errorf("%s: dose %+v, and %d were drawn", name, dose, slices[dose.Slice])
				}
			}
			if sum != replayed || d.cursor.Drawn != n || d.cursor.Domain != n-replayed || len(doses) != 3 || doses[1].Pool != 20 {
				t.Errorf("%s: doses %+v, cursor %+v, %d replayed", name, doses, d.cursor, replayed)
			}
		}
	}
}

// TestPasses: in every pass over a pool each example comes once, in another order
// than before.
func TestPasses(t *testing.T) {
	d := drawn(t, Options{ReplayShare: 0.5, Seed: 2})
	orders := map[string][]int32{} // second tokens, in order
	for range 1500 {
		e, after, _ := d.peek()
		d.cursor = after
		orders[e.Slice] = append(orders[e.Slice], e.Tokens[1])
	}
	for slice, size := range map[string]int{"": 37, "arithmetic": 5, "facts": 20, "refusals": 40} {
		order := orders[slice]
		if len(order) < 3*size {
			t.Fatalf("%q: %d draws of a pool of %d", slice, len(order), size)
		}
		different := 0
		for from := 0; from+size <= len(order); from += size {
			pass := slices.Clone(order[from : from+size])
			if from > 0 && !slices.Equal(pass, order[from-size:from]) {
				different++
			}
			slices.Sort(pass)
			for i, id := range pass {
				if int(id) != i {
					t.Fatalf("%q: the pass from draw %d has %d in the place of %d", slice, from, id, i)
				}
			}
		}
		if passes := len(order) / size; different < (passes-1)/2 {
			t.Errorf("%q: of %d passes only %d have another order than the one before", slice, passes, different)
		}
	}
}

// TestBatches: a batch has the rows of the graph and no more: whole examples, as
// many as fit, then rows of no weight; positions begin anew with every sequence and
// the weights of what is learned add up to 1.
func TestBatches(t *testing.T) {
	for _, rows := range []int{7, 8, 23, 100} {
		d := drawn(t, Options{ReplayShare: 0.3, BatchTokens: rows})
		for range 200 {
			before := d.cursor.Drawn
			b := d.batch()
			used, tokens := 0, 0
			for _, e := range b.sequences {
				used, tokens = used+len(e.Tokens)-1, tokens+len(e.Tokens)
			}
			next, _, _ := d.peek()
			if used > rows || used+len(next.Tokens)-1 <= rows || b.examples != len(b.sequences) || b.tokens != tokens || d.cursor.Drawn != before+b.examples {
				t.Fatalf("%d rows: %d are used by %d examples (%d tokens), the next one has %d tokens", rows, used, b.examples, b.tokens, len(next.Tokens))
			}
			var pass op.Pass
			b.load(&pass, small)
			checkPass(t, &pass, rows, b)
		}
	}
}

func checkPass(t *testing.T, pass *op.Pass, rows int, b *batch) {
	t.Helper()
	l := pass.Loss
	if len(pass.Tokens) != rows || len(l.Targets) != rows || len(l.Weights) != rows || l.Teacher != nil || len(pass.Cos) != rows*small.HeadDim/2 {
		t.Fatalf("%d tokens, %d targets, %d weights, %d angles in %d rows", len(pass.Tokens), len(l.Targets), len(l.Weights), len(pass.Cos), rows)
	}
	next := 0
	for i, s := range pass.Segments {
		if s.Start != next || s.Parent >= 0 {
			t.Fatalf("sequence %d is %+v, and the one before ends at %d", i, s, next)
		}
		next = s.End
		for r := s.Start; r < s.End; r++ {
			if angle := math.Cos(float64(r - s.Start)); math.Abs(float64(pass.Cos[r*small.HeadDim/2])-angle) > 1e-6 {
				t.Fatalf("row %d of sequence %d is turned as another position", r, i)
			}
		}
		if i >= len(b.sequences) {
			continue
		}
		e := b.sequences[i]
		if n := len(e.Tokens) - 1; s.End-s.Start != n || !slices.Equal(pass.Tokens[s.Start:s.End], e.Tokens[:n]) || !slices.Equal(l.Targets[s.Start:s.End], e.Tokens[1:]) {
			t.Fatalf("sequence %d is not its example", i)
		}
	}
	sum, counted := 0.0, 0
	for _, w := range l.Weights {
		if sum += float64(w); w != 0 {
			counted++
		}
	}
	if next != rows || counted != b.learned || math.Abs(sum-1) > 1e-5 {
		t.Fatalf("segments up to row %d of %d, %d rows of weight %g in all, %d are learned", next, rows, counted, sum, b.learned)
	}
}

// TestUnlabelledRows: behind a batch stand whole texts with all of their tokens,
// their rows share the weight of the divergence, the rest has none.
func TestUnlabelledRows(t *testing.T) {
	data := pools()
	data.Unlabelled = texts(6, false)
	opt := Options{BatchTokens: 12, KL: 3, UnlabelledTokens: 11}.withDefaults()
	d, err := newDrawing(small, data, opt)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		b, u := d.batch(), d.unlabelled()
		var pass, teacher op.Pass
		u.begin(&teacher, small)
		b.load(&pass, small)
		u.append(&pass, small, opt, make([]float32, 11*small.Vocabulary))
		if len(pass.Tokens) != 23 || len(pass.Loss.Targets) != 12 || len(pass.Loss.Weights) != 23 || len(teacher.Tokens) != 11 || !slices.Equal(pass.Tokens[12:], teacher.Tokens) {
			t.Fatalf("%d tokens, %d targets, %d weights; the teacher has %d", len(pass.Tokens), len(pass.Loss.Targets), len(pass.Loss.Weights), len(teacher.Tokens))
		}
		used, sum := 0, 0.0
		for _, e := range u.sequences {
			if !slices.Equal(teacher.Tokens[used:used+len(e.Tokens)], e.Tokens) {
				t.Fatal("the texts do not stand as they are")
			}
			used += len(e.Tokens)
		}
		for i, w := range pass.Loss.Weights[12:] {
			if sum += float64(w); (w != 0) != (i < used) {
				t.Fatalf("row %d of %d that are used has weight %g", i, used, w)
			}
		}
		if used == 0 || used > 11 || math.Abs(sum-3) > 1e-5 {
			t.Fatalf("%d of 11 rows have weight %g in all, want 3", used, sum)
		}
		if !slices.EqualFunc(pass.Segments[len(pass.Segments)-len(teacher.Segments):], teacher.Segments, func(a, b kernel.Segment) bool {
			return a.Start == b.Start+12 && a.End == b.End+12
		}) {
			t.Fatalf("segments %v, the teacher's %v", pass.Segments, teacher.Segments)
		}
	}
}
