package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestMeanWilson compares with published score intervals: the four examples of
// Newcombe, Statistics in Medicine 17, 1998, p. 857, table I, method 3, given
// there to four digits.
func TestMeanWilson(t *testing.T) {
	check := func(x, n int, low, high float64) {
		t.Helper()
		got, err := Mean(answers(x, n), 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "Mean", got.Mean, float64(x)/float64(n), 1e-15)
		near(t, "Low", got.Low, low, 0.00005)
		near(t, "High", got.High, high, 0.00005)
	}
	check(81, 263, 0.2553, 0.3662)
	check(15, 148, 0.0624, 0.1605)
	check(0, 20, 0, 0.1611)
	check(1, 29, 0.0061, 0.1718)
}

// TestMeanExtremes checks the ends, which rounding must not push past 0 and 1.
// With z = 1.959964, x = n gives a lower end of n/(n+z²) = n/(n+3.841459).
func TestMeanExtremes(t *testing.T) {
	for n := 1; n <= 300; n++ {
		none, _ := Mean(answers(0, n), 0.95)
		all, _ := Mean(answers(n, n), 0.95)
		if none.Low != 0 || all.High != 1 {
			t.Fatalf("n=%d: ends %v and %v, want exactly 0 and 1", n, none.Low, all.High)
		}
		near(t, "all.Low", all.Low, float64(n)/(float64(n)+3.841459), 1e-6)
		near(t, "none.High", none.High, 1-all.Low, 1e-12)
	}
}

// TestMeanStudent works the interval by hand: 1..5 has sd² = 10/4, SE =
// sqrt(2.5/5), and t of 4 degrees of freedom is 2.776445 in any table.
func TestMeanStudent(t *testing.T) {
	got, err := Mean(named(1, 2, 3, 4, 5), 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Mean", got.Mean, 3, 0)
	near(t, "SE", got.SE, 0.70710678, 1e-8)
	near(t, "Low", got.Low, 3-2.776445*0.70710678, 1e-6)
	near(t, "High", got.High, 3+2.776445*0.70710678, 1e-6)
	wide, _ := Mean(named(1, 2, 3, 4, 5), 0.99)
	near(t, "99 % Low", wide.Low, 3-4.604095*0.70710678, 1e-6)
}

// TestMeanError checks the standard error of answers against p(1-p)/(n-1).
func TestMeanError(t *testing.T) {
	got, _ := Mean(answers(30, 40), 0.95)
	near(t, "SE", got.SE, math.Sqrt(0.75*0.25/39), 1e-15)
}

// TestCoverage draws samples of known mean and counts how often the intervals
// hold it. Of 2000 intervals at 90 %, fewer than 1740 or more than 1860 would
// be 4.5 standard deviations off; Wilson's coverage itself wavers by a few
// points at n = 40, so the bounds are 1700 and 1900.
func TestCoverage(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	wilson, student := 0, 0
	for range 2000 {
		right, real := named(), make([]float64, 12)
		right = answers(0, 40)
		for i := range right.Scores {
			if random.Float64() < 0.8 {
				right.Scores[i] = 1
			}
		}
		for i := range real {
			real[i] = random.NormFloat64()
		}
		w, _ := Mean(right, 0.9)
		s, _ := Mean(named(real...), 0.9)
		wilson += holds(w, 0.8)
		student += holds(s, 0)
	}
	if wilson < 1700 || wilson > 1900 || student < 1740 || student > 1860 {
		t.Errorf("of 2000 intervals at 90 %%, %d (Wilson) and %d (Student) hold the mean", wilson, student)
	}
}

func holds(s Summary, mean float64) int {
	if s.Low <= mean && mean <= s.High {
		return 1
	}
	return 0
}

// TestExtremeConfidence: the tails stay finite and ordered up to the last
// float64 below 1.
func TestExtremeConfidence(t *testing.T) {
	for _, confidence := range []float64{1e-9, 0.5, 0.999999, math.Nextafter(1, 0)} {
		for _, s := range []Sample{answers(3, 7), named(0.1, 0.7, 0.4)} {
			got, err := Mean(s, confidence)
			if err != nil || !(got.Low <= got.Mean && got.Mean <= got.High) || math.IsInf(got.High, 0) {
				t.Errorf("confidence %v: %+v, %v", confidence, got, err)
			}
		}
	}
}
