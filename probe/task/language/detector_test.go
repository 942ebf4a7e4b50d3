package language

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const prose = "The garden behind the house had been left alone for years, and nobody knew what was still growing there. " +
	"One morning in spring a boy climbed over the wall, found the door that everybody had forgotten, and pushed it open. "

func TestProfiles(t *testing.T) {
	start := time.Now()
	set, err := readProfiles(profilesGzip)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d languages with %d grams, read in %v", len(set.languages), len(set.grams), time.Since(start))
	if codes := New().Languages(); len(codes) != 55 || !slices.IsSorted(codes) || !slices.Equal(codes, set.languages) {
		t.Errorf("the languages are %v, want 55 in order", codes)
	}
	for i, postings := range set.grams {
		for _, p := range postings {
			if p.frequency <= 0 || p.frequency > 1 {
				t.Fatalf("gram %d has the frequency %v in %s", i, p.frequency, set.languages[p.language])
			}
		}
	}
}

// The profiles in the program are those of the shared folder.
func TestProfilesAreUpstreams(t *testing.T) {
	const folder = "../../../../shared/data/langid"
	files, err := filepath.Glob(folder + "/profiles/*")
	if err != nil || len(files) == 0 {
		t.Skip("the shared data is not here: " + folder)
	}
	set, entries := profiles(), 0
	for i, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			Name   string         `json:"name"`
			Counts map[string]int `json:"freq"`
			Totals [3]int         `json:"n_words"`
		}
		if err := json.Unmarshal(data, &p); err != nil {
			t.Fatal(err)
		}
		if set.languages[i] != p.Name || filepath.Base(file) != p.Name {
			t.Fatalf("language %d is %s, want %s", i, set.languages[i], p.Name)
		}
		for text, count := range p.Counts {
			entries++
			var g gram
			for _, r := range text {
				g = g.add(r)
			}
			want := float64(count) / float64(p.Totals[utf8.RuneCountInString(text)-1])
			if index, known := set.index[g]; !known || set.row(index)[i] != want {
				t.Fatalf("%s: %q is known: %v, want the frequency %v", file, text, known, want)
			}
		}
	}
	for _, postings := range set.grams {
		entries -= len(postings)
	}
	if entries != 0 {
		t.Errorf("%d entries too few", entries)
	}
	messagesFile, err := os.ReadFile(folder + "/messages.properties")
	if err != nil || !bytes.Equal(messagesFile, messages) {
		t.Errorf("the tables of characters differ (%v)", err)
	}
}

func TestDamagedProfiles(t *testing.T) {
	for _, damaged := range [][]byte{nil, []byte("no gzip"), profilesGzip[:1000]} {
		if _, err := readProfiles(damaged); err == nil {
			t.Errorf("%d bytes are read without an error", len(damaged))
		}
	}
}

// Answers are functions of text and seed, and long texts have one under any.
func TestSeeds(t *testing.T) {
	detector := New()
	check := func(text string, settled bool) {
		t.Helper()
		expected, err := detector.Deterministic(text)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := detector.Deterministic(text); again != expected {
			t.Errorf("%.30q: %v, and then %v", text, expected, again)
		}
		if expected.Ambiguous == settled {
			t.Errorf("%.30q: %v", text, expected)
		}
		answers := map[string]int{}
		for seed := range uint64(100) {
			got, err := detector.Compat(text, seed)
			if again, _ := detector.Compat(text, seed); err != nil || again != got {
				t.Fatalf("%.30q: %v, and then %v (%v)", text, got, again, err)
			}
			answers[got.Language]++
		}
		if settled && answers[expected.Language] != 100 || !settled && len(answers) < 2 {
			t.Errorf("%.30q: expected %v, answers %v", text, expected, answers)
		}
	}
	check(prose, true)
	check(strings.ToLower(prose), true)
	check("Bonjour !", false)
	check("WoRD WORd wORD WORDs Ab aB", false)
	check("die Katze", false)
}

// What nobody would write takes no longer than a long text, and no answer is
// without a language of the list.
func TestHostileTexts(t *testing.T) {
	detector := New()
	known := map[string]bool{Unknown: true}
	for _, name := range detector.Languages() {
		known[name] = true
	}
	for _, text := range []string{
		strings.Repeat("a", 1<<20), strings.Repeat("a@", 1<<19), strings.Repeat("http://", 1<<17), strings.Repeat("@b.c", 1<<18),
		strings.Repeat("\x00", 1<<16) + "a", strings.Repeat("é\u0301", 1<<18), "\xff\xfe\xfd abc", strings.Repeat("日", 1<<18), strings.Repeat("aB", 1<<19),
		"\U0010FFFF\U0010FFFF", "e\u0300\u0301\u0303\u0309\u0323",
	} {
		start := time.Now()
		for _, detect := range []func(string) (Result, error){
			func(text string) (Result, error) { return detector.Compat(text, 7) },
			detector.Deterministic,
		} {
			got, err := detect(text)
			if err == nil && (!known[got.Language] || got.Share <= 0 || got.Share > 1+1e-9) {
				t.Errorf("%.20q: %v", text, got)
			}
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%.20q takes %v", text, took)
		}
	}
}

func BenchmarkCompat1kB(b *testing.B)        { benchmark(b, func(s string) { New().Compat(s, 1) }) }
func BenchmarkDeterministic1kB(b *testing.B) { benchmark(b, func(s string) { New().Deterministic(s) }) }

func benchmark(b *testing.B, detect func(string)) {
	text := strings.Repeat(prose, 5)[:1000]
	detect(text)
	b.ResetTimer()
	for range b.N {
		detect(text)
	}
}

func BenchmarkReadProfiles(b *testing.B) {
	for range b.N {
		readProfiles(profilesGzip)
	}
}
