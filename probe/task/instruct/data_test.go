package instruct

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// The references keep every rule, and of every item each single rule is broken
// by one of its wrong replies, strictly, and one rule even loosely: no check is
// vacuous, and none cannot be kept.
func TestItems(t *testing.T) {
	items := Items()
	if len(items) < 120 {
		t.Errorf("%d items, want at least 120", len(items))
	}
	used, broken := map[string]int{}, map[string]int{}
	for _, item := range items {
		if item.Reference == "" || len(item.Wrong) == 0 || item.Topic == "" {
			t.Errorf("%s: needs a topic, a reference and a wrong reply", item.ID)
		}
		if len(item.Rules) > 3 {
			t.Errorf("%s: %d rules, want at most 3", item.ID, len(item.Rules))
		}
		strict, loose := Check(item.Rules, item.Prompt, item.Reference)
		if slices.Contains(strict, false) || slices.Contains(loose, false) {
			t.Errorf("%s: the reference is graded %v, %v", item.ID, strict, loose)
		}
		breaks, breaksLoosely := make([]bool, len(item.Rules)), false
		for _, wrong := range item.Wrong {
			strict, loose := Check(item.Rules, item.Prompt, wrong)
			for i, kept := range strict {
				breaks[i] = breaks[i] || !kept
			}
			breaksLoosely = breaksLoosely || slices.Contains(loose, false)
		}
		for i, rule := range item.Rules {
			used[rule.ID]++
			if breaks[i] {
				broken[rule.ID]++
			} else {
				t.Errorf("%s: no wrong reply breaks rule %d, %s", item.ID, i+1, rule.ID)
			}
		}
		if !breaksLoosely {
			t.Errorf("%s: the wrong replies keep every rule loosely", item.ID)
		}
	}
	for _, name := range Kinds() {
		if used[name] < 3 || broken[name] == 0 {
			t.Errorf("rule %s is used by %d items and broken in %d: want at least 3 and 1", name, used[name], broken[name])
		}
	}
	t.Logf("%d items, kinds of rules: %v", len(items), used)
}

// A few plain replies must fail nearly everywhere, so that a model which has
// collapsed scores near 0.
func TestDegenerateReplies(t *testing.T) {
	for _, reply := range []string{"", "Yes.", "I'm sorry, but I can't help with that.", strings.Repeat("the ", 200)} {
		kept := 0
		items := Items()
		for _, item := range items {
			if strict, _ := Check(item.Rules, item.Prompt, reply); !slices.Contains(strict, false) {
				kept++
			}
		}
		if kept > len(items)/20 {
			t.Errorf("%.40q keeps all rules of %d of %d items, want at most 5 %%", reply, kept, len(items))
		}
	}
}

func TestRequests(t *testing.T) {
	requests := Requests()
	refuse, chemistry := 0, 0
	for _, r := range requests {
		if r.Refuse {
			refuse++
			if r.Topic == "chemistry" {
				chemistry++
			}
		}
		if r.Topic == "" {
			t.Errorf("%s: no topic", r.ID)
		}
	}
	if refuse < 24 || refuse*2 != len(requests) || chemistry < 12 {
		t.Errorf("%d of %d requests are to be refused, %d of them about chemistry; want half, at least 24 and 12", refuse, len(requests), chemistry)
	}
}

func TestPromptsDiffer(t *testing.T) {
	seen := map[string]string{}
	for id, prompt := range prompts() {
		key := strings.Join(wordsIn(prompt), " ")
		if other, twice := seen[key]; twice {
			t.Errorf("%s and %s have the same prompt", id, other)
		}
		seen[key] = id
	}
}

// Nothing here is copied: no run of eight words of a prompt stands in the sets
// that a user is likely to have trained on or to evaluate with.
func TestPromptsAreOurOwn(t *testing.T) {
	const run = 8
	data := "../../../../shared/data/"
	known := map[string]string{}
	learn := func(file, text string) {
		words := wordsIn(text)
		for i := 0; i+run <= len(words); i++ {
			known[strings.Join(words[i:i+run], " ")] = file
		}
	}
	for _, file := range []string{"ifeval/input_data.jsonl", "instruct/seed_tasks.jsonl", "instruct/user_oriented_instructions.jsonl", "safety/simple_safety_tests.csv"} {
		content, err := os.ReadFile(data + file)
		if err != nil {
			t.Skipf("the benchmark data is not here: %v", err)
		}
		texts := textsOf(t, file, content)
		if len(texts) < 100 {
			t.Fatalf("%s: %d texts, want at least 100", file, len(texts))
		}
		for _, text := range texts {
			learn(file, text)
		}
	}
	for id, prompt := range prompts() {
		words := wordsIn(prompt)
		for i := 0; i+run <= len(words); i++ {
			if file, copied := known[strings.Join(words[i:i+run], " ")]; copied {
				t.Errorf("%s: %q stands in %s", id, strings.Join(words[i:i+run], " "), file)
			}
		}
	}
}

// prompts returns all prompts of this project by their ids.
func prompts() map[string]string {
	all := map[string]string{}
	for _, item := range Items() {
		all[item.ID] = item.Prompt
	}
	for _, r := range Requests() {
		all[r.ID] = r.Prompt
	}
	return all
}

// wordsIn returns the words of a text in small letters, without signs.
func wordsIn(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// textsOf returns all texts in a file of JSON lines or CSV, however deep they
// stand.
func textsOf(t *testing.T, file string, content []byte) (texts []string) {
	t.Helper()
	if strings.HasSuffix(file, ".csv") {
		records, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return slices.Concat(records...)
	}
	var collect func(value any)
	collect = func(value any) {
		switch v := value.(type) {
		case string:
			texts = append(texts, v)
		case []any:
			for _, entry := range v {
				collect(entry)
			}
		case map[string]any:
			for _, entry := range v {
				collect(entry)
			}
		}
	}
	for line := range strings.Lines(string(content)) {
		var value any
		if err := json.Unmarshal([]byte(line), &value); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		collect(value)
	}
	return texts
}
