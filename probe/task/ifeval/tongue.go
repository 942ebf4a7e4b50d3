package ifeval

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"surgeon/probe/task/ifeval/internal/python"
)

// languages are those that a response can be asked for in, by their codes.
var languages = map[string]bool{
	"ar": true, "bg": true, "bn": true, "de": true, "en": true, "es": true, "fa": true, "fi": true, "fr": true, "gu": true,
	"he": true, "hi": true, "it": true, "ja": true, "kn": true, "ko": true, "ml": true, "mr": true, "ne": true, "pa": true,
	"pl": true, "pt": true, "ru": true, "sw": true, "ta": true, "te": true, "th": true, "uk": true, "ur": true, "vi": true,
}

// responseLanguage: the text is in the language, or in none that can be told.
func responseLanguage(a *arguments) check {
	code := a.text("language")
	if a.err == nil && !languages[code] {
		a.fail("the argument \"language\" is %q: want one of %s", code, strings.Join(slices.Sorted(maps.Keys(languages)), ", "))
	}
	return func(j *judge, r *reply) bool { return j.speaks(code, r) }
}

// englishCapital: the text is in capitals and English, or in no language that
// can be told.
func englishCapital(*arguments) check {
	return func(j *judge, r *reply) bool { return python.IsUpper(r.text) && j.speaks("en", r) }
}

// englishLowercase: the same with small letters.
func englishLowercase(*arguments) check {
	return func(j *judge, r *reply) bool { return python.IsLower(r.text) && j.speaks("en", r) }
}

// languageSeed starts the samples of mode Compat.
const languageSeed = 1234

// speaks says whether a reply is found to be in a language. As in the published
// checkers, a text without features is in any.
func (j *judge) speaks(code string, r *reply) bool {
	part := "the text"
	if r.changed {
		part = "what is left of the text for the loose verdict"
	}
	detector := j.checker.language
	if j.explains {
		switch expected, err := detector.Deterministic(r.text); {
		case err != nil:
			j.warn("%s counts as kept in any language: no language can be told from it", part)
		case expected.Ambiguous:
			j.warn("the language of %s is not clear: %s", part, describe(expected.Language, expected.Share))
		}
	}
	detected, err := detector.Compat(r.text, languageSeed)
	if j.checker.mode == Deterministic {
		detected, err = detector.Deterministic(r.text)
	}
	return err != nil || detected.Language == code
}

func describe(code string, share float64) string {
	return fmt.Sprintf("%q has %.0f %% of the probability", code, 100*share)
}
