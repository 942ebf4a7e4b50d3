package instruct

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// What a loose check allows, and what it does not.
func TestLoose(t *testing.T) {
	check := func(id, args, reply string, want bool) {
		t.Helper()
		strict, loose := Check([]Rule{rule(t, id, args)}, "", reply)
		if strict[0] || loose[0] != want {
			t.Errorf("%s %s of %q: strict %v, loose %v, want false, %v", id, args, reply, strict[0], loose[0], want)
		}
	}
	const yes, two = `{"values": ["yes"]}`, `{"count": 2}`
	for _, reply := range []string{"yes.", "**yes**", "*Yes*.", `"yes"`, `"yes."`, "“yes”", "‘yes’", "'yes'", "`yes`", "```\nyes\n```", "```text\nyes\n```",
		"The answer:\nyes", "**Answer:**\nyes", "Sure\nyes", "Sure, here you are.\n\nyes", "OKAY!\nyes", "Here's my answer\n```\n**yes**\n```\nLet me know if you need more.",
		"yes\nI hope this helps!", "yes\n\n(Note: it depends.)", "yes\n*Feel free to ask.*", "Certainly:\n\"yes.\"\nEnjoy!"} {
		check("one_of", yes, reply, true)
	}
	for _, reply := range []string{"yes!", "Answer: yes", "Sure: yes", "yes, sure", "\"yes", "yes\nno", "Surely not\nyes", "Hereafter\nyes", "yes\nNotes", "x\nSure:\nyes",
		"```yes```", "yes..", "yes\nIt helps.", "Sure:", "```\n```", "**", "\"\""} {
		check("one_of", yes, reply, false)
	}
	check("lines", two, "Here are two:\na\nb", true)
	check("lines", two, "a\nb\nLet me know!", true)
	check("lines", two, "a\nb\nc", false) // no content is cut
	check("numbered", two, "1. **a**\n2. b\n\nHope this helps.", true)
	check("numbered", two, "**1.** a\n**2.** b", true)
	check("json_object", `{"keys": {"a": "integer"}}`, "Here is the JSON:\n\n```json\n{\"a\": 1}\n```\n\nLet me know.", true)
	check("json_object", `{"keys": {"a": "integer"}}`, "```json\n{\"a\": 1}\n```\nThis is JSON.", false)
	check("avoids", `{"words": ["sure"]}`, "Sure:\nx", true)
}

// An empty text keeps nothing, whatever the rule.
func TestEmpty(t *testing.T) {
	for _, item := range Items() {
		for _, text := range []string{"", " \n\t\u00a0"} {
			strict, loose := Check(item.Rules, item.Prompt, text)
			if len(strict) != len(item.Rules) || slices.Contains(strict, true) || slices.Contains(loose, true) {
				t.Errorf("%s: %q is graded %v, %v", item.ID, text, strict, loose)
			}
		}
	}
	if strict, loose := Check(nil, "", "x"); len(strict) != 0 || len(loose) != 0 {
		t.Errorf("no rules are graded %v, %v", strict, loose)
	}
}

// What is around a right reply does not matter to a loose check, and what a
// rule says of a text it says of the text with white space around it.
func TestDressedReferences(t *testing.T) {
	for _, item := range Items() {
		for _, dress := range []string{"Sure, here is my answer:\n%s", "%s\n\nLet me know if you need anything else!", "Certainly!\n\n%s\n\nI hope that helps.", "```\n%s\n```", "Here you go:\n```\n%s\n```"} {
			text := strings.ReplaceAll(dress, "%s", item.Reference)
			if _, loose := Check(item.Rules, item.Prompt, text); slices.Contains(loose, false) {
				t.Errorf("%s: the reference as %q is graded %v loosely", item.ID, dress, loose)
			}
		}
		for _, text := range append([]string{item.Reference}, item.Wrong...) {
			strict, loose := Check(item.Rules, item.Prompt, text)
			again, looseAgain := Check(item.Rules, item.Prompt, "\n "+strings.ReplaceAll(text, "\n", "\r\n")+"\t\n")
			if !lengthMatters(item) && (!slices.Equal(strict, again) || !slices.Equal(loose, looseAgain)) {
				t.Errorf("%s: %q is graded %v, %v; with white space around it %v, %v", item.ID, text, strict, loose, again, looseAgain)
			}
		}
	}
}

// lengthMatters reports whether a carriage return can count against a reply.
func lengthMatters(item Item) bool {
	return slices.ContainsFunc(item.Rules, func(r Rule) bool { return r.ID == "max_characters" })
}

func TestCheckPanics(t *testing.T) {
	defer func() {
		if p, _ := recover().(string); p != `instruct: rule "lines": "count" is missing: it must be a whole number from 1 to 1000000` {
			t.Errorf("panics with %q", p)
		}
	}()
	Check([]Rule{{ID: "lines"}}, "", "x")
}

// Long texts of the shapes that the rules look at are checked by all of the
// rules within a second or two; what is quadratic would take hours.
func TestLongTexts(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time: left out by -short, as under the race detector")
	}
	prompt, rules := "Text: "+strings.Repeat("1 2 ", 1000), oneOfEach(t)
	check := func(piece string, size int) {
		t.Helper()
		start := time.Now()
		Check(rules, prompt, "x"+strings.Repeat(piece, size/len(piece)))
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%q, repeated to %d bytes, takes %v, want at most 30 s", piece, size, took)
		}
	}
	for _, piece := range []string{"a", "a ", "\n", "1", "1,", "1,111", "1.", "*", "`", "\"", ", ", "|", "| a |\n", "{", `{"a":`, "[", "ha ", "haha", "- ", "1. a\n", "é", "\xff", "x: y\n", "Sure:\n", "```\n", "<a>"} {
		check(piece, 1<<17)
	}
	check("a\n", 1<<20)
	check("1,", 1<<20)
}

// oneOfEach returns a rule of every kind, one whose arguments are found in much
// repeated texts.
func oneOfEach(t testing.TB) []Rule {
	args := map[string]string{
		"acrostic": `{"word": "xaaa"}`, "avoids": `{"words": ["haha ha", "1", "aa"]}`, "between": `{"open": "x", "close": "a"}`, "capitalised": `{}`,
		"csv": `{"columns": ["a", "b"], "rows": 1}`, "digits": `{}`, "ends_with": `{"text": "?"}`, "entries": `{"by": ",", "values": ["a", "b"], "ordered": false}`,
		"fields": `{"keys": ["x", "x"]}`, "iso_date": `{}`, "json_object": `{"keys": {"a": "integer"}}`, "keeps_numbers": `{"after": "Text:"}`,
		"line_lengths": `{"counts": [1, 2]}`, "line_start": `{"text": "x"}`, "line_words": `{"most": 3}`, "lines": `{"count": 3}`, "max_characters": `{"count": 30}`,
		"mentions": `{"words": ["111", "a", "never"]}`, "numbered": `{"count": 3}`, "occurs": `{"words": ["a", "1", "ha ha"], "count": 2}`, "one_of": `{"values": ["a", "b"]}`,
		"separated": `{"by": ",", "count": 3}`, "sorted": `{"by": "line", "as": "words", "order": "descending"}`, "table": `{"columns": ["a", "b"], "rows": 1}`, "verbatim": `{"after": "Text:"}`,
	}
	var rules []Rule
	for _, name := range Kinds() {
		rules = append(rules, rule(t, name, args[name]))
	}
	return rules
}

// No text makes a rule panic, every check gives the same twice, and what is kept
// strictly is kept loosely.
func FuzzCheck(f *testing.F) {
	rules := oneOfEach(f)
	for _, item := range Items() {
		f.Add(item.Prompt, item.Reference)
		f.Add(item.Prompt, item.Wrong[0])
	}
	for _, text := range []string{"", "\n", "```\n```", "Sure:\n", "\xff\xfe", "|", "||", "{\"a\":", "\"", "1.", "1,2", "\u2028", "İ", "ẞ\nß"} {
		f.Add("Text:", text)
		f.Add("Text: "+text, text)
	}
	f.Fuzz(func(t *testing.T, prompt, text string) {
		strict, loose := Check(rules, prompt, text)
		again, looseAgain := Check(rules, prompt, text)
		if !slices.Equal(strict, again) || !slices.Equal(loose, looseAgain) {
			t.Errorf("%q is graded in two ways", text)
		}
		for i, kept := range strict {
			if kept && !loose[i] {
				t.Errorf("%v is kept strictly by %q, but not loosely", rules[i], text)
			}
			if loose[i] && strings.TrimSpace(text) == "" {
				t.Errorf("%v is kept by an empty text", rules[i])
			}
		}
	})
}
