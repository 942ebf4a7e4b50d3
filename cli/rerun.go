package cli

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"

	"surgeon/probe"
)

// rerun is what came of asking some questions a second time: the noise floor of
// every comparison. With the same bits whatever stands beside a question it is
// 0, and a flip is a fault of the machine or of surgeon.
type rerun struct {
	N       int `json:"n"`
	Changed int `json:"changed"` // answers that are not the same, to the last bit
	Flipped int `json:"flipped"` // of them those that are worth something else
}

const (
	rerunShare = 0.01
	rerunLeast = 100 // questions from which on some are asked again
)

// rerun asks a random share of the questions again, each candidate others. Where
// nothing was computed, because all answers were there, nothing is either.
func (e *evaluation) rerun(ctx context.Context, scores []probe.Scores) (*rerun, error) {
	if e.kept == len(e.asked)*len(e.candidates) || len(e.asked) < rerunLeast {
		return nil, nil
	}
	bench := *e.bench
	bench.Known, bench.Answered, bench.Progress = nil, nil, nil
	var out rerun
	for k, candidate := range e.candidates {
		if scores[k].Err != nil {
			continue
		}
		var some []probe.Asked
		var places []int
		for i, a := range e.asked {
			if drawn(e.question(k, i).Key) {
				some, places = append(some, a), append(places, i)
			}
		}
		if len(some) == 0 {
			continue
		}
		second, err := bench.ScoreAsked(ctx, some, []probe.Candidate{candidate})
		if err != nil {
			return nil, err
		}
		out.compare(scores[k], second[0], places)
	}
	return &out, nil
}

// drawn says whether a question is asked again.
func drawn(key string) bool {
	h := fnv.New64a()
	h.Write([]byte("again " + key))
	return float64(binary.LittleEndian.Uint64(h.Sum(nil))>>11)*0x1p-53 < rerunShare
}

// compare counts what changed. A question that fails the second time has.
func (r *rerun) compare(first, second probe.Scores, places []int) {
	answers := map[int]probe.Answer{}
	for _, t := range first.Tasks {
		for _, a := range t.Answers {
			answers[a.Question] = a
		}
	}
	r.N += len(places)
	if second.Err != nil {
		r.Changed, r.Flipped = r.Changed+len(places), r.Flipped+len(places)
		return
	}
	for _, t := range second.Tasks {
		for _, b := range t.Answers {
			a := answers[places[b.Question]]
			if !slices.Equal(a.Reply.LogProbs, b.Reply.LogProbs) || a.Reply.Text != b.Reply.Text {
				r.Changed++
			}
			if !reflect.DeepEqual(a.Grade.Scores, b.Grade.Scores) {
				r.Flipped++
			}
		}
	}
}

// note says what came of it.
func (r *rerun) note() []string {
	if r == nil || r.N == 0 {
		return nil
	}
	text := fmt.Sprintf("%s asked again: %d changed, flip rate %.1f %%", plural(r.N, "question"), r.Changed, 100*float64(r.Flipped)/float64(r.N))
	if r.Changed > 0 {
		text = "warning: " + text + ": the machine does not compute the same twice"
	}
	return []string{text}
}
