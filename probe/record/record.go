package record

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// Record is one graded answer.
type Record struct {
	Key        string `json:"key,omitempty"` // content address of the question to the model; "" for a record of another program
	Model      string `json:"model"`
	Task       string `json:"task"`
	Item       string `json:"item"`
	Cluster    string `json:"cluster,omitempty"` // items that are not independent of each other share one
	Seed       int64  `json:"seed"`
	DocHash    string `json:"doc_hash,omitempty"`    // as lm-evaluation-harness hashes it
	PromptHash string `json:"prompt_hash,omitempty"` // SHA-256 of the prompt's text

	LogProbs []float64 `json:"logprobs,omitempty"` // of the choices, nats
	Greedy   []bool    `json:"greedy,omitempty"`   // of each choice, whether greedy decoding would have written it; nil: not known
	Chosen   *int      `json:"chosen,omitempty"`   // the most likely choice, in the order of the data set
	Text     *string   `json:"text,omitempty"`     // that was generated, up to the first stop string
	Finish   string    `json:"finish,omitempty"`   // why it ended: eos, stop, length or context
	Tokens   int       `json:"tokens,omitempty"`   // that were generated

	Extracted map[string]string  `json:"extracted,omitempty"` // the answer in the text, by metric
	Scores    map[string]float64 `json:"scores"`              // by metric, as lm-evaluation-harness calls it: "acc", "exact_match,strict-match"
	Parts     map[string][]bool  `json:"parts,omitempty"`     // verdicts of a score that is a share of several, by metric
	Flags     []string           `json:"flags,omitempty"`     // how it was answered: empty, unparseable, truncated, repeated, refused
}

// Unparseable is the flag of an answer that no answer could be found in, and
// Empty that of one without text.
const (
	Unparseable = "unparseable"
	Empty       = "empty"
)

// Key is the content address of a question to a model: the SHA-256, in hex, of
// the parts and their lengths. The parts are all that decides the record: the
// digests of model, tokenizer and template, the prompt and how it is answered,
// the seed, and also the task, the item and the version of its grading, since
// two items may ask the same and be graded otherwise.
func Key(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Parsed reports whether an answer was found, as metric looks for one.
func (r Record) Parsed(metric string) bool {
	if slices.Contains(r.Flags, Unparseable) || slices.Contains(r.Flags, Empty) {
		return false
	}
	return r.Extracted[metric] != invalid
}

// invalid is what the filters of lm-evaluation-harness return where their
// pattern finds nothing.
const invalid = "[invalid]"

// hashText is the SHA-256 of a text, in hex, as lm-evaluation-harness hashes
// prompts and targets.
func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
