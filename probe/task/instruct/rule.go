package instruct

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Rule is a verifiable instruction: one of the kinds of the package comment and
// its arguments.
type Rule struct {
	ID   string
	Args map[string]any // as encoding/json reads them
}

// kind is a kind of rule: which arguments it takes, and how a text is checked,
// which is trimmed and not empty.
type kind struct {
	takes []argument
	holds func(args arguments, prompt, text string) bool
}

// kinds is filled once, when the program starts, and only read afterwards.
var kinds = map[string]kind{
	"acrostic":       {[]argument{{"word", lettersType, false}}, acrostic},
	"avoids":         {[]argument{{"words", textsType, false}}, avoids},
	"between":        {[]argument{{"open", textType, false}, {"close", textType, false}}, between},
	"capitalised":    {nil, capitalised},
	"csv":            {[]argument{{"columns", textsType, false}, {"rows", countType, false}}, csvTable},
	"digits":         {[]argument{{"count", countType, true}}, digits},
	"ends_with":      {[]argument{{"text", textType, false}}, endsWith},
	"entries":        {[]argument{{"by", textType, false}, {"values", textsType, false}, {"ordered", flagType, false}}, entriesAre},
	"fields":         {[]argument{{"keys", textsType, false}}, fields},
	"iso_date":       {[]argument{{"date", dateType, true}}, isoDate},
	"json_object":    {[]argument{{"keys", typesType, false}, {"values", valuesType, true}}, jsonObject},
	"keeps_numbers":  {[]argument{{"after", textType, false}}, keepsNumbers},
	"line_lengths":   {[]argument{{"counts", countsType, false}}, lineLengths},
	"line_start":     {[]argument{{"text", textType, false}}, lineStart},
	"line_words":     {[]argument{{"most", countType, false}}, lineWords},
	"lines":          {[]argument{{"count", countType, false}}, lineCount},
	"max_characters": {[]argument{{"count", countType, false}}, maxCharacters},
	"mentions":       {[]argument{{"words", textsType, false}}, mentions},
	"numbered":       {[]argument{{"count", countType, false}}, numbered},
	"occurs":         {[]argument{{"words", textsType, false}, {"count", countType, false}}, occurs},
	"one_of":         {[]argument{{"values", textsType, false}}, oneOf},
	"separated":      {[]argument{{"by", textType, false}, {"count", countType, false}}, separated},
	"sorted":         {[]argument{{"by", textType, false}, {"as", asType, false}, {"order", orderType, false}}, isSorted},
	"table":          {[]argument{{"columns", textsType, false}, {"rows", countType, false}}, markdownTable},
	"verbatim":       {[]argument{{"after", textType, false}}, verbatim},
}

// Kinds returns the names of the kinds of rules, in alphabetical order.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Verify returns an error if the rule is of no known kind, or if an argument is
// missing, of the wrong type or none of that kind's.
func Verify(rule Rule) error {
	k, known := kinds[rule.ID]
	if !known {
		return fmt.Errorf("unknown rule %q: the rules are %s", rule.ID, strings.Join(Kinds(), ", "))
	}
	for _, a := range k.takes {
		value, given := rule.Args[a.name]
		switch {
		case !given && a.optional:
		case !given:
			return fmt.Errorf("rule %q: %q is missing: it must be %s", rule.ID, a.name, a.want)
		case !a.valid(value):
			return fmt.Errorf("rule %q: %q must be %s", rule.ID, a.name, a.want)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rule.Args)) {
		if !slices.ContainsFunc(k.takes, func(a argument) bool { return a.name == name }) {
			return fmt.Errorf("rule %q takes no %q: it takes %s", rule.ID, name, k.names())
		}
	}
	if values := rule.Args["values"]; rule.ID == "json_object" && values != nil {
		return verifyValues(rule.Args["keys"].(map[string]any), values.(map[string]any))
	}
	return nil
}

func (k kind) names() string {
	if len(k.takes) == 0 {
		return "no arguments"
	}
	names := make([]string, len(k.takes))
	for i, a := range k.takes {
		names[i] = a.name
	}
	return strings.Join(names, ", ")
}

// verifyValues asks that every value of a json_object rule can be right.
func verifyValues(keys, values map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		want, _ := keys[name].(string)
		if !hasType(values[name], want) {
			return fmt.Errorf(`rule "json_object": the value of %q is not of the type that "keys" gives it`, name)
		}
	}
	return nil
}
