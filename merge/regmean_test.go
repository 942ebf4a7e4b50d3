package merge_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// products is the Gram matrix of inputs [rows, width], the mean over rows.
func products(x []float64, width int) []float64 {
	g, rows := make([]float64, width*width), len(x)/width
	for r := range rows {
		for i := range width {
			for j := range width {
				g[i*width+j] += x[r*width+i] * x[r*width+j] / float64(rows)
			}
		}
	}
	return g
}

// only is a Gram that has the matrix of inputs for the tensors of a set of names.
func only(x []float64, width int, names ...string) merge.Gram {
	g := products(x, width)
	return func(tensor string) ([]float64, int, bool) {
		if !slices.Contains(names, tensor) {
			return nil, 0, false
		}
		return slices.Clone(g), width, true
	}
}

// normals are n numbers of a stream.
func normals(stream string, n int) []float64 {
	draw, list := tensorstest.NewRandom(11, stream), make([]float64, n)
	for i := range list {
		list[i] = float64(draw.Normal(i))
	}
	return list
}

// matrix is a Source of a matrix "m", a vector "v" and another matrix "n".
func matrix(d tensors.DType, rows, width int, stream string) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	add := func(name string, shape ...int) {
		n := tensors.Info{Shape: shape}.Len()
		list := make([]float32, n)
		for i, v := range normals("base "+name, n) {
			list[i] = float32(v)
		}
		if stream != "" {
			for i, v := range normals(stream+name, n) {
				list[i] += float32(v / 8)
			}
		}
		m.Add(name, d, shape, list)
	}
	add("m", rows, width)
	add("n", rows+3, width)
	add("v", width)
	return m
}

// added is base plus a difference, in float64.
func added(t testing.TB, base []float64, delta tensors.Delta, name string) []float64 {
	t.Helper()
	sum := slices.Clone(base)
	if err := delta.AddTo64(sum, name, 0, 1); err != nil {
		t.Fatal(err)
	}
	return sum
}

func mean(delta tensors.Delta, general, domain merge.Gram, w float64) tensors.Delta {
	return merge.RegMean(delta, general, domain, merge.RegMeanOptions{Weight: w})
}

// TestRegMeanGolden compares with numpy (testdata/regmean.py).
func TestRegMeanGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/regmean.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		W, Shrink, Ridge                                       float64
		Rows, Width                                            int
		Base, Tuned, General, Domain, Normal, Inverse, Stacked []float64
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		source := func(values []float64) tensors.Source {
			list := make([]float32, len(values))
			for i, v := range values {
				if list[i] = float32(v); float64(list[i]) != v {
					t.Fatalf("%v is not written exactly", v)
				}
			}
			m := tensorstest.NewMemory()
			m.Add("m", tensors.F32, []int{c.Rows, c.Width}, list)
			return m
		}
		delta := merge.RegMean(diff(t, source(c.Base), source(c.Tuned)), only(c.General, c.Width, "m"), only(c.Domain, c.Width, "m"),
			merge.RegMeanOptions{Weight: c.W, Shrink: c.Shrink, Ridge: c.Ridge})
		got := added(t, c.Base, delta, "m")
		far := func(want []float64) (worst float64) {
			for i, v := range want {
				worst = max(worst, math.Abs(v-got[i]))
			}
			return worst
		}
		t.Logf("case %d: farthest from numpy %.2g, from stacked inputs %.2g, with the ridge in the inverse alone %.2g", i, far(c.Normal), far(c.Stacked), far(c.Inverse))
		if len(c.Normal) != c.Rows*c.Width || !(far(c.Normal) < 1e-6) || !(far(c.Stacked) < 1e-6) {
			t.Errorf("case %d: %g from numpy, %g from stacked inputs", i, far(c.Normal), far(c.Stacked))
		}
		if c.Ridge < 1e-5 && c.Width < 7 && !(far(c.Inverse) < 1e-4) {
			t.Errorf("case %d: %g from the formula with a small ridge in the inverse alone", i, far(c.Inverse))
		}
	}
	if len(cases) != 5 {
		t.Errorf("%d cases", len(cases))
	}
}

// TestRegMeanOptimal: no matrix nearby errs less on the inputs of both kinds, the
// errors at the interpolation of the same weight are greater.
func TestRegMeanOptimal(t *testing.T) {
	const rows, width = 5, 9
	base, tuned := matrix(tensors.F32, rows, width, ""), matrix(tensors.F32, rows, width, "tuned")
	x0, x1 := normals("general", 40*width), normals("domain", 30*width)
	for i := range x0 {
		x0[i] *= 1 + float64(i%width)
	}
	g0, g1 := products(x0, width), products(x1, width)
	w0, w1 := exact(t, base, "m"), exact(t, tuned, "m")
	for _, w := range []float64{0.1, 0.5, 0.75} {
		errs := func(m []float64) float64 {
			return (1-w)*energy(g0, less(m, w0), width)/trace(g0, width) + w*energy(g1, less(m, w1), width)/trace(g1, width)
		}
		delta := merge.RegMean(diff(t, base, tuned), only(x0, width, "m"), only(x1, width, "m"), merge.RegMeanOptions{Weight: w, Shrink: 1, Ridge: 1e-12})
		best := added(t, w0, delta, "m")
		least := errs(best)
		for k := range 200 {
			moved := slices.Clone(best)
			for i, v := range normals(fmt.Sprint("direction ", k), len(moved)) {
				moved[i] += v * 1e-3
			}
			if errs(moved) <= least {
				t.Fatalf("w %v, direction %d: an error of %g, not more than %g", w, k, errs(moved), least)
			}
		}
		between := slices.Clone(w0)
		for i := range between {
			between[i] += w * (w1[i] - w0[i])
		}
		t.Logf("w %v: error %.4g, of the interpolation %.4g", w, least, errs(between))
		if !(least < 0.99*errs(between)) {
			t.Errorf("w %v: an error of %g, of the interpolation %g", w, least, errs(between))
		}
	}
}

func exact(t testing.TB, src tensors.Source, name string) (list []float64) {
	for _, v := range values(t, src, name) {
		list = append(list, float64(v))
	}
	return list
}

func less(a, b []float64) (d []float64) {
	for i := range a {
		d = append(d, a[i]-b[i])
	}
	return d
}

// energy is tr(d g d').
func energy(g, d []float64, width int) (sum float64) {
	for r := 0; r < len(d); r += width {
		for i := range width {
			for j := range width {
				sum += d[r+i] * g[i*width+j] * d[r+j]
			}
		}
	}
	return sum
}

func trace(g []float64, width int) (sum float64) {
	for i := range width {
		sum += g[i*width+i]
	}
	return sum
}

// TestRegMeanEnds: the base's bytes at 0, the tuned model's at 1, the base's for
// equal models, the interpolation's where no Gram matrix is, in every type.
func TestRegMeanEnds(t *testing.T) {
	const rows, width = 6, 8
	x0, x1 := normals("general", 20*width), normals("domain", 20*width)
	general, domain := only(x0, width, "m", "n"), only(x1, width, "m", "n")
	for _, d := range everyType {
		base, tuned := matrix(d, rows, width, ""), matrix(d, rows, width, "tuned")
		at := func(other tensors.Source, w float64) *merge.Model {
			return apply(t, base, term(mean(diff(t, base, other), general, domain, w), 1))
		}
		sameBytes(t, fmt.Sprint(d, " at 0"), at(tuned, 0), base)
		sameBytes(t, fmt.Sprint(d, " at 1"), at(tuned, 1), tuned)
		sameBytes(t, fmt.Sprint(d, " of equal models"), at(base, 0.6), base)
		half, straight := at(tuned, 0.7), toward(t, base, tuned, 0.7)
		if !slices.Equal(raw(t, half, "v"), raw(t, straight, "v")) {
			t.Errorf("%s: a vector is not interpolated", d)
		}
		if slices.Equal(raw(t, half, "m"), raw(t, straight, "m")) || slices.Equal(raw(t, half, "m"), raw(t, base, "m")) {
			t.Errorf("%s: a matrix is interpolated", d)
		}
		sameGrams := apply(t, base, term(mean(diff(t, base, tuned), general, general, 0.7), 1))
		for i, v := range exact(t, sameGrams, "m") {
			if want := exact(t, straight, "m")[i]; math.Abs(v-want) > place(d, want)+1e-6 && d != tensors.F8E4M3 && d != tensors.F8E5M2 && d != tensors.F64 {
				t.Errorf("%s: element %d is %g where both kinds of input are one, want %g", d, i, v, want)
			}
		}
	}
}

// TestRegMeanUnseen: what no prompt uses is interpolated, a direction as well as a
// channel, however few tokens there are; what only one kind uses follows its model.
func TestRegMeanUnseen(t *testing.T) {
	const rows, width, w = 4, 6, 0.6
	base, tuned := matrix(tensors.F32, rows, width, ""), matrix(tensors.F32, rows, width, "tuned")
	x0 := []float64{1, 0, 0, 0, 0, 0 /**/, 0, 0, 1, 1, 0, 0}
	x1 := []float64{0, 2, 0, 0, 0, 0 /**/, 0, 0, 3, 3, 0, 0}
	delta := merge.RegMean(diff(t, base, tuned), only(x0, width, "m"), only(x1, width, "m"), merge.RegMeanOptions{Weight: w, Shrink: 1, Ridge: 1e-9})
	moved, full := added(t, make([]float64, rows*width), delta, "m"), less(exact(t, tuned, "m"), exact(t, base, "m"))
	check := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-4 {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	for r := range rows {
		m, f := moved[r*width:], full[r*width:]
		check("a channel of general prompts", m[0], 0)
		check("a channel of domain prompts", m[1], f[1])
		check("a direction of neither", m[2]-m[3], w*(f[2]-f[3]))
		check("a channel of neither", m[4], w*f[4])
	}
}

func ExampleRegMean() {
	base, tuned := tensorstest.NewMemory(), tensorstest.NewMemory()
	base.Add("up_proj", tensors.F32, []int{1, 3}, []float32{1, 1, 1})
	tuned.Add("up_proj", tensors.F32, []int{1, 3}, []float32{2, 2, 2})
	delta, _ := tensors.Diff(base, tuned)
	uses := func(channels ...float64) merge.Gram { // of prompts that use channels so much
		return func(string) ([]float64, int, bool) {
			return []float64{channels[0], 0, 0, 0, channels[1], 0, 0, 0, channels[2]}, 3, true
		}
	}
	general, domain := uses(9, 1, 0), uses(1, 9, 0)
	model, _ := merge.Apply(base, merge.Term{Label: "mean", Alpha: merge.Number(1),
		Delta: merge.RegMean(delta, general, domain, merge.RegMeanOptions{Weight: 0.5})})
	values := make([]float32, 3)
	if err := model.Read(values, "up_proj", 0); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%.2f\n", values)
	// Output: [1.10 1.90 1.50]
}
