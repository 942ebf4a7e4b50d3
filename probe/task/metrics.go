package task

import (
	"math"
	"slices"
	"strings"
)

// Metrics are what a form is graded by, the primary one first, under the names
// of lm-evaluation-harness where it has them.
//
//	acc                               the most likely choice is the right one; of a refusal: the text refuses, or answers, as it should
//	acc_norm                          the same by the log-likelihood per character of the choice
//	exact_match                       the text is an answer; of a numeric item: its last number is
//	contains                          an answer stands anywhere in the text, as a word; of a numeric item: any of its numbers is
//	exact_match,strict-match          the number in the place that the shots show is the answer
//	exact_match,flexible-extract      the last number is
//	prompt_level_…, inst_level_…      all instructions are kept; the share that is
//	refused                           the text refuses
//	bits_per_byte, byte_perplexity, word_perplexity
func (f Form) Metrics() []string {
	switch f {
	case Cloze:
		return []string{"acc", "acc_norm"}
	case Exact, Numeric:
		return []string{"exact_match", "contains"}
	case Arithmetic:
		// Flexible first: what strict-match loses besides is form.
		return []string{"exact_match,flexible-extract", "exact_match,strict-match"}
	case Instructions:
		return []string{"prompt_level_strict_acc", "inst_level_strict_acc", "prompt_level_loose_acc", "inst_level_loose_acc"}
	case Refusal:
		return []string{"acc", "refused"}
	case Perplexity:
		return []string{"bits_per_byte", "byte_perplexity", "word_perplexity"}
	}
	return []string{"acc"}
}

// Metric is the primary metric.
func (f Form) Metric() string { return f.Metrics()[0] }

// HigherIsBetter reports whether a model with more of a metric is better.
func HigherIsBetter(metric string) bool {
	metric, _, _ = strings.Cut(metric, ",none")
	return !slices.Contains(Perplexity.Metrics(), metric)
}

// Aggregate is a metric of all the items whose grades are given, grade k that of
// item items[k]: as lm-evaluation-harness forms it, the mean over the items, but
// for these. The share of kept instructions is that of all instructions
// together. The perplexities and the bits per byte are those of the texts taken
// as one: of a text the metric counts by its words or bytes. It is NaN without
// grades.
func (t *Task) Aggregate(metric string, items []int, grades []Grade) float64 {
	if len(items) != len(grades) {
		panic("task: Aggregate needs an item for each grade")
	}
	var sum, weight float64
	for k, g := range grades {
		score, w := g.Scores[metric], 1.0
		switch item := t.Items[items[k]]; {
		case metric == "bits_per_byte":
			w = float64(item.Bytes)
		case metric == "byte_perplexity" || metric == "word_perplexity":
			nats := g.Scores["bits_per_byte"] * float64(item.Bytes) * math.Ln2
			w = float64(item.Bytes)
			if metric == "word_perplexity" {
				w = float64(item.Words)
			}
			score = nats / w
		case g.Parts[metric] != nil:
			w = float64(len(g.Parts[metric]))
		}
		sum += score * w
		weight += w
	}
	if metric == "byte_perplexity" || metric == "word_perplexity" {
		return math.Exp(sum / weight)
	}
	return sum / weight
}
