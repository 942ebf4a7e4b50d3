package mersenne_test

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"reflect"
	"slices"
	"testing"

	"surgeon/probe/task/mersenne"
)

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestCPython compares with numbers that CPython 3.11.7 drew, one call after
// the other (testdata/cpython.json): words, floats, bits of 1 to 64, indices
// below 1, 2, 3, 7473 and 2^40, samples on both sides of the size at which
// sample takes a set, and a shuffle.
func TestCPython(t *testing.T) {
	var vectors []struct {
		Seed            string
		Words, Bits     []uint64
		Floats          []float64
		Below, Shuffled []int
		Samples         [][]int
		Then            uint64
	}
	readJSON(t, "testdata/cpython.json", &vectors)
	if len(vectors) != 9 {
		t.Fatalf("%d seeds", len(vectors))
	}
	for _, v := range vectors {
		seed, ok := new(big.Int).SetString(v.Seed, 10)
		if !ok {
			t.Fatal(v.Seed)
		}
		generators := []*mersenne.Random{mersenne.NewBig(seed)}
		if seed.IsInt64() {
			generators = append(generators, mersenne.New(seed.Int64()))
		}
		for _, r := range generators {
			check := func(what string, got, want any) {
				t.Helper()
				if !reflect.DeepEqual(got, want) {
					t.Errorf("seed %s: %s %v, want %v", v.Seed, what, got, want)
				}
			}
			for _, want := range v.Words {
				check("word", r.Bits(32), want)
			}
			for _, want := range v.Floats {
				check("float", r.Float64(), want)
			}
			for i, k := range []int{1, 7, 31, 33, 53, 64} {
				check("bits", r.Bits(k), v.Bits[i])
			}
			for i, n := range []int{1, 2, 3, 7473, 1 << 40} {
				check("index", r.Below(n), v.Below[i])
			}
			for i, nk := range [][2]int{{7473, 5}, {20, 8}, {85, 6}, {86, 6}, {21, 5}, {22, 5}, {3, 3}, {9, 0}} {
				check("sample", r.Sample(nk[0], nk[1]), v.Samples[i])
			}
			list := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			check("shuffle", list, v.Shuffled)
			check("word at the end", r.Bits(32), v.Then)
		}
	}
}

// TestState draws past three turns of the state.
func TestState(t *testing.T) {
	r := mersenne.New(42)
	words := make([]uint64, 2000)
	for i := range words {
		words[i] = r.Bits(32)
	}
	if got, want := [3]uint64{words[623], words[624], words[1999]}, [3]uint64{2929454134, 1071722055, 1557724698}; got != want {
		t.Errorf("words 623, 624 and 1999 are %v, want %v", got, want)
	}
}

// TestReference compares with the vectors beside the benchmark data.
func TestReference(t *testing.T) {
	const file = "../../../../shared/data/golden/cpython_random.json"
	if _, err := os.Stat(file); err != nil {
		t.Skip("the benchmark data is not beside this checkout")
	}
	var want struct {
		Seed    int64
		Words   []uint64  `json:"getrandbits32"`
		Floats  []float64 `json:"random"`
		Small   []int     `json:"seed0_sample_10_of_21"`
		Large   []int     `json:"seed0_sample_5_of_7473"`
		Choices []int     `json:"seed0_choices_5_of_10"`
		Shuffle []int     `json:"seed0_shuffle_10"`
		Gauss   []float64 `json:"seed0_gauss"`
	}
	readJSON(t, file, &want)
	r, floats := mersenne.New(want.Seed), mersenne.New(want.Seed)
	for i, w := range want.Words {
		if got := r.Bits(32); got != w {
			t.Errorf("word %d is %d, want %d", i, got, w)
		}
	}
	for i, w := range want.Floats {
		if got := floats.Float64(); got != w {
			t.Errorf("float %d is %v, want %v", i, got, w)
		}
	}
	check := func(what string, got, want []int) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	check("10 of 21", mersenne.New(0).Sample(21, 10), want.Small)
	check("5 of 7473", mersenne.New(0).Sample(7473, 5), want.Large)
	list := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	mersenne.New(0).Shuffle(10, func(i, j int) { list[i], list[j] = list[j], list[i] })
	check("shuffle", list, want.Shuffle)
	r = mersenne.New(0)
	var choices []int // choices is a float times the length
	for range want.Choices {
		choices = append(choices, int(r.Float64()*10))
	}
	check("choices", choices, want.Choices)
	r = mersenne.New(0)
	for i := 0; i+1 < len(want.Gauss); i += 2 { // gauss turns two floats into two numbers
		sin, cos := math.Sincos(2 * math.Pi * r.Float64())
		radius := math.Sqrt(-2 * math.Log(1-r.Float64()))
		for k, got := range []float64{cos * radius, sin * radius} {
			if math.Abs(got-want.Gauss[i+k]) > 1e-14 {
				t.Errorf("normal number %d is %v, want %v", i+k, got, want.Gauss[i+k])
			}
		}
	}
}

// TestLaws: a sample has no index twice and all are below n; a sample of
// everything is a permutation; the sign of a seed does not count.
func TestLaws(t *testing.T) {
	r := mersenne.New(7)
	for n := range 60 {
		for k := range n + 1 {
			sample := r.Sample(n, k)
			sorted := slices.Sorted(slices.Values(sample))
			if len(sample) != k || len(slices.Compact(sorted)) != k || k > 0 && (sorted[0] < 0 || slices.Max(sorted) >= n) {
				t.Fatalf("%d of %d: %v", k, n, sample)
			}
		}
	}
	if a, b := mersenne.New(5).Bits(64), mersenne.New(-5).Bits(64); a != b {
		t.Errorf("seeds 5 and -5 draw %d and %d", a, b)
	}
	if got := mersenne.New(5).Bits(0); got != 0 {
		t.Errorf("no bits are %d", got)
	}
}

func TestPanics(t *testing.T) {
	check := func(want string, draw func(*mersenne.Random)) {
		t.Helper()
		defer func() {
			if got := recover(); got != want {
				t.Errorf("panic %v, want %q", got, want)
			}
		}()
		draw(mersenne.New(0))
	}
	check("mersenne: 65 bits", func(r *mersenne.Random) { r.Bits(65) })
	check("mersenne: an index below 0", func(r *mersenne.Random) { r.Below(0) })
	check("mersenne: a sample of 3 out of 2", func(r *mersenne.Random) { r.Sample(2, 3) })
}
