package attribute

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"

	"surgeon/merge"
)

// toyGroups are n groups of one tensor each, which has the group's name.
func toyGroups(n int) []Group {
	groups := make([]Group, n)
	for i := range groups {
		name := toyName(i)
		groups[i] = Group{name, func(tensor string) bool { return tensor == name }}
	}
	return groups
}

func toyName(i int) string { return fmt.Sprintf("g%d", i) }

// toy is an oracle whose losses are functions of the alphas of n groups. It
// scores its points on as many goroutines as there are points, and keeps count
// of them.
type toy struct {
	n      int
	losses func(a []float64) Losses
	mutex  sync.Mutex
	calls  int
	points map[string]int // how often each point was asked for
}

func newToy(n int, losses func(a []float64) Losses) *toy {
	return &toy{n: n, losses: losses, points: map[string]int{}}
}

func (o *toy) ask(_ context.Context, points []merge.Alpha) ([]Losses, error) {
	result := make([]Losses, len(points))
	var group sync.WaitGroup
	for p, point := range points {
		group.Go(func() {
			a := make([]float64, o.n)
			for i := range a {
				a[i] = point(toyName(i))
			}
			result[p] = o.losses(a)
			o.mutex.Lock()
			defer o.mutex.Unlock()
			o.points[fmt.Sprint(a)]++
		})
	}
	group.Wait()
	o.calls++
	return result, nil
}

// checkCounts holds what an attribution or a descent says of its cost against
// what the oracle saw.
func (o *toy) checkCounts(t *testing.T, evaluations, waves int) {
	t.Helper()
	if len(o.points) != evaluations || o.calls != waves {
		t.Errorf("%d points in %d waves are told, the oracle saw %d in %d", evaluations, waves, len(o.points), o.calls)
	}
	for point, times := range o.points {
		if times != 1 {
			t.Errorf("the point %s was asked for %d times", point, times)
		}
	}
}

// linear is a toy in which group i adds harm[i] and takes benefit[i], each for
// itself, from a general loss of 2 and a domain loss of 5.
func linear(harm, benefit []float64) func(a []float64) Losses {
	return func(a []float64) Losses {
		l := Losses{2, 5}
		for i := range a {
			l = l.plus(Losses{a[i] * harm[i], -a[i] * benefit[i]})
		}
		return l
	}
}

// airport is the game of Littlechild and Owen (Management Science 20, 1973): a
// runway costs what its largest user needs, here 8, 11, 13 and 18. Shapley
// values share each stretch among those who need it: 2, 3, 4 and 9.
func airport(a []float64) Losses {
	longest := 0.0
	for i, cost := range []float64{8, 11, 13, 18} {
		longest = max(longest, a[i]*cost)
	}
	return Losses{1 + longest, 10 - longest}
}

func attributeToy(t *testing.T, o *toy, opt Options) *Attribution {
	t.Helper()
	a, err := Attribute(t.Context(), toyGroups(o.n), o.ask, opt)
	if err != nil {
		t.Fatal(err)
	}
	o.checkCounts(t, a.Evaluations, a.Waves)
	return a
}

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance || math.IsNaN(a) && math.IsNaN(b)
}

func checkHarms(t *testing.T, a *Attribution, want ...float64) {
	t.Helper()
	for i, e := range a.Effects {
		if !near(e.Harm, want[i], 1e-12) {
			t.Errorf("%s: harm %v, want %v", e.Group.Name, e.Harm, want[i])
		}
	}
}
