package instruct

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// rule reads the arguments of a rule as they stand in a file.
func rule(t testing.TB, id, args string) Rule {
	t.Helper()
	r := Rule{ID: id}
	if err := json.Unmarshal([]byte(args), &r.Args); err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	if err := Verify(r); err != nil {
		t.Fatal(err)
	}
	return r
}

// Every kind of rule at its edges.
func TestRules(t *testing.T) {
	const prompt = "Write 3 lines.\n\nText: The 2 cats ate 1,250 fish at 7:30. It was late, and 3.5 km\naway a dog barked."
	tested := map[string]bool{}
	check := func(id, args string, want bool, replies ...string) {
		t.Helper()
		tested[id] = true
		for _, reply := range replies {
			strict, _ := Check([]Rule{rule(t, id, args)}, prompt, reply)
			if strict[0] != want {
				t.Errorf("%s %s of %q: %v, want %v", id, args, reply, strict[0], want)
			}
		}
	}
	check("acrostic", `{"word": "Öl"}`, true, "öffnen\nlassen", "  Ö\n\n\n- \"Links\"", "1. Ö\r\n2. L")
	check("acrostic", `{"word": "Öl"}`, false, "offen\nlassen", "Ö\nL\nx", "Ö", "Ö\n...", "öl")
	check("avoids", `{"words": ["sun", "New York"]}`, true, "sunny", "a new\tyorkshire pudding")
	check("avoids", `{"words": ["sun", "New York"]}`, false, "The SUN's light", "new \n york", "sun-dried", "sunny sun")
	check("between", `{"open": "<a>", "close": "</a>"}`, true, "<a>x</a>", "<a>\nx\n</a>\n")
	check("between", `{"open": "<a>", "close": "</a>"}`, false, "<a> </a>", "<a></a>", "<a>x", "x</a>", "Yes: <a>x</a>", "<a>x</a> <a>y</a>", "<a><a>x</a>", "</a>x<a>")
	check("between", `{"open": "##", "close": "##"}`, false, "##", "###", "####", "x##y##")
	check("between", `{"open": "##", "close": "##"}`, true, "##x##")
	check("capitalised", `{}`, true, "The Long Way", "(The) \"Long\" 3rd Way - 42", "Élan")
	check("capitalised", `{}`, false, "The Long way", "3 4", "the", "...")
	check("csv", `{"columns": ["a", "b"], "rows": 2}`, true, "a,b\n1,2\n3,4", "a, b\r\n\"x, y\", 2\n\n3,4\n")
	check("csv", `{"columns": ["a", "b"], "rows": 2}`, false, "a,b\n1,2", "a,b\n1,2\n3,4\n5,6", "A,b\n1,2\n3,4", "b,a\n1,2\n3,4", "a,b\n1,2\n3", "a,b\n1,2,3\n3,4", "a,b\n1,\n3,4", "a;b\n1;2\n3;4", "a,b\n\"1,2\n3,4")
	check("digits", `{}`, true, "0", " 0123456789 ")
	check("digits", `{}`, false, "1.5", "-1", "1 2", "one", "١٢", "12.")
	check("digits", `{"count": 2}`, true, "07")
	check("digits", `{"count": 2}`, false, "7", "007")
	check("ends_with", `{"text": "Yours, Al"}`, true, "Hello. Yours, Al", "Yours, Al \n")
	check("ends_with", `{"text": "Yours, Al"}`, false, "yours, al", "Yours, Al.", "Yours, Al\n\nPS: no")
	check("entries", `{"by": ",", "values": ["b", "A c", "b"], "ordered": false}`, true, "b, b, a  c", "A C,B,b")
	check("entries", `{"by": ",", "values": ["b", "A c", "b"], "ordered": false}`, false, "b, a c", "b, b, a c, d", "b\nb\na c", "b; b; a c", "b, b, ac", "b, b, a c,")
	check("entries", `{"by": "line", "values": ["x", "y"], "ordered": true}`, true, "x\ny", "1. X\n2) y", "- x\n\n* y", "• x\n+ y")
	check("entries", `{"by": "line", "values": ["x", "y"], "ordered": true}`, false, "y\nx", "x, y", "x", "x\ny\nz", "x.\ny")
	check("entries", `{"by": " | ", "values": ["x", "y"], "ordered": true}`, true, "x|y", "x | y")
	check("fields", `{"keys": ["To", "To", "By"]}`, true, "To: a\nTo:b\n\nBy: c: d")
	check("fields", `{"keys": ["To", "To", "By"]}`, false, "To: a\nBy: c\nTo: b", "To: a\nTo: b", "To: a\nTo:\nBy: c", "to: a\nTo: b\nBy: c", "To: a\nTo: b\nBy: c\nx", "To a\nTo: b\nBy: c", "- To: a\n- To: b\n- By: c")
	check("iso_date", `{}`, true, "2024-02-29", "0001-01-01")
	check("iso_date", `{}`, false, "2023-02-29", "2024-2-9", "2024-13-01", "24-01-01", "2024/01/01", "2024-01-01.", "on 2024-01-01", "2024-01-01T00:00:00Z")
	check("iso_date", `{"date": "2024-02-29"}`, true, "2024-02-29")
	check("iso_date", `{"date": "2024-02-29"}`, false, "2024-02-28")
	const keys = `{"keys": {"s": "string", "i": "integer", "n": "number", "b": "boolean", "l": "strings", "m": "numbers"}}`
	check("json_object", keys, true, `{"s": "", "i": -3.0, "n": 1e3, "b": false, "l": [], "m": [1, 2.5]}`, "{\n\"m\":[],\"l\":[\"x\"],\"b\":true,\"n\":0,\"i\":7,\"s\":\"ü\"}")
	for _, wrong := range []string{`"s": 1`, `"s": null`, `"i": 1.5`, `"i": "1"`, `"i": 1e400`, `"n": true`, `"b": "true"`, `"b": 0`, `"l": "x"`, `"l": [1]`, `"l": null`, `"m": ["1"]`, `"m": {}`} {
		whole := `{"s": "", "i": 3, "n": 1, "b": false, "l": ["a"], "m": [1]}`
		name := wrong[:4]
		at := strings.Index(whole, name)
		end := at + strings.IndexAny(whole[at:], ",}")
		check("json_object", keys, false, whole[:at]+wrong+whole[end:])
		check("json_object", keys, true, whole)
	}
	check("json_object", `{"keys": {"a": "integer"}}`, false, `{"a": 1, "b": 2}`, `{}`, `{"a": 1, "a": 1}`, `{"a": 1} x`, `{"a": 1}{}`, `[{"a": 1}]`, `{"a": 1`, `{"A": 1}`, `{'a': 1}`, `{"a": 1,}`, `"a"`, `null`, `{"a": NaN}`)
	check("json_object", `{"keys": {"a": "integer", "b": "strings"}, "values": {"b": ["x", "y"]}}`, true, `{"a": 9, "b": ["x", "y"]}`)
	check("json_object", `{"keys": {"a": "integer", "b": "strings"}, "values": {"b": ["x", "y"]}}`, false, `{"a": 9, "b": ["y", "x"]}`, `{"a": 9, "b": ["x"]}`)
	check("keeps_numbers", `{"after": "Text:"}`, true, "At 7:30, 2 cats had 1250 fish, 3.5 km away", "3.5, 1,250, 30 7 2.")
	check("keeps_numbers", `{"after": "Text:"}`, false, "At 7:30, two cats had 1250 fish, 3.5 km away", "7:30, 2, 1250, 3, 5", "7:30, 2, 250, 1, 3.5", "7:30, 12, 1250, 3.5")
	check("keeps_numbers", `{"after": "nowhere"}`, false, "7:30, 2, 1250, 3.5")
	check("line_lengths", `{"counts": [1, 3]}`, true, "One\nand two more", "1. One!\n2. it's two-fold now - ...", "7\n8 9 10")
	check("line_lengths", `{"counts": [1, 3]}`, false, "One\nand two", "One\nand two more\nx", "and two more\nOne", "One and two more")
	check("line_start", `{"text": "Pack"}`, true, "Pack a\nPack: b", "Pack's x")
	check("line_start", `{"text": "Pack"}`, false, "Pack a\nb", "pack a", "Packing a", "- Pack a", "Pack", "Pack a\nPack")
	check("line_start", `{"text": "> "}`, true, "> a\n\n  > b")
	check("line_start", `{"text": "> "}`, false, "> a\n>b", "> a\n> ")
	check("line_words", `{"most": 2}`, true, "a b\nc", "1. a b\n- - c - d", "...")
	check("line_words", `{"most": 2}`, false, "a b c", "a\nb c d")
	check("lines", `{"count": 2}`, true, "a\nb", "\n\na\r\n \r\nb\n")
	check("lines", `{"count": 2}`, false, "a", "a\nb\nc", "a b")
	check("max_characters", `{"count": 3}`, true, "äöü", " abc\n", "a\nb")
	check("max_characters", `{"count": 3}`, false, "abcd", "a\n\nb")
	check("mentions", `{"words": ["12", "Ann", "town  hall"]}`, true, "ANN: 12 Town\nHall", "12, Ann's town hall", "Ann at 12. town hall", "12:30 Ann town hall", "Ann, 11,12,13, town hall")
	check("mentions", `{"words": ["12", "Ann", "town  hall"]}`, false, "Anna 12 town hall", "Ann 112 town hall", "Ann 12.5 town hall", "Ann 12,000 town hall", "Ann 0.12 town hall", "Ann 12 townhall", "Ann 12a town hall", "Ann")
	check("mentions", `{"words": ["500"]}`, false, "1,500", "2.500")
	check("mentions", `{"words": ["500"]}`, true, "1, 500", "4,500,1 500")
	check("numbered", `{"count": 2}`, true, "1. a\n2. b", " 1. a\n\n 2.  b")
	check("numbered", `{"count": 2}`, false, "1. a", "1. a\n2. b\n3. c", "1) a\n2) b", "1. a\n3. b", "1. a\n2.", "1.a\n2.b", "Here:\n1. a\n2. b", "2. a\n1. b", "1. a 2. b")
	check("occurs", `{"words": ["ha", "no no"], "count": 2}`, true, "Ha! ha hah. No no, no no.", "ha ha no no no no no")
	check("occurs", `{"words": ["ha", "no no"], "count": 2}`, false, "ha ha ha no no no no", "haha no no no no", "ha ha no no")
	check("one_of", `{"values": ["Yes", "not  sure"]}`, true, "yes", "NOT SURE\n", "not\nsure")
	check("one_of", `{"values": ["Yes", "not  sure"]}`, false, "yes.", "yes, not sure", "\"yes\"", "sure")
	check("separated", `{"by": ",", "count": 3}`, true, "a, b,c", "a, b and c, d", "a, b, andes")
	check("separated", `{"by": ",", "count": 3}`, false, "a, b", "a, b, c, d", "a,, b", "a, b,", "a, b, and c", "a,\nb, c", "a; b; c")
	check("separated", `{"by": "/", "count": 1}`, true, "a b")
	check("sorted", `{"by": "line", "as": "words", "order": "ascending"}`, true, "a\nB\nc", "1. ant\n2. ant\n3. bee")
	check("sorted", `{"by": "line", "as": "words", "order": "ascending"}`, false, "b\nA", "a", "a, b")
	check("sorted", `{"by": ",", "as": "words", "order": "descending"}`, true, "c, B, a")
	check("sorted", `{"by": ",", "as": "words", "order": "descending"}`, false, "a, b", "c, b, a,", ", , ", "c\nb\na")
	check("sorted", `{"by": ";", "as": "numbers", "order": "ascending"}`, true, "-3; −2; 0.5; 7; 1,000", "2; 2", "9; 10")
	check("sorted", `{"by": ";", "as": "numbers", "order": "ascending"}`, false, "10; 9", "1; x", "1; NaN", "1; Inf", "0x1; 0x2", "1; 1e3", "1; 2;", "5", "1; 2 kg")
	check("sorted", `{"by": "line", "as": "numbers", "order": "descending"}`, true, "10\n9\n-1")
	const table = `{"columns": ["A", "B c"], "rows": 1}`
	check("table", table, true, "| A | B c |\n|---|:-:|\n| 1 | 2 |", "|A|B c|\n| -- | --: |\n\n|1|x y|")
	check("table", table, false, "A | B c\n---|---\n1 | 2", "| A | B c |\n| 1 | 2 |", "| A | B c |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |", "| A | B c |\n|---|---|\n| 1 | |", "| A | B c |\n|---|\n| 1 | 2 |",
		"| A | B c | D |\n|---|---|---|\n| 1 | 2 | 3 |", "| B c | A |\n|---|---|\n| 1 | 2 |", "Table:\n| A | B c |\n|---|---|\n| 1 | 2 |", "| A | B c |\n|---|:|\n| 1 | 2 |", "| A | B c |\n|---| |\n| 1 | 2 |", "|\n|\n|")
	check("verbatim", `{"after": "Text:"}`, true, "It was late, and 3.5 km away", "a dog barked.", "It was late, and 3.5 km\n  away a dog barked")
	check("verbatim", `{"after": "Text:"}`, false, "it was late", "Write 3 lines.", "og barked", "It was late, a dog barked.", "\"a dog barked.\"", "km away a dog bark")
	for _, name := range Kinds() {
		if !tested[name] {
			t.Errorf("rule %s is not tested", name)
		}
	}
	if n := len(Kinds()); n < 18 || n > 25 {
		t.Errorf("%d kinds of rules, want 18 to 25", n)
	}
}

// Every kind is told in the package comment, with all its arguments.
func TestKindsAreDocumented(t *testing.T) {
	doc := readFile(t, "doc.go")
	for name, k := range kinds {
		at := strings.Index(doc, "//\t"+name+" ")
		if at < 0 {
			t.Errorf("doc.go does not tell of rule %s", name)
			continue
		}
		line, _, _ := strings.Cut(doc[at:], "\n")
		for _, a := range k.takes {
			told := a.name
			if a.optional {
				told = "[" + told + "]"
			}
			if !strings.Contains(line, told) {
				t.Errorf("doc.go does not tell of %s of rule %s", told, name)
			}
		}
	}
}

func TestVerify(t *testing.T) {
	check := func(id, args, want string) {
		t.Helper()
		r := Rule{ID: id}
		if err := json.Unmarshal([]byte(args), &r.Args); err != nil {
			t.Fatal(err)
		}
		err := Verify(r)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %s: error %v, want one with %q", id, args, err, want)
		}
	}
	check("linse", `{}`, `unknown rule "linse": the rules are acrostic, avoids,`)
	check("", `{}`, `unknown rule ""`)
	check("lines", `{}`, `rule "lines": "count" is missing: it must be a whole number from 1 to 1000000`)
	check("lines", `null`, `"count" is missing`)
	for _, bad := range []string{`0`, `-1`, `1.5`, `"2"`, `null`, `[2]`, `1e300`, `1000001`, `true`} {
		check("lines", `{"count": `+bad+`}`, `rule "lines": "count" must be a whole number`)
	}
	check("lines", `{"count": 2, "n": 3, "m": 4}`, `rule "lines" takes no "m": it takes count`)
	check("capitalised", `{"n": 3}`, `rule "capitalised" takes no "n": it takes no arguments`)
	for _, bad := range []string{`[]`, `"a"`, `["a", ""]`, `["a", 1]`, `[" "]`, `null`, `{}`} {
		check("avoids", `{"words": `+bad+`}`, `"words" must be a list of texts`)
	}
	for _, bad := range []string{`[]`, `2`, `[0]`, `["2"]`} {
		check("line_lengths", `{"counts": `+bad+`}`, `"counts" must be a list of whole numbers`)
	}
	for _, bad := range []string{`""`, `" "`, `1`, `null`, `["a"]`} {
		check("ends_with", `{"text": `+bad+`}`, `"text" must be a text`)
	}
	check("acrostic", `{"word": "two words"}`, `"word" must be a word of letters alone`)
	check("acrostic", `{"word": ""}`, `"word" must be a word of letters alone`)
	check("entries", `{"by": ",", "values": ["a"], "ordered": "yes"}`, `"ordered" must be true or false`)
	check("entries", `{"by": ",", "values": ["a"]}`, `"ordered" is missing`)
	check("sorted", `{"by": ",", "as": "dates", "order": "ascending"}`, `"as" must be "words" or "numbers"`)
	check("sorted", `{"by": ",", "as": {}, "order": "ascending"}`, `"as" must be "words" or "numbers"`)
	check("sorted", `{"by": ",", "as": "words", "order": "up"}`, `"order" must be "ascending" or "descending"`)
	check("iso_date", `{"date": "2023-02-30"}`, `"date" must be a date`)
	check("iso_date", `{"date": null}`, `"date" must be a date`)
	check("json_object", `{"keys": {}}`, `"keys" must be an object that gives each key one of`)
	check("json_object", `{"keys": {"a": "text"}}`, `"keys" must be an object that gives each key one of`)
	check("json_object", `{"keys": {"a": 1}}`, `"keys" must be an object that gives each key one of`)
	check("json_object", `{"keys": ["a"]}`, `"keys" must be an object that gives each key one of`)
	check("json_object", `{"keys": {"a": "string"}, "values": []}`, `"values" must be an object`)
	check("json_object", `{"keys": {"a": "string"}, "values": {"a": 1}}`, `the value of "a" is not of the type`)
	check("json_object", `{"keys": {"a": "string"}, "values": {"b": "x"}}`, `the value of "b" is not of the type`)
}

func TestKindsAreSorted(t *testing.T) {
	if names := Kinds(); !slices.IsSorted(names) || len(names) != len(kinds) {
		t.Errorf("%v", names)
	}
}
