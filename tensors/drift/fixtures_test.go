package drift_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/drift"
	"surgeon/tensors/tensorstest"
)

// pair is a base and a tuned model of one tensor "x".
func pair(d tensors.DType, base, tuned []float32) (tensors.Source, tensors.Source) {
	b, t := tensorstest.NewMemory(), tensorstest.NewMemory()
	b.Add("x", d, []int{len(base)}, base)
	t.Add("x", d, []int{len(tuned)}, tuned)
	return b, t
}

func measure(t *testing.T, base, tuned tensors.Source) *drift.Report {
	t.Helper()
	difference, err := tensors.Diff(base, tuned)
	if err != nil {
		t.Fatal(err)
	}
	report, err := drift.Measure(t.Context(), base, difference, drift.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// sums measures the one tensor of a pair.
func sums(t *testing.T, base, tuned []float32) drift.Sums {
	t.Helper()
	b, u := pair(tensors.F32, base, tuned)
	report := measure(t, b, u)
	if len(report.Tensors) != 1 {
		t.Fatalf("%d rows for one tensor", len(report.Tensors))
	}
	return report.Tensors[0].Sums
}

// plain is the naive computation of a pair of slices in float64.
type plain struct {
	relative, oneMinusCosine, largest, changed, flipped float64
}

func compute(base, tuned []float32) plain {
	var p plain
	var b2, t2, d2, dot float64
	for i, v := range base {
		b, t := float64(v), float64(tuned[i])
		b2, t2, d2, dot = b2+b*b, t2+t*t, d2+(t-b)*(t-b), dot+b*t
		p.largest = max(p.largest, math.Abs(t-b))
		if t != b {
			p.changed++
		}
		if b < 0 && t > 0 || b > 0 && t < 0 {
			p.flipped++
		}
	}
	p.relative, p.oneMinusCosine = math.Sqrt(d2/b2), 1-dot/math.Sqrt(b2*t2)
	p.changed /= float64(len(base))
	p.flipped /= float64(len(base))
	return p
}

// agree checks a row against the naive figures. Differences of float32 values
// are rounded to float32 (2^-24 of each), and 1-cos of the naive formula loses
// about 1e-16 absolutely.
func agree(t *testing.T, what string, s drift.Sums, want plain) {
	t.Helper()
	check := func(figure string, got, want, relative, absolute float64) {
		t.Helper()
		if !(math.Abs(got-want) <= relative*math.Abs(want)+absolute) {
			t.Errorf("%s: %s is %v, want %v", what, figure, got, want)
		}
	}
	check("relative drift", s.Relative(), want.relative, 1e-7, 0)
	check("1 - cosine", s.OneMinusCosine(), want.oneMinusCosine, 1e-7, 1e-14)
	check("cosine", s.Cosine(), 1-want.oneMinusCosine, 1e-7, 1e-14)
	check("largest change", s.MaxAbs, want.largest, 1e-7, 0)
	check("share changed", s.ChangedShare(), want.changed, 0, 0)
	check("share flipped", s.FlippedShare(), want.flipped, 0, 0)
}

// values reads a whole tensor.
func values(t *testing.T, src tensors.Source, name string) []float32 {
	t.Helper()
	info, _ := src.Info(name)
	dst := make([]float32, info.Len())
	if err := src.Read(dst, name, 0); err != nil {
		t.Fatal(err)
	}
	return dst
}

// bits shows a Report with every last bit of its numbers.
func bits(r *drift.Report) string {
	text := ""
	for _, rows := range [][]drift.Row{r.Tensors, r.Layers, r.Parts, {r.Total}} {
		for _, row := range rows {
			s := row.Sums
			text += fmt.Sprintf("%s %v %d %d %x %x %x %x %d %d\n", row.Name, row.Key, row.Tensors, s.N,
				math.Float64bits(s.Base2), math.Float64bits(s.Delta2), math.Float64bits(s.Dot), math.Float64bits(s.MaxAbs), s.Changed, s.Flipped)
		}
	}
	return text
}

// threads runs work under another number of processors.
func threads(n int, work func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	work()
}
