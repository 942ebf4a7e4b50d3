package merge

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"surgeon/tensors"
)

// Limits of a list of rules.
const (
	maxRuleText = 64 << 10
	maxRules    = 1000
)

// Rule gives the tensors that Pattern matches an alpha.
type Rule struct {
	Pattern string // as ParseRules spells it
	Alpha   float64
}

// String is the rule as it is written: PATTERN=ALPHA.
func (r Rule) String() string { return r.Pattern + "=" + strconv.FormatFloat(r.Alpha, 'g', -1, 64) }

// Rules are the alphas of a task vector, tensor by tensor: of the rules that
// match a tensor the first one gives its alpha. The zero Rules match nothing.
type Rules struct{ list []compiled }

// compiled is a rule that is ready to match.
type compiled struct {
	Rule
	text    string
	matcher matcher
}

func (c *compiled) matches(s site) bool { return c.Pattern == s.name || c.matcher.match(s) }

// ParseRules reads the alpha of a task vector: a number, or a list of rules.
//
//	0.4
//	layers.0-9=0.3,embed=0,*=0.6
//
// Rules are separated by commas, and a rule is PATTERN=ALPHA; a number alone
// is *=NUMBER. There may be spaces around patterns and numbers. ALPHA is a
// finite decimal number that float32 holds; it may be negative or above 1. The
// pattern * is every tensor; the others are
//
//	embed, lm_head           the input embedding, the output head
//	norm                     the final normalisation
//	norms                    every normalisation, the final one and those in layers
//	layers.7, layers.0-9     numbered layers, both ends included,
//	layers.20-, layers.-9    from a layer on, up to a layer,
//	layers.*                 all of them
//	layers.0-9.mlp           a part of such layers
//	layers.*.norms           the normalisations of such layers
//	mlp, q_proj, mlp.up_proj a part, in any layer
//	/REGEXP/                 a Go regular expression, found anywhere in the name
//	model.norm.weight        the tensor of this name
//
// A part is a run of whole components, between the dots, of what the tensor's
// tensors.Key calls its Part: proj is not a part of mlp.up_proj, up_proj is. A
// bias belongs to what it is the bias of, and q_proj.bias is the bias alone. A
// regular expression may contain commas and equals signs; a slash in it is
// written \/.
//
// It is an error to write a pattern twice: the second would never apply.
func ParseRules(text string) (Rules, error) {
	if len(text) > maxRuleText {
		return Rules{}, fmt.Errorf("the alpha rules take %d bytes, at most %d are read", len(text), maxRuleText)
	}
	if text = strings.TrimSpace(text); !strings.HasPrefix(text, "/") && !strings.ContainsAny(text, "=,") {
		alpha, ok := parseAlpha(text)
		if !ok {
			return Rules{}, fmt.Errorf("alpha %s is neither a decimal number that float32 holds nor a list of rules PATTERN=ALPHA", quoteClipped(text))
		}
		text = "*=" + strconv.FormatFloat(alpha, 'g', -1, 64)
	}
	r, err := parseList(text)
	if err == nil && len(r.String()) > maxRuleText {
		err = fmt.Errorf("the alpha rules, fully spelled, take more than %d bytes", maxRuleText)
	}
	if err != nil {
		return Rules{}, err
	}
	return r, nil
}

func parseList(text string) (Rules, error) {
	var r Rules
	seen, budget := map[string]int{}, maxInstructions
	for more := true; more; {
		var item string
		item, text, more = cutRule(text)
		number := len(r.list) + 1
		if number > maxRules {
			return r, fmt.Errorf("there are more than %d alpha rules", maxRules)
		}
		rule, err := parseRule(item, &budget)
		if err != nil {
			return r, fmt.Errorf("alpha rule %d, %s, %w", number, quoteClipped(item), err)
		}
		if first, ok := seen[rule.Pattern]; ok {
			return r, fmt.Errorf("alpha rule %d, %s, never applies: rule %d has the same pattern", number, quoteClipped(item), first)
		}
		seen[rule.Pattern] = number
		r.list = append(r.list, rule)
	}
	return r, nil
}

// cutRule splits the first rule off a list. A comma between the slashes of a
// regular expression ends nothing.
func cutRule(text string) (item, rest string, more bool) {
	text = strings.TrimSpace(text)
	skip, _ := expressionLen(text)
	before, rest, more := strings.Cut(text[skip:], ",")
	return strings.TrimSpace(text[:skip] + before), rest, more
}

// parseRule reads one rule. Its errors go on a sentence that names the rule.
func parseRule(item string, budget *int) (compiled, error) {
	if item == "" {
		return compiled{}, errors.New("is empty: a rule is PATTERN=ALPHA, with commas between rules only")
	}
	skip, closed := expressionLen(item)
	if !closed {
		return compiled{}, errors.New("lacks the slash that ends the regular expression")
	}
	before, number, ok := strings.Cut(item[skip:], "=")
	if !ok {
		return compiled{}, errors.New("lacks the equals sign of PATTERN=ALPHA (a number for all other tensors is *=NUMBER)")
	}
	alpha, ok := parseAlpha(strings.TrimSpace(number))
	if !ok {
		return compiled{}, fmt.Errorf("has the alpha %s, which is not a decimal number that float32 holds", quoteClipped(strings.TrimSpace(number)))
	}
	pattern, matcher, err := parsePattern(strings.TrimSpace(item[:skip]+before), budget)
	rule := Rule{pattern, alpha}
	return compiled{rule, rule.String(), matcher}, err
}

// parseAlpha reads a decimal number, no word and no hexadecimal one, that does
// not overflow in float32 nor, unless it is 0, vanish.
func parseAlpha(text string) (alpha float64, ok bool) {
	alpha, err := strconv.ParseFloat(text, 64)
	narrow := math.Abs(float64(float32(alpha)))
	if err != nil || strings.Trim(text, "0123456789+-.eE") != "" || narrow > math.MaxFloat32 {
		return 0, false
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	if zero := !strings.ContainsAny(mantissa, "123456789"); zero != (narrow == 0) {
		return 0, false
	}
	if alpha == 0 {
		return 0, true // and not -0
	}
	return alpha, true
}

// String is a text that ParseRules reads as the same rules: a number where the
// alpha is the same everywhere.
func (r Rules) String() string {
	if _, ok := r.Number(); ok {
		return strings.TrimPrefix(r.list[0].text, "*=")
	}
	texts := make([]string, len(r.list))
	for i, rule := range r.list {
		texts[i] = rule.text
	}
	return strings.Join(texts, ",")
}

// List returns the rules in order.
func (r Rules) List() []Rule {
	list := make([]Rule, len(r.list))
	for i, rule := range r.list {
		list[i] = rule.Rule
	}
	return list
}

// Number is the alpha if it is the same everywhere: if the only rule is *.
func (r Rules) Number() (alpha float64, ok bool) {
	if len(r.list) != 1 || r.list[0].Pattern != "*" {
		return 0, false
	}
	return r.list[0].Alpha, true
}

// Resolve returns the alpha of a tensor and the rule that gave it. ok is false
// where no rule matches.
func (r Rules) Resolve(name string) (alpha float64, rule string, ok bool) {
	s := siteOf(name)
	for i := range r.list {
		if c := &r.list[i]; c.matches(s) {
			return c.Alpha, c.text, true
		}
	}
	return 0, "", false
}

// At is the alpha of a tensor, and 0 where no rule matches, which Check refuses.
func (r Rules) At(name string) float64 {
	alpha, _, _ := r.Resolve(name)
	return alpha
}

// Check holds the rules against the tensors of a model. The error names the
// first rule that matches none of them, with what there is to match, and the
// first tensor that no rule matches. unused are the rules that match tensors,
// but none that an earlier rule does not match before: a warning.
func (r Rules) Check(names []string) (unused []string, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	matched, used, uncovered := r.tally(names)
	var wrong []string
	if i := slices.Index(matched, false); i >= 0 {
		wrong = append(wrong, fmt.Sprintf("alpha rule %d, %s, matches no tensor: the model has %s", i+1, quoteClipped(r.list[i].text), describe(names)))
	}
	if len(uncovered) > 0 {
		wrong = append(wrong, fmt.Sprintf("no alpha rule matches the tensor %s: end the list with *=A", quoteClipped(uncovered[0])))
	}
	if wrong != nil {
		return nil, errors.New(strings.Join(wrong, "; "))
	}
	for i, rule := range r.list {
		if !used[i] {
			unused = append(unused, rule.text)
		}
	}
	return unused, nil
}

// tally finds the rules that match some tensor, those that are the first to
// match one, and the tensors that no rule matches.
func (r Rules) tally(names []string) (matched, used []bool, uncovered []string) {
	matched, used = make([]bool, len(r.list)), make([]bool, len(r.list))
	for _, name := range names {
		s, found := siteOf(name), false
		for i := range r.list {
			if found && matched[i] || !r.list[i].matches(s) {
				continue
			}
			matched[i], used[i] = true, used[i] || !found
			found = true
		}
		if !found {
			uncovered = append(uncovered, name)
		}
	}
	return matched, used, uncovered
}

// describe says what patterns could match in a model: "layers 0 to 31 of
// input_layernorm, mlp.down_proj and 7 more, and embed, norm outside them".
func describe(names []string) string {
	low, high := math.MaxInt, tensors.NoLayer
	inside, outside := map[string]bool{}, map[string]bool{}
	for _, name := range names {
		s := siteOf(name)
		if s.layer == tensors.NoLayer {
			outside[s.part] = true
			continue
		}
		inside[s.part] = true
		low, high = min(low, s.layer), max(high, s.layer)
	}
	switch {
	case len(inside) == 0:
		return fmt.Sprintf("no numbered layers, its parts are %s", someOf(outside))
	case len(outside) == 0:
		return fmt.Sprintf("layers %d to %d, its parts are %s", low, high, someOf(inside))
	}
	return fmt.Sprintf("layers %d to %d, its parts are %s, and outside the layers %s", low, high, someOf(inside), someOf(outside))
}
