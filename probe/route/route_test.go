package route_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"surgeon/probe/route"
)

// cloud is n examples of a label around a place, with a deviation.
func cloud(random *rand.Rand, label string, n int, deviation float64, place ...float64) (list []route.Example) {
	for range n {
		v := make([]float64, len(place))
		for i, p := range place {
			v[i] = p + deviation*random.NormFloat64()
		}
		list = append(list, route.Example{Label: label, Vector: v})
	}
	return list
}

// TestRouter: two clouds far from each other are told apart, and a dimension of
// large numbers that tells nothing does not drown the one that does.
func TestRouter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var examples []route.Example
	for i, e := range append(cloud(random, "general", 40, 0.1, 0, 0), cloud(random, "chemistry", 40, 0.1, 1, 0)...) {
		e.Vector[1] = 1e6 * float64(i%7)
		examples = append(examples, e)
	}
	c, err := route.CrossValidate(examples, 5)
	if err != nil {
		t.Fatal(err)
	}
	if n, of := c.Share("general", "chemistry"); n != 0 || of != 40 {
		t.Errorf("%d of %d general prompts are taken for chemistry", n, of)
	}
	if n, of := c.Share("chemistry", "chemistry"); n != 40 || of != 40 {
		t.Errorf("%d of %d chemistry prompts are known", n, of)
	}
	r, err := route.Fit(examples)
	if err != nil {
		t.Fatal(err)
	}
	if label, margin := r.Route([]float64{0.9, 3e6}); label != "chemistry" || !(margin > 0.5 && margin <= 1) {
		t.Errorf("%s, margin %v", label, margin)
	}
}

// TestGroups: what is one question asked again is not known by its twin.
func TestGroups(t *testing.T) {
	var examples []route.Example
	for i := range 20 {
		v := []float64{float64(i), float64(i * i % 7)}
		label := []string{"a", "b"}[i*i%3%2] // which the vectors do not tell
		for range 2 {
			examples = append(examples, route.Example{Label: label, Vector: v, Group: fmt.Sprint(i)})
		}
	}
	together, err := route.CrossValidate(examples, 20)
	if err != nil {
		t.Fatal(err)
	}
	if n := together.Counts[0][0] + together.Counts[0][1]; n%2 != 0 || together.Counts[0][0]%2 != 0 {
		t.Errorf("twins are routed apart: %v", together)
	}
}

// TestNoise: labels that mean nothing are known by chance, not by heart.
func TestNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	examples := append(cloud(random, "a", 200, 1, make([]float64, 50)...), cloud(random, "b", 200, 1, make([]float64, 50)...)...)
	c, err := route.CrossValidate(examples, 5)
	if err != nil {
		t.Fatal(err)
	}
	right := c.Counts[0][0] + c.Counts[1][1]
	if right < 160 || right > 240 {
		t.Errorf("%d of 400 are right: chance is 200", right)
	}
}

func TestFitRefuses(t *testing.T) {
	check := func(says string, examples ...route.Example) {
		t.Helper()
		if _, err := route.Fit(examples); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want an error with %q", err, says)
		}
	}
	one := route.Example{Label: "a", Vector: []float64{1}}
	check("no labelled prompts")
	check("needs two labels", one, one)
	check("needs two of each", one, one, route.Example{Label: "b", Vector: []float64{1}})
	check("dimensions", one, route.Example{Label: "b", Vector: []float64{1, 2}})
	check("not finite", one, route.Example{Label: "b", Vector: []float64{math.NaN()}})
}

func Example() {
	r, err := route.Fit([]route.Example{
		{Label: "chemistry", Vector: []float64{1, 5}}, {Label: "chemistry", Vector: []float64{1.2, 4}},
		{Label: "general", Vector: []float64{-1, 5}}, {Label: "general", Vector: []float64{-0.8, 4}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	label, margin := r.Route([]float64{0.9, 4.5})
	fmt.Printf("%s, %.2f\n", label, margin)
	// Output: chemistry, 0.80
}
