package english

import (
	"sync"

	"github.com/neurosnap/sentences"
	"github.com/neurosnap/sentences/data"
)

// Where a word was seen, as bits of the parameters' OrthoContext: at the
// beginning of a sentence, within one or at an unknown place, with a capital or
// a small first letter.
const (
	beginCapital = 1 << (iota + 1)
	middleCapital
	unknownCapital
	beginSmall
	middleSmall
	unknownSmall

	anyCapital = beginCapital | middleCapital | unknownCapital
	anySmall   = beginSmall | middleSmall | unknownSmall
)

// parameters reads NLTK's parameters for English once.
var parameters = sync.OnceValue(func() *sentences.Storage {
	text, err := data.Asset("data/english.json")
	if err != nil {
		panic("english: the parameters in the program are missing: " + err.Error())
	}
	storage, err := sentences.LoadTraining(text)
	if err != nil {
		panic("english: the parameters in the program are damaged: " + err.Error())
	}
	return storage
})
