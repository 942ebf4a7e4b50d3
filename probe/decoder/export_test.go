package decoder

import "context"

// ScoreBy is Score with another limit of rows a batch, and with passBatches
// batches held at a time.
func ScoreBy(m *Model, requests []Request, limit, passBatches int) ([]Response, error) {
	w := newWave([]*Model{m}, requests, func(int, int, Response) {})
	for batches := plan(w.scorings[0].sequences, limit); len(batches) > 0; {
		n := min(passBatches, len(batches))
		if err := w.pass(context.Background(), batches[:n], func(int) {}); err != nil {
			return nil, err
		}
		batches = batches[n:]
	}
	return w.out[0].Responses, w.out[0].Err
}

// Config is the configuration of a model, to be changed.
func (m *Model) Config() *Config { return &m.config }

// Draw is draw.
func (s Sampling) Draw(logits []float32, number int) int32 { return s.draw(logits, number) }
