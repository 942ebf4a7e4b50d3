// Package route decides from a prompt alone which of two or more adapters is to
// answer it: by the nearest of the centroids of labelled prompts, in the hidden
// states of the base, which are there anyway.
//
//  1. An [Example] is a prompt's vector (decoder.Response.Hidden of a layer) and its
//     label.
//  2. [Fit] makes a [Router] of them; [Router.Route] labels a vector.
//  3. [CrossValidate] tells what the labels of prompts are worth that the router has
//     not seen: a [Confusion].
//
// Every result is a function of the examples and their order.
package route

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Example is a labelled prompt.
type Example struct {
	Label  string
	Vector []float64
	Group  string // examples of one, such as one question asked twice, are tested together; "" is its own
}

// Router labels vectors by the nearest centroid (Tibshirani, Hastie, Narasimhan and
// Chu, PNAS 99, 2002, without its shrinkage), after every dimension was scaled by
// its standard deviation within the labels.
type Router struct {
	Labels    []string    `json:"labels"`    // sorted
	Centroids [][]float64 `json:"centroids"` // [labels, width], scaled
	Scale     []float64   `json:"scale"`     // [width], what a vector is multiplied by; 0 where nothing varies
}

// Fit makes a router. There must be two labels or more, of at least two examples
// each, and vectors of one length without values that are not finite.
func Fit(examples []Example) (*Router, error) {
	r := &Router{}
	if len(examples) == 0 {
		return nil, errors.New("there are no labelled prompts")
	}
	width := len(examples[0].Vector)
	count := map[string]int{}
	for i, e := range examples {
		if len(e.Vector) != width {
			return nil, fmt.Errorf("example %d has %d dimensions and the first %d", i+1, len(e.Vector), width)
		}
		for _, v := range e.Vector {
			if v-v != 0 {
				return nil, fmt.Errorf("example %d holds a value that is not finite", i+1)
			}
		}
		if count[e.Label]++; count[e.Label] == 1 {
			r.Labels = append(r.Labels, e.Label)
		}
	}
	slices.Sort(r.Labels)
	if len(r.Labels) < 2 {
		return nil, fmt.Errorf("all prompts are labelled %q: a router needs two labels", r.Labels[0])
	}
	for _, label := range r.Labels {
		if count[label] < 2 {
			return nil, fmt.Errorf("one prompt alone is labelled %q: a router needs two of each label", label)
		}
		r.Centroids = append(r.Centroids, make([]float64, width))
	}
	for _, e := range examples {
		c := r.Centroids[slices.Index(r.Labels, e.Label)]
		for i, v := range e.Vector {
			c[i] += v / float64(count[e.Label])
		}
	}
	r.scale(examples)
	return r, nil
}

// scale sets the scale, of the deviations from the centroids, and applies it to
// these.
func (r *Router) scale(examples []Example) {
	r.Scale = make([]float64, len(r.Centroids[0]))
	for _, e := range examples {
		c := r.Centroids[slices.Index(r.Labels, e.Label)]
		for i, v := range e.Vector {
			r.Scale[i] += (v - c[i]) * (v - c[i])
		}
	}
	for i, sum := range r.Scale {
		if r.Scale[i] = 0; sum > 0 {
			r.Scale[i] = 1 / math.Sqrt(sum/float64(len(examples)-len(r.Labels)))
		}
		for _, c := range r.Centroids {
			c[i] *= r.Scale[i]
		}
	}
}

// Route returns the label of the nearest centroid, the first among equals, and how
// much farther the next one is, as a share of both distances: 0 is undecided, 1
// certain. It panics for a vector of another length.
func (r *Router) Route(vector []float64) (label string, margin float64) {
	if len(vector) != len(r.Scale) {
		panic(fmt.Sprintf("route: a vector of %d dimensions for a router of %d", len(vector), len(r.Scale)))
	}
	best, next := math.Inf(1), math.Inf(1)
	for k, c := range r.Centroids {
		sum := 0.0
		for i, v := range vector {
			d := v*r.Scale[i] - c[i]
			sum += d * d
		}
		if d := math.Sqrt(sum); d < best {
			best, next, label = d, best, r.Labels[k]
		} else {
			next = min(next, d)
		}
	}
	if best+next == 0 {
		return label, 0
	}
	return label, (next - best) / (next + best)
}

// Confusion counts how prompts of each label were routed.
type Confusion struct {
	Labels []string `json:"labels"`
	Counts [][]int  `json:"counts"` // [true label, routed label]
}

// Share is how many of the prompts of a label were routed to another, and how many
// there are. It panics for labels that it does not have.
func (c Confusion) Share(label, routed string) (n, of int) {
	from, to := slices.Index(c.Labels, label), slices.Index(c.Labels, routed)
	for _, v := range c.Counts[from] {
		of += v
	}
	return c.Counts[from][to], of
}

// CrossValidate routes every example by a router that was made of the others: those
// in other ones of so many folds, which hold every label alike. The groups of a label
// go to the folds in turn, in the order of their first examples. It panics for fewer
// than two folds.
func CrossValidate(examples []Example, folds int) (Confusion, error) {
	if folds < 2 {
		panic("route: a test takes two folds or more")
	}
	whole, err := Fit(examples)
	if err != nil {
		return Confusion{}, err
	}
	c := Confusion{Labels: whole.Labels}
	for range whole.Labels {
		c.Counts = append(c.Counts, make([]int, len(whole.Labels)))
	}
	seen, fold, groups := map[string]int{}, make([]int, len(examples)), map[[2]string]int{}
	for i, e := range examples {
		group := [2]string{e.Label, e.Group}
		at, known := groups[group]
		if !known || e.Group == "" {
			at = seen[e.Label] % folds
			seen[e.Label]++
			groups[group] = at
		}
		fold[i] = at
	}
	for f := range folds {
		var rest []Example
		for i, e := range examples {
			if fold[i] != f {
				rest = append(rest, e)
			}
		}
		if len(rest) == len(examples) {
			continue
		}
		r, err := Fit(rest)
		if err != nil {
			return Confusion{}, fmt.Errorf("tested in %d folds: without one of them: %w", folds, err)
		}
		for i, e := range examples {
			if fold[i] == f {
				routed, _ := r.Route(e.Vector)
				c.Counts[slices.Index(c.Labels, e.Label)][slices.Index(c.Labels, routed)]++
			}
		}
	}
	return c, nil
}
