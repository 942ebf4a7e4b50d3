package record

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// sampleLine is a sample of lm-evaluation-harness, read.
type sampleLine struct {
	document   string
	filter     string
	docHash    string
	promptHash string

	logProbs  []float64
	greedy    []bool
	text      *string
	extracted *string // what the filter left of it
	several   bool    // there are more responses than the one in text

	metrics []string // names of scores in values
	values  map[string]json.RawMessage
	own     *ownFields
}

// sampleFields are the names in a sample that are no metrics.
var sampleFields = []string{"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics",
	"doc_hash", "prompt_hash", "target_hash", ownName}

// parseSample reads a sample.
func parseSample(object map[string]json.RawMessage) (line sampleLine, err error) {
	line.values = object
	document, ok := object["doc_id"]
	if !ok {
		return line, fmt.Errorf(`has no "doc_id"`)
	}
	if line.document, ok = scalarText(document); !ok || line.document == "" {
		return line, fmt.Errorf(`"doc_id" must be a number or text`)
	}
	for _, field := range []struct {
		name  string
		value any
	}{{"filter", &line.filter}, {"metrics", &line.metrics}, {"doc_hash", &line.docHash}, {"prompt_hash", &line.promptHash}, {ownName, &line.own}} {
		if raw, ok := object[field.name]; ok {
			if err := json.Unmarshal(raw, field.value); err != nil {
				return line, fmt.Errorf("%q: %w", field.name, plain(err))
			}
		}
	}
	if line.filter == "" {
		line.filter = "none"
	}
	if line.metrics == nil {
		line.metrics = metricsIn(object)
	}
	request := requestOf(object["arguments"])
	if line.promptHash == "" && len(request) > 0 {
		if prompt := stringOf(request[0]); prompt != nil { // messages of a chat are a list
			line.promptHash = hashText(*prompt)
		}
	}
	line.answer(object, request)
	return line, nil
}

// metricsIn lists the names of what may be scores, for samples that do not say.
func metricsIn(object map[string]json.RawMessage) (names []string) {
	for _, name := range sortedKeys(object) {
		if slices.Contains(sampleFields, name) {
			continue
		}
		if _, _, kind := gradeOf(name, object[name]); kind == hasScore || kind == scoreOfCorpus {
			names = append(names, name)
		}
	}
	return names
}

// requestOf is the arguments of the first request to the model, of a list of
// lists, or of an object with gen_args_0 and so on, each with arg_0 and so on.
func requestOf(raw json.RawMessage) (request []json.RawMessage) {
	if len(raw) > 0 && raw[0] == '[' {
		_ = json.Unmarshal(firstOf(raw), &request) // of another form: none
		return request
	}
	var requests, object map[string]json.RawMessage
	if json.Unmarshal(raw, &requests) != nil || json.Unmarshal(requests["gen_args_0"], &object) != nil {
		return nil
	}
	for j := range len(object) {
		request = append(request, object["arg_"+strconv.Itoa(j)])
	}
	return request
}

// requestForm is what was asked for.
type requestForm int

const (
	ofUnknown    requestForm = iota
	ofText                   // the log-likelihood of a whole text
	ofChoices                // that of continuations
	ofGeneration             // a text
)

func formOf(request []json.RawMessage) requestForm {
	switch {
	case len(request) == 0:
		return ofUnknown
	case len(request) == 1:
		return ofText
	case len(request[1]) > 0 && request[1][0] == '{':
		return ofGeneration
	case stringOf(request[1]) != nil:
		return ofChoices
	}
	return ofUnknown
}

// answer reads the responses: log-likelihoods of choices, or a text.
func (line *sampleLine) answer(object map[string]json.RawMessage, request []json.RawMessage) {
	var filtered []json.RawMessage
	_ = json.Unmarshal(object["filtered_resps"], &filtered) // of another form: no answer is read
	switch form := formOf(request); form {
	case ofText:
		if len(filtered) == 1 {
			line.logProbs = numberIn(filtered[0])
		}
		return
	case ofChoices, ofUnknown:
		if line.logProbs, line.greedy = choicesOf(filtered); line.logProbs != nil || form == ofChoices {
			return
		}
	}
	var responses [][]json.RawMessage
	if json.Unmarshal(object["resps"], &responses) != nil || len(responses) == 0 || len(responses[0]) == 0 {
		return
	}
	line.text = stringOf(responses[0][0])
	line.several = len(responses[0]) > 1
	if len(filtered) > 0 && line.text != nil {
		line.extracted = stringOf(firstOf(filtered[0]))
	}
}

// firstOf is the first element of a list, and any other value as it is.
func firstOf(raw json.RawMessage) json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return list[0]
	}
	return raw
}

func stringOf(raw json.RawMessage) *string {
	var text string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return nil
	}
	return &text
}

// choicesOf reads pairs of a log-likelihood and whether it is the greedy choice,
// each a JSON value or the text of a Python one. It returns nil if there is
// anything else.
func choicesOf(list []json.RawMessage) (logProbs []float64, greedy []bool) {
	for _, raw := range list {
		var pair []json.RawMessage
		if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 {
			return nil, nil
		}
		first, ok := scalarText(pair[0])
		second, also := scalarText(pair[1])
		logProb, err := strconv.ParseFloat(first, 64)
		best, known := truth(second)
		if !ok || !also || !known || err != nil && !math.IsInf(logProb, -1) {
			return nil, nil
		}
		logProbs, greedy = append(logProbs, logProb), append(greedy, best)
	}
	return logProbs, greedy
}

// numberIn is a list of the one number that a JSON value or the text of a Python
// one is, or nil.
func numberIn(raw json.RawMessage) []float64 {
	text, _ := scalarText(raw)
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return []float64{number}
}

// truth reads True and False as Python and JSON write them, or as numbers.
func truth(text string) (value, known bool) {
	switch strings.ToLower(text) {
	case "true", "1", "1.0":
		return true, true
	case "false", "0", "0.0":
		return false, true
	}
	return false, false
}

// ownName is the name under which Export puts what lm-evaluation-harness has no
// field for.
const ownName = "surgeon"

// ownFields is that: the fields of a record that would not be read back
// otherwise.
type ownFields struct {
	Key       string             `json:"key,omitempty"`
	Model     string             `json:"model"`
	Task      string             `json:"task"`
	Item      string             `json:"item"`
	Cluster   string             `json:"cluster,omitempty"`
	Seed      int64              `json:"seed"`
	NoGreedy  bool               `json:"greedy_unknown,omitempty"` // whether a choice is greedy is not known, and written as False
	Chosen    *int               `json:"chosen,omitempty"`
	Finish    string             `json:"finish,omitempty"`
	Tokens    int                `json:"tokens,omitempty"`
	Extracted map[string]string  `json:"extracted,omitempty"`
	Scores    map[string]float64 `json:"scores,omitempty"` // that are not the share of their parts
	Flags     []string           `json:"flags,omitempty"`
}

// restore puts the fields into a record.
func (own *ownFields) restore(r *Record) {
	r.Key, r.Model, r.Task, r.Item, r.Cluster, r.Seed = own.Key, own.Model, own.Task, own.Item, own.Cluster, own.Seed
	r.Chosen, r.Finish, r.Tokens, r.Extracted, r.Flags = own.Chosen, own.Finish, own.Tokens, own.Extracted, own.Flags
	if own.NoGreedy {
		r.Greedy = nil
	}
}
