package language

import (
	"errors"
	"math/rand/v2"
)

// Unknown is the language of a text of which no language has a share over 0.1.
const Unknown = "unknown"

// ErrNoFeatures says that a text holds nothing a language could be told from,
// such as digits alone.
var ErrNoFeatures = errors.New("language: the text has no features: it needs letters, not all of them capitals in a row")

// The constants of langdetect's detector.
const (
	compatTrials  = 7
	alpha         = 0.5     // added to the frequency of a feature
	alphaWidth    = 0.05    // standard deviation of alpha over the trials
	baseFrequency = 10_000  // alpha is in parts of it
	drawLimit     = 1_000   // features drawn in a trial
	converged     = 0.99999 // probability that ends a trial
	shareLimit    = 0.1     // below it a language is not told
)

// deterministicTrials puts the standard error of a share at 0.016 at most, and
// at 0.007 where it matters, at a share of 0.95.
const deterministicTrials = 1_000

// certain is the share from which a language is not ambiguous.
const certain = 0.95

// Result is what a text is found to be written in.
type Result struct {
	Language  string  // ISO 639-1 code, zh-cn, zh-tw or Unknown
	Share     float64 // the mean probability of the language over the trials
	Ambiguous bool    // the share is below 0.95
}

// Detector tells languages. It has no state of its own, and its methods may be
// called at once; the first call of any reads the profiles.
type Detector struct{}

// New returns a detector.
func New() *Detector { return &Detector{} }

// Languages are the codes of the languages that are told, in order.
func (*Detector) Languages() []string {
	return append([]string(nil), profiles().languages...)
}

// Compat answers as a call of langdetect.detect does, from seven trials; calls
// with different seeds differ as two calls of it do. The draws are not Python's,
// so that no seed of langdetect gives the same trials. A text without features
// is ErrNoFeatures.
func (*Detector) Compat(text string, seed uint64) (Result, error) {
	return detect(text, seed, compatTrials)
}

// Deterministic answers from 1,000 trials with one and the same sequence of
// draws: a function of the text alone. A text without features is
// ErrNoFeatures.
func (*Detector) Deterministic(text string) (Result, error) {
	return detect(text, 0, deterministicTrials)
}

// detect returns the language with the largest mean probability over trials.
func detect(text string, seed uint64, trials int) (Result, error) {
	s := sample{profiles: profiles()}
	s.features = s.profiles.features(clean(text))
	if len(s.features) == 0 {
		return Result{}, ErrNoFeatures
	}
	s.rows, s.read = make([][]float64, len(s.features)), map[int32][]float64{}
	shares := make([]float64, len(s.profiles.languages))
	probabilities := make([]float64, len(shares))
	for t := range trials {
		s.trial(probabilities, rand.New(rand.NewPCG(seed, uint64(t))))
		for i, p := range probabilities {
			shares[i] += p / float64(trials)
		}
	}
	best := 0
	for i, share := range shares {
		if share > shares[best] {
			best = i
		}
	}
	result := Result{Language: s.profiles.languages[best], Share: shares[best], Ambiguous: shares[best] < certain}
	if result.Share <= shareLimit {
		result.Language = Unknown
	}
	return result, nil
}

// sample is the features of one text, and the rows of frequencies of those
// drawn so far.
type sample struct {
	profiles *profileSet
	features []int32
	rows     [][]float64         // of each feature drawn so far, by its place in features
	read     map[int32][]float64 // the same by feature
}

// trial fills probabilities by Bayes' rule from features drawn with
// replacement, starting from equal ones:
//
//	p[i] *= alpha/10000 + frequency of the feature in language i
//
// Every fifth time the probabilities are normed, and the trial ends where one
// is over 0.99999 or 1,000 features are drawn.
func (s *sample) trial(probabilities []float64, draw *rand.Rand) {
	for i := range probabilities {
		probabilities[i] = 1 / float64(len(probabilities))
	}
	weight := (alpha + float64(draw.NormFloat64()*alphaWidth)) / baseFrequency // the conversion forbids a fused multiply-add
	for n := 0; ; n++ {
		row := s.row(draw.IntN(len(s.features)))
		for i, frequency := range row[:len(probabilities)] {
			probabilities[i] *= weight + frequency
		}
		if n%5 == 0 && (norm(probabilities) > converged || n >= drawLimit) {
			return
		}
	}
}

// row is the frequency in every language of the feature at a place.
func (s *sample) row(place int) []float64 {
	if s.rows[place] == nil {
		feature := s.features[place]
		if s.read[feature] == nil {
			s.read[feature] = s.profiles.row(feature)
		}
		s.rows[place] = s.read[feature]
	}
	return s.rows[place]
}

// norm divides probabilities by their sum and returns the largest.
func norm(probabilities []float64) float64 {
	sum, largest := 0.0, 0.0
	for _, p := range probabilities {
		sum += p
		if p > largest {
			largest = p
		}
	}
	scale := 1 / sum
	for i := range probabilities {
		probabilities[i] *= scale
	}
	return largest * scale
}
