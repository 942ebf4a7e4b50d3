package task

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Reply is what a model answered.
type Reply struct {
	LogProbs []float64 `json:"log_probs,omitempty"` // nats: of the continuations, or of the parts of a text whose perplexity is asked
	Greedy   []bool    `json:"greedy,omitempty"`    // of each continuation, whether every token of it is the most likely one; nil: not known
	Text     string    `json:"text,omitempty"`
	Finish   string    `json:"finish,omitempty"` // why the text ends: eos, stop or length
	Tokens   int       `json:"tokens,omitempty"` // of the text
}

// The flags of a Grade: how a model answered, whatever the answer is worth.
const (
	Empty       = "empty"       // nothing but white space
	Unparseable = "unparseable" // a text in which a number is wanted has none; a log-likelihood that is no number
	Truncated   = "truncated"   // it had as many tokens as it might
	Repeated    = "repeated"    // its second half, or more, is one piece over and over
	Refused     = "refused"     // it begins with a refusal
)

// Grade is what a reply is worth.
type Grade struct {
	Scores    map[string]float64 `json:"scores"` // by metric
	Parts     map[string][]bool  `json:"parts,omitempty"`
	Extracted map[string]string  `json:"extracted,omitempty"` // the answer that was found in a text, by metric
	Chosen    int                `json:"chosen"`              // the most likely choice, in the order of the data set; -1 of a text
	Flags     []string           `json:"flags,omitempty"`
}

func (g *Grade) flag(flag string) {
	if !slices.Contains(g.Flags, flag) {
		g.Flags = append(g.Flags, flag)
	}
}

// Grade grades a reply to a question of the task. It panics if the reply has
// another number of log-likelihoods than the question has continuations, or if
// the task needs a Check and has none.
func (t *Task) Grade(q Question, r Reply) Grade {
	item := t.Items[q.Item]
	g := Grade{Scores: map[string]float64{}, Chosen: -1}
	switch {
	case t.Form == Perplexity:
		g.perplexity(item, r.LogProbs)
		return g
	case item.Choices != nil:
		g.choice(t.Form, item, q, r.LogProbs)
		return g
	}
	g.manner(r)
	switch t.Form {
	case Exact:
		g.Scores["exact_match"], g.Scores["contains"] = item.GradeText(r.Text), contains(item.Answers, r.Text)
	case Numeric:
		g.number(item, r.Text)
	case Arithmetic:
		t.arithmetic(&g, item, r.Text)
	case Instructions:
		t.instructions(&g, item, r.Text)
	case Refusal:
		refuses := slices.Contains(g.Flags, Refused)
		answered := !slices.Contains(g.Flags, Empty)
		g.Scores["refused"] = score(refuses)
		g.Scores["acc"] = score(answered && refuses == item.Refuse)
	default:
		panic(fmt.Sprintf("task: %s: items of the form %q cannot be graded", t.Name, t.Form))
	}
	return g
}

func score(right bool) float64 {
	if right {
		return 1
	}
	return 0
}

// manner flags how a text answers.
func (g *Grade) manner(r Reply) {
	if strip(r.Text) == "" {
		g.flag(Empty)
	}
	if r.Finish == "length" {
		g.flag(Truncated)
	}
	if repeats(r.Text) {
		g.flag(Repeated)
	}
	if refused(r.Text) {
		g.flag(Refused)
	}
}

// perplexity takes the log-likelihoods of the parts of a text together.
func (g *Grade) perplexity(item Item, logProbs []float64) {
	sum := 0.0
	for _, l := range logProbs {
		sum += l
	}
	g.Scores["bits_per_byte"] = -sum / float64(item.Bytes) / math.Ln2
	// A text of few words may have a perplexity beyond every number.
	g.Scores["byte_perplexity"] = min(math.Exp(-sum/float64(item.Bytes)), math.MaxFloat64)
	g.Scores["word_perplexity"] = min(math.Exp(-sum/float64(item.Words)), math.MaxFloat64)
	if math.IsNaN(sum) {
		g.flag(Unparseable)
	}
}

// choice takes the most likely continuation, the lowest one among equals; for
// acc_norm by the log-likelihood divided by the characters of the choice,
// without the delimiter.
func (g *Grade) choice(form Form, item Item, q Question, logProbs []float64) {
	if len(logProbs) != len(q.Continuations) {
		panic(fmt.Sprintf("task: %d log-likelihoods for %d choices", len(logProbs), len(q.Continuations)))
	}
	if slices.ContainsFunc(logProbs, math.IsNaN) {
		g.flag(Unparseable)
	}
	chosen := Choose(logProbs)
	g.Chosen = q.Order[chosen]
	g.Scores["acc"] = score(chosen == q.Gold)
	if form != Cloze {
		return
	}
	norm := make([]float64, len(logProbs))
	for k, l := range logProbs {
		norm[k] = l / float64(utf8.RuneCountInString(item.Choices[q.Order[k]]))
	}
	g.Scores["acc_norm"] = score(Choose(norm) == q.Gold)
}

// contains returns 1 if one of the answers stands anywhere in a text, normalised
// as GradeText does and not as a part of a word.
func contains(answers []string, text string) float64 {
	text = strings.ToLower(text)
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for _, answer := range answers {
		answer = Normalise(answer)
		for from := 0; answer != ""; {
			i := strings.Index(text[from:], answer)
			if i < 0 {
				break
			}
			start := from + i
			before, _ := utf8.DecodeLastRuneInString(text[:start])
			after, _ := utf8.DecodeRuneInString(text[start+len(answer):])
			first, size := utf8.DecodeRuneInString(text[start:])
			last, _ := utf8.DecodeLastRuneInString(answer)
			if !(inWord(before) && inWord(first)) && !(inWord(last) && inWord(after)) {
				return 1
			}
			from = start + size
		}
	}
	return 0
}

// number takes the last number of a text; contains any. An answer is near enough
// within the item's relative tolerance or its absolute one, whichever is wider.
func (g *Grade) number(item Item, text string) {
	g.Scores["exact_match"], g.Scores["contains"] = 0, 0
	found := Numbers(text)
	if len(found) == 0 {
		g.flag(Unparseable)
		return
	}
	last := len(found) - 1
	g.Extracted = map[string]string{"exact_match": fmt.Sprint(found[last])}
	for k, value := range found {
		if !slices.ContainsFunc(item.Answers, func(answer string) bool { return item.near(answer, value) }) {
			continue
		}
		g.Scores["contains"] = 1
		if k == last {
			g.Scores["exact_match"] = 1
		}
	}
}

// near reports whether a number is near enough to an answer; a billionth of it is
// left for rounding.
func (i Item) near(answer string, value float64) bool {
	want, ok := soleNumber(answer)
	margin := max(i.Margin, i.Tolerance*math.Abs(want))
	return ok && math.Abs(value-want) <= margin*(1+1e-9)
}

// instructions asks the task's Check.
func (t *Task) instructions(g *Grade, item Item, text string) {
	if t.Check == nil {
		panic(fmt.Sprintf("task: %s has no Check", t.Name))
	}
	strict, loose := t.Check(item.Rules, item.Prompt, text)
	g.Parts = map[string][]bool{"inst_level_strict_acc": strict, "inst_level_loose_acc": loose}
	for metric, verdicts := range map[string][]bool{"strict": strict, "loose": loose} {
		kept := 0
		for _, v := range verdicts {
			kept += int(score(v))
		}
		g.Scores["prompt_level_"+metric+"_acc"] = score(kept == len(verdicts))
		g.Scores["inst_level_"+metric+"_acc"] = float64(kept) / float64(max(len(verdicts), 1))
	}
}

var patterns sync.Map // *regexp.Regexp by its text

// compiled is the compiled pattern of a task, which is no data.
func compiled(pattern string) *regexp.Regexp {
	if known, ok := patterns.Load(pattern); ok {
		return known.(*regexp.Regexp)
	}
	made, _ := patterns.LoadOrStore(pattern, regexp.MustCompile(pattern))
	return made.(*regexp.Regexp)
}
