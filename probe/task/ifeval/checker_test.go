package ifeval_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"surgeon/probe/task/ifeval"
)

// arguments reads the arguments of a rule as a data set would give them.
func arguments(t *testing.T, text string) map[string]any {
	t.Helper()
	var args map[string]any
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		t.Fatal(err)
	}
	return args
}

func TestVerify(t *testing.T) {
	checker := ifeval.New(ifeval.Compat)
	check := func(id, args, want string) {
		t.Helper()
		err := checker.Verify(id, arguments(t, args))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s %s is refused: %v", id, args, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s %s: error %v, want one that says %q", id, args, err, want)
		case want != "":
			rule := ifeval.Rule{ID: id, Args: arguments(t, args)}
			strict, loose := checker.Check([]ifeval.Rule{rule}, "", "any text, [x] <<y>>")
			if strict[0] || loose[0] {
				t.Errorf("%s %s is refused and kept", id, args)
			}
			if notes := checker.Warnings(rule, "text"); len(notes) != 1 || notes[0] != err.Error() {
				t.Errorf("%s %s: the warnings are %q", id, args, notes)
			}
		}
	}
	check("keywords:existence", `{"keywords": ["a", "b"]}`, "")
	check("keywords:existence", `{"keywords": ["a"], "num_words": null, "relation": "", "x": 0, "y": [], "z": false, "w": {}}`, "")
	check("keywords:existence", `null`, `the argument "keywords" is missing`)
	check("keywords:existence", `{"keywords": []}`, `the argument "keywords" is missing`)
	check("keywords:existence", `{"keywords": "ab"}`, `want a list of texts`)
	check("keywords:existence", `{"keywords": ["a", 1]}`, `holds 1: want texts alone`)
	check("keywords:existence", `{"keywords": ["a("]}`, `"a(" is not a regular expression`)
	check("keywords:existence", `{"keywords": ["a"], "keyword": "b"}`, `there is no argument "keyword": it takes keywords`)
	check("keywords:forbidden_words", `{"forbidden_words": ["(?i)a"]}`, "is not a regular expression")
	check("keywords:frequency", `{"keyword": "a", "frequency": 2, "relation": "at most"}`, `"at most": want "less than" or "at least"`)
	check("keywords:frequency", `{"keyword": "a", "frequency": 2}`, `the argument "relation" is missing`)
	check("keywords:frequency", `{"keyword": "a", "frequency": 2.5, "relation": "at least"}`, `is 2.5: want a whole number`)
	check("keywords:frequency", `{"keyword": 7, "frequency": 2, "relation": "at least"}`, `is 7: want a text`)
	check("length_constraints:number_words", `{"num_words": 0, "relation": "at least"}`, "is missing, or 0")
	check("length_constraints:number_words", `{"num_words": -3, "relation": "at least"}`, "is -3: want a whole number")
	check("length_constraints:number_words", `{"num_words": 1e300, "relation": "at least"}`, "want a whole number from 1 to")
	check("length_constraints:number_words", `{"num_words": "3", "relation": "at least"}`, "is 3: want a whole number")
	check("length_constraints:nth_paragraph_first_word", `{"num_paragraphs": 2, "nth_paragraph": 3, "first_word": "a"}`, "is 3, beyond the 2")
	check("language:response_language", `{"language": "xx"}`, `is "xx": want one of ar, bg`)
	check("detectable_format:multiple_sections", `{"section_spliter": "[", "num_sections": 2}`, "is not a regular expression")
	check("startend:quotation", `{"end_phrase": "a"}`, `there is no argument "end_phrase": it takes none`)
	check("startend:quotation", `null`, "")
	check("keywords:key_sentences", `null`, `"keywords:key_sentences" is no instruction of IFEval`)

	for _, number := range []any{3, int64(3), uint8(3), float32(3), json.Number("3"), json.Number("3.0")} {
		if err := checker.Verify("detectable_format:number_bullet_lists", map[string]any{"num_bullets": number}); err != nil {
			t.Errorf("%T: %v", number, err)
		}
	}
	for _, number := range []any{json.Number("x"), json.Number("0"), true, []int{3}} {
		if err := checker.Verify("detectable_format:number_bullet_lists", map[string]any{"num_bullets": number}); err == nil {
			t.Errorf("%T %v counts as a number", number, number)
		}
	}
}

// A letter that is none is drawn by the prompt, or counted as it is.
func TestRandomLetter(t *testing.T) {
	rule := ifeval.Rule{ID: "keywords:letter_frequency", Args: map[string]any{"letter": "#", "let_frequency": 4, "let_relation": "at least"}}
	text := "#### " + strings.Repeat("abcdefghijkl", 4) // the first twelve letters, four times each
	strict, loose := ifeval.New(ifeval.Deterministic).Check([]ifeval.Rule{rule}, "p", text)
	if !strict[0] || !loose[0] {
		t.Error("four # are not at least four #")
	}
	compat, kept := ifeval.New(ifeval.Compat), 0
	for i := range 1000 {
		prompt := strings.Repeat("p", i)
		strict, loose := compat.Check([]ifeval.Rule{rule}, prompt, text)
		again, _ := compat.Check([]ifeval.Rule{rule}, prompt, text)
		if strict[0] != loose[0] || strict[0] != again[0] {
			t.Fatalf("prompt %d: strict %v and %v, loose %v", i, strict[0], again[0], loose[0])
		}
		if strict[0] {
			kept++
		}
	}
	if kept < 412 || kept > 511 { // 1000 * 12/26 = 462, and three standard deviations of 16
		t.Errorf("%d of 1000 prompts draw one of 12 letters of 26", kept)
	}
}

func TestWarnings(t *testing.T) {
	compat, deterministic := ifeval.New(ifeval.Compat), ifeval.New(ifeval.Deterministic)
	check := func(checker *ifeval.Checker, id, args, text string, want ...string) {
		t.Helper()
		got := checker.Warnings(ifeval.Rule{ID: id, Args: arguments(t, args)}, text)
		if !slices.EqualFunc(got, want, strings.Contains) {
			t.Errorf("%s %s on %.40q: warnings %q, want what says %q", id, args, text, got, want)
		}
	}
	const french = "Le jardin derrière la maison était abandonné depuis des années, et personne ne savait ce qui y poussait."
	check(compat, "language:response_language", `{"language": "fr"}`, french)
	check(compat, "language:response_language", `{"language": "fr"}`, "Bonjour !", `the language of the text is not clear: "fr" has`)
	check(compat, "language:response_language", `{"language": "fr"}`, "12", "the text counts as kept in any language")
	check(compat, "language:response_language", `{"language": "de"}`, "Bonjour !\n"+french, `of what is left of the text for the loose verdict is not clear: "fr" has`)
	check(compat, "change_case:english_capital", `{}`, french)
	check(compat, "change_case:english_lowercase", `{}`, "bonjour", `the language of the text is not clear`)
	check(compat, "keywords:letter_frequency", `{"letter": "#", "let_frequency": 1, "let_relation": "at least"}`, "#", "the verdict is chance")
	check(deterministic, "keywords:letter_frequency", `{"letter": "#", "let_frequency": 1, "let_relation": "at least"}`, "#", "it is counted as it is")
	check(compat, "keywords:letter_frequency", `{"letter": "K", "let_frequency": 1, "let_relation": "at least"}`, "k")
	check(compat, "punctuation:no_comma", `{}`, "a,")
	check(compat, "keywords:existence", `{"keywords": ["(a*)\\1x"]}`, strings.Repeat("a", 60_000), "the rule counts as not kept: pattern: the search takes more than")
	check(compat, "keywords:forbidden_words", `{"forbidden_words": ["(a*)\\1x"]}`, strings.Repeat("a", 60_000), "the rule counts as not kept")
}

// Rules are judged one by one, in order.
func TestSeveralRules(t *testing.T) {
	rules := []ifeval.Rule{{ID: "punctuation:no_comma"}, {ID: "no:such"}, {ID: "startend:quotation"}}
	strict, loose := ifeval.New(ifeval.Compat).Check(rules, "", "Sure, here:\n\"text\"")
	if !slices.Equal(strict, []bool{false, false, false}) || !slices.Equal(loose, []bool{true, false, true}) {
		t.Errorf("strict %v, loose %v", strict, loose)
	}
	if strict, loose = ifeval.New(ifeval.Compat).Check(nil, "", "x"); len(strict) != 0 || len(loose) != 0 {
		t.Errorf("no rules have the verdicts %v %v", strict, loose)
	}
}

func TestUnknownMode(t *testing.T) {
	defer func() {
		if s, is := recover().(string); !is || !strings.HasPrefix(s, "ifeval: ") {
			t.Errorf("the panic says %q", s)
		}
	}()
	ifeval.New(ifeval.Mode(7))
}

// sampleRules are rules of every instruction.
func sampleRules() []ifeval.Rule {
	many := map[string]any{
		"keywords": []any{"(a+)+$", "zz"}, "keyword": "a.*?b", "frequency": 3.0, "relation": "at least", "forbidden_words": []any{"(x?){30}x{30}", "zz"},
		"letter": "e", "let_frequency": 2.0, "let_relation": "less than", "language": "en", "num_sentences": 2.0, "num_paragraphs": 2.0,
		"num_words": 5.0, "nth_paragraph": 1.0, "first_word": "the", "num_placeholders": 1.0, "postscript_marker": "P.S.", "num_bullets": 2.0,
		"num_highlights": 2.0, "section_spliter": "Section", "num_sections": 2.0, "prompt_to_repeat": "the", "end_phrase": "end",
		"capital_frequency": 2.0, "capital_relation": "at least",
	}
	names := map[string][]string{
		"keywords:existence": {"keywords"}, "keywords:frequency": {"keyword", "frequency", "relation"}, "keywords:forbidden_words": {"forbidden_words"},
		"keywords:letter_frequency": {"letter", "let_frequency", "let_relation"}, "language:response_language": {"language"},
		"length_constraints:number_sentences": {"num_sentences", "relation"}, "length_constraints:number_paragraphs": {"num_paragraphs"},
		"length_constraints:number_words":             {"num_words", "relation"},
		"length_constraints:nth_paragraph_first_word": {"num_paragraphs", "nth_paragraph", "first_word"},
		"detectable_content:number_placeholders":      {"num_placeholders"}, "detectable_content:postscript": {"postscript_marker"},
		"detectable_format:number_bullet_lists": {"num_bullets"}, "detectable_format:number_highlighted_sections": {"num_highlights"},
		"detectable_format:multiple_sections": {"section_spliter", "num_sections"}, "combination:repeat_prompt": {"prompt_to_repeat"},
		"startend:end_checker": {"end_phrase"}, "change_case:capital_word_frequency": {"capital_frequency", "capital_relation"},
	}
	var rules []ifeval.Rule
	for _, id := range ifeval.IDs() {
		rule := ifeval.Rule{ID: id, Args: map[string]any{}}
		for _, name := range names[id] {
			rule.Args[name] = many[name]
		}
		rules = append(rules, rule)
	}
	return rules
}

// No text takes long, whatever the rule. The time is proportional to the
// length: a megabyte takes sixteen times as long.
func TestLongTexts(t *testing.T) {
	checker, rules := ifeval.New(ifeval.Compat), sampleRules()
	for _, part := range []string{"a", "\n", "The cat. ", "* ***\n", "[<<", "\"a\": "} {
		text := strings.Repeat(part, 1<<16/len(part)) + "x"
		start := time.Now()
		checker.Check(rules, "", text)
		took := time.Since(start)
		if took > 20*time.Second { // less than 0.5 s on a quiet machine
			t.Errorf("%q takes %v", part, took)
		}
		t.Logf("%q: %d kB against 25 rules in %v", part, len(text)>>10, took.Round(time.Millisecond))
	}
}

// No text and no arguments panic; loose is true wherever strict is; both modes
// give the same verdicts again.
func FuzzCheck(f *testing.F) {
	for i, text := range []string{"* a\n- b\n\n***\nP.S. \"x\"", "<<T>> [a] SECTION 1, \u1e9e", "```json\n{\"a\": NaN}\n```", "one ****** two", "THE OLD HOUSE. Dr. A."} {
		f.Add(uint8(i), "a|b", uint16(2), text)
	}
	rules := sampleRules()
	f.Fuzz(func(t *testing.T, kind uint8, argument string, number uint16, text string) {
		if len(text) > 2000 || len(argument) > 50 {
			return
		}
		sample := rules[int(kind)%len(rules)]
		rule := ifeval.Rule{ID: sample.ID, Args: map[string]any{}}
		for name, value := range sample.Args {
			switch value.(type) {
			case string:
				value = argument
			case float64:
				value = float64(number)
			case []any:
				value = []any{argument, "x"}
			}
			if strings.Contains(name, "relation") {
				value = sample.Args[name]
			}
			rule.Args[name] = value
		}
		for _, mode := range []ifeval.Mode{ifeval.Compat, ifeval.Deterministic} {
			if mode == ifeval.Deterministic && (strings.Contains(rule.ID, "language") || strings.Contains(rule.ID, "english")) {
				break // a thousand trials are too slow to fuzz
			}
			checker := ifeval.New(mode)
			strict, loose := checker.Check([]ifeval.Rule{rule}, argument, text)
			if strict[0] && !loose[0] {
				t.Fatalf("%v on %q: strict, but not loose", rule, text)
			}
			if strict[0] && strings.TrimSpace(text) == "" {
				t.Fatalf("%v is kept by a blank text", rule)
			}
			again, looseAgain := ifeval.New(mode).Check([]ifeval.Rule{rule}, argument, text)
			if again[0] != strict[0] || looseAgain[0] != loose[0] {
				t.Fatalf("%v on %q: other verdicts the second time", rule, text)
			}
			if err := checker.Verify(rule.ID, rule.Args); err != nil && (loose[0] || strings.Contains(err.Error(), "\n") && !strings.Contains(argument, "\n")) {
				t.Fatalf("%v: error %v, loose %v", rule, err, loose[0])
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	checker, rules := ifeval.New(ifeval.Compat), sampleRules()
	text := strings.Repeat("The garden behind the house had been LEFT alone for years. Nobody knew, \"not even\" Dr. Adams.\n\n* an apple tree\n", 14)
	checker.Check(rules, "", text)
	b.SetBytes(int64(len(text)))
	b.ResetTimer()
	for range b.N {
		checker.Check(rules, "", text)
	}
}
