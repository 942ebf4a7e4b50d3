package preflight_test

import (
	"io/fs"
	"testing"

	"surgeon/cli/preflight"
)

// compareOnce compares one way round only, where the time matters.
func compareOnce(t *testing.T, base, tuned fs.FS) []preflight.Finding {
	t.Helper()
	found, err := preflight.Compare(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// FuzzCompare compares any two config.json, which serve as the other
// configurations too: as many findings either way round, all of them
// printable, and no errors of a file against itself but of quantised weights.
func FuzzCompare(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `{"a":{"b":1}}`, `{"a.b":1e999}`, `{"rope_theta":1e4,"rope_scaling":{"type":"linear"}}`, `{"x":[NaN,-Infinity]}`,
		`{"rope_parameters":{"rope_theta":10000,"rope_type":"default"}}`, `{"hidden_size":8,"num_attention_heads":2,"head_dim":4}`,
		`{"eos_token_id":[1,2],"eos_token":{"content":"a"}}`, `{"quantization_config":{"quant_method":"awq"}}`, `{"chat_template":[{"name":"a","template":"b"}]}`,
		`{"sliding_window":1,"use_sliding_window":false,"layer_types":["full_attention"]}`, `{"tie_word_embeddings":false,"torch_dtype":"torch.float16"}`,
		`{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]},"added_tokens":[{"id":2,"content":"c"}]}`, `{"model":{"vocab":[["a",1]]}}`,
	} {
		f.Add([]byte(seed), []byte(`{"model_type":"a","hidden_size":8,"rope_theta":10000}`))
		f.Add([]byte(seed), []byte(seed+" "))
	}
	f.Fuzz(func(t *testing.T, base, tuned []byte) {
		everywhere := func(data string) fs.FS {
			return directory("config.json", data, "generation_config.json", data, "tokenizer_config.json", data, "special_tokens_map.json", data,
				"chat_template.json", data, "chat_template.jinja", data, "tokenizer.json", data, "x.py", data)
		}
		compare(t, everywhere(string(base)), everywhere(string(tuned)))
		compare(t, directory("config.json", string(base)), directory("config.json", string(tuned)))
		for _, found := range compare(t, everywhere(string(base)), everywhere(string(base))) {
			if found.Base != "broken" && found.Severity != preflight.Error {
				t.Errorf("a file differs from itself: %+v", found)
			}
		}
	})
}
