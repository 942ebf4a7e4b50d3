package pattern

import (
	"bufio"
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// Matches and groups are those that Python's re finds, and what re refuses is
// refused; testdata/peers.py writes the cases.
func TestPython(t *testing.T) {
	file, err := os.Open("testdata/re.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cases, refused, matching := 0, 0, 0
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var expression, text string
		var flags Flags
		var want *[][][2]int
		if err := json.Unmarshal(lines.Bytes(), &[]any{&expression, &flags, &text, &want}); err != nil {
			t.Fatal(err)
		}
		cases++
		p, err := Compile(expression, flags)
		switch {
		case (err != nil) != (want == nil):
			t.Errorf("%q: error %v, and re refuses it: %v", expression, err, want == nil)
			continue
		case err != nil:
			refused++
			continue
		case len(*want) > 0:
			matching++
		}
		got := [][][2]int{}
		err = p.Each([]rune(text), func(span []int) bool {
			var groups [][2]int
			for g := 0; len(*want) > 0 && g < len((*want)[0]); g++ {
				groups = append(groups, [2]int{span[2*g], span[2*g+1]})
				if span[2*g] < 0 || span[2*g+1] < 0 {
					groups[g] = [2]int{-1, -1}
				}
			}
			got = append(got, groups)
			return true
		})
		if err != nil || !reflect.DeepEqual(got, *want) {
			t.Errorf("%q with flags %d on %q: got %v (%v), want %v", expression, flags, text, got, err, *want)
		}
	}
	if cases != 3000 || refused < 300 || matching < 1000 {
		t.Errorf("%d cases, %d refused, %d matching: the file is not the one to test with", cases, refused, matching)
	}
}
