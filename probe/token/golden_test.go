package token_test

import (
	"bufio"
	"encoding/json"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"surgeon/probe/token"
)

// The goldens lie beside the repository, not in it.
const (
	shared       = "../../../shared"
	goldenIDs    = shared + "/golden/tokenizers"
	goldenScores = shared + "/golden/lm_eval/base/mmlu_continuation_0shot.jsonl"
	smolLM2      = shared + "/pair/side/tokenizer.json"

	tokenizersVariable = "SURGEON_TOKENIZERS"
)

// load reads a tokenizer.json, or skips the test saying how to get it.
func load(t testing.TB, path, howToGet string) *token.Tokenizer {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("%v: %s", err, howToGet)
	}
	tokenizer, err := token.New(data)
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

func loadSmolLM2(t testing.TB) *token.Tokenizer {
	t.Helper()
	return load(t, smolLM2, "check out shared/ beside the repository")
}

// golden decodes a file of goldens, or skips the test.
func golden(t testing.TB, name string, value any) {
	t.Helper()
	path := filepath.Join(goldenIDs, name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("%v: check out shared/ beside the repository", err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

var goldenNames = []string{"gpt2", "smollm2like", "llama2", "llama3", "qwen3", "gemma3"}

// TestParity wants all ids and all texts of the golden corpus as the Rust
// library made them.
func TestParity(t *testing.T) {
	for _, name := range goldenNames {
		t.Run(name, func(t *testing.T) { checkParity(t, name) })
	}
}

// loadGolden loads one of the goldens' tokenizers, or skips the test.
func loadGolden(t testing.TB, name string) *token.Tokenizer {
	t.Helper()
	directory := os.Getenv(tokenizersVariable)
	if directory == "" {
		t.Skipf("%s is not set: run %s/fetch.sh DIR (it needs npm), then set it to DIR", tokenizersVariable, goldenIDs)
	}
	return load(t, filepath.Join(directory, name, "tokenizer.json"), "run "+goldenIDs+"/fetch.sh "+directory)
}

func checkParity(t *testing.T, name string) {
	tokenizer := loadGolden(t, name)
	var corpus []string
	var ids [][]int32
	var differs map[int]string // what decodes to something else than the text
	golden(t, "corpus.json", &corpus)
	golden(t, "ids_"+name+".json", &ids)
	golden(t, "decode_differs_"+name+".json", &differs)
	if len(corpus) == 0 || len(corpus) != len(ids) {
		t.Fatalf("%d texts and %d lists of ids", len(corpus), len(ids))
	}
	equal, equalTexts := 0, 0
	for i, text := range corpus {
		if got := tokenizer.Encode(text); slices.Equal(got, ids[i]) {
			equal++
		} else {
			t.Errorf("text %d: Encode(%.60q) = %v, want %v", i, text, got, ids[i])
		}
		if want, ok := differs[i]; ok {
			text = want
		}
		if got, err := tokenizer.Decode(ids[i]); err == nil && got == text {
			equalTexts++
		} else {
			t.Errorf("text %d: Decode gives %.60q, %v, want %.60q", i, got, err, text)
		}
	}
	t.Logf("%s: %d of %d ids equal, %d of %d texts equal", name, equal, len(corpus), equalTexts, len(corpus))
}

// score is a line of what lm_eval recorded of SmolLM2.
type score struct {
	Item               string
	Prompt             *string // only the shorter ones are recorded
	PromptTokens       int     `json:"prompt_tokens"`
	Continuations      []string
	ContinuationTokens [][]int32 `json:"continuation_tokens"`
}

// TestSmolLM2 compares with the token ids that lm_eval scored. It encodes the
// prompt together with each continuation and takes what follows the prompt.
func TestSmolLM2(t *testing.T) {
	tokenizer := loadSmolLM2(t)
	file, err := os.Open(goldenScores)
	if err != nil {
		t.Skipf("%v: check out shared/ beside the repository", err)
	}
	defer file.Close()
	prompts, continuations := 0, 0
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var s score
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		if s.Prompt != nil {
			prompts++
			continuations += s.check(t, tokenizer)
		}
	}
	if err := lines.Err(); err != nil || continuations == 0 {
		t.Errorf("%s: %d continuations, error %v", goldenScores, continuations, err)
	}
	t.Logf("%d prompts, %d continuations", prompts, continuations)
}

func (s *score) check(t *testing.T, tokenizer *token.Tokenizer) int {
	prompt := tokenizer.Encode(*s.Prompt)
	if len(prompt) != s.PromptTokens {
		t.Errorf("%s: the prompt has %d tokens, want %d", s.Item, len(prompt), s.PromptTokens)
		return 0
	}
	for i, continuation := range s.Continuations {
		whole := tokenizer.Encode(*s.Prompt + continuation)
		if got := whole[len(prompt):]; !slices.Equal(got, s.ContinuationTokens[i]) {
			t.Errorf("%s: %q is %v, want %v", s.Item, continuation, got, s.ContinuationTokens[i])
		}
	}
	return len(s.Continuations)
}

// TestSmolLM2Corpus compares the real tokenizer with what the Rust library
// tokenizers 0.22.2 makes of the golden corpus; testdata/make_smollm2.js wrote
// that down.
func TestSmolLM2Corpus(t *testing.T) {
	tokenizer := loadSmolLM2(t)
	var corpus []string
	golden(t, "corpus.json", &corpus)
	var want struct {
		Sums    []uint32       `json:"ids_crc32"`
		Differs map[int]string `json:"decode_differs"`
	}
	data, err := os.ReadFile("testdata/smollm2.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil || len(want.Sums) != len(corpus) {
		t.Fatalf("testdata/smollm2.json has %d sums for %d texts, error %v", len(want.Sums), len(corpus), err)
	}
	equal := 0
	for i, text := range corpus {
		ids := tokenizer.Encode(text)
		if sum(ids) == want.Sums[i] {
			equal++
		} else {
			t.Errorf("text %d: Encode(%.60q) = %v is not as in the reference", i, text, ids)
		}
		if other, ok := want.Differs[i]; ok {
			text = other
		}
		checkDecode(t, tokenizer, ids, text)
	}
	t.Logf("%d of %d ids equal", equal, len(corpus))
}

func sum(ids []int32) uint32 {
	var text strings.Builder
	for i, id := range ids {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(strconv.Itoa(int(id)))
	}
	return crc32.ChecksumIEEE([]byte(text.String()))
}

// TestSmolLM2LacksBytes: it has no token for U+0004, and then there is none.
// The ids are those of the reference.
func TestSmolLM2LacksBytes(t *testing.T) {
	tokenizer := loadSmolLM2(t)
	checkEncode(t, tokenizer, "\x04", nil)
	checkEncode(t, tokenizer, "a\x04b", []int32{81, 82})
	checkEncode(t, tokenizer, "\x04he", []int32{255})
	checkEncode(t, tokenizer, "h\x04e", []int32{88, 85})
	checkEncode(t, tokenizer, " \x04the", []int32{216, 1195})
}
