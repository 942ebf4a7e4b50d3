package chat

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrNone says that a model has no chat template.
var ErrNone = errors.New("there is no chat template: neither chat_template.jinja nor chat_template in tokenizer_config.json")

// Read reads the template of a model from its tokenizer_config.json and, if
// there is one, its chat_template.jinja, which is newer. Of several templates it
// takes the one called default.
func Read(tokenizerConfig, jinja []byte) (*Template, error) {
	fields := map[string]json.RawMessage{}
	if len(tokenizerConfig) > 0 {
		if err := json.Unmarshal(tokenizerConfig, &fields); err != nil {
			return nil, fmt.Errorf("not JSON of an object: %w", err)
		}
	}
	source := string(jinja)
	if source == "" {
		var err error
		if source, err = templateOf(fields["chat_template"]); err != nil {
			return nil, err
		}
	}
	special := map[string]string{}
	for _, name := range []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"} {
		if token, ok := tokenOf(fields[name]); ok {
			special[name] = token
		}
	}
	return New(source, special)
}

// templateOf reads a template or a list of named ones.
func templateOf(data json.RawMessage) (string, error) {
	var one *string
	var list []struct{ Name, Template string }
	switch {
	case len(data) == 0:
		return "", ErrNone
	case json.Unmarshal(data, &one) == nil && one != nil:
		return *one, nil
	case json.Unmarshal(data, &list) != nil:
		return "", errors.New("chat_template is neither a text nor a list of named texts")
	}
	for _, t := range list {
		if t.Name == "default" {
			return t.Template, nil
		}
	}
	return "", ErrNone
}

// tokenOf reads a token: its text, or an object with it.
func tokenOf(data json.RawMessage) (string, bool) {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		if text == nil {
			return "", false
		}
		return *text, true
	}
	var object struct{ Content *string }
	if json.Unmarshal(data, &object) != nil || object.Content == nil {
		return "", false
	}
	return *object.Content, true
}
