package language

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed" // the profiles are part of the program
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// profilesGzip holds langdetect's profiles, as data/pack.py has packed them.
//
//go:embed data/profiles.txt.gz
var profilesGzip []byte

// profiles reads the profiles once.
var profiles = sync.OnceValue(func() *profileSet {
	set, err := readProfiles(profilesGzip)
	if err != nil {
		panic("language: the profiles in the program are damaged: " + err.Error())
	}
	return set
})

// gram is up to three characters, 21 bits each, the last in the lowest bits.
type gram uint64

// add appends a character to a gram and keeps the last three.
func (g gram) add(r rune) gram { return (g<<21 | gram(r)) & (1<<63 - 1) }

// last is the last n characters of a gram.
func (g gram) last(n int) gram { return g & (1<<(21*n) - 1) }

// profileSet is the frequency of every gram in every language that has it.
type profileSet struct {
	languages []string
	totals    [][3]float64   // of each language, the number of grams of one, two and three characters
	index     map[gram]int32 // of the gram in grams
	grams     [][]posting
}

type posting struct {
	language  uint8   // index in languages
	frequency float64 // count of the gram over that of all grams as long
}

func readProfiles(compressed []byte) (*profileSet, error) {
	plain, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	set := &profileSet{index: make(map[gram]int32, 90_000)}
	lines := bufio.NewScanner(plain)
	for lines.Scan() && len(lines.Bytes()) > 0 {
		var name string
		var totals [3]float64
		if _, err := fmt.Sscan(lines.Text(), &name, &totals[0], &totals[1], &totals[2]); err != nil {
			return nil, err
		}
		set.languages, set.totals = append(set.languages, name), append(set.totals, totals)
	}
	for lines.Scan() {
		if err := set.add(lines.Text()); err != nil {
			return nil, err
		}
	}
	return set, lines.Err()
}

// add reads the line of a gram.
func (s *profileSet) add(line string) error {
	text, counts, _ := strings.Cut(line, "\t")
	length := utf8.RuneCountInString(text)
	if length < 1 || length > 3 {
		return fmt.Errorf("%q is no gram", text)
	}
	var g gram
	for _, r := range text {
		g = g.add(r)
	}
	postings := make([]posting, 0, strings.Count(counts, " ")/2+1)
	for counts != "" {
		var place, count string
		place, counts, _ = strings.Cut(counts, " ")
		count, counts, _ = strings.Cut(counts, " ")
		language, errLanguage := strconv.Atoi(place)
		number, errNumber := strconv.Atoi(count)
		if err := errors.Join(errLanguage, errNumber); err != nil || language < 0 || language >= len(s.languages) {
			return fmt.Errorf("the counts of %q are not numbers", text)
		}
		postings = append(postings, posting{uint8(language), float64(number) / s.totals[language][length-1]})
	}
	s.index[g] = int32(len(s.grams))
	s.grams = append(s.grams, postings)
	return nil
}

// row is the frequency of a gram in every language.
func (s *profileSet) row(i int32) []float64 {
	row := make([]float64, len(s.languages))
	for _, p := range s.grams[i] {
		row[p.language] = p.frequency
	}
	return row
}
