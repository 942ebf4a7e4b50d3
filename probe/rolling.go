package probe

import (
	"fmt"

	"surgeon/probe/decoder"
)

// Rolling asks for the log-likelihood of a whole text: the sum of those of its
// tokens, each after all before it, the first after prefix (BOS, or else EOS).
// Where the text is longer than the context it is cut into windows as
// lm-evaluation-harness cuts it: every token is scored once, and the last window
// reaches back as far as the context does. There is one request for each window;
// the answer is the sum of their only continuation's LogProbs.
func Rolling(ids []int32, prefix int32, context int) ([]decoder.Request, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("the text is empty: it needs at least one token")
	}
	var windows []decoder.Request
	for start := 0; start < len(ids); start += context {
		end := min(start+context, len(ids))
		// What is fed is one token less than prompt and continuation.
		from := max(0, end-context-1)
		prompt := ids[from:start]
		if start == 0 {
			prompt = []int32{prefix}
		}
		windows = append(windows, decoder.Request{Prompt: prompt, Continuations: [][]int32{ids[start:end]}})
	}
	return windows, nil
}
