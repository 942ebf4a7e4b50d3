package preflight

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// setting is one value of a configuration. The zero value is an absent one.
type setting struct {
	path    []string // as the file spells it
	text    string
	implied bool // follows from other settings
}

func (s setting) shown() string {
	if s.implied {
		return clip(absent + ", hence " + s.text)
	}
	return shown(s.text, s.path != nil)
}

// settings are the values of a configuration, by their dotted path as
// transformers 5 spells it.
type settings map[string]setting

// meaningless are keys that say nothing about the model: where it came from,
// what wrote it, and how it was run last.
var meaningless = []string{
	"_name_or_path", "name_or_path", "transformers_version", "use_cache", "_attn_implementation", "_attn_implementation_autoset",
	"_from_model_config", "_commit_hash", "torchscript", "output_attentions", "output_hidden_states", "return_dict", "return_dict_in_generate",
	"use_return_dict", "gradient_checkpointing", "unsloth_version", "unsloth_fixed",
}

// quantised are the objects that say that the stored values are not weights.
var quantised = []string{"quantization_config", "compression_config", "quantization"}

// readSettings reads a configuration. A nil object has no settings.
func readSettings(object map[string]any) settings {
	s := settings{}
	flatten(object, nil, func(path []string, v any) {
		if slices.ContainsFunc(path, func(name string) bool {
			return slices.Contains(meaningless, name) || slices.Contains(quantised, name)
		}) {
			return
		}
		name := dotted(current(path))
		if _, ok := s[name]; !ok || name == dotted(path) { // the present spelling wins over a former one
			s[name] = setting{path: path, text: settingText(path[len(path)-1], v)}
		}
	})
	s.drop()
	s.imply()
	return s
}

// settingText renders the value of a field.
func settingText(field string, v any) string {
	switch {
	case slices.Contains(tokenFields, field):
		return set(v)
	case field == "torch_dtype" || field == "dtype":
		if name, ok := v.(string); ok {
			return text(strings.TrimPrefix(name, "torch."))
		}
	}
	return text(v)
}

// current is a path as transformers 5 spells it: rope_theta and rope_scaling
// have become rope_parameters, torch_dtype has become dtype.
func current(path []string) []string {
	renamed := slices.Clone(path)
	for i, name := range path {
		rotary := i > 0 && renamed[i-1] == "rope_parameters"
		switch {
		case name == "torch_dtype":
			renamed[i] = "dtype"
		case name == "rope_scaling":
			renamed[i] = "rope_parameters"
		case name == "type" && rotary:
			renamed[i] = "rope_type"
		case (name == "rope_theta" || name == "partial_rotary_factor") && !slices.Contains(renamed, "rope_parameters"):
			return slices.Insert(renamed, i, "rope_parameters")
		}
	}
	return renamed
}

// drop removes settings that say what holds without them.
func (s settings) drop() {
	for name, v := range s {
		prefix, field := cut(name)
		switch {
		case field == "rope_type" && v.text == `"default"`:
			delete(s, name)
		case field == "layer_types" && onlyFullAttention(v.text):
			delete(s, name)
		case field == "use_sliding_window" && v.text == "false":
			delete(s, prefix+"sliding_window")
			delete(s, prefix+"max_window_layers")
		}
	}
}

func onlyFullAttention(text string) bool {
	var layers []string
	if json.Unmarshal([]byte(text), &layers) != nil {
		return false
	}
	return !slices.ContainsFunc(layers, func(kind string) bool { return kind != "full_attention" })
}

// imply adds the numbers of heads that hold where none are written: as many
// for keys and values as for queries, of the width divided by them.
func (s settings) imply() {
	for name, v := range s {
		prefix, field := cut(name)
		if field != "num_attention_heads" || v.implied {
			continue
		}
		s.fill(prefix+"num_key_value_heads", v, v.text)
		heads, _ := strconv.ParseInt(v.text, 10, 64)
		hidden, err := strconv.ParseInt(s[prefix+"hidden_size"].text, 10, 64)
		if heads > 0 && err == nil && hidden%heads == 0 {
			s.fill(prefix+"head_dim", v, strconv.FormatInt(hidden/heads, 10))
		}
	}
}

// fill sets what is not written, beside the setting it follows from.
func (s settings) fill(name string, from setting, text string) {
	if _, ok := s[name]; !ok {
		_, field := cut(name)
		path := append(slices.Clone(from.path[:len(from.path)-1]), field)
		s[name] = setting{path, text, true}
	}
}

// cut splits a dotted path before its last segment, if that is a plain name.
func cut(name string) (prefix, field string) {
	at := strings.LastIndexByte(name, '.') + 1
	return name[:at], name[at:]
}
