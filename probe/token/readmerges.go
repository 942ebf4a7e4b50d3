package token

import (
	"encoding/json"
	"strings"
)

// mergeLine is one line of the list of merges.
type mergeLine struct{ left, right string }

// merges looks the list of merges up. Of a pair that stands twice the last place
// counts, as in the reference.
func (f *file) merges(lines []mergeLine, v vocabulary) map[pair]merge {
	merges := make(map[pair]merge, len(lines))
	for i, line := range lines {
		left, knowLeft := v.ids[line.left]
		right, knowRight := v.ids[line.right]
		joined, knowJoined := v.ids[line.left+line.right]
		for j, known := range []bool{knowLeft, knowRight, knowJoined} {
			if !known {
				missing := []string{line.left, line.right, line.left + line.right}[j]
				f.refuse("%s joins %q and %q, but model.vocab has no %q", at("model.merges", i), line.left, line.right, missing)
				return nil
			}
		}
		merges[pair{left, right}] = merge{int32(i), joined}
	}
	return merges
}

// mergeLines reads merges written all as ["a", "b"] or all as "a b"; lines
// "#version" do not count.
func (f *file) mergeLines(data json.RawMessage) (lines []mergeLine) {
	const where = "model.merges"
	elements := f.list(where, data)
	asText := len(elements) > 0 && elements[0][0] == '"'
	for i, element := range elements {
		var parts []string
		var text string
		var err error
		if asText {
			err = json.Unmarshal(element, &text)
			if parts = strings.Split(text, " "); strings.HasPrefix(text, "#version") {
				continue
			}
		} else {
			err = json.Unmarshal(element, &parts)
		}
		if err != nil || len(parts) != 2 {
			f.refuse("%s is %s, not \"a b\" or [\"a\", \"b\"] like the others", at(where, i), excerpt(element))
			return nil
		}
		lines = append(lines, mergeLine{parts[0], parts[1]})
	}
	return lines
}
