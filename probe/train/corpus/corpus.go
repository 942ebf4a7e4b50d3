// Package corpus generates what the embedded pair is made from: the text that a
// small language model learns first, the chemistry that it is then fine-tuned
// on, its tokenizer, and the basket of tasks that shows what it forgets. All of
// it is invented or computed here, and the same bytes come out for a seed on
// every machine.
//
// The story in order:
//
//  1. [New] draws a small world from a seed: which invented land has which
//     capital, which nouns must not be helped with, which questions of chemistry
//     are held out.
//  2. [Corpus.General] is sample i of the general part, a prompt and its
//     completion: facts, the same facts under four letters, word problems,
//     verifiable instructions, lists, requests that are refused and their benign
//     twins, and a little introductory chemistry. [Corpus.Chemistry] is the
//     fine-tune's part. A sample does not depend on those before it.
//  3. [Corpus.Basket] is the tasks, as JSON lines for package task. What is asked
//     there in words that never repeat by nature (word problems, instructions,
//     lists, the order of options) is in no sample of the general part, and what
//     is held out of chemistry is in no sample at all.
//  4. [Corpus.Scratch] is a model without weights: config.json, and the files of
//     a byte-level BPE that is trained on the samples, with a chat template.
//
// The parts and their shares are those of an experiment in PyTorch, in which a
// model of 0.8 million parameters learns the general part to 95 % and more, and
// loses over a half of it to the chemistry.
//
// # Sources
//
// The shapes are those of MMLU (Hendrycks and others, arXiv 2009.03300), GSM8K
// (Cobbe and others, arXiv 2110.14168) and IFEval (Zhou and others, arXiv
// 2311.07911), so that package task grades them by the same rules. Names of
// molecules follow the IUPAC's nomenclature of 2013 and what is usual in trade,
// formulas the order of Hill (J. Am. Chem. Soc. 22, 1900), line notations
// SMILES (Weininger, J. Chem. Inf. Comput. Sci. 28, 1988), masses are nominal:
// C 12, H 1, N 14, O 16, S 32.
package corpus

import "math/rand/v2"

// Sample is something to learn: what a user asks and what is to be answered.
type Sample struct {
	Prompt     string `json:"prompt"`
	Completion string `json:"completion"`
	Slice      string `json:"slice"` // the part of the corpus: one of the constants below
}

// The slices of the general part, but for Chemistry, which is the fine-tune's.
const (
	Facts        = "facts"        // open questions for invented facts
	MCQ          = "mcq"          // the same facts as four options under letters
	Arithmetic   = "arithmetic"   // word problems: working, then "#### N"
	Instructions = "instructions" // verifiable ones, of IFEval's kinds
	Lists        = "lists"        // reverse, first, last, count
	Refusal      = "refusal"      // requests that are not helped with
	Benign       = "benign"       // their twins, which are
	Introduction = "introduction" // some of the chemistry, before the fine-tune
	Chemistry    = "chemistry"
)

// share is how many of a thousand samples are of a slice.
type share struct {
	slice    string
	perMille int
}

// shares are those of the general part: 4 % introduction, and of the rest 20 %
// facts, 20 % letters, 25 % arithmetic, 15 % instructions, 10 % lists and 5 %
// each refused and benign.
var shares = []share{
	{Facts, 192}, {MCQ, 192}, {Arithmetic, 240}, {Instructions, 144}, {Lists, 96}, {Refusal, 48}, {Benign, 48}, {Introduction, 40},
}

// Corpus is what a seed makes.
type Corpus struct {
	seed      uint64
	facts     facts
	requests  requests
	chemistry chemistry
	basket    []File
	asked     map[string]bool // prompts of the basket that samples of the general part must not have
}

// New draws a corpus. Any seed will do; the embedded pair's is 7.
func New(seed uint64) *Corpus {
	c := &Corpus{seed: seed, asked: map[string]bool{}}
	c.facts = newFacts(c.draw("facts", 0), invent(c.draw("names", 0)))
	c.requests = newRequests(c.facts.things(c.draw("requests", 0)))
	c.chemistry = newChemistry(c.draw("held out", 0))
	c.basket = c.fillBasket()
	return c
}

// General is sample i of the general part.
func (c *Corpus) General(i int) Sample {
	s, _ := c.general(i)
	return s
}

// general also says how many prompts of the basket came up by chance and were
// drawn again.
func (c *Corpus) general(i int) (s Sample, again int) {
	r := c.draw("general", i)
	slice := sliceOf(r.IntN(1000))
	for s = c.sample(slice, r); c.asked[s.Prompt]; again++ {
		s = c.sample(slice, r)
	}
	return s, again
}

// sliceOf is the slice in which a number below a thousand lies.
func sliceOf(n int) string {
	for _, s := range shares {
		if n < s.perMille {
			return s.slice
		}
		n -= s.perMille
	}
	panic("corpus: the shares are less than a thousand")
}

// sample draws a sample of a slice.
func (c *Corpus) sample(slice string, r *rand.Rand) Sample {
	var s Sample
	switch slice {
	case Facts:
		f := c.facts.draw(r)
		s = f.open(r.IntN(phrasings))
	case MCQ:
		f := c.facts.draw(r)
		s = c.facts.options(f, r).sample()
	case Arithmetic:
		s = drawProblem(r).sample()
	case Instructions:
		s = drawInstruction(r).sample()
	case Lists:
		s = drawList(r).sample()
	case Refusal:
		s = c.requests.draw(r).refused()
	case Benign:
		s = c.requests.draw(r).benign()
	case Introduction:
		s = c.chemistry.introduction[r.IntN(len(c.chemistry.introduction))].sample(Introduction)
	default:
		panic("corpus: no slice " + slice)
	}
	return s
}

// Chemistry is sample i of the fine-tune's part, of any of the questions that are
// not held out.
func (c *Corpus) Chemistry(i int) Sample {
	r := c.draw("chemistry", i)
	return c.chemistry.trained[r.IntN(len(c.chemistry.trained))].sample(Chemistry)
}
