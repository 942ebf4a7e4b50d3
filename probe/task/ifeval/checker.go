package ifeval

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"surgeon/probe/task/ifeval/internal/python"
	"surgeon/probe/task/language"
)

// Mode says what stands for chance in a verdict.
type Mode int

// The modes.
const (
	Compat        Mode = iota // what lm-evaluation-harness does, from fixed seeds
	Deterministic             // what it does on average
)

// Rule is a verifiable instruction.
type Rule struct {
	ID   string         // length_constraints:number_words
	Args map[string]any // as encoding/json reads them; what is null, 0 or empty counts as absent
}

// Checker checks texts. Its methods may be called at once.
type Checker struct {
	mode     Mode
	language *language.Detector
}

// New returns a checker.
func New(mode Mode) *Checker {
	if mode != Compat && mode != Deterministic {
		panic(fmt.Sprintf("ifeval: there is no mode %d", mode))
	}
	return &Checker{mode: mode, language: language.New()}
}

// IDs are the ids of the instructions that can be checked, in order.
func IDs() []string { return slices.Sorted(maps.Keys(instructions)) }

// Verify says in a sentence why a rule cannot be checked: its id or an argument
// is unknown, or an argument is missing, of the wrong type or without meaning.
// lm-evaluation-harness would put a random value where one is missing.
func (c *Checker) Verify(id string, args map[string]any) error {
	_, err := build(Rule{ID: id, Args: args})
	return err
}

// Check gives the verdicts on text of every rule, strict and loose; loose is
// true wherever strict is. Rules that Verify refuses are not kept. The prompt
// decides, in mode Compat, which letter stands for one that is not from a to z.
func (c *Checker) Check(rules []Rule, prompt, text string) (strict, loose []bool) {
	strict, loose = make([]bool, len(rules)), make([]bool, len(rules))
	replies := variants(text)
	for i, rule := range rules {
		keeps, err := build(rule)
		if err != nil {
			continue
		}
		j := judge{checker: c, prompt: prompt}
		strict[i], loose[i] = j.verdicts(keeps, replies)
	}
	return strict, loose
}

// Warnings says what makes the verdicts on a rule less than certain: a random
// letter, a language that is not clear, a search that was given up, and that
// Verify refuses the rule.
func (c *Checker) Warnings(rule Rule, text string) []string {
	keeps, err := build(rule)
	if err != nil {
		return []string{err.Error()}
	}
	j := judge{checker: c, explains: true}
	j.verdicts(keeps, variants(text))
	slices.Sort(j.warnings)
	return slices.Compact(j.warnings)
}

// judge is what one check of one rule needs to know.
type judge struct {
	checker  *Checker
	prompt   string
	explains bool // and what it notes
	warnings []string
}

func (j *judge) warn(format string, values ...any) {
	if j.explains {
		j.warnings = append(j.warnings, fmt.Sprintf(format, values...))
	}
}

// verdicts judges the first reply, which is the text as it is unless that is
// blank, and the others until one keeps the rule.
func (j *judge) verdicts(keeps check, replies []*reply) (strict, loose bool) {
	for i, r := range replies {
		if keeps(j, r) {
			return i == 0 && !r.changed, true
		}
	}
	return false, false
}

// reply is a text to check, or what is left of it.
type reply struct {
	text       string
	changed    bool // it is not the text as it is
	characters []rune
}

// runes are the characters of a reply.
func (r *reply) runes() []rune {
	if r.characters == nil {
		r.characters = []rune(r.text)
	}
	return r.characters
}

// variants are a text and what the loose verdict makes of it, in the order of
// lm-evaluation-harness, without those that are blank or the same as another.
func variants(text string) []*reply {
	lines := strings.Split(text, "\n")
	last := max(len(lines)-1, 0)
	join := func(lines []string) string { return python.Strip(strings.Join(lines, "\n")) }
	plain := func(s string) string { return strings.ReplaceAll(s, "*", "") }
	first, end, both := join(lines[1:]), join(lines[:last]), join(lines[min(1, last):last])

	var replies []*reply
	for i, s := range []string{text, plain(text), first, end, both, plain(first), plain(end), plain(both)} {
		same := slices.ContainsFunc(replies, func(r *reply) bool { return r.text == s })
		if !same && python.Strip(s) != "" {
			replies = append(replies, &reply{text: s, changed: i > 0})
		}
	}
	return replies
}

// draw is a number below n that a prompt decides.
func (j *judge) draw(n uint64) uint64 {
	sum := fnv.New64a()
	sum.Write([]byte(j.prompt))
	return mix(sum.Sum64()) % n
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), in
// which every bit of the result depends on every bit of z.
func mix(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
