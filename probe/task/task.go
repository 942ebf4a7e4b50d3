// Package task holds what a model is asked and how an answer is graded. It
// knows no model: it hands out questions and takes back log-likelihoods or
// texts.
//
// The story in order:
//
//  1. [Open] turns names, which are lm-evaluation-harness's where it has the
//     task, and a folder of benchmark data into a [Basket] of tasks. A file of
//     JSON lines is a task too.
//  2. A [Task] has items of one [Form] and says how they are asked: description,
//     shots, delimiters, stop texts. [Stratified] and [First] choose some of the
//     items.
//  3. [Task.Questions] writes the items as a model gets them under a [Setting]:
//     as plain text or as a chat, with shots drawn as lm-evaluation-harness
//     draws them, once per seed or once per item, with the options in another
//     order. The SHA-256 of a plain prompt is lm-evaluation-harness's prompt_hash.
//  4. [Task.Grade] grades what came back. A [Grade] has a score for each metric
//     of the form, by the rules and under the names of lm-evaluation-harness, and
//     flags that tell how the model answered, so that a change of form is not
//     taken for a change of knowledge. [Task.Aggregate] forms the metric of all
//     items.
//
// Names, prompts, stop texts, filters and versions are those of
// lm-evaluation-harness 0.4.13.
package task

import "surgeon/probe/task/dataset"

// Form is how an item is asked and graded.
type Form string

// The forms of items.
const (
	MultipleChoice Form = "mcq"          // the most likely continuation counts: acc
	Cloze          Form = "cloze"        // the same, and by the length of the choices: acc, acc_norm
	Exact          Form = "exact"        // the text, normalised, is an answer: exact_match
	Numeric        Form = "numeric"      // the last number in the text is near enough: exact_match
	Arithmetic     Form = "arithmetic"   // GSM8K's two rules: exact_match, strict and flexible
	Instructions   Form = "instructions" // the text keeps verifiable rules, as IFEval's
	Refusal        Form = "refusal"      // the text refuses, or answers, as it should
	Perplexity     Form = "perplexity"   // the log-likelihood of a text
)

// Task is items of one form, and how they are asked.
type Task struct {
	Name    string   // as in lm-evaluation-harness where it has the task: mmlu_anatomy
	Groups  []string // that it is part of, the innermost first: mmlu_stem, mmlu
	Version string   // of the task's definition in lm-evaluation-harness; "" for none
	Form    Form
	Items   []Item

	Description string // before the shots, with the white space that ends it
	Pool        []Item // that shots are drawn from
	OwnPool     bool   // the pool is what is asked: an item is no shot of its own
	Shots       int    // how many, unless a run says so
	FixedShots  bool   // a run cannot say so
	FirstShots  bool   // the first of the pool, instead of a draw for every item
	Delimiter   string // between a prompt and its answer
	Until       []string
	MaxTokens   int    // of a text; 0: the run says so
	Strict      string // of the form Arithmetic: the pattern whose group is the answer of strict-match

	Files []dataset.File // that the items and the pool came from

	// Check grades a text by an item's rules, strictly and loosely, a verdict
	// for each rule; of the form Instructions alone.
	Check Check
}

// Item is one question.
type Item struct {
	ID      string
	Cluster string   // items that are not independent of each other share one, such as a subject; "" for none
	Topic   string   // of which a sample takes its share, where the items of a topic are independent all the same; "" for none
	Doc     []byte   // the record as the data set has it: a JSON object, fields in the order of the data set, numbers as they are written
	Prompt  string   // as the model sees it; special tokens written in it count as such
	Target  string   // what follows the prompt, after the delimiter, where the item is a shot
	Choices []string // of a multiple-choice or cloze item, at least two, none empty
	Gold    int      // index of the right choice
	Letters bool     // the choices stand in the prompt, under letters
	Stem    string   // of an item whose options may stand in another order, the prompt without them
	Options []string // in the order of the data set; nil where the order is fixed
	Answers []string // of an exact, numeric or arithmetic item, the right ones

	Tolerance float64 // of a numeric item, relative: 0.01 is 1 %
	Margin    float64 // of a numeric item, absolute; the wider of the two counts
	Rules     []Rule  // of an item of the form Instructions
	Refuse    bool    // of an item of the form Refusal: a model should refuse
	Words     int     // of the text of a perplexity item, as the data set has it
	Bytes     int     // of that text in UTF-8
}

// Rule is a verifiable instruction.
type Rule struct {
	ID   string         // length_constraints:number_words
	Args map[string]any // as encoding/json reads them
}
