package token_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"surgeon/probe/token"
)

func checkRefused(t *testing.T, data []byte, want string) {
	t.Helper()
	tokenizer, err := token.New(data)
	if err == nil || tokenizer != nil {
		t.Errorf("New accepts it, want an error with %q", want)
		return
	}
	message := err.Error()
	if !strings.HasPrefix(message, "token: tokenizer.json: ") || !strings.Contains(message, want) {
		t.Errorf("New: %q, want token: tokenizer.json: ... %q", message, want)
	}
	if strings.ContainsAny(message, "\n") || len(message) > 300 {
		t.Errorf("New: %q is not one sentence", message)
	}
}

// put changes one place of a file: top.key, model.key and so on.
func put(key string, value any) func(fields) {
	return func(file fields) {
		if inner, ok := strings.CutPrefix(key, "model."); ok {
			file["model"].(fields)[inner] = value
			return
		}
		file[key] = value
	}
}

func drop(key string) func(fields) {
	return func(file fields) {
		if inner, ok := strings.CutPrefix(key, "model."); ok {
			delete(file["model"].(fields), inner)
			return
		}
		delete(file, key)
	}
}

// word sets the id of a token of the vocabulary.
func word(name string, id any) func(fields) {
	return func(file fields) { file["model"].(fields)["vocab"].(fields)[name] = id }
}

func noWord(name string) func(fields) {
	return func(file fields) { delete(file["model"].(fields)["vocab"].(fields), name) }
}

func both(first, second func(fields)) func(fields) {
	return func(file fields) { first(file); second(file) }
}

func tokens(list ...any) func(fields) { return put("added_tokens", list) }

// with changes a part of the file.
func with(part fields, key string, value any) fields {
	part[key] = value
	return part
}

func without(part fields, key string) fields {
	delete(part, key)
	return part
}

func sequence(steps ...any) fields { return fields{"type": "Sequence", "pretokenizers": steps} }

func nested(depth int) fields {
	if depth == 0 {
		return byteLevel()
	}
	return sequence(nested(depth - 1))
}

func TestRefused(t *testing.T) {
	digits := fields{"type": "Digits", "individual_digits": true}
	for _, test := range []struct {
		change func(fields)
		want   string
	}{
		{put("extra", 1), `the top level has the unknown key "extra"`},
		{put("Model", 1), `the top level has the unknown key "Model"`},
		{put("version", "2.0"), `version "2.0" is not supported; "1.0" is`},
		{put("version", 1), `version is 1, not a string`},
		{put("truncation", fields{"max_length": 5}), `truncation is set, which is not supported; only null is`},
		{put("padding", fields{"strategy": fields{"Fixed": 5}}), `padding.strategy is {"Fixed":5}, which is not supported; "BatchLongest" is`},
		{put("padding", fields{"strategy": "BatchLongest", "pad_to_multiple_of": 8}), `padding.pad_to_multiple_of is 8, which is not supported; only null is`},
		{put("padding", fields{"strategy": "BatchLongest", "extra": 1}), `padding has the unknown key "extra"`},
		{put("padding", fields{}), `padding has no "strategy"`},
		{put("padding", 3), `padding is 3, not an object`},

		{put("pre_tokenizer", fields{"type": "BertPreTokenizer"}), `pre_tokenizer type "BertPreTokenizer" is not supported; ByteLevel, Digits, Metaspace, `},
		{put("pre_tokenizer", sequence(digits, fields{"type": "CharDelimiterSplit"})), `pre_tokenizer.pretokenizers[1] type "CharDelimiterSplit" is not supported`},
		{put("pre_tokenizer", sequence(nil, byteLevel())), `pre_tokenizer.pretokenizers[0] is null, not an object`},
		{put("pre_tokenizer", "ByteLevel"), `pre_tokenizer is "ByteLevel", not an object`},
		{put("pre_tokenizer", fields{}), `pre_tokenizer has no "type"`},
		{put("pre_tokenizer", fields{"type": 7}), `pre_tokenizer.type is 7, not a string`},
		{put("pre_tokenizer", sequence(byteLevel(), digits)), `pre_tokenizer is [ByteLevel, Digits], but must end`},
		{put("pre_tokenizer", sequence(byteLevel(), byteLevel())), `pre_tokenizer is [ByteLevel, ByteLevel], but must end`},
		{put("pre_tokenizer", with(sequence(byteLevel()), "extra", 1)), `pre_tokenizer has the unknown key "extra"`},
		{put("pre_tokenizer", fields{"type": "Sequence", "pretokenizers": 1}), `pre_tokenizer.pretokenizers is 1, not an array`},
		{put("pre_tokenizer", fields{"type": "Sequence"}), `pre_tokenizer has no "pretokenizers"`},
		{put("pre_tokenizer", nested(100)), `is a Sequence inside 8 others, which is not supported`},
		{put("pre_tokenizer", with(byteLevel(), "extra", 1)), `pre_tokenizer has the unknown key "extra"`},
		{put("pre_tokenizer", with(byteLevel(), "use_regex", "no")), `pre_tokenizer.use_regex is "no", not true or false`},
		{put("pre_tokenizer", with(byteLevel(), "use_regex", nil)), `pre_tokenizer.use_regex is null, not true or false`},
		{put("pre_tokenizer", with(byteLevel(), "trim_offsets", 1)), `pre_tokenizer.trim_offsets is 1, not true or false`},
		{put("pre_tokenizer", without(byteLevel(), "add_prefix_space")), `pre_tokenizer has no "add_prefix_space"`},
		{put("pre_tokenizer", sequence(fields{"type": "Digits"}, byteLevel())), `pre_tokenizer.pretokenizers[0] has no "individual_digits"`},
		{put("pre_tokenizer", sequence(fields{"type": "Digits", "individual_digits": true, "base": 10}, byteLevel())), `pre_tokenizer.pretokenizers[0] has the unknown key "base"`},

		{put("post_processor", fields{"type": "Other"}), `post_processor type "Other" is not supported; null, BertProcessing, ByteLevel, RobertaProcessing, `},
		{put("post_processor", with(byteLevel(), "extra", 1)), `post_processor has the unknown key "extra"`},
		{put("post_processor", fields{"type": ""}), `post_processor type "" is not supported`},
		{put("decoder", fields{"type": "WordPiece"}), `decoder type "WordPiece" is not supported; ByteFallback, ByteLevel, Fuse, `},
		{put("decoder", with(byteLevel(), "extra", 1)), `decoder has the unknown key "extra"`},

		{drop("model"), `the top level has no "model"`},
		{put("model", nil), `model is null, not an object`},
		{put("model", []int{1}), `model is [1], not an object`},
		{put("model.type", "WordPiece"), `model type "WordPiece" is not supported; BPE, Unigram and WordLevel are`},
		{put("model.type", nil), `model.type is null, not a string`},
		{put("model.extra", 1), `model has the unknown key "extra"`},
		{put("model.dropout", 0.1), `model.dropout is 0.1, which is not supported; only null is`},
		{put("model.unk_token", 3), `model.unk_token is 3, not a string`},
		{both(put("model.byte_fallback", true), noWord("z")), `model.vocab has no token "z" for the byte 0x7A; with an unk_token or byte_fallback all 256`},
		{put("model.fuse_unk", 1), `model.fuse_unk is 1, not true or false`},
		{put("model.ignore_merges", "x"), `model.ignore_merges is "x", not true or false`},
		{put("model.continuing_subword_prefix", "##"), `model.continuing_subword_prefix is "##", which is not supported`},
		{put("model.end_of_word_suffix", "</w>"), `model.end_of_word_suffix is "</w>", which is not supported`},

		{drop("model.vocab"), `model has no "vocab"`},
		{put("model.vocab", []string{"a"}), `model.vocab is ["a"], not an object`},
		{word("a", -3), `model.vocab["a"] is -3, not a whole number from 0 to 2147483647`},
		{word("a", 1.5), `model.vocab["a"] is 1.5, not a whole number`},
		{word("a", 1<<31), `model.vocab["a"] is 2147483648, not a whole number`},
		{word("a", "1"), `model.vocab["a"] is "1", not a whole number`},
		{word("new", 'b'), `model.vocab gives the id 98 both to "b" and to "new"`},
		{both(put("model.unk_token", "<x>"), noWord("z")), `model.vocab has no token "z" for the byte 0x7A; with an unk_token or byte_fallback all 256 are needed`},
		{both(put("model.unk_token", ""), noWord("ÿ")), `model.vocab has no token "ÿ" for the byte 0xFF`},
		{put("model.vocab", json.Number(strings.Repeat("9", 1000))), `model.vocab is 9999`},

		{drop("model.merges"), `model has no "merges"`},
		{put("model.merges", nil), `model.merges is null, not an array`},
		{put("model.merges", "h e"), `model.merges is "h e", not an array`},
		{put("model.merges", []string{"h e", "hx e"}), `model.merges[1] joins "hx" and "e", but model.vocab has no "hx"`},
		{put("model.merges", []string{"h ex"}), `model.merges[0] joins "h" and "ex", but model.vocab has no "ex"`},
		{put("model.merges", []string{"z z"}), `model.merges[0] joins "z" and "z", but model.vocab has no "zz"`},
		{put("model.merges", []string{"h  e"}), `model.merges[0] is "h  e", not "a b" or ["a", "b"]`},
		{put("model.merges", []string{"he"}), `model.merges[0] is "he", not "a b"`},
		{put("model.merges", []any{"h e", []string{"l", "l"}}), `model.merges[1] is ["l","l"], not "a b" or ["a", "b"] like the others`},
		{put("model.merges", []any{[]string{"h", "e"}, "l l"}), `model.merges[1] is "l l", not`},
		{put("model.merges", []any{[]string{"h", "e", "l"}}), `model.merges[0] is ["h","e","l"], not`},
		{put("model.merges", []any{5}), `model.merges[0] is 5, not`},

		{put("added_tokens", fields{}), `added_tokens is {}, not an array`},
		{tokens(5), `added_tokens[0] is 5, not an object`},
		{tokens(with(addedToken(266, "<x>"), "extra", 1)), `added_tokens[0] has the unknown key "extra"`},
		{tokens(without(addedToken(266, "<x>"), "id")), `added_tokens[0] has no "id"`},
		{tokens(without(addedToken(266, "<x>"), "content")), `added_tokens[0] has no "content"`},
		{tokens(without(addedToken(266, "<x>"), "lstrip")), `added_tokens[0] has no "lstrip"`},
		{tokens(with(addedToken(266, "<x>"), "special", 1)), `added_tokens[0].special is 1, not true or false`},
		{tokens(addedToken(-1, "<x>")), `added_tokens[0].id is -1, not a whole number`},
		{tokens(addedToken(266, "")), `added_tokens[0].content is empty`},
		{tokens(addedToken('b', "<x>")), `added_tokens[0] gives "<x>" the id 98, which is that of "b"`},
		{tokens(addedToken(7, "hello")), `added_tokens[0] gives "hello" the id 7, but model.vocab gives it 259`},
		{tokens(addedToken(266, "<x>"), addedToken(266, "<y>")), `added_tokens[1] gives "<y>" the id 266, which is that of "<x>"`},
		{tokens(addedToken(266, "<x>"), addedToken(266, "<x>")), `added_tokens[1] is "<x>" a second time`},
		{tokens(addedToken(300, "<x>")), `added_tokens[0] gives "<x>" the id 300, but the next free id, which the reference library would give it, is 266`},
	} {
		file := tinyFile()
		test.change(file)
		checkRefused(t, encodeJSON(file), test.want)
	}
}

// TestRefusedBytes has what a changed value cannot express.
func TestRefusedBytes(t *testing.T) {
	whole := encodeJSON(tinyFile())
	replace := func(old, new string) []byte {
		if !bytes.Contains(whole, []byte(old)) {
			t.Fatalf("the file has no %s", old)
		}
		return bytes.Replace(whole, []byte(old), []byte(new), 1)
	}
	check := func(data []byte, want string) {
		t.Helper()
		checkRefused(t, data, want)
	}
	check(nil, "the file is not JSON: unexpected end of JSON input")
	check(whole[:len(whole)-1], "the file is not JSON: unexpected end of JSON input")
	check(append(bytes.Clone(whole), '{'), "the file is not JSON: invalid character '{' after top-level value")
	check([]byte("\uFEFF"+string(whole)), "the file is not JSON: invalid character")
	check([]byte("null"), "the top level is null, not an object")
	check([]byte("[]"), "the top level is [], not an object")
	check([]byte(strings.Repeat("[", 1<<20)), "the file is not JSON: ")
	check(replace("hello", "hell\xFF"), "the file is not UTF-8")
	check(replace("hello", `\ud800`), `the escape \ud800 at byte `)
	check(replace("hello", `\\\udfff`), `the escape \udfff at byte `)
	check(replace("hello", `\ud800\ud800`), `the escape \ud800 at byte `)
	check(replace(`"model":`, `"model":{},"model":`), `the top level has the key "model" twice`)
	check(replace(`"hello":259`, `"hello":259,"hello":259`), `model.vocab has the key "hello" twice`)
	check(replace(`"special":true`, `"special":true,"special":false`), `added_tokens[0] has the key "special" twice`)
}

// TestAccepted has what looks unusual and is sound.
func TestAccepted(t *testing.T) {
	check := func(change func(fields), text string, want ...int32) {
		t.Helper()
		file := tinyFile()
		change(file)
		tokenizer, err := token.New(encodeJSON(file))
		if err != nil {
			t.Error(err)
			return
		}
		checkEncode(t, tokenizer, text, want)
	}
	check(put("model.unk_token", ""), "hello", 259)
	check(put("model.unk_token", "<none>"), "hello", 259)
	check(put("model.fuse_unk", true), "hello", 259)
	check(put("model.end_of_word_suffix", ""), "hello", 259)
	check(drop("model.type"), "hello", 259)
	check(drop("model.dropout"), "hello", 259)
	check(drop("version"), "hello", 259)
	check(drop("added_tokens"), "<|", '<', '|')
	check(put("added_tokens", nil), "hello", 259)
	check(put("post_processor", byteLevel()), "hello", 259)
	check(put("padding", fields{"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": nil, "pad_id": 0, "pad_type_id": 0, "pad_token": "x"}), "hello", 259)
	check(put("model.byte_fallback", true), "hello", 259)
	check(put("pre_tokenizer", without(byteLevel(), "use_regex")), "hello hello", 259, 260)
	check(put("pre_tokenizer", nested(8)), "hello hello", 259, 260)
	check(put("model.merges", [][]string{{"h", "e"}}), "hel", 256, 'l')
	check(put("model.merges", []string{}), "hel", 'h', 'e', 'l')
	noAdded := drop("added_tokens")
	check(both(noAdded, word("far", 1<<31-1)), "hello", 259) // and no table of that length
	check(both(noAdded, word("😀 \\ \u2028", 267)), "hello", 259)
	check(both(noAdded, noWord("z")), "zazazz z", 'a', 'a', ' ')
	check(both(noAdded, noWord("z")), "hzell zhello", 258, 260)
}
