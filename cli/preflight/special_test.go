package preflight_test

import (
	"slices"
	"strings"
	"testing"

	"surgeon/cli/preflight"
)

func TestSpecialTokens(t *testing.T) {
	for _, file := range []string{"tokenizer_config.json", "special_tokens_map.json"} {
		check := checker(t, file)
		for _, field := range []string{"bos_token", "eos_token", "pad_token"} {
			check(document(t, field, "a"), document(t, field, "b"), "warning "+field)
			check(document(t, field, "a"), `{}`, "warning "+field)
			check(document(t, field, "a"), document(t, field, map[string]any{"content": "a", "lstrip": false}))
			check(document(t, field, map[string]any{"content": "b"}), document(t, field, map[string]any{"content": "a"}), "warning "+field)
			check(document(t, field, nil), `{}`)
		}
		for _, field := range []string{"add_bos_token", "add_eos_token", "add_prefix_space"} {
			check(document(t, field, true), document(t, field, false), "warning "+field)
			check(document(t, field, true), `{}`, "note "+field)
		}
		check(`{"unk_token":"a"}`, `{"unk_token":"b"}`, "note unk_token")
		check(`{"additional_special_tokens":["a","b"]}`, `{"additional_special_tokens":["b",{"content":"a"}]}`)
		check(`{"additional_special_tokens":["a","b"]}`, `{"additional_special_tokens":["a"]}`, "note additional_special_tokens")
		check(`{"additional_special_tokens":[]}`, `{}`)
		check(`{"tokenizer_class":"LlamaTokenizer"}`, `{"tokenizer_class":"LlamaTokenizerFast"}`)
		check(`{"tokenizer_class":"LlamaTokenizer"}`, `{"tokenizer_class":"Qwen2Tokenizer"}`, "note tokenizer_class")
		check(`{"auto_map":{"a":"b"}}`, `{}`, "warning auto_map")
		check(`{"model_max_length":1,"anything":2}`, `{"model_max_length":1e30}`)
		check(`{"eos_token":{"odd":1}}`, `{"eos_token":{"odd":2}}`, "warning eos_token")
	}
}

// TestSpecialTokensTogether: what one file does not say, the other may.
func TestSpecialTokensTogether(t *testing.T) {
	check := func(base, tuned []string, want ...string) {
		t.Helper()
		var got []string
		for _, f := range compare(t, directory(base...), directory(tuned...)) {
			got = append(got, f.File+" "+f.Field)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q against %q: %q", base, tuned, got)
		}
	}
	const settings, special = "tokenizer_config.json", "special_tokens_map.json"
	check([]string{settings, `{"eos_token":"a"}`}, []string{special, `{"eos_token":"a"}`})
	check([]string{settings, `{"eos_token":"a"}`}, []string{settings, `{"eos_token":"a"}`, special, `{"eos_token":"a"}`})
	check([]string{settings, `{"eos_token":"a"}`}, []string{special, `{"eos_token":"b"}`}, settings+" eos_token")
	check([]string{settings, `{"eos_token":"a"}`, special, `{"eos_token":"a"}`}, []string{settings, `{"eos_token":"b"}`, special, `{"eos_token":"b"}`},
		settings+" eos_token")
	check([]string{settings, `{"eos_token":"a"}`, special, `{"eos_token":"a"}`}, []string{settings, `{"eos_token":"a"}`, special, `{"eos_token":"b"}`},
		special+" eos_token")
}

func TestTemplates(t *testing.T) {
	check := func(base, tuned []string, want ...string) {
		t.Helper()
		var got []string
		for _, f := range compare(t, directory(base...), directory(tuned...)) {
			got = append(got, f.Severity.String()+" "+f.File+" "+f.Field)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q against %q: %q", base, tuned, got)
		}
	}
	const settings, jinja, object = "tokenizer_config.json", "chat_template.jinja", "chat_template.json"
	inSettings := []string{settings, `{"chat_template":"{{ a }}"}`}
	check(inSettings, []string{settings, `{"chat_template":"{{ b }}"}`}, "warning tokenizer_config.json chat_template")
	check(inSettings, nil, "warning tokenizer_config.json chat_template")
	check(inSettings, []string{settings, `{"chat_template":null}`}, "warning tokenizer_config.json chat_template")
	check(inSettings, inSettings)
	check(inSettings, []string{jinja, "{{ a }}\n"})
	check(inSettings, []string{jinja, "{{ a }}\n\n"}, "warning tokenizer_config.json chat_template")
	check(inSettings, []string{object, `{"chat_template":"{{ a }}"}`})
	check(inSettings, []string{settings, `{"chat_template":"old"}`, jinja, "{{ a }}"})
	check([]string{jinja, "a"}, []string{jinja, "b"}, "warning chat_template.jinja chat_template")
	check([]string{object, `{"chat_template":"a"}`}, nil, "warning chat_template.json chat_template")
	check(nil, []string{jinja, ""}, "warning chat_template.jinja chat_template")

	named := []string{settings, `{"chat_template":[{"name":"default","template":"{{ a }}"},{"name":"tool use","template":"t"}]}`}
	check(inSettings, named, `warning tokenizer_config.json chat_template."tool use"`)
	check(named, []string{settings, `{"chat_template":[{"name":"tool use","template":"t"},{"name":"default","template":"{{ a }}"},3,{"name":"x"}]}`})
	check(named, []string{settings, `{"chat_template":[{"name":"default","template":"{{ b }}"},{"name":"tool use","template":"t"}]}`},
		"warning tokenizer_config.json chat_template")
	check([]string{settings, `{"chat_template":7}`}, []string{settings, `{"chat_template":{}}`})
}

// TestTemplateShows shows what follows the first difference.
func TestTemplateShows(t *testing.T) {
	long := strings.Repeat("x", 500)
	base, tuned := directory("chat_template.jinja", long+"\x1b"+long), directory("chat_template.jinja", long+"é")
	f := compare(t, base, tuned)[0]
	if !strings.HasPrefix(f.Base, `1001 characters, from 501 on "\x1bxxx`) || f.Tuned != `501 characters, from 501 on "é"` {
		t.Errorf("%+v", f)
	}
	if f := compare(t, nil, tuned)[0]; f.Base != "absent" || !strings.Contains(f.Says, "has no chat template") {
		t.Errorf("%+v", f)
	}
	if f := compare(t, tuned, nil)[0]; f.Tuned != "absent" || !strings.Contains(f.Says, "keeps the base's") {
		t.Errorf("%+v", f)
	}
}

func TestGeneration(t *testing.T) {
	check := checker(t, "generation_config.json")
	check(`{"eos_token_id":2}`, `{"eos_token_id":[2]}`)
	check(`{"eos_token_id":[1,2]}`, `{"eos_token_id":[2,1]}`)
	check(`{"eos_token_id":2}`, `{"eos_token_id":[2,7]}`, "warning eos_token_id")
	check(`{"eos_token_id":2}`, `{}`, "warning eos_token_id")
	check(`{"bos_token_id":1}`, `{"bos_token_id":2}`, "warning bos_token_id")
	check(`{"pad_token_id":1}`, `{"pad_token_id":2}`, "warning pad_token_id")
	for _, field := range []string{"temperature", "top_p", "top_k", "do_sample", "repetition_penalty"} {
		check(document(t, field, 1), document(t, field, 2), "note "+field)
		check(document(t, field, 1), document(t, field, 1.0))
	}
	check(`{"transformers_version":"4","_from_model_config":true}`, `{"transformers_version":"5"}`)
}

// TestGenerationInherits: without generation_config.json, or without the field
// in it, transformers looks in config.json.
func TestGenerationInherits(t *testing.T) {
	check := func(base, tuned []string, want ...string) {
		t.Helper()
		found := compare(t, directory(base...), directory(tuned...))
		if got := brief(found, "generation_config.json"); !slices.Equal(got, want) {
			t.Errorf("%q against %q: %q", base, tuned, got)
		}
	}
	const generation, config = "generation_config.json", "config.json"
	check([]string{generation, `{"eos_token_id":2,"top_p":1}`}, nil, "note")
	check([]string{generation, `{"eos_token_id":2,"top_p":1}`}, []string{config, `{"eos_token_id":2}`}, "note")
	check([]string{generation, `{"eos_token_id":[2,7],"top_p":1}`}, []string{config, `{"eos_token_id":2}`}, "warning eos_token_id", "note")
	check([]string{generation, `{"eos_token_id":2}`}, []string{generation, `{}`, config, `{"eos_token_id":2}`})
	check([]string{generation, `{"eos_token_id":2}`}, []string{generation, `{}`, config, `{"eos_token_id":3}`}, "warning eos_token_id")
	check([]string{generation, `{}`, config, `{"eos_token_id":2}`}, []string{generation, `{}`, config, `{"eos_token_id":3}`})
}

func TestCode(t *testing.T) {
	check := func(base, tuned []string, want ...string) {
		t.Helper()
		var got []string
		for _, f := range compare(t, directory(base...), directory(tuned...)) {
			got = append(got, f.Severity.String()+" "+f.File+" "+f.Base+" "+f.Tuned)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q against %q: %q", base, tuned, got)
		}
	}
	code := []string{"modeling_x.py", "import os", "b.py", ""}
	check(code, code)
	check(code, []string{"modeling_x.py", "import os "}, "warning b.py 0 bytes absent", "warning modeling_x.py 9 bytes 10 bytes")
	check([]string{"x.pyc", "1", "below/x.py", "1"}, []string{"x.pyc", "2"})
	check([]string{"a\x1bb.py", "1"}, nil, `warning "a\x1bb.py" 1 byte absent`)
}

// TestSeverity: words, in text and JSON, in their order.
func TestSeverity(t *testing.T) {
	if !(preflight.Note < preflight.Warning && preflight.Warning < preflight.Error) || preflight.Severity(7).String() != "severity 7" {
		t.Error("severities are out of order")
	}
	got := document(t, "f", preflight.Finding{Severity: preflight.Error, File: "a", Field: "b", Base: "c", Tuned: "d", Says: "e"})
	if want := `{"f":{"severity":"error","file":"a","field":"b","base":"c","tuned":"d","says":"e"}}`; got != want {
		t.Errorf("got %s", got)
	}
}
