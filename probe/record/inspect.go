package record

import (
	"encoding/json"
	"fmt"
	"io"
)

// Logs of Inspect (inspect_ai/log/_log.py): one JSON document, or the same in
// pieces in a ZIP file. Each sample and epoch becomes a record, its seed the
// epoch.

// inspection is a log of Inspect that is read.
type inspection struct {
	file    string
	task    string
	model   string
	notes   []string
	samples map[inspectID]inspectSample
	order   []inspectID
}

type inspectID struct {
	item  string
	epoch int64
}

// inspectHeader is what a log says of itself.
type inspectHeader struct {
	Status string `json:"status"`
	Eval   struct {
		Task  string `json:"task"`
		Model string `json:"model"`
	} `json:"eval"`
	Invalidated bool `json:"invalidated"`
}

// inspectSample is a sample, or the summary of one.
type inspectSample struct {
	ID     json.RawMessage         `json:"id"`
	Epoch  *int64                  `json:"epoch"`
	Input  json.RawMessage         `json:"input"`
	Scores map[string]inspectScore `json:"scores"`
	Score  *inspectScore           `json:"score"` // of logs before version 2
	Output struct {
		Completion string `json:"completion"`
		Choices    []struct {
			Message struct {
				Content json.RawMessage `json:"content"`
			} `json:"message"`
			StopReason string `json:"stop_reason"`
		} `json:"choices"`
		Usage struct {
			OutputTokens int `json:"output_tokens"`
		} `json:"usage"`
	} `json:"output"`

	summary bool // its input may be cut short
}

type inspectScore struct {
	Value  json.RawMessage `json:"value"`
	Answer json.RawMessage `json:"answer"`
}

func newInspection(file string) *inspection {
	return &inspection{file: file, samples: map[inspectID]inspectSample{}}
}

// readInspect reads a log that is one JSON document.
func readInspect(file string, r io.Reader) (Run, error) {
	in := newInspection(file)
	if err := in.document(r); err != nil {
		return Run{}, fmt.Errorf("%s: %w", file, err)
	}
	return in.finish("a log of Inspect")
}

// document reads a log's header and its samples, one at a time.
func (in *inspection) document(r io.Reader) error {
	decoder := newDecoder(r)
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return plain(orNot(err, "must be an object"))
	}
	header := map[string]json.RawMessage{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return plain(err)
		}
		switch name {
		case "status", "eval", "invalidated":
			var value json.RawMessage
			if err := decoder.Decode(&value); err != nil {
				return plain(err)
			}
			header[name.(string)] = value
		case "samples":
			if err := in.list(decoder, false); err != nil {
				return err
			}
		default:
			if err := skip(decoder); err != nil {
				return plain(err)
			}
		}
	}
	if _, err := decoder.Token(); err != nil {
		return plain(err)
	}
	return in.header(header)
}

// orNot is an error, or one with a text if there is none.
func orNot(err error, text string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s", text)
}

// header takes what the log says of itself.
func (in *inspection) header(fields map[string]json.RawMessage) error {
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	var header inspectHeader
	if err := json.Unmarshal(text, &header); err != nil {
		return plain(err)
	}
	if header.Eval.Task == "" {
		return fmt.Errorf("its header names no task")
	}
	in.task, in.model = header.Eval.Task, header.Eval.Model
	if header.Status != "" && header.Status != "success" { // a journal's beginning has none
		in.notes = append(in.notes, fmt.Sprintf("%s: the evaluation did not end: its status is %q", in.file, header.Status))
	}
	if header.Invalidated {
		in.notes = append(in.notes, fmt.Sprintf("%s: the log is marked as invalidated", in.file))
	}
	return nil
}

// list reads a list of samples or summaries; null is an empty one.
func (in *inspection) list(decoder *json.Decoder, summaries bool) error {
	token, err := decoder.Token()
	if err == nil && token == nil {
		return nil
	}
	if err != nil || token != json.Delim('[') {
		return plain(orNot(err, "samples must be a list"))
	}
	seen := map[inspectID]bool{}
	for number := 1; decoder.More(); number++ {
		sample := inspectSample{summary: summaries}
		if err := decoder.Decode(&sample); err != nil {
			return fmt.Errorf("sample %d: %w", number, plain(err))
		}
		id, err := in.add(sample)
		if err == nil && seen[id] {
			err = fmt.Errorf("%q, epoch %d is there already: each must be there once", id.item, id.epoch)
		}
		if err != nil {
			return fmt.Errorf("sample %d: %w", number, err)
		}
		seen[id] = true
	}
	_, err = decoder.Token()
	return plain(err)
}

// add takes a sample, in place of one of the same name and epoch.
func (in *inspection) add(sample inspectSample) (id inspectID, err error) {
	item, ok := scalarText(sample.ID)
	if !ok || item == "" {
		return id, fmt.Errorf(`"id" must be text or a number`)
	}
	id = inspectID{item, 1}
	if sample.Epoch != nil {
		id.epoch = *sample.Epoch
	}
	if _, ok := in.samples[id]; !ok {
		in.order = append(in.order, id)
	}
	in.samples[id] = sample
	return id, nil
}

// finish makes records of the samples.
func (in *inspection) finish(source string) (Run, error) {
	run := Run{Source: source, Notes: in.notes}
	var unscored []string
	unknown := map[string]bool{}
	for _, id := range in.order {
		sample := in.samples[id]
		r := Record{Model: in.model, Task: in.task, Item: id.item, Seed: id.epoch, Scores: map[string]float64{}}
		if sample.Score != nil && sample.Scores == nil {
			sample.Scores = map[string]inspectScore{"score": *sample.Score}
		}
		for _, scorer := range sortedKeys(sample.Scores) {
			score := sample.Scores[scorer]
			before := len(r.Scores)
			r.grade(scorer, score.Value, unknown)
			if answer := stringOf(score.Answer); answer != nil && len(r.Scores) > before {
				if r.Extracted == nil {
					r.Extracted = map[string]string{}
				}
				r.Extracted[scorer] = *answer
			}
		}
		if len(r.Scores) == 0 {
			unscored = append(unscored, fmt.Sprintf("%q epoch %d", id.item, id.epoch))
			continue
		}
		sample.answer(&r)
		run.Records = append(run.Records, r)
	}
	if n := len(unscored); n > 0 {
		run.note("%s: %s left out for want of a score: %s", in.file, counted(n, "sample"), listed(unscored[:min(named, n)], n))
	}
	if values := sortedKeys(unknown); len(values) > 0 {
		run.note("%s: values that are no scores and are left out: %s", in.file, listed(values[:min(named, len(values))], len(values)))
	}
	if len(run.Records) == 0 {
		return Run{}, fmt.Errorf("%s has no scored samples", in.file)
	}
	return run, nil
}

// answer adds what was asked and answered.
func (sample inspectSample) answer(r *Record) {
	if !sample.summary {
		r.PromptHash = promptHashOf(sample.Input)
	}
	if len(sample.Output.Choices) == 0 {
		return
	}
	choice := sample.Output.Choices[0]
	r.Text = stringOf(choice.Message.Content)
	if r.Text == nil && sample.Output.Completion != "" {
		r.Text = &sample.Output.Completion
	}
	r.Tokens = sample.Output.Usage.OutputTokens
	switch choice.StopReason {
	case "stop":
		r.Finish = "stop"
	case "max_tokens", "length":
		r.Finish = "length"
	case "model_length":
		r.Finish = "context"
	}
}

// promptHashOf is the SHA-256 of an input: of the text, or of the roles and texts
// of messages, whose other fields differ from run to run.
func promptHashOf(input json.RawMessage) string {
	if text := stringOf(input); text != nil {
		return hashText(*text)
	}
	var messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	if json.Unmarshal(input, &messages) != nil || len(messages) == 0 {
		return ""
	}
	var whole []string
	for _, message := range messages {
		content, err := canonical(message.Content)
		if err != nil {
			return ""
		}
		whole = append(whole, message.Role, string(content))
	}
	return Key(whole...)
}
