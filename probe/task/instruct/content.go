package instruct

import (
	"slices"
	"strconv"
	"strings"
)

// The rules about which words, numbers and entries a text holds, and in which
// order.

func oneOf(args arguments, _, text string) bool {
	return slices.ContainsFunc(args.texts("values"), func(value string) bool { return plain(value) == plain(text) })
}

func mentions(args arguments, _, text string) bool {
	text = plain(text)
	return !slices.ContainsFunc(args.texts("words"), func(word string) bool { return occurrences(text, plain(word)) == 0 })
}

func avoids(args arguments, _, text string) bool {
	text = plain(text)
	return !slices.ContainsFunc(args.texts("words"), func(word string) bool { return occurrences(text, plain(word)) > 0 })
}

func occurs(args arguments, _, text string) bool {
	text = plain(text)
	return !slices.ContainsFunc(args.texts("words"), func(word string) bool {
		return occurrences(text, plain(word)) != args.count("count")
	})
}

// keepsNumbers fails where the given text has no numbers: there is nothing to
// keep.
func keepsNumbers(args arguments, prompt, text string) bool {
	given, kept := numbersOf(after(prompt, args.text("after"))), numbersOf(text)
	slices.Sort(kept)
	for _, number := range given {
		if _, found := slices.BinarySearch(kept, number); !found {
			return false
		}
	}
	return len(given) > 0
}

func verbatim(args arguments, prompt, text string) bool {
	given := strings.Join(strings.Fields(after(prompt, args.text("after"))), " ")
	passage := strings.Join(strings.Fields(text), " ")
	return occurrences(given, passage) > 0
}

func separated(args arguments, _, text string) bool {
	entries := entriesOf(text, args.text("by"))
	return len(entries) == args.count("count") && !slices.ContainsFunc(entries, func(entry string) bool {
		return entry == "" || strings.HasPrefix(strings.ToLower(entry), "and ")
	})
}

func entriesAre(args arguments, _, text string) bool {
	entries, wanted := entriesOf(text, args.text("by")), args.texts("values")
	for _, list := range [][]string{entries, wanted} {
		for i := range list {
			list[i] = plain(list[i])
		}
		if args["ordered"] == false {
			slices.Sort(list)
		}
	}
	return slices.Equal(entries, wanted)
}

func isSorted(args arguments, _, text string) bool {
	entries := entriesOf(text, args.text("by"))
	if args["order"] == "descending" {
		slices.Reverse(entries)
	}
	if len(entries) < 2 {
		return false
	}
	if args["as"] == "words" {
		for i := range entries {
			entries[i] = plain(entries[i])
		}
		return !slices.Contains(entries, "") && slices.IsSorted(entries)
	}
	numbers := make([]float64, len(entries))
	for i, entry := range entries {
		number, is := parseNumber(entry)
		if !is {
			return false
		}
		numbers[i] = number
	}
	return slices.IsSorted(numbers)
}

// parseNumber reads a number in decimal digits, with a sign and commas between
// thousands.
func parseNumber(entry string) (float64, bool) {
	entry = strings.ReplaceAll(strings.Replace(entry, "−", "-", 1), ",", "")
	number, err := strconv.ParseFloat(entry, 64)
	return number, err == nil && strings.Trim(entry, "+-.0123456789") == ""
}
