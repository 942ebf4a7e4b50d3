package stat

import (
	"math"
	"strings"
	"testing"
)

// pair returns two samples of n items in which the given numbers of items turn
// right and wrong, and the others are right in both.
func pair(better, worse, n int) (base, candidate Sample) {
	base, candidate = answers(n, n), answers(n, n)
	for i := range better {
		base.Scores[i] = 0
	}
	for i := range worse {
		candidate.Scores[better+i] = 0
	}
	return base, candidate
}

// TestPairedSleep is Student's own example (Biometrika 6, 1908, p. 1): hours of
// sleep gained by ten patients with two drugs. R's t.test(paired = TRUE) of the
// sleep data prints t = 4.0621, p = 0.002833, interval 0.7001142 to 2.4598858.
func TestPairedSleep(t *testing.T) {
	first := named(0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
	second := named(1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
	got, err := Paired(first, second, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Difference", got.Difference, 1.58, 1e-12)
	near(t, "t", got.Difference/got.SE, 4.0621, 5e-5)
	near(t, "P", got.P, 0.002833, 5e-7)
	near(t, "Low", got.Low, 0.7001142, 5e-8)
	near(t, "High", got.High, 2.4598858, 5e-8)
	if got.N != 10 || got.Better != 9 || got.Worse != 0 || got.Same != 1 || got.Warnings != nil {
		t.Errorf("counts or warnings: %+v", got)
	}
}

// TestPairedAnswers compares with numbers computed outside this package, in
// Python with exact integers and the fractions module: the textbook case 22
// against 10, and OpenAI's published GSM8K answers (1319 questions) of its
// 6B-verification and 175B-finetuning, 6B-finetuning and 175B-finetuning models.
func TestPairedAnswers(t *testing.T) {
	check := func(better, worse, n int, difference, se, p, relative float64) {
		t.Helper()
		got, err := Paired(first(pair(better, worse, n)), second(pair(better, worse, n)), 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "Difference", got.Difference, difference, 5e-6)
		near(t, "SE", got.SE, se, 5e-6)
		near(t, "P", got.P, p, relative*p)
		if got.Better != better || got.Worse != worse || got.Same != n-better-worse {
			t.Errorf("counted %d better, %d worse, %d same", got.Better, got.Worse, got.Same)
		}
	}
	check(22, 10, 32, 0.375, math.Sqrt((1-0.375*0.375)/31), 0.05010, 2e-4)
	check(10, 22, 32, -0.375, math.Sqrt((1-0.375*0.375)/31), 0.05010, 2e-4)
	check(152, 209, 1319, -0.04321, 0.01436, 0.003151, 2e-4)
	check(260, 88, 1319, 0.13040, 0.01368, 7.47e-21, 1e-3)
	check(5, 5, 40, 0, math.Sqrt(10.0/39/40), 1, 0)
}

// TestDiscordantNeeded: all of m one way gives 2/2^m, so 6 are needed for 5 %
// (1/32), 8 for 1 % (1/128), 5 for 10 % (1/16).
func TestDiscordantNeeded(t *testing.T) {
	for confidence, want := range map[float64]int{0.95: 6, 0.99: 8, 0.9: 5, 0.5: 3} {
		if got := discordantNeeded(confidence); got != want {
			t.Errorf("discordantNeeded(%v) = %d, want %d", confidence, got, want)
		}
		if mcnemar(want, 0) >= 1-confidence || mcnemar(want-1, 0) < 1-confidence {
			t.Errorf("%d changed items do not decide at %v", want, confidence)
		}
	}
}

// TestWarnings checks that what limits a result is said, and only then.
func TestWarnings(t *testing.T) {
	check := func(name string, base, candidate Sample, want ...string) {
		t.Helper()
		got, err := Paired(base, candidate, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Warnings) != len(want) {
			t.Fatalf("%s: warnings %q, want %d", name, got.Warnings, len(want))
		}
		for i := range want {
			if !strings.Contains(got.Warnings[i], want[i]) {
				t.Errorf("%s: warning %q lacks %q", name, got.Warnings[i], want[i])
			}
		}
	}
	few, fewer := pair(4, 1, 30)
	check("five changed", few, fewer, "only 5 of 30 items changed, so p cannot fall below 0.05: at least 6")
	many, more := pair(4, 2, 30)
	check("six changed", many, more)
	// 1 - 0.05^(1/30) = 0.0950: the exact form of the rule of three.
	check("none changed", answers(10, 30), answers(10, 30), "no width", "at least 6", "up to 9.5 %")
	check("equal reals", named(0.1, 0.2, 0.3), named(0.3, 0.4, 0.5), "all 3 items are equal")
	check("one real", named(0.5), named(0.7), "single item")
}

// TestSwap: exchanging the models turns the sign and keeps the verdict.
func TestSwap(t *testing.T) {
	base, candidate := named(0.2, 0.9, 0.4, 0.4, 0.1), named(0.3, 0.7, 0.8, 0.4, 0.6)
	there, _ := Paired(base, candidate, 0.9)
	back, _ := Paired(candidate, base, 0.9)
	if there.Difference != -back.Difference || there.Low != -back.High || there.P != back.P || there.Better != back.Worse {
		t.Errorf("%+v is not the mirror of %+v", back, there)
	}
	if base.Scores[0] != 0.2 || base.Items[4] != "q0004" {
		t.Error("Paired changed its arguments")
	}
}
