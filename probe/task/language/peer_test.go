package language

import (
	"bufio"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
)

// peer is what langdetect 1.0.9 makes of a text; testdata/peers.py writes it.
type peer struct {
	Text     string             `json:"text"`
	Clean    string             `json:"clean"`
	Count    int                `json:"count"`
	Grams    string             `json:"grams"`
	Shares   map[string]float64 `json:"shares"`
	Detected map[string]int     `json:"detected"`
}

func peers(t *testing.T) []peer {
	t.Helper()
	file, err := os.Open("testdata/langdetect.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []peer
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p peer
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 70 {
		t.Fatalf("only %d texts", len(all))
	}
	return all
}

// gramTexts are the grams of a set as langdetect writes them, by index.
func gramTexts(set *profileSet) []string {
	texts := make([]string, len(set.grams))
	for g, i := range set.index {
		for ; g > 0; g >>= 21 {
			texts[i] = string(rune(g&(1<<21-1))) + texts[i]
		}
	}
	return texts
}

func TestFeatures(t *testing.T) {
	set := profiles()
	texts := gramTexts(set)
	for _, p := range peers(t) {
		cleaned := clean(p.Text)
		if string(cleaned) != p.Clean {
			t.Errorf("%.60q is cleaned to %.80q, want %.80q", p.Text, string(cleaned), p.Clean)
			continue
		}
		var found []string
		for _, i := range set.features(cleaned) {
			found = append(found, texts[i])
		}
		if len(found) != p.Count {
			t.Errorf("%.60q has %d features, want %d", p.Text, len(found), p.Count)
		}
		if got := strings.Join(found, "|"); p.Grams != "" && got != p.Grams {
			t.Errorf("%.60q has the features\n%s, want\n%s", p.Text, got, p.Grams)
		}
	}
}

// The shares are those of langdetect over 300 calls, or 2,100 trials: the
// difference of two such means has a standard error of 0.019 at most.
func TestSharesOfManyCalls(t *testing.T) {
	detector, greatest := New(), 0.0
	for _, p := range peers(t) {
		if p.Shares == nil {
			continue
		}
		got, err := detector.Deterministic(p.Text)
		if err != nil {
			t.Errorf("%q: %v", p.Text, err)
			continue
		}
		difference := math.Abs(got.Share - p.Shares[got.Language])
		greatest = max(greatest, difference)
		if difference > 0.06 {
			t.Errorf("%q: %s has a share of %.3f, want %.3f", p.Text, got.Language, got.Share, p.Shares[got.Language])
		}
		if calls := p.Detected[got.Language]; !got.Ambiguous && calls < 297 {
			t.Errorf("%q: %s counts as certain, but only %d of 300 calls say so", p.Text, got.Language, calls)
		}
		if got.Ambiguous != (got.Share < 0.95) {
			t.Errorf("%q: ambiguous is %v at a share of %.3f", p.Text, got.Ambiguous, got.Share)
		}
	}
	t.Logf("greatest difference of a share: %.3f", greatest)
}

// As many calls of Compat answer a language as of langdetect's 300.
func TestCompatCalls(t *testing.T) {
	const seeds = 150
	detector, unsettled := New(), 0
	for _, p := range peers(t) {
		if p.Shares == nil {
			continue
		}
		calls := map[string]int{}
		for seed := range uint64(seeds) {
			got, err := detector.Compat(p.Text, seed)
			if err != nil {
				t.Fatal(err)
			}
			calls[got.Language]++
		}
		if len(p.Detected) > 1 {
			unsettled++
		}
		for name := range p.Detected {
			got, want := float64(calls[name])/seeds, float64(p.Detected[name])/300
			if math.Abs(got-want) > 0.15 { // three standard errors
				t.Errorf("%q: %s is %.2f of the answers, want %.2f", p.Text, name, got, want)
			}
		}
	}
	if unsettled < 8 {
		t.Errorf("only %d texts have several answers: too few to compare", unsettled)
	}
}

func TestNoFeatures(t *testing.T) {
	none := 0
	for _, p := range peers(t) {
		_, err := New().Compat(p.Text, 1)
		if errors.Is(err, ErrNoFeatures) != (p.Count == 0) {
			t.Errorf("%.60q: error %v for %d features", p.Text, err, p.Count)
		}
		if p.Count > 0 {
			continue
		}
		none++
		if _, err := New().Deterministic(p.Text); !errors.Is(err, ErrNoFeatures) {
			t.Errorf("%.60q: error %v for no features", p.Text, err)
		}
	}
	if none < 5 {
		t.Errorf("only %d texts have no features", none)
	}
}
