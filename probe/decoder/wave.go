package decoder

import (
	"cmp"
	"context"
	"reflect"
	"time"
)

// WaveOptions of ScoreAll; the zero value is ready to use.
type WaveOptions struct {
	Streams int64 // bytes of the residual streams that are held while the layers pass by; 0 is 256 MiB
	// Keep is the bytes that the packed weights of one model may take. Where the
	// streams do not hold all rows, so that they pass the layers in several waves, the
	// weights are read once and not for each; 0 keeps none.
	Keep     int64
	Progress func(done, total int64) // token rows times layers, over all models; may be nil
	// Done is told every answer as soon as it is there; it may be nil.
	Done func(model, request int, r Response)
	// Part names what decides the outcome of a layer of a model, and of the
	// embedding, which is layer -1. Models of a wave whose parts are equal from
	// the embedding up to a layer are the same so far: it is computed for the
	// first of them only. It may be nil: nothing is shared.
	Part func(model, layer int) string
}

// Outcome is what one model answered.
type Outcome struct {
	Responses []Response
	Err       error         // a *RequestError, or the tensor or layer that failed
	Rows      int64         // tokens that went through the model, those that requests share once
	Time      time.Duration // that it took
}

// ScoreAll asks several models of one Config the same requests, in waves: each
// layer is run for every model of a wave before the next one, so that what
// their Sources have in common is read from the disk once. A model that fails
// does not keep the others from going on. The error is that of the context or
// of a request that does not fit the Config.
func ScoreAll(ctx context.Context, models []*Model, requests []Request, opt WaveOptions) ([]Outcome, error) {
	if err := ctx.Err(); err != nil || len(models) == 0 {
		return nil, err
	}
	c := models[0].config
	for i, r := range requests {
		if err := r.Check(c); err != nil {
			return nil, &RequestError{i, err}
		}
	}
	batches := plan(newScoring(requests, nil).sequences, batchRows)
	rows := 0
	for _, b := range batches {
		rows += len(b.tokens)
	}
	var done int64
	total := int64(len(models)) * int64(rows) * int64(c.Layers)
	step := func(rows int) {
		if done += int64(rows); opt.Progress != nil {
			opt.Progress(done, total)
		}
	}
	out := make([]Outcome, 0, len(models))
	most := min(waveRows, int(cmp.Or(opt.Streams, streamBytes))/(4*c.Hidden)) // rows
	size := min(max(1, most/max(1, rows)), len(models))
	kept := new(workspace) // of the models whose weights are kept, one after the other
	for low := 0; low < len(models); low += size {
		w := newWave(models[low:min(low+size, len(models))], requests, func(model, request int, r Response) {
			if opt.Done != nil {
				opt.Done(low+model, request, r)
			}
		})
		if opt.Part != nil {
			w.share(func(model, layer int) string { return opt.Part(low+model, layer) })
		}
		keep := rows > most && !w.models[0].keep && w.models[0].PackedBytes() <= opt.Keep
		if keep {
			w.models[0].keepIn(kept)
		}
		err := w.run(ctx, batches, most, step)
		if keep {
			w.models[0].leave()
		}
		if err != nil {
			return nil, err
		}
		out = append(out, w.out...)
	}
	return out, nil
}

// Rows is how many token rows the scoring of requests takes for one model: what they
// share at their beginning counts once in every batch.
func Rows(requests []Request) (rows int) {
	for _, b := range plan(newScoring(requests, nil).sequences, batchRows) {
		rows += len(b.tokens)
	}
	return rows
}

// wave is models that are scored together.
type wave struct {
	models   []*Model
	scorings []*scoring
	streams  [][][]float32 // per model and batch
	out      []Outcome
	twins    [][]int // per layer and model, the first model that is the same so far; nil: none is
}

// newWave puts models together. They share one workspace, since one runs at a
// time.
func newWave(models []*Model, requests []Request, done func(model, request int, r Response)) *wave {
	w := &wave{models: models, streams: make([][][]float32, len(models)), out: make([]Outcome, len(models))}
	for i, m := range models {
		if !reflect.DeepEqual(m.config, models[0].config) {
			panic("decoder: the models of a wave have different configurations")
		}
		if i > 0 && !m.keep && !models[0].keep {
			m.space, m.blocks, m.heads = models[0].space, models[0].blocks, models[0].heads
		}
		s := newScoring(requests, func(request int, r Response) { done(i, request, r) })
		w.scorings = append(w.scorings, s)
		w.out[i].Responses = s.responses
	}
	return w
}

// run sends batches through all layers, so many rows at a time.
func (w *wave) run(ctx context.Context, batches []*batch, most int, step func(rows int)) error {
	for len(batches) > 0 {
		n, rows := 1, len(batches[0].tokens)
		for n < len(batches) && rows+len(batches[n].tokens) <= most {
			rows += len(batches[n].tokens)
			n++
		}
		if err := w.pass(ctx, batches[:n], step); err != nil {
			return err
		}
		batches = batches[n:]
	}
	return nil
}

// pass sends batches through all layers of all models that did not fail.
func (w *wave) pass(ctx context.Context, batches []*batch, step func(rows int)) error {
	w.each(func(k int, m *Model) (err error) {
		w.streams[k], err = m.streams(batches)
		w.observe(k, batches)
		return err
	})
	for layer := range w.models[0].config.Layers {
		w.each(func(k int, m *Model) error {
			err := w.advance(ctx, k, layer, batches, step)
			w.observe(k, batches)
			return err
		})
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	w.each(func(k int, m *Model) error {
		for _, b := range batches {
			w.out[k].Rows += int64(len(b.tokens))
		}
		return m.answer(ctx, batches, w.streams[k], w.scorings[k])
	})
	return ctx.Err()
}

// share finds out which models are the same up to which layer.
func (w *wave) share(part func(model, layer int) string) {
	type prefix struct {
		before int // the first model that is the same up to the layer before
		part   string
	}
	before := make([]int, len(w.models))
	for layer := -1; layer < w.models[0].config.Layers; layer++ {
		first, twins := map[prefix]int{}, make([]int, len(w.models))
		for k := range w.models {
			p := prefix{before[k], part(k, layer)}
			if _, known := first[p]; !known {
				first[p] = k
			}
			twins[k] = first[p]
		}
		if before = twins; layer >= 0 {
			w.twins = append(w.twins, twins)
		}
	}
}

// advance runs a layer of a model, or takes over what another one has there that is
// the same so far. It costs a copy: the streams are written in place.
func (w *wave) advance(ctx context.Context, k, layer int, batches []*batch, step func(rows int)) error {
	if w.twins != nil && w.twins[layer][k] != k && w.out[w.twins[layer][k]].Err == nil {
		for i, stream := range w.streams[w.twins[layer][k]] {
			copy(w.streams[k][i], stream)
			step(len(batches[i].tokens))
		}
		return nil
	}
	return w.models[k].advance(ctx, layer, batches, w.streams[k], step)
}

// observe notes the streams of a model where they are asked for.
func (w *wave) observe(k int, batches []*batch) {
	for i, stream := range w.streams[k] {
		w.scorings[k].observe(batches[i], stream, w.models[k].config.Hidden)
	}
}

// each does something with every model that did not fail before, and takes the
// time.
func (w *wave) each(do func(k int, m *Model) error) {
	for k, m := range w.models {
		if w.out[k].Err == nil {
			start := time.Now()
			w.out[k].Err = do(k, m)
			w.out[k].Time += time.Since(start)
		}
	}
}
