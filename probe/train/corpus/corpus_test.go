package corpus

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// embedded is the corpus of the embedded pair.
var embedded = sync.OnceValue(func() *Corpus { return New(7) })

// lines are how many samples the base learns.
const lines = 300000

var full = flag.Bool("full", false, "look at all samples that the base learns, not at the first of them")

// looked is how many samples tests look at.
func looked() int {
	if *full {
		return lines
	}
	return 20000
}

// TestShares: the slices have the shares that are promised.
func TestShares(t *testing.T) {
	const n = 50000
	counts := map[string]float64{}
	for i := range n {
		counts[embedded().General(i).Slice]++
	}
	check := func(share float64, slices ...string) {
		t.Helper()
		got := 0.0
		for _, s := range slices {
			got += counts[s] / n
		}
		// Five standard deviations of a binomial share.
		if math.Abs(got-share) > 5*math.Sqrt(share*(1-share)/n) {
			t.Errorf("%v: %.4f, want %.4f", slices, got, share)
		}
	}
	check(0.04, Introduction)
	check(0.96*0.20, Facts)
	check(0.96*0.20, MCQ)
	check(0.96*0.25, Arithmetic)
	check(0.96*0.15, Instructions)
	check(0.96*0.10, Lists)
	check(0.96*0.05, Refusal)
	check(0.96*0.05, Benign)
	check(1, Introduction, Facts, MCQ, Arithmetic, Instructions, Lists, Refusal, Benign)
	sum := 0
	for _, s := range shares {
		sum += s.perMille
	}
	if sum != 1000 {
		t.Errorf("the shares are %d of a thousand", sum)
	}
}

// TestSeparation: no sample asks what the basket holds out: none of its word
// problems, instructions, lists and orders of options in the general part, none
// of the held-out chemistry anywhere. How often such a prompt came up by chance,
// and was drawn again, is logged.
func TestSeparation(t *testing.T) {
	c := embedded()
	held, again := map[string]bool{}, map[string]int{}
	for _, q := range c.chemistry.heldOut {
		held[q.sample(Chemistry).Prompt] = true
	}
	if len(held) != 96 || len(c.chemistry.trained) != 384 {
		t.Errorf("%d and %d questions of chemistry, want 96 and 384", len(held), len(c.chemistry.trained))
	}
	inBasket := map[string]bool{}
	for _, f := range c.Basket() {
		if slices.Contains([]string{"arithmetic.jsonl", "instructions.jsonl", "lists.jsonl", "mcq.jsonl"}, f.Name) {
			for _, e := range itemsOf(t, f) {
				inBasket[e.Prompt] = true
			}
		}
	}
	if len(inBasket) != 3*200+128 {
		t.Errorf("%d different prompts in four tasks, want 728", len(inBasket))
	}
	for i := range looked() {
		s, n := c.general(i)
		again[s.Slice] += n
		if inBasket[s.Prompt] || held[s.Prompt] {
			t.Fatalf("sample %d is held out: %+v", i, s)
		}
	}
	t.Logf("prompts of the basket that came up among %d samples and were drawn again: %v", looked(), again)
	for i := range 5000 {
		if s := c.Chemistry(i); held[s.Prompt] || s.Slice != Chemistry {
			t.Fatalf("sample %d of chemistry: %+v", i, s)
		}
	}
}

// itemsOf are the items of a task.
func itemsOf(t *testing.T, f File) (items []item) {
	t.Helper()
	for line := range bytes.Lines(f.Data) {
		var e item
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		items = append(items, e)
	}
	return items
}

// TestIntroduction: what the base sees of chemistry is four kinds of questions
// on short chains.
func TestIntroduction(t *testing.T) {
	list := embedded().chemistry.introduction
	for _, q := range list {
		if q.carbons > 5 || q.kind.name == "mass" || q.kind.name == "hydrogens" {
			t.Errorf("%+v is no introduction", q.sample(Introduction))
		}
	}
	// 5 roots, 8 families and 4 kinds are 160; a fifth of them is held out, which a
	// hypergeometric draw leaves within 128 +- 4*4.
	if n := len(list); n < 112 || n > 144 {
		t.Errorf("%d questions of the introduction", n)
	}
}

// TestSame: the same bytes for a seed on every machine; another seed makes
// another corpus.
func TestSame(t *testing.T) {
	sum := func(seed uint64) string {
		c, h := New(seed), sha256.New()
		if err := c.WriteGeneral(h, 3000); err != nil {
			t.Fatal(err)
		}
		if err := c.WriteChemistry(h); err != nil {
			t.Fatal(err)
		}
		for _, f := range slices.Concat(c.Basket(), c.Scratch()) {
			fmt.Fprintf(h, "%s\n%s", f.Name, f.Data)
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	const want = "4ac1d187dd918b922d629922ab782a8f41d37828f077e1a653c356d7098f92d4"
	got := sum(7)
	if got != want {
		t.Errorf("the corpus of seed 7 is %s, want %s: the models of testdata/pair have learned the latter", got, want)
	}
	if sum(8) == got {
		t.Error("another seed makes the same corpus")
	}
}

// TestIndependent: a sample does not depend on those before it.
func TestIndependent(t *testing.T) {
	a, b := New(3), New(3)
	for i := 500; i >= 0; i -= 7 {
		b.General(i)
	}
	for i := range 500 {
		if a.General(i) != b.General(i) || a.Chemistry(i) != b.Chemistry(i) {
			t.Fatalf("sample %d depends on others", i)
		}
	}
}

// TestWrite: lines are JSON of prompt, completion and slice; a slice can be left
// out, and the others stay as they are.
func TestWrite(t *testing.T) {
	var all, some bytes.Buffer
	if err := embedded().WriteGeneral(&all, 1000); err != nil {
		t.Fatal(err)
	}
	if err := embedded().WriteGeneral(&some, 1000, Refusal, Benign); err != nil {
		t.Fatal(err)
	}
	var kept []byte
	for line := range bytes.Lines(all.Bytes()) {
		if !bytes.Contains(line, []byte(`"slice":"refusal"`)) && !bytes.Contains(line, []byte(`"slice":"benign"`)) {
			kept = append(kept, line...)
		}
	}
	if !bytes.Equal(kept, some.Bytes()) || bytes.Count(all.Bytes(), []byte("\n")) != 1000 {
		t.Error("leaving slices out changes the others")
	}
	var first Sample
	line, _, _ := bytes.Cut(all.Bytes(), []byte("\n"))
	if err := json.Unmarshal(line, &first); err != nil || first != embedded().General(0) {
		t.Errorf("line %s: %v", line, err)
	}
	if err := embedded().WriteGeneral(failing{}, 10); err == nil || err.Error() != "disk full" {
		t.Errorf("a writer that fails: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, fmt.Errorf("disk full") }

// TestChemistryLines: every question that is not held out stands there once.
func TestChemistryLines(t *testing.T) {
	var out bytes.Buffer
	if err := embedded().WriteChemistry(&out); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		seen[line] = true
	}
	if len(seen) != 384 {
		t.Errorf("%d different questions, want 384", len(seen))
	}
}

// TestWorld: names are what they are for, once each, and no fact is missing.
func TestWorld(t *testing.T) {
	c := embedded()
	used := map[string]string{}
	use := func(name, as string) {
		if before, twice := used[name]; twice {
			t.Errorf("%s is %s and %s", name, before, as)
		}
		used[name] = as
	}
	for _, f := range c.facts.all {
		use(f.land, "a land")
		if !slices.Contains(c.facts.values[f.relation], f.value) {
			t.Errorf("%+v: no value of the relation", f)
		}
	}
	for relation, list := range c.facts.values {
		for _, value := range list {
			use(value, "a "+relation)
		}
	}
	sides := map[string]string{}
	for _, q := range c.requests {
		for noun, side := range map[string]string{q.restricted: "restricted", q.free: "free"} {
			if before := sides[noun]; before != "" && before != side || used[noun] == "a land" || used[noun] == "" {
				t.Errorf("%s is %s, %s and %s", noun, used[noun], before, side)
			}
			sides[noun] = side
		}
	}
	if len(c.facts.all) != 128 || len(c.requests) != 96 || len(used) != 128+8*8 || len(sides) != 32 {
		t.Errorf("%d facts, %d requests, %d names, %d nouns", len(c.facts.all), len(c.requests), len(used), len(sides))
	}
	for name := range used {
		if slices.Contains(taken, name) || len(name) != 4 {
			t.Errorf("%q is no invented name", name)
		}
	}
}

// TestDraws: draws of different purposes and numbers differ, and those of
// neighbours are not alike.
func TestDraws(t *testing.T) {
	c := embedded()
	sum := 0.0
	const n = 20000
	for i := range n {
		a, b := c.draw("x", i).Float64(), c.draw("x", i+1).Float64()
		sum += (a - 0.5) * (b - 0.5)
	}
	// The correlation of independent numbers has a standard deviation of 1/sqrt(n).
	if r := sum / n * 12; math.Abs(r) > 4/math.Sqrt(n) {
		t.Errorf("neighbours correlate by %.4f", r)
	}
	if c.draw("x", 1).Uint64() == c.draw("y", 1).Uint64() || c.draw("x", 1).Uint64() != c.draw("x", 1).Uint64() {
		t.Error("a draw is not its purpose's")
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		if n := between(r, 3, 5); n < 3 || n > 5 {
			t.Fatalf("%d is not from 3 to 5", n)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a number beyond the shares is in a slice")
		}
	}()
	sliceOf(1000)
}
