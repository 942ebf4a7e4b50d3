package table

import (
	"math"
	"strconv"
	"testing"
	"unicode/utf8"
)

func TestSig(t *testing.T) {
	check := func(v float64, digits int, want string) {
		t.Helper()
		if got := Sig(v, digits); got != want {
			t.Errorf("Sig(%v, %d) = %q, want %q", v, digits, got, want)
		}
	}
	check(0.01234, 3, "0.0123")
	check(1.2e-07, 3, "1.2e-07")
	check(-1.2345e-07, 3, "-1.23e-07")
	check(0.5, 3, "0.5")
	check(0.0001, 2, "0.0001")
	check(0.00009996, 3, "0.0001")
	check(0.00009994, 3, "9.99e-05")
	check(1234, 3, "1230")
	check(999999, 3, "1e+06")
	check(999999, 6, "999999")
	check(0.999, 2, "1")
	check(math.MaxFloat64, 1, "1.7976931348623157e+308")
	check(0, 3, "0")
	check(math.Copysign(0, -1), 3, "0")
	check(math.NaN(), 3, "-")
	check(math.Inf(1), 3, "inf")
	check(math.Inf(-1), 3, "-inf")
}

// TestSigClose: what is printed is within half a unit of the last digit.
func TestSigClose(t *testing.T) {
	for v := 1e-12; v < 1e12; v *= 1.37 {
		for digits := 1; digits <= 7; digits++ {
			got, err := strconv.ParseFloat(Sig(v, digits), 64)
			if bound := 0.5001 * math.Pow10(1-digits); err != nil || math.Abs(got-v) > bound*v {
				t.Errorf("Sig(%v, %d) = %q", v, digits, Sig(v, digits))
			}
		}
	}
}

func TestPercent(t *testing.T) {
	check := func(share float64, percent, points string) {
		t.Helper()
		if got := Percent(share); got != percent {
			t.Errorf("Percent(%v) = %q, want %q", share, got, percent)
		}
		if got := Points(share); got != points {
			t.Errorf("Points(%v) = %q, want %q", share, got, points)
		}
	}
	check(0.123, "12.3 %", "+12.3 pp")
	check(0.03, "3.0 %", "+3.0 pp")
	check(-0.03, "-3.0 %", "-3.0 pp")
	check(1, "100.0 %", "+100.0 pp")
	check(0.9999, ">99.9 %", "+100.0 pp")
	check(1.5, "150.0 %", "+150.0 pp")
	check(0, "0.0 %", "0.0 pp")
	check(math.Copysign(0, -1), "0.0 %", "0.0 pp")
	check(0.0002, "<0.1 %", "+0.0 pp")
	check(-0.0002, ">-0.1 %", "-0.0 pp")
	check(0.0006, "0.1 %", "+0.1 pp")
	check(1e-300, "<0.1 %", "+0.0 pp")
	check(math.NaN(), "-", "-")
	check(math.Inf(1), "inf %", "+inf pp")
	check(math.Inf(-1), "-inf %", "-inf pp")
}

func TestBytes(t *testing.T) {
	check := func(n int64, want string) {
		t.Helper()
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	check(0, "0 B")
	check(1023, "1023 B")
	check(1024, "1.0 KiB")
	check(-1536, "-1.5 KiB")
	check(1<<20-1, "1.0 MiB")
	check(269060552, "256.6 MiB")
	check(5<<40, "5.0 TiB")
	check(math.MaxInt64, "8.0 EiB")
	check(math.MinInt64, "-8.0 EiB")
}

func TestCount(t *testing.T) {
	check := func(n int64, want string) {
		t.Helper()
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	check(0, "0")
	check(999, "999")
	check(-999, "-999")
	check(1000, "1,000")
	check(-100000, "-100,000")
	check(134515008, "134,515,008")
	check(math.MinInt64, "-9,223,372,036,854,775,808")
}

func TestBar(t *testing.T) {
	check := func(value, max float64, width int, want string) {
		t.Helper()
		if got := Bar(value, max, width); got != want {
			t.Errorf("Bar(%v, %v, %d) = %q, want %q", value, max, width, got, want)
		}
	}
	check(1, 1, 4, "████")
	check(2, 1, 4, "████")
	check(math.Inf(1), 1, 2, "██")
	check(0.5, 1, 4, "██")
	check(3.5/8, 3.5, 1, "▏")
	check(1e-9, 1, 4, "▏")
	check(7.0/16, 1, 2, "▉")
	check(0, 1, 4, "")
	check(-1, 1, 4, "")
	check(math.NaN(), 1, 4, "")
	check(1, math.NaN(), 4, "")
	check(1, 0, 4, "")
	check(-1, -1, 4, "")
	check(1, 1, 0, "")
}

// TestBarGrows: a larger value never has a shorter bar, and none is too wide.
func TestBarGrows(t *testing.T) {
	units := func(bar string) (n int) {
		for _, block := range bar {
			n += int('█' + 8 - block) // the code points run from eight eighths down to one
		}
		return n
	}
	last := ""
	for i := range 1001 {
		bar := Bar(float64(i), 1000, 10)
		if units(bar) < units(last) || utf8.RuneCountInString(bar) > 10 {
			t.Fatalf("Bar(%d, 1000, 10) = %q after %q", i, bar, last)
		}
		last = bar
	}
}
