package decoder

import "context"

// ScoreBy is Score with another limit of rows a batch, and with passBatches
// batches held at a time.
func ScoreBy(m *Model, requests []Request, limit, passBatches int) ([]Response, error) {
	s := newScoring(requests, nil)
	for batches := plan(s.sequences, limit); len(batches) > 0; {
		n := min(passBatches, len(batches))
		if err := m.pass(context.Background(), batches[:n], s, func(int) {}); err != nil {
			return nil, err
		}
		batches = batches[n:]
	}
	return s.responses, nil
}

// Config is the configuration of a model, to be changed.
func (m *Model) Config() *Config { return &m.config }

// Draw is draw.
func (s Sampling) Draw(logits []float32, number int) int32 { return s.draw(logits, number) }
