package spectrum

import (
	"math"
	"testing"
)

// TestSketch looks at the moments of 2 Mi numbers, at the correlation of rows
// and seeds, and at one number that must never change.
func TestSketch(t *testing.T) {
	a, b := newDense(4, 1<<19), newDense(4, 1<<19)
	sketch(a, 1)
	sketch(b, 2)
	n := float64(len(a.Data))
	moment := func(power int, want, tolerance float64) {
		t.Helper()
		var sum float64
		for _, v := range a.Data {
			sum += math.Pow(v, float64(power))
		}
		if got := sum / n; math.Abs(got-want) > tolerance {
			t.Errorf("moment %d is %v, want %v", power, got, want)
		}
	}
	// Five standard errors; the fourth moment of twelve uniforms is 2.9.
	moment(1, 0, 5/math.Sqrt(n))
	moment(2, 1, 5*1.4/math.Sqrt(n))
	moment(3, 0, 5*4/math.Sqrt(n))
	moment(4, 2.9, 5*9/math.Sqrt(n))
	rows := append(vectors(a, 4), vectors(b, 4)...)
	for i, u := range rows {
		for j, v := range rows[:i] {
			if c := dot(u, v) / float64(a.Cols); math.Abs(c) > 5/math.Sqrt(float64(a.Cols)) {
				t.Errorf("rows %d and %d correlate by %v", i, j, c)
			}
		}
	}
	short := newDense(3, 10)
	sketch(short, 1)
	for i, v := range short.Data {
		if v != a.Data[i/10*a.Stride+i%10] {
			t.Errorf("number %d depends on the size of the sketch", i)
		}
	}
}
