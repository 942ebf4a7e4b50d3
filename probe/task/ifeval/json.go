package ifeval

import (
	"encoding/json"
	"strings"

	"surgeon/probe/task/ifeval/internal/python"
)

// jsonFormat: the text is JSON, perhaps in a Markdown fence.
func jsonFormat(*arguments) check {
	return func(_ *judge, r *reply) bool {
		text := python.Strip(r.text)
		for _, fence := range []string{"```json", "```Json", "```JSON", "```"} {
			text = strings.TrimPrefix(text, fence)
		}
		return validJSON(python.Strip(strings.TrimSuffix(text, "```")))
	}
}

// digitLimit is how many digits Python lets a whole number have.
const digitLimit = 4300

// validJSON says whether Python's json.loads reads a text. It takes NaN,
// Infinity and -Infinity for numbers, and no whole number of more than 4,300
// digits; all else is as in encoding/json.
func validJSON(text string) bool {
	var plain strings.Builder // with a 0 for these words
	for i := 0; i < len(text); {
		rest := text[i:]
		switch c := text[i]; {
		case c == '"':
			end := stringEnd(rest)
			plain.WriteString(rest[:end])
			i += end
		case strings.HasPrefix(rest, "NaN"):
			plain.WriteString(" 0 ")
			i += len("NaN")
		case strings.HasPrefix(rest, "Infinity"):
			plain.WriteString(" 0 ")
			i += len("Infinity")
		case strings.HasPrefix(rest, "-Infinity"):
			plain.WriteString(" 0 ")
			i += len("-Infinity")
		case '0' <= c && c <= '9' || c == '-':
			end, whole := numberEnd(rest)
			if whole > digitLimit {
				return false
			}
			plain.WriteString(rest[:end])
			i += end
		default:
			plain.WriteByte(c)
			i++
		}
	}
	return json.Valid([]byte(plain.String()))
}

// stringEnd is where the string that a text begins with ends.
func stringEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// numberEnd is where the number that a text begins with ends, and how many
// digits it has if it is a whole one.
func numberEnd(text string) (end, digits int) {
	end = 1
	for end < len(text) && strings.IndexByte("0123456789.eE+-", text[end]) >= 0 && !strings.HasPrefix(text[end:], "-I") {
		end++
	}
	if strings.ContainsAny(text[:end], ".eE") {
		return end, 0
	}
	return end, len(strings.TrimLeft(text[:end], "-"))
}
