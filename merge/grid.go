package merge

import (
	"fmt"
	"strconv"
	"strings"

	"surgeon/tensors"
)

// Method is what is done to a task vector before it is added.
type Method struct {
	Name    string  // "linear" adds it as it is, "trim" is Trim, "drop" is Drop
	Density float64 // of trim and drop
	Seed    uint64  // of drop
}

// Methods are the names that a Method can have.
var Methods = []string{"linear", "trim", "drop"}

// Of is the task vector after the method. It panics for an unknown Name.
func (m Method) Of(d tensors.Delta) tensors.Delta {
	switch m.Name {
	case "linear":
		return d
	case "trim":
		return Trim(d, m.Density)
	case "drop":
		return Drop(d, m.Density, m.Seed)
	}
	panic("merge: no method " + m.Name)
}

// String is the method as it stands in a candidate's name: "linear", "trim=0.2",
// "drop=0.2#7" with its seed.
func (m Method) String() string {
	switch m.Name {
	case "trim":
		return "trim=" + decimal(m.Density)
	case "drop":
		return fmt.Sprintf("drop=%s#%d", decimal(m.Density), m.Seed)
	}
	return m.Name
}

// Group is an axis of a Grid: tensors that have an alpha of their own.
type Group struct {
	Pattern string // as ParseRules reads it
	Alphas  []float64
}

// Grid is the product of the axes along which merges of one task vector differ:
// every method with every alpha and, for the tensors of each group, every alpha
// of the group.
type Grid struct {
	Methods []Method
	Alphas  []float64
	Groups  []Group
}

// Point is one combination.
type Point struct {
	Method Method
	Alpha  float64
	Groups []Rule // one for each group of the Grid, in its order
}

// Points lists the combinations: methods outermost, then alphas, then the
// groups, the last one fastest.
func (g Grid) Points() []Point {
	var list []Point
	for _, method := range g.Methods {
		for _, alpha := range g.Alphas {
			points := []Point{{Method: method, Alpha: alpha}}
			for _, group := range g.Groups {
				var longer []Point
				for _, p := range points {
					for _, a := range group.Alphas {
						rules := append(append([]Rule(nil), p.Groups...), Rule{group.Pattern, a})
						longer = append(longer, Point{method, alpha, rules})
					}
				}
				points = longer
			}
			list = append(list, points...)
		}
	}
	return list
}

// Rules are the alphas of a point, tensor by tensor: those of its groups, the
// first that matches, and Alpha for all others.
func (p Point) Rules() (Rules, error) {
	var text []string
	for _, r := range p.Groups {
		text = append(text, r.String())
	}
	return ParseRules(strings.Join(append(text, "*="+decimal(p.Alpha)), ","))
}

// String names a point: "trim=0.2 alpha=0.5 norms=0".
func (p Point) String() string {
	text := []string{p.Method.String(), "alpha=" + decimal(p.Alpha)}
	for _, r := range p.Groups {
		text = append(text, r.String())
	}
	return strings.Join(text, " ")
}

// Base reports whether the merge is the base itself: nothing is added.
func (p Point) Base() bool { return p.everywhere(0) }

// Tuned reports whether it is the tuned model itself.
func (p Point) Tuned() bool { return p.Method.whole() && p.everywhere(1) }

// Same is the point by another name if there is one: a density of 1 keeps
// everything, as linear does.
func (p Point) Same() Point {
	if p.Method.whole() {
		p.Method = Method{Name: "linear"}
	}
	return p
}

// whole reports whether a method leaves the task vector as it is.
func (m Method) whole() bool { return m.Name == "linear" || m.Density == 1 }

func (p Point) everywhere(alpha float64) bool {
	for _, r := range p.Groups {
		if r.Alpha != alpha {
			return false
		}
	}
	return p.Alpha == alpha
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
