package token_test

import (
	"fmt"

	"surgeon/probe/token"
)

// The file here knows the bytes, ten merges and the token <|end|>.
func Example() {
	tokenizer, err := token.New(encodeJSON(tinyFile()))
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := tokenizer.Encode("hello hello!<|end|>")
	fmt.Println(ids)
	text, err := tokenizer.Decode(ids)
	fmt.Println(text, err)
	// Output:
	// [259 260 33 266]
	// hello hello!<|end|> <nil>
}

// A file with something unknown in it is refused, and the error names it.
func ExampleNew() {
	file := tinyFile()
	file["pre_tokenizer"] = fields{"type": "BertPreTokenizer"}
	_, err := token.New(encodeJSON(file))
	fmt.Println(err)
	// Output:
	// token: tokenizer.json: pre_tokenizer type "BertPreTokenizer" is not supported; ByteLevel, Digits, Metaspace, Punctuation, Split, Whitespace, WhitespaceSplit and Sequence of them are
}

// The file may want special tokens around a text.
func ExampleTokenizer_AddSpecial() {
	file := tinyFile()
	end := []any{endOfText, endOfTextID}
	file["post_processor"] = fields{"type": "BertProcessing", "cls": end, "sep": end}
	tokenizer, err := token.New(encodeJSON(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tokenizer.AddSpecial(tokenizer.Encode("hello")))
	// Output: [266 259 266]
}
