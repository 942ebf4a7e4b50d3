package corpus

import (
	"bytes"
	"encoding/json"
)

// chatTemplate frames a conversation as the samples are framed for learning:
// <|bos|><|user|>question<|assistant|>answer<|eos|>. A system message stands
// before the first question.
const chatTemplate = `{{ bos_token }}` +
	`{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] + '\n\n' %}{% set turns = messages[1:] %}` +
	`{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}` +
	`{% for message in turns %}` +
	`{% if message['role'] == 'user' %}{{ '<|user|>' }}{% if loop.first %}{{ system }}{% endif %}{{ message['content'] }}` +
	`{% elif message['role'] == 'assistant' %}{{ '<|assistant|>' + message['content'] + eos_token }}` +
	`{% else %}{{ raise_exception('there are the roles user and assistant, and system in front') }}{% endif %}` +
	`{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}`

// contextLength is the most tokens of a prompt and its completion.
const contextLength = 256

// fields is a JSON object.
type fields = map[string]any

// Scratch is a model without weights: a Llama of 128 dimensions and 4 layers
// that is to be trained from random ones (standard deviation initializer_range),
// with the tokenizer that is learned from the corpus. The files are those that
// transformers reads.
func (c *Corpus) Scratch() []File {
	return []File{
		document("config.json", fields{
			"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "torch_dtype": "bfloat16",
			"vocab_size": vocabulary, "hidden_size": 128, "intermediate_size": 352, "num_hidden_layers": 4,
			"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "hidden_act": "silu",
			"max_position_embeddings": contextLength, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
			"tie_word_embeddings": true, "attention_bias": false, "mlp_bias": false, "initializer_range": 0.05,
			"bos_token_id": bos, "eos_token_id": eos, "pad_token_id": pad,
		}),
		document("generation_config.json", fields{"bos_token_id": bos, "eos_token_id": eos, "pad_token_id": pad, "do_sample": false}),
		{"tokenizer.json", tokenizerJSON(c.merges())},
		document("tokenizer_config.json", fields{
			"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": contextLength, "clean_up_tokenization_spaces": false,
			"bos_token": special[bos], "eos_token": special[eos], "pad_token": special[pad],
			"additional_special_tokens": []string{"<|user|>", "<|assistant|>"}, "chat_template": chatTemplate,
		}),
	}
}

// document is a JSON file, its keys in alphabetical order.
func document(name string, object fields) File {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(object); err != nil {
		panic("corpus: " + err.Error()) // of texts and numbers
	}
	return File{name, out.Bytes()}
}
