package decoder

import "context"

// ScoreBy is Score with another limit of rows a batch, and with passBatches
// batches held at a time.
func ScoreBy(m *Model, requests []Request, limit, passBatches int) ([]Response, error) {
	s := newScoring(requests)
	for batches := plan(s.sequences, limit); len(batches) > 0; {
		n := min(passBatches, len(batches))
		if err := m.pass(context.Background(), batches[:n], s, func(int) {}); err != nil {
			return nil, err
		}
		batches = batches[n:]
	}
	return s.finish()
}
