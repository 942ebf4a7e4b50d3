package tensors_test

import (
	"slices"
	"strings"
	"testing"
)

// entryWith puts a text into each position of a header where a string may
// stand: its name says which.
func entryWith(text string) map[string]string {
	return map[string]string{
		"name":            `{"` + text + `":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
		"second name":     `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"` + text + `":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}`,
		"field":           `{"a":{"` + text + `":1,"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
		"type":            `{"a":{"dtype":"` + text + `","shape":[1],"data_offsets":[0,1]}}`,
		"metadata key":    `{"__metadata__":{"` + text + `":"v"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
		"metadata value":  `{"__metadata__":{"k":"` + text + `"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
		"end of the file": `{"` + text,
	}
}

// TestStrings refuses every string that JSON or UTF-8 does not have, wherever
// in a header it stands.
func TestStrings(t *testing.T) {
	check := func(what, text string, words ...string) {
		for position, header := range entryWith(text) {
			t.Run(what+" as "+position, func(t *testing.T) {
				c, err := openBytes(file(header, 7))
				refused(t, c, err, append(words, "m/model.safetensors: ")...)
			})
		}
	}
	const surrogate, escape, control, coded = "half of a surrogate pair", "broken escape", "control character", "not UTF-8"
	check("a high surrogate", `\ud800`, surrogate)
	check("a low surrogate", `\udc00`, surrogate)
	check("a high surrogate in a word", `x\uDBFFy`, surrogate)
	check("two high surrogates", `\ud800\ud800`, surrogate)
	check("low before high", `\udc00\ud800`, surrogate)
	check("a pair and a half", `\ud834\udd1e\ud834`, surrogate)
	check("high before another escape", `\ud800\n`, surrogate)
	check("high before a letter escape", `\ud800\u0061`, surrogate)
	check("high before what is no escape", `\ud800abcdefgh`, surrogate)
	check("high before a broken escape", `\ud800\udc0`, surrogate)
	check("three digits", `\u006`, escape)
	check("no digits", `\u`, escape)
	check("digits that are none", `\u00zz`, escape)
	check("a sign among digits", `\u+061`, escape)
	check("an underscore among digits", `\u0_61`, escape)
	check("an unknown escape", `\x41`, escape)
	check("an escaped quote of JavaScript", `\'`, escape)
	check("NUL", "a\x00b", control)
	check("tab", "a\tb", control)
	check("line break", "a\nb", control)
	check("unit separator", "a\x1fb", control)
	check("a byte that begins nothing", "a\xffb", coded)
	check("a surrogate in UTF-8", "\xed\xa0\x80", coded)
	check("overlong", "\xc0\xaf", coded)
	check("beyond Unicode", "\xf4\x90\x80\x80", coded)
	check("half a character", "\xe2\x80", coded)
}

// TestStringsKept opens names of every escape and of characters that look like
// trouble, and gives them back as they are meant.
func TestStringsKept(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		c, err := openBytes(file(entryWith(text)["name"], 7))
		closing(t, c, err)
		if !slices.Equal(c.Names(), []string{want}) {
			t.Errorf("%q is read as %q, want %q", text, c.Names(), want)
		}
		raw, err := c.Raw(want)
		if err != nil || !slices.Equal(raw, []byte{7}) {
			t.Errorf("%q: %v, %v", text, raw, err)
		}
	}
	check(`\"\\\/\b\f\n\r\t`, "\"\\/\b\f\n\r\t")
	check(`\u0000\u001f\u007f`, "\x00\x1f\x7f")
	check(`\u00e9\u00E9`, "éé")
	check(`\ud834\udd1e`, "\U0001d11e")
	check(`\uDBFF\uDFFF`, "\U0010ffff")
	check(`\ud7ff\ue000\ufffd\uffff`, "\ud7ff\ue000\ufffd\uffff")
	check("\u2028\u2029\ufeff\ufffd\x7f", "\u2028\u2029\ufeff\ufffd\x7f")
	check("e\u0301", "e\u0301") // not composed to é
}

// TestSameName: two spellings of one name are one name, in every place where
// names must differ.
func TestSameName(t *testing.T) {
	a := `{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`
	check := func(first, second string) {
		t.Helper()
		c, err := openBytes(file(`{"` + first + `":` + a + `,"x":` + a + `,"` + second + `":` + a + `}`))
		refused(t, c, err, "stands twice in the header")
		c, err = openBytes(file(`{"__metadata__":{"` + first + `":"1","` + second + `":"2"}}`))
		refused(t, c, err, "stands twice in the header")
	}
	check("a", `\u0061`)
	check(`\u0061`, "a")
	check(`\u00E9`, `\u00e9`)
	check("é", `\u00e9`)
	check(`\ud834\udd1e`, "\U0001d11e")
	check(`\/`, "/")
	check(`\n`, `\u000a`)
	check("", "")
	for _, field := range []string{"dtype", "shape", "data_offsets"} {
		escaped := `\u00` + "6473"[2*strings.Index("ds", field[:1]):][:2] + field[1:]
		values := map[string]string{"dtype": `"U8"`, "shape": "[0]", "data_offsets": "[0,0]"}
		c, err := openBytes(file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"` + escaped + `":` + values[field] + `}}`))
		refused(t, c, err, `"`+field+`" stands twice`)
	}
	c, err := openBytes(file(`{"__metadata__":{},"\u005f_metadata__":{}}`))
	refused(t, c, err, `"__metadata__" stands twice`)
}

// TestMetadataEscaped: an escaped __metadata__ is metadata, no tensor.
func TestMetadataEscaped(t *testing.T) {
	c, err := openBytes(file(`{"\u005f_metadata__":{"\u006b":"\u0076"}}`))
	closing(t, c, err)
	if len(c.Names()) > 0 || len(c.Metadata()) != 1 || c.Metadata()["k"] != "v" {
		t.Errorf("tensors %q, metadata %q", c.Names(), c.Metadata())
	}
}

// TestNumbers refuses every number that is not a whole one from 0 as JSON
// writes it, in shapes and in offsets.
func TestNumbers(t *testing.T) {
	wrong := []string{"01", "00", "-0", "-1", "+1", "1.", ".1", "1.0", "1e0", "1E2", "0x1", "1_0", "1 0", "1x", `1"`, "1}", "1:", "NaN", "Infinity", "true", "nul", "null",
		"18446744073709551616", "99999999999999999999999999", strings.Repeat("9", 100_000), strings.Repeat("0", 100_000), "１", "1\x00", "1/*a*/", "{}", `"1"`, ""}
	for _, number := range wrong {
		for _, header := range []string{
			`{"a":{"dtype":"U8","shape":[` + number + `],"data_offsets":[0,1]}}`,
			`{"a":{"dtype":"U8","shape":[1,` + number + `],"data_offsets":[0,1]}}`,
			`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,` + number + `]}}`,
			`{"a":{"dtype":"U8","shape":[1],"data_offsets":[` + number + `,1]}}`,
		} {
			if strings.Contains(header, `"shape":[]`) {
				continue // that is a scalar
			}
			c, err := openBytes(file(header, 7))
			if err == nil {
				t.Errorf("opened with the number %.20q in %.80s", number, header)
				c.Close()
				continue
			}
			refused(t, c, err)
		}
	}
	for _, number := range []string{"01", "00", "-0", "1.", "+1", "18446744073709551616"} { // refused before the library reads them
		c, err := openBytes(file(`{"a":{"dtype":"U8","shape":[`+number+`],"data_offsets":[0,1]}}`, 7))
		refused(t, c, err, `tensor "a": invalid "shape"`)
	}
	for _, number := range []string{"1", " 1", "1 ", "\t1\r\n"} {
		c, err := openBytes(file(`{"a":{"dtype":"U8","shape":[`+number+`],"data_offsets":[0,`+number+`]}}`, 7))
		closing(t, c, err)
	}
}

// TestPunctuation refuses what lenient readers of JSON let pass.
func TestPunctuation(t *testing.T) {
	check := func(header string, words ...string) {
		t.Helper()
		c, err := openBytes(file(header, 7))
		refused(t, c, err, words...)
	}
	for _, header := range []string{
		`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}`, `{,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
		`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],}}`, `{"a":{,"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
		`{"a":{"dtype":"U8",,"shape":[1],"data_offsets":[0,1]}}`, `{"a" {"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
		`{"a":{"dtype" "U8","shape":[1],"data_offsets":[0,1]}}`,
		`{"a":{"dtype":"U8";"shape":[1],"data_offsets":[0,1]}}`, `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`,
		`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}]`, `{a:{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
		`{"__metadata__":{"k":"v",}}`, `{"__metadata__":{"k" "v"}}`, `{"__metadata__":{"k":"v"`, `{"__metadata__":{"k":"v"}`,
		"{\u00a0}", "{}\u2003", `{} {}`, `{}}`, `{}]`, `{}/**/`, `{}//`, "{}\x00", "{}\ufeff",
	} {
		check(header, "not valid JSON")
	}
	check("\ufeff{}", "not a JSON object") // as the reference does
	check("\x0b{}", "not a JSON object")
	check(`{"a"::{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, `the entry of "a"`)
	check(`{"a":{"dtype":"U8","shape":[1,],"data_offsets":[0,1]}}`, `invalid "shape"`)
	check(`{"a":{"dtype":"U8","shape":[,1],"data_offsets":[0,1]}}`, `invalid "shape"`)
	check(`{"a":{"dtype":"U8","shape":[1,,1],"data_offsets":[0,1]}}`, `invalid "shape"`)
	check(`{"a":{"dtype":"U8","shape":[1,1,"data_offsets":[0,1]}}`, `invalid "shape"`)
	check(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,]}}`, `invalid "data_offsets"`)
	check(`{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}`, `invalid "shape"`)
	check(`{"a":{"dtype":U8,"shape":[1],"data_offsets":[0,1]}}`, `invalid "dtype"`)
	check(`{"__metadata__":nullx}`, "not valid JSON")
	check(`{"__metadata__":{"k":null}}`, "is not a string")
	check(`{"__metadata__":null,"a":null}`, `the entry of "a"`)
}

// TestMetadataNull: null is no metadata, with blanks around it or without.
func TestMetadataNull(t *testing.T) {
	for _, null := range []string{"null", " null", "\n\tnull ", "null\r\n"} {
		c, err := openBytes(file(`{"__metadata__":`+null+`,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 7))
		if err != nil {
			t.Errorf("%q: %v", null, err)
			continue
		}
		closing(t, c, err)
		if len(c.Names()) != 1 || len(c.Metadata()) > 0 {
			t.Errorf("%q: tensors %q, metadata %q", null, c.Names(), c.Metadata())
		}
	}
}
