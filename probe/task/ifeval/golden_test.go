package ifeval_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"surgeon/probe/task/ifeval"
)

// shared is the folder of benchmark data and goldens, which is not part of the
// project.
const shared = "../../../../shared"

// item is a prompt with its rules, a response and the verdicts to expect; each
// file has some of the fields.
type item struct {
	ID           string           `json:"id"`
	Key          int              `json:"key"`
	Item         string           `json:"item"`
	Prompt       string           `json:"prompt"`
	Instructions []string         `json:"instruction_id_list"`
	Arguments    []map[string]any `json:"kwargs"`
	Response     string           `json:"response"`
	Strict       []bool           `json:"strict"`
	Loose        []bool           `json:"loose"`
}

func (i item) rules() []ifeval.Rule {
	rules := make([]ifeval.Rule, len(i.Instructions))
	for k, id := range i.Instructions {
		rules[k] = ifeval.Rule{ID: id, Args: i.Arguments[k]}
	}
	return rules
}

// without leaves a rule out.
func (i item) without(k int) item {
	i.Instructions, i.Arguments = slices.Delete(slices.Clone(i.Instructions), k, k+1), slices.Delete(slices.Clone(i.Arguments), k, k+1)
	i.Strict, i.Loose = slices.Delete(slices.Clone(i.Strict), k, k+1), slices.Delete(slices.Clone(i.Loose), k, k+1)
	return i
}

// eachLine reads JSON lines, or skips the test where the file is not there.
func eachLine[T any](t *testing.T, file string, f func(T)) {
	t.Helper()
	data, err := os.Open(file)
	if err != nil {
		t.Skip("the shared data is not here: " + err.Error())
	}
	defer data.Close()
	lines := bufio.NewScanner(data)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var value T
		if err := json.Unmarshal(lines.Bytes(), &value); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		f(value)
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
}

// dataItems are the items of the data set, by key.
func dataItems(t *testing.T) map[int]item {
	items := map[int]item{}
	eachLine(t, filepath.Join(shared, "data/ifeval/input_data.jsonl"), func(i item) { items[i.Key] = i })
	return items
}

// tally counts verdicts that are as expected.
type tally struct{ strict, loose, all int }

func (c *tally) add(t *testing.T, checker *ifeval.Checker, i item) {
	t.Helper()
	strict, loose := checker.Check(i.rules(), i.Prompt, i.Response)
	for k, id := range i.Instructions {
		c.all++
		if strict[k] == i.Strict[k] {
			c.strict++
		}
		if loose[k] == i.Loose[k] {
			c.loose++
		}
		if strict[k] != i.Strict[k] || loose[k] != i.Loose[k] {
			t.Errorf("key %d, case %q: %s %v: got %v %v, want %v %v", i.Key, i.ID, id, i.Arguments[k], strict[k], loose[k], i.Strict[k], i.Loose[k])
		}
	}
}

// The verdicts on GPT-4 that were published with IFEval. Two keys ask for a
// letter that the published checkers replace by a random one.
func TestPublishedVerdicts(t *testing.T) {
	random := []int{1122, 1129}
	for _, mode := range []ifeval.Mode{ifeval.Compat, ifeval.Deterministic} {
		items := dataItems(t)
		byPrompt := map[string]int{}
		for key, i := range items {
			byPrompt[i.Prompt] = key
		}
		responses := map[int]string{}
		eachLine(t, filepath.Join(shared, "data/ifeval/golden/gpt4_responses.jsonl"), func(i item) {
			key := i.Key
			if key == 0 {
				key = byPrompt[i.Prompt]
			}
			responses[key] = i.Response
		})
		var count tally
		checker := ifeval.New(mode)
		eachLine(t, filepath.Join(shared, "data/ifeval/golden/gpt4_expected.jsonl"), func(want item) {
			i := items[want.Key]
			if !slices.Equal(i.Instructions, want.Instructions) {
				t.Fatalf("key %d: other instructions", want.Key)
			}
			if slices.Contains(random, want.Key) {
				return
			}
			i.Response, i.Strict, i.Loose = responses[want.Key], want.Strict, want.Loose
			count.add(t, checker, i)
		})
		t.Logf("mode %d: strict %d, loose %d of %d", mode, count.strict, count.loose, count.all)
	}
}

// Cases written to try each checker, judged by lm-evaluation-harness.
func TestHarnessCases(t *testing.T) {
	for _, mode := range []ifeval.Mode{ifeval.Compat, ifeval.Deterministic} {
		var count tally
		checker := ifeval.New(mode)
		eachLine(t, filepath.Join(shared, "golden/lm_eval/ifeval_cases.jsonl"), func(i item) { count.add(t, checker, i) })
		t.Logf("mode %d: strict %d, loose %d of %d", mode, count.strict, count.loose, count.all)
	}
}

// result is an item of lm-evaluation-harness's own run of a small model. Of
// verdicts that depend on chance it says what share of 20 seeds pass.
type result struct {
	Item    string                            `json:"item"`
	Text    string                            `json:"text"`
	Strict  []bool                            `json:"inst_level_strict_acc"`
	Loose   []bool                            `json:"inst_level_loose_acc"`
	Depends struct{ Strict, Loose []float64 } `json:"depends_on_seed"`
}

// Replies of a small model, most of them bad, judged by lm-evaluation-harness.
func TestHarnessRuns(t *testing.T) {
	items := dataItems(t)
	checker := ifeval.New(ifeval.Compat)
	var count tally
	chance := 0
	for _, run := range []string{"ifeval", "ifeval_chat"} {
		eachLine(t, filepath.Join(shared, "golden/lm_eval/base", run+".jsonl"), func(r result) {
			key, err := strconv.Atoi(strings.TrimPrefix(r.Item, "ifeval/"))
			if err != nil {
				t.Fatal(err)
			}
			i := items[key]
			i.ID, i.Response, i.Strict, i.Loose = run, r.Text, r.Strict, r.Loose
			for k := len(r.Depends.Strict) - 1; k >= 0; k-- {
				if open := func(share float64) bool { return 0 < share && share < 1 }; open(r.Depends.Strict[k]) || open(r.Depends.Loose[k]) {
					chance++
					i = i.without(k)
				}
			}
			count.add(t, checker, i)
		})
	}
	t.Logf("strict %d, loose %d of %d; %d verdicts depend on chance", count.strict, count.loose, count.all, chance)
}
