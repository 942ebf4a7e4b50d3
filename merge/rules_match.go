package merge

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"surgeon/tensors"
)

// site is what a pattern sees of a tensor: its name and its Key, of which a
// bias outside the layers has that of the tensor it is the bias of.
type site struct {
	name   string
	layer  int
	part   string
	dotted string // ".mlp.up_proj."
}

func siteOf(name string) site {
	key := tensors.KeyOf(name)
	if of, ok := strings.CutSuffix(name, ".bias"); ok && key.Layer == tensors.NoLayer {
		switch k := tensors.KeyOf(of); k.Part {
		case tensors.PartEmbed, tensors.PartNorm, tensors.PartHead:
			key = k
		}
	}
	return site{name, key.Layer, key.Part, "." + key.Part + "."}
}

// matcher is the meaning of a pattern.
type matcher interface{ match(s site) bool }

// matchAll is the pattern *.
type matchAll struct{}

func (matchAll) match(site) bool { return true }

// matchOutside is one of the patterns embed, norm, lm_head.
type matchOutside string

func (m matchOutside) match(s site) bool { return s.layer == tensors.NoLayer && s.part == string(m) }

// matchRun is a run of whole components, ".mlp.up_proj.".
type matchRun string

func (m matchRun) match(s site) bool { return strings.Contains(s.dotted, string(m)) }

// matchNorms is the pattern norms.
type matchNorms struct{}

func (matchNorms) match(s site) bool { return tensors.Key{Layer: s.layer, Part: s.part}.Norm() }

// matchLayers is what of matches in the layers low to high, which are at least
// 0 and so never tensors.NoLayer.
type matchLayers struct {
	low, high int
	of        matcher
}

func (m matchLayers) match(s site) bool {
	return m.low <= s.layer && s.layer <= m.high && m.of.match(s)
}

// matchExpression is a regular expression.
type matchExpression struct{ *regexp.Regexp }

func (m matchExpression) match(s site) bool { return m.MatchString(s.name) }

// parsePattern returns the one spelling of a pattern, and its meaning. Its
// errors go on a sentence that names the rule.
func parsePattern(text string, budget *int) (string, matcher, error) {
	switch {
	case text == "":
		return "", nil, errors.New("has no pattern before the equals sign")
	case text[0] == '/':
		m, err := parseExpression(text, budget)
		return text, m, err
	case text == "*":
		return text, matchAll{}, nil
	case text == tensors.PartEmbed, text == tensors.PartNorm, text == tensors.PartHead:
		return text, matchOutside(text), nil
	case text == "norms":
		return text, matchNorms{}, nil
	case text == "layers", strings.HasPrefix(text, "layers."):
		return parseLayers(text)
	case strings.Trim(text, "0123456789-") == "":
		return "", nil, errors.New("has a number as its pattern: layers are written layers.7 or layers.0-9")
	}
	m, err := parsePart(text)
	return text, matchLayers{0, lastLayer, m}, err
}

// lastLayer is the highest number that a tensors.Key may have.
const lastLayer = math.MaxInt32

// parseLayers reads layers.SPAN, layers.SPAN.PART or layers.SPAN.norms.
func parseLayers(text string) (string, matcher, error) {
	span, part, ofPart := strings.Cut(strings.TrimPrefix(text[len("layers"):], "."), ".")
	low, high, ok := parseSpan(span)
	if !ok {
		return "", nil, fmt.Errorf("has no layers in %s: expected layers.7, layers.0-9, layers.20-, layers.-9 or layers.*", quoteClipped(text))
	}
	canonical := "layers." + formatSpan(low, high)
	switch {
	case !ofPart:
		return canonical, matchLayers{low, high, matchAll{}}, nil
	case part == "norms":
		return canonical + ".norms", matchLayers{low, high, matchNorms{}}, nil
	}
	m, err := parsePart(part)
	return canonical + "." + part, matchLayers{low, high, m}, err
}

// parseSpan reads 7, 0-9, 20-, -9 or *.
func parseSpan(text string) (low, high int, ok bool) {
	if text == "*" {
		return 0, lastLayer, true
	}
	from, to, isRange := strings.Cut(text, "-")
	switch {
	case !isRange:
		to = from
	case from == "":
		from = "0"
	case to == "":
		to = strconv.Itoa(lastLayer)
	}
	a, errA := strconv.ParseUint(from, 10, 31)
	b, errB := strconv.ParseUint(to, 10, 31)
	return int(a), int(b), errA == nil && errB == nil && a <= b
}

// formatSpan is the spelling that parseSpan reads back.
func formatSpan(low, high int) string {
	switch {
	case low == 0 && high == lastLayer:
		return "*"
	case low == high:
		return strconv.Itoa(low)
	case high == lastLayer:
		return strconv.Itoa(low) + "-"
	}
	return strconv.Itoa(low) + "-" + strconv.Itoa(high)
}

// parsePart reads a run of components, or the name of a tensor.
func parsePart(text string) (matcher, error) {
	switch {
	case strings.Contains(text, "*"):
		return nil, fmt.Errorf("has a * in %s: it stands alone or for the layers in layers.*; anything else is a regular expression /REGEXP/", quoteClipped(text))
	case slices.Contains(strings.Split(text, "."), ""):
		return nil, fmt.Errorf("has nothing between two dots, or before or after one, in %s", quoteClipped(text))
	case strings.ContainsFunc(text, func(c rune) bool { return c == unicode.ReplacementChar || c == ' ' || !unicode.IsPrint(c) }):
		return nil, fmt.Errorf("has a space or something unprintable in %s: write a comma between rules, or a regular expression /REGEXP/", quoteClipped(text))
	}
	return matchRun("." + text + "."), nil
}

// expressionLen is the length of the regular expression that a text begins
// with, both slashes included, and 0 where it begins with none. closed is false
// where the second slash is missing.
func expressionLen(text string) (n int, closed bool) {
	if !strings.HasPrefix(text, "/") {
		return 0, true
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '/':
			return i + 1, true
		}
	}
	return len(text), false
}

// Limits of regular expressions: bytes of one, and about the instructions that
// all expressions of a list compile to, which repetitions like x{1000} blow up.
const (
	maxExpression   = 1000
	maxInstructions = 1 << 16
)

func parseExpression(text string, budget *int) (matcher, error) {
	switch n, _ := expressionLen(text); {
	case n != len(text):
		return nil, fmt.Errorf("goes on after the regular expression %s: a slash inside one is written \\/", quoteClipped(text[:n]))
	case n == len("//"):
		return nil, errors.New("has an empty regular expression: every tensor is *")
	case n > maxExpression:
		return nil, fmt.Errorf("has a regular expression of %d bytes, at most %d are read", n, maxExpression)
	}
	source := unescapeSlashes(text[1 : len(text)-1])
	tree, err := syntax.Parse(source, syntax.Perl)
	if e := (*syntax.Error)(nil); errors.As(err, &e) {
		return nil, fmt.Errorf("is no regular expression: %s in %s", e.Code, quoteClipped(e.Expr))
	}
	if *budget -= instructions(tree); *budget < 0 {
		return nil, fmt.Errorf("makes the regular expressions too large: they repeat or list more than %d things", maxInstructions)
	}
	compiled, err := regexp.Compile(source)
	return matchExpression{compiled}, err
}

// unescapeSlashes writes \/ as / and leaves other pairs with a backslash.
func unescapeSlashes(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			if i++; text[i] != '/' {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// instructions estimates what a regular expression compiles to.
func instructions(tree *syntax.Regexp) int {
	n := 1 + len(tree.Rune)
	for _, sub := range tree.Sub {
		n += instructions(sub)
	}
	if tree.Op == syntax.OpRepeat {
		n *= max(tree.Max, tree.Min+1)
	}
	return n
}

// someOf lists up to twelve entries in order, and how many more there are.
func someOf(set map[string]bool) string {
	const most = 12
	list := slices.Sorted(maps.Keys(set))
	more := len(list) - most
	list = list[:min(most, len(list))]
	for i, entry := range list {
		if quoted := quoteClipped(entry); quoted != `"`+entry+`"` {
			list[i] = quoted
		}
	}
	if more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list, ", "), more)
	}
	return strings.Join(list, ", ")
}

// quoteClipped prints what a user or a file says: on one line, of a readable
// length.
func quoteClipped(text string) string {
	const most = 120
	quoted := strconv.Quote(text[:min(len(text), most)])
	if len(quoted) > most {
		quoted = strings.ToValidUTF8(quoted[:most-len(`..."`)], "") + `..."`
	}
	return quoted
}
