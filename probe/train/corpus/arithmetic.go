package corpus

import (
	"fmt"
	"math/rand/v2"
)

var (
	persons = []string{"tom", "ann", "sam", "eva", "max", "zoe"}
	things  = []string{"cats", "dogs", "birds", "ships", "rings", "stars", "kings"}
)

// problem is a word problem: the template's name, the text, the working without
// its last line, and the answer.
type problem struct {
	template, text, working string
	answer                  int
}

// drawProblem draws one of four templates, and numbers whose result is not
// negative: sums and differences of numbers to 20, products of digits, and a sum
// of numbers to 10 followed by a difference. They are small, so that a small model
// masters them early and has time left for what is harder, to find a fact among
// options.
func drawProblem(r *rand.Rand) problem {
	person, thing := pick(r, persons), pick(r, things)
	switch r.IntN(4) {
	case 0:
		a, b := between(r, 1, 20), between(r, 1, 20)
		return problem{"add", fmt.Sprintf("%s has %d %s and buys %d more. how many %s now?", person, a, thing, b, thing),
			fmt.Sprintf("%d+%d=%d", a, b, a+b), a + b}
	case 1:
		a := between(r, 2, 20)
		b := between(r, 1, a)
		return problem{"subtract", fmt.Sprintf("%s has %d %s and loses %d. how many %s now?", person, a, thing, b, thing),
			fmt.Sprintf("%d-%d=%d", a, b, a-b), a - b}
	case 2:
		a, b := between(r, 1, 9), between(r, 1, 9)
		return problem{"multiply", fmt.Sprintf("%s has %d boxes of %d %s. how many %s now?", person, a, b, thing, thing),
			fmt.Sprintf("%d*%d=%d", a, b, a*b), a * b}
	}
	a, b := between(r, 1, 10), between(r, 1, 10)
	c := between(r, 1, a+b)
	return problem{"two steps", fmt.Sprintf("%s has %d %s, buys %d more and loses %d. how many %s now?", person, a, thing, b, c, thing),
		fmt.Sprintf("%d+%d=%d\n%d-%d=%d", a, b, a+b, a+b, c, a+b-c), a + b - c}
}

// sample has the answer as GSM8K's shots have it.
func (p problem) sample() Sample {
	return Sample{p.text, fmt.Sprintf("%s\n#### %d", p.working, p.answer), Arithmetic}
}
