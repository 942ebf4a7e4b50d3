package preflight_test

import (
	"fmt"
	"testing/fstest"

	"surgeon/cli/preflight"
)

// A fine-tune with a chat format of its own, which added its end of turn.
func ExampleCompare() {
	base := fstest.MapFS{"config.json": {Data: []byte(`{"model_type": "llama", "vocab_size": 49152, "eos_token_id": 0, "rope_theta": 100000}`)}}
	tuned := fstest.MapFS{"config.json": {Data: []byte(`{"model_type": "llama", "vocab_size": 49154, "eos_token_id": [0, 49152], "rope_theta": 1e5}`)}}
	found, err := preflight.Compare(base, tuned)
	if err != nil {
		panic(err)
	}
	for _, f := range found {
		fmt.Printf("%s: %s of %s: %s and %s\n", f.Severity, f.Field, f.File, f.Base, f.Tuned)
	}
	// Output:
	// warning: eos_token_id of config.json: 0 and [0, 49152]
	// warning: vocab_size of config.json: 49152 and 49154
}
