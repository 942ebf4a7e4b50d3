package cli

import (
	"fmt"
	"math"
)

// The change of a reply's mean length, as a factor, from which it is told.
const lengthFactor = 2

// formWords tell what changed in the form of answers: a change of form is neither a
// loss nor a gain of knowledge.
func (r *auditResult) formWords(c *cited) (words []string) {
	for _, m := range r.Manner {
		name := c.print(m.Task)
		if a, b := float64(m.Base.Tokens), float64(m.Tuned.Tokens); a > 0 && b > 0 && (a/b >= lengthFactor || b/a >= lengthFactor) {
			words = append(words, fmt.Sprintf("%s: replies of %s tokens became %s.", name, c.fixed(a, 1), c.fixed(b, 1)))
		}
		if m.Tuned.Collapsed {
			words = append(words, fmt.Sprintf("%s: the fine-tune takes one and the same choice for %s of %s items: its score is that choice's share, not knowledge.", name, c.count(most(m.Tuned.Letters)), c.count(m.Tuned.N)))
		}
		if f := m.Form; f != nil && math.Abs(float64(f.Form)) >= 0.01 {
			words = append(words, fmt.Sprintf("%s: %s of the difference is of answers that could not be read, %s of wrong ones.", name, c.points(float64(f.Form)), c.points(float64(f.Knowledge))))
		}
		words = append(words, r.anywhere(c, m)...)
	}
	return words
}

func most(counts []int) (n int) {
	for _, v := range counts {
		n = max(n, v)
	}
	return n
}

// anywhere sets exact answers beside those that stand anywhere in the reply.
func (r *auditResult) anywhere(c *cited, m auditManner) []string {
	exactBase, ok := m.Base.Scores["exact_match"]
	insideBase, both := m.Base.Scores["contains"]
	exactTuned, insideTuned := m.Tuned.Scores["exact_match"], m.Tuned.Scores["contains"]
	exact, inside := math.Abs(float64(exactTuned-exactBase)), math.Abs(float64(insideTuned-insideBase))
	if !ok || !both || exact < 0.02 || exact < 2*inside {
		return nil
	}
	return []string{fmt.Sprintf("%s: exact answers went from %s to %s, but answers that stand anywhere in the reply only from %s to %s: most of the change is the reply's form.", c.print(m.Task),
		c.percent(float64(exactBase)), c.percent(float64(exactTuned)), c.percent(float64(insideBase)), c.percent(float64(insideTuned)))}
}
