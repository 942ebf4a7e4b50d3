package task

import (
	"fmt"
	"strings"
)

// lettered reports whether a prompt lists the choices as lines "A. choice" or
// "A) choice".
func lettered(prompt string, choices []string) bool {
	prompt = "\n" + prompt + "\n"
	for i, choice := range choices {
		letter, choice := string(rune('A'+i)), strings.TrimSpace(choice)
		if i >= 26 || !strings.Contains(prompt, "\n"+letter+". "+choice) && !strings.Contains(prompt, "\n"+letter+") "+choice) {
			return false
		}
	}
	return true
}

// lettersPrompt is a prompt that lists options under letters, as that of mmlu in
// lm-evaluation-harness.
func lettersPrompt(stem string, options []string) string {
	var b strings.Builder
	b.WriteString(stem)
	for i, option := range options {
		fmt.Fprintf(&b, "\n%c. %s", 'A'+i, option)
	}
	b.WriteString("\nAnswer:")
	return b.String()
}

// stemOf is the stem of a prompt that is a lettersPrompt of the choices.
func stemOf(prompt string, choices []string) (stem string, ok bool) {
	return strings.CutSuffix(prompt, lettersPrompt("", choices))
}

// Continuations are what is scored after the prompt, one for each choice: its
// letter if the prompt lists the choices, or else its text as it stands. A
// letter is a word of its own, so it has a blank before it, unless the prompt
// ends with white space or the letter begins the reply of a chat.
func (i Item) Continuations(chat bool) []string {
	if !i.Letters {
		return i.Choices
	}
	blank := " "
	if chat || strings.TrimRight(i.Prompt, " \t\r\n") != i.Prompt {
		blank = ""
	}
	letters := make([]string, len(i.Choices))
	for k := range letters {
		letters[k] = blank + string(rune('A'+k))
	}
	return letters
}

// Choose returns the index of the largest log-likelihood, the lowest one among
// equals, as lm-evaluation-harness does.
func Choose(logProbs []float64) int {
	best := 0
	for i, v := range logProbs {
		if v > logProbs[best] {
			best = i
		}
	}
	return best
}

// GradeChoice returns 1 if the choice with the highest sum of log-likelihoods
// (nats, one per choice) is the right one, and 0 otherwise: the metric "acc" of
// lm-evaluation-harness.
func (i Item) GradeChoice(logProbs []float64) float64 {
	if len(logProbs) != len(i.Choices) {
		panic(fmt.Sprintf("task: %d log-likelihoods for %d choices", len(logProbs), len(i.Choices)))
	}
	if Choose(logProbs) == i.Gold {
		return 1
	}
	return 0
}
