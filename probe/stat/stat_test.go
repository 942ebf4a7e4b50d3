package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// named returns a sample of the scores under item names q0000, q0001, ...
func named(scores ...float64) Sample {
	s := Sample{Scores: scores}
	for i := range scores {
		s.Items = append(s.Items, fmt.Sprintf("q%04d", i))
	}
	return s
}

// answers returns x right answers followed by n-x wrong ones.
func answers(x, n int) Sample {
	scores := make([]float64, n)
	for i := range x {
		scores[i] = 1
	}
	return named(scores...)
}

// near reports a value that is off by more than tolerance, or NaN.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %.9g, want %.9g ± %.1g", what, got, want, tolerance)
	}
}

func first(base, _ Sample) Sample       { return base }
func second(_, candidate Sample) Sample { return candidate }

// TestMcNemarSum compares with the sum of binomial coefficients, which is exact
// in float64 for so few items.
func TestMcNemarSum(t *testing.T) {
	for better := 0; better <= 25; better++ {
		for worse := 0; worse <= 25; worse++ {
			sum, coefficient, m := 0.0, 1.0, better+worse
			for j := 0; j <= min(better, worse); j++ {
				sum += coefficient
				coefficient = coefficient * float64(m-j) / float64(j+1)
			}
			want := min(1, math.Ldexp(sum, 1-m))
			near(t, fmt.Sprintf("mcnemar(%d, %d)", better, worse), mcnemar(better, worse), want, 1e-12*want)
		}
	}
}

// TestDegenerate checks the cases without spread.
func TestDegenerate(t *testing.T) {
	one, _ := Mean(answers(1, 1), 0.95)
	if !math.IsNaN(one.SE) || one.High != 1 || len(one.Warnings) != 1 {
		t.Errorf("one right answer: %+v", one)
	}
	real, _ := Mean(named(0.4), 0.95)
	if real.Mean != 0.4 || !math.IsNaN(real.SE) || !math.IsNaN(real.Low) || !math.IsNaN(real.High) {
		t.Errorf("one real score: %+v", real)
	}
	equal, _ := Mean(named(0.1, 0.1, 0.1), 0.95)
	if equal.SE != 0 || equal.Low != 0.1 || equal.High != 0.1 || len(equal.Warnings) != 1 {
		t.Errorf("equal scores: %+v", equal)
	}
	shifted, _ := Paired(named(0.1, 0.2, 0.3, 0.7), named(0.3, 0.4, 0.5, 0.9), 0.95)
	if shifted.SE != 0 || shifted.P != 0.125 || shifted.Better != 4 || shifted.Low != shifted.High {
		t.Errorf("equal differences: %+v", shifted)
	}
	rounded, _ := Paired(named(0.3, 0.5), named(0.1+0.2*one.High, 0.5), 0.95)
	if rounded.Same != 2 || rounded.P != 1 || rounded.Difference != 0 {
		t.Errorf("differences of rounding only: %+v", rounded)
	}
	single, _ := Paired(named(0.5), named(0.7), 0.95)
	if !math.IsNaN(single.SE) || !math.IsNaN(single.Low) || single.P != 1 {
		t.Errorf("one pair: %+v", single)
	}
}

// TestOrder: the order of the items changes no bit of the result.
func TestOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	base, candidate := named(), named()
	for i := range 200 {
		base.Items = append(base.Items, fmt.Sprintf("item %d", i))
		base.Scores = append(base.Scores, random.NormFloat64()*math.Exp(10*random.Float64()))
		candidate.Scores = append(candidate.Scores, random.NormFloat64())
	}
	candidate.Items = append(candidate.Items, base.Items...)
	wantMean, _ := Mean(base, 0.95)
	wantPaired, err := Paired(base, candidate, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		shuffle(random, base)
		shuffle(random, candidate)
		gotMean, _ := Mean(base, 0.95)
		gotPaired, _ := Paired(base, candidate, 0.95)
		if fmt.Sprintf("%x", gotMean) != fmt.Sprintf("%x", wantMean) || fmt.Sprintf("%x", gotPaired) != fmt.Sprintf("%x", wantPaired) {
			t.Fatalf("another order gives %+v, not %+v", gotPaired, wantPaired)
		}
	}
}

func shuffle(random *rand.Rand, s Sample) {
	random.Shuffle(len(s.Items), func(i, j int) {
		s.Items[i], s.Items[j] = s.Items[j], s.Items[i]
		s.Scores[i], s.Scores[j] = s.Scores[j], s.Scores[i]
	})
}

// TestErrors checks that each error names what it is about.
func TestErrors(t *testing.T) {
	check := func(base, candidate Sample, confidence float64, want string) {
		t.Helper()
		if _, err := Paired(base, candidate, confidence); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Paired: error %v, want one with %q", err, want)
		}
	}
	good := named(1, 0, 1)
	check(named(), named(), 0.95, "without items")
	check(good, answers(2, 2), 0.95, `item "q0002" is scored for the base but not`)
	check(answers(2, 2), good, 0.95, `item "q0002" is scored for the candidate but not`)
	check(good, Sample{[]string{"q0000", "other", "q0002"}, good.Scores}, 0.95, `item "other"`)
	check(Sample{[]string{"b", "a", "b"}, good.Scores}, good, 0.95, `item "b" is scored more than once (in the base)`)
	check(good, named(1, math.NaN(), 0), 0.95, `item "q0001" is NaN`)
	check(named(1, 0, math.Inf(-1)), good, 0.95, `item "q0002" is -Inf`)
	check(named(math.MaxFloat64, 1), named(-math.MaxFloat64, 1), 0.95, "too large")
	for _, confidence := range []float64{0, 1, -1, math.NaN()} {
		check(good, good, confidence, "confidence")
		if _, err := Mean(good, confidence); err == nil {
			t.Errorf("Mean accepts a confidence of %v", confidence)
		}
	}
	if _, err := Mean(named(1, math.Inf(1)), 0.95); err == nil || !strings.Contains(err.Error(), `"q0001"`) {
		t.Errorf("Mean: error %v does not name the item", err)
	}
}

// TestLengths: scores that do not belong to items are a programmer's mistake.
func TestLengths(t *testing.T) {
	defer func() {
		if message := fmt.Sprint(recover()); !strings.HasPrefix(message, "stat: ") {
			t.Errorf("panic %q, want one that names the package", message)
		}
	}()
	Mean(Sample{Items: []string{"a", "b"}, Scores: []float64{1}}, 0.95)
}
