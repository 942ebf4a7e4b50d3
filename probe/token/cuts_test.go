package token

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// TestCuts compares the words that pre-tokenizers make with those of the
// reference library, as testdata/make_kinds.py wrote them down.
func TestCuts(t *testing.T) {
	data, err := os.ReadFile("testdata/kinds.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Texts []string
		Cuts  []struct {
			Name         string
			PreTokenizer json.RawMessage `json:"pre_tokenizer"`
			Words        [][]string
		}
	}
	if err := json.Unmarshal(data, &all); err != nil || len(all.Cuts) != 31 {
		t.Fatalf("%d cuts, want 31; error %v", len(all.Cuts), err)
	}
	for _, cut := range all.Cuts {
		f := &file{}
		split, _ := f.preTokenizer(object{file: f, values: map[string]json.RawMessage{"pre_tokenizer": cut.PreTokenizer}}, true)
		if f.err != nil {
			t.Errorf("%s: %v", cut.Name, f.err)
			continue
		}
		for i, text := range all.Texts {
			if text == "" {
				continue
			}
			if got := words(split, text); !slices.Equal(got, cut.Words[i]) {
				t.Errorf("%s: %q becomes %q, want %q", cut.Name, text, got, cut.Words[i])
			}
		}
	}
}
