package train

import (
	"fmt"
	"slices"

	"surgeon/probe/decoder"
	"surgeon/probe/decoder/op"
	"surgeon/tensors/kernel"
)

// drawing draws examples one after the other. What number n is depends on the
// seed and the numbers that were drawn before, which the cursor counts.
type drawing struct {
	opt        Options
	domain     pool
	replay     []pool // one for each slice, in the order of their names
	slices     []string
	texts      pool
	cursor     cursor
	choose     random // domain or replay
	chooseFrom random // slice
}

// cursor is where a drawing stands.
type cursor struct {
	Drawn      int   `json:"drawn"`
	Domain     int   `json:"domain"`
	Replay     []int `json:"replay"` // per slice
	Unlabelled int   `json:"unlabelled"`
}

// fits reports whether a drawing from so many slices can stand there.
func (c cursor) fits(slices int) bool {
	least := min(c.Drawn, c.Domain, c.Unlabelled)
	for _, n := range c.Replay {
		least = min(least, n)
	}
	return least >= 0 && len(c.Replay) == slices
}

// pool is examples in an order of its own for every pass over them.
type pool struct {
	examples []Example
	name     string
	seed     uint64
	pass     int // whose order it is, from 1; 0: none yet
	order    []int32
}

// at is example number n.
func (p *pool) at(n int) *Example {
	if pass := n/len(p.examples) + 1; p.pass != pass {
		p.pass, p.order = pass, permutation(newRandom(p.seed, fmt.Sprintf("%s %d", p.name, pass)), len(p.examples))
	}
	return &p.examples[p.order[n%len(p.examples)]]
}

func newDrawing(c decoder.Config, data Data, opt Options) (*drawing, error) {
	d := &drawing{opt: opt, choose: newRandom(opt.Seed, "replay"), chooseFrom: newRandom(opt.Seed, "slice")}
	if err := fits("an example", data.Domain, c, opt.BatchTokens); err != nil {
		return nil, err
	}
	if err := fits("an example to replay", data.Replay, c, opt.BatchTokens); err != nil {
		return nil, err
	}
	if opt.KL > 0 {
		if err := fits("an unlabelled text", data.Unlabelled, c, opt.UnlabelledTokens-1); err != nil {
			return nil, err
		}
	}
	d.domain = pool{examples: data.Domain, name: "domain", seed: opt.Seed}
	d.texts = pool{examples: data.Unlabelled, name: "unlabelled", seed: opt.Seed}
	bySlice := map[string][]Example{}
	for _, e := range data.Replay {
		bySlice[e.Slice] = append(bySlice[e.Slice], e)
	}
	for slice := range bySlice {
		d.slices = append(d.slices, slice)
	}
	slices.Sort(d.slices)
	for _, slice := range d.slices {
		d.replay = append(d.replay, pool{examples: bySlice[slice], name: "replay of " + slice, seed: opt.Seed})
	}
	d.cursor.Replay = make([]int, len(d.replay))
	return d, nil
}

// fits checks that every example fits the model and a batch.
func fits(what string, examples []Example, c decoder.Config, rows int) error {
	for i, e := range examples {
		switch n := len(e.Tokens); {
		case n < 2:
			return fmt.Errorf("%s, number %d, has fewer than 2 tokens: there is nothing to foretell", what, i+1)
		case len(e.Learned) != n:
			return fmt.Errorf("%s, number %d, has %d tokens and says of %d whether they are learned", what, i+1, n, len(e.Learned))
		case n > c.Context:
			return fmt.Errorf("%s, number %d, has %d tokens: the model's context is %d", what, i+1, n, c.Context)
		case n > rows+1:
			return fmt.Errorf("%s, number %d, has %d tokens: a batch holds %d", what, i+1, n, rows+1)
		case slices.Min(e.Tokens) < 0 || int(slices.Max(e.Tokens)) >= c.Vocabulary:
			return fmt.Errorf("%s, number %d, has a token outside the vocabulary of %d", what, i+1, c.Vocabulary)
		}
	}
	return nil
}

// Dose is what was replayed of a slice.
type Dose struct {
	Slice string
	Pool  int     // examples that there are
	Drawn int     // times that one was drawn
	Epoch float64 // passes over the pool
}

// Doses tells what was replayed so far, slice by slice.
func (r *Run) Doses() (list []Dose) {
	for i, p := range r.draw.replay {
		n := r.draw.cursor.Replay[i]
		list = append(list, Dose{r.draw.slices[i], len(p.examples), n, float64(n) / float64(len(p.examples))})
	}
	return list
}

// Epochs is how often the domain's examples were passed over so far.
func (r *Run) Epochs() float64 {
	return float64(r.draw.cursor.Domain) / float64(len(r.data.Domain))
}

// peek is the next example and the cursor behind it.
func (d *drawing) peek() (e *Example, after cursor, replayed bool) {
	after = d.cursor
	after.Replay = slices.Clone(d.cursor.Replay)
	after.Drawn++
	if d.choose.float(d.cursor.Drawn) < d.opt.ReplayShare {
		slice := int(d.chooseFrom.uint64(d.cursor.Drawn) % uint64(len(d.replay)))
		e = d.replay[slice].at(d.cursor.Replay[slice])
		after.Replay[slice]++
		return e, after, true
	}
	after.Domain++
	return d.domain.at(d.cursor.Domain), after, false
}

// batch is sequences for the rows of a graph. A sequence of n tokens takes n-1
// rows: the last one only is foretold.
type batch struct {
	sequences                           []*Example
	rows                                int // of the graph
	tokens, learned, examples, replayed int
}

// batch draws examples until the next one would not fit.
func (d *drawing) batch() *batch {
	b := &batch{rows: d.opt.BatchTokens}
	used := 0
	for {
		e, after, replayed := d.peek()
		if used += len(e.Tokens) - 1; used > b.rows {
			return b
		}
		d.cursor = after
		b.sequences = append(b.sequences, e)
		b.tokens, b.learned, b.examples = b.tokens+len(e.Tokens), b.learned+e.learned(), b.examples+1
		if replayed {
			b.replayed++
		}
	}
}

// unlabelled draws texts to measure the divergence on.
func (d *drawing) unlabelled() *batch {
	b := &batch{rows: d.opt.UnlabelledTokens}
	for used := 0; ; {
		e := d.texts.at(d.cursor.Unlabelled)
		if used += len(e.Tokens); used > b.rows {
			return b
		}
		d.cursor.Unlabelled++
		b.sequences = append(b.sequences, e)
	}
}

// begin puts unlabelled texts alone into the pass of the teacher's graph.
func (b *batch) begin(pass *op.Pass, c decoder.Config) {
	*pass = op.Pass{Window: c.Window}
	b.add(pass, 0, func(*Example, int) (int32, float32) { return 0, 0 })
	b.rotate(pass, c)
}

// load puts a batch into the pass of a graph, each learned token of the same
// weight. Rows that are left are a sequence of their own, without weight.
func (b *batch) load(pass *op.Pass, c decoder.Config) { b.weigh(pass, c, 1/float32(b.learned)) }

// whole does the same with the weight 1.
func (b *batch) whole(pass *op.Pass, c decoder.Config) { b.weigh(pass, c, 1) }

func (b *batch) weigh(pass *op.Pass, c decoder.Config, weight float32) {
	*pass = op.Pass{Window: c.Window, Loss: op.Loss{Rows: pass.Loss.Rows}}
	b.add(pass, 1, func(e *Example, i int) (int32, float32) {
		if e.Learned[i+1] {
			return e.Tokens[i+1], weight
		}
		return e.Tokens[i+1], 0
	})
	b.rotate(pass, c)
}

// append puts unlabelled texts behind what a pass holds already, and the
// teacher's logits.
func (b *batch) append(pass *op.Pass, c decoder.Config, opt Options, teacher []float32) {
	counted := 0
	for _, e := range b.sequences {
		counted += len(e.Tokens)
	}
	targets := pass.Loss.Targets
	b.add(pass, 0, func(*Example, int) (int32, float32) { return 0, float32(opt.KL / float64(counted)) })
	pass.Loss.Targets, pass.Loss.Teacher = targets, teacher
	b.rotate(pass, c)
}

// add adds the rows of a batch, without so many last tokens of each sequence.
func (b *batch) add(pass *op.Pass, without int, target func(e *Example, i int) (int32, float32)) {
	first := len(pass.Tokens)
	sequence := func(n int, row func(i int) (token, target int32, weight float32)) {
		if n == 0 {
			return
		}
		start := len(pass.Tokens)
		for i := range n {
			token, target, weight := row(i)
			pass.Tokens = append(pass.Tokens, token)
			pass.Loss.Targets, pass.Loss.Weights = append(pass.Loss.Targets, target), append(pass.Loss.Weights, weight)
		}
		pass.Segments = append(pass.Segments, kernel.Segment{Start: start, End: start + n, Parent: -1})
	}
	for _, e := range b.sequences {
		sequence(len(e.Tokens)-without, func(i int) (int32, int32, float32) {
			to, weight := target(e, i)
			return e.Tokens[i], to, weight
		})
	}
	for left := first + b.rows - len(pass.Tokens); left > 0; left-- {
		sequence(1, func(int) (int32, int32, float32) { return 0, 0, 0 })
	}
}

// rotate sets the angles of the rows by their places in their sequences.
func (b *batch) rotate(pass *op.Pass, c decoder.Config) {
	positions := make([]int32, 0, len(pass.Tokens))
	for _, s := range pass.Segments {
		for i := range s.End - s.Start {
			positions = append(positions, int32(i))
		}
	}
	pass.Cos, pass.Sin = c.Rotate(0, positions)
}
