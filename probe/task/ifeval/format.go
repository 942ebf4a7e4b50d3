package ifeval

import (
	"errors"
	"strings"

	"surgeon/probe/task/ifeval/internal/pattern"
	"surgeon/probe/task/ifeval/internal/python"
)

// The expressions of the published checkers.
var (
	placeholder = pattern.MustCompile(`\[.*?\]`, 0)
	starBullet  = pattern.MustCompile(`^\s*\*[^\*].*$`, pattern.Multiline)
	dashBullet  = pattern.MustCompile(`^\s*-.*$`, pattern.Multiline)
	highlight   = pattern.MustCompile(`\*[^\n\*]*\*`, 0)
	boldface    = pattern.MustCompile(`\*\*[^\n\*]*\*\*`, 0)
	titleMark   = pattern.MustCompile(`<<[^\n]+>>`, 0)
)

// numberPlaceholders: at least so many words in square brackets.
func numberPlaceholders(a *arguments) check {
	least := a.count("num_placeholders")
	return func(j *judge, r *reply) bool {
		count, sure := j.count(placeholder, r)
		return sure && count >= least
	}
}

// postscript: the marker, and what looks like it, anywhere in the text in small
// letters.
func postscript(a *arguments) check {
	marker := python.Strip(a.text("postscript_marker"))
	expression := `\s*` + python.Lower(marker) + `.*$`
	switch marker {
	case "P.P.S":
		expression = `\s*p\.\s?p\.\s?s.*$`
	case "P.S.":
		expression = `\s*p\.\s?s\..*$`
	}
	mark := a.expression("postscript_marker", expression, pattern.Multiline)
	return func(j *judge, r *reply) bool {
		found, sure := j.found(mark, &reply{text: python.Lower(r.text)})
		return found && sure
	}
}

// numberBullets: exactly so many lines that begin with an asterisk or a dash.
func numberBullets(a *arguments) check {
	number := a.count("num_bullets")
	return func(j *judge, r *reply) bool {
		stars, sure := j.count(starBullet, r)
		dashes, both := j.count(dashBullet, r)
		return sure && both && stars+dashes == number
	}
}

// constrainedResponse: one of three sentences is in the text.
func constrainedResponse(*arguments) check {
	return func(_ *judge, r *reply) bool {
		for _, answer := range []string{"yes", "no", "maybe"} {
			if strings.Contains(r.text, "My answer is "+answer+".") {
				return true
			}
		}
		return false
	}
}

// numberHighlights: at least so many parts between asterisks; one between two
// pairs counts once more.
func numberHighlights(a *arguments) check {
	least := a.count("num_highlights")
	return func(j *judge, r *reply) bool {
		single, err := highlight.FindAll(r.runes())
		double, errDouble := boldface.FindAll(r.runes())
		count := filled(single, func(part string) string { return strings.Trim(part, "*") }) +
			filled(double, func(part string) string { return part[len("**") : len(part)-len("**")] })
		return j.sure(errors.Join(err, errDouble)) && count >= least
	}
}

// multipleSections: at least so many headings with a number.
func multipleSections(a *arguments) check {
	word := python.Strip(a.text("section_spliter"))
	heading := a.expression("section_spliter", `\s?`+word+`\s?\d+\s?`, 0)
	least := a.count("num_sections")
	return func(j *judge, r *reply) bool {
		count, sure := j.count(heading, r)
		return sure && count >= least
	}
}

// title: something between two pairs of angular brackets on one line.
func title(*arguments) check {
	return func(j *judge, r *reply) bool {
		titles, err := titleMark.FindAll(r.runes())
		return j.sure(err) && filled(titles, func(title string) string {
			return strings.TrimRight(strings.TrimLeft(title, "<"), ">")
		}) > 0
	}
}

// noComma: no comma.
func noComma(*arguments) check {
	return func(_ *judge, r *reply) bool { return !strings.Contains(r.text, ",") }
}

// filled counts the parts that have more than blanks inside their marks.
func filled(parts [][]rune, inside func(string) string) int {
	count := 0
	for _, part := range parts {
		if !blank(inside(string(part))) {
			count++
		}
	}
	return count
}

// blank says whether there is nothing but blanks.
func blank(s string) bool { return python.Strip(s) == "" }
