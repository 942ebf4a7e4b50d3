package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// entry is a token with its row.
type entry struct {
	token string
	id    row
}

func byRow(a, b entry) int { return cmp.Or(cmp.Compare(a.id, b.id), strings.Compare(a.token, b.token)) }

// vocabularies are two vocabularies, token by token. Entries that belong
// together have the same index.
type vocabularies struct {
	moved     [2][]entry // the same token in two rows
	replaced  [2][]entry // the same row for two tokens, of which some is of the trained vocabulary
	renamed   [2][]entry // the same row for two added tokens
	baseOnly  []entry
	tunedOnly []entry
}

func align(base, tuned tokenizer) vocabularies {
	var v vocabularies
	for token, id := range base.ids {
		if other, ok := tuned.ids[token]; !ok {
			v.baseOnly = append(v.baseOnly, entry{token, id})
		} else if other != id {
			v.moved[0] = append(v.moved[0], entry{token, id})
		}
	}
	for token, id := range tuned.ids {
		if _, ok := base.ids[token]; !ok {
			v.tunedOnly = append(v.tunedOnly, entry{token, id})
		}
	}
	for _, list := range [][]entry{v.moved[0], v.baseOnly, v.tunedOnly} {
		slices.SortFunc(list, byRow)
	}
	for _, e := range v.moved[0] {
		v.moved[1] = append(v.moved[1], entry{e.token, tuned.ids[e.token]})
	}
	v.match(base, tuned)
	return v
}

// match finds tokens of one side alone that share a row with one of the other
// alone, and takes them out of what only one side has.
func (v *vocabularies) match(base, tuned tokenizer) {
	b, t := v.baseOnly, v.tunedOnly
	v.baseOnly, v.tunedOnly = nil, nil
	for len(b) > 0 && len(t) > 0 {
		switch {
		case b[0].id < t[0].id:
			v.baseOnly, b = append(v.baseOnly, b[0]), b[1:]
			continue
		case b[0].id > t[0].id:
			v.tunedOnly, t = append(v.tunedOnly, t[0]), t[1:]
			continue
		}
		_, addedBase := base.added[b[0].token]
		_, addedTuned := tuned.added[t[0].token]
		into := &v.replaced
		if addedBase && addedTuned {
			into = &v.renamed
		}
		into[0], into[1] = append(into[0], b[0]), append(into[1], t[0])
		b, t = b[1:], t[1:]
	}
	v.baseOnly, v.tunedOnly = append(v.baseOnly, b...), append(v.tunedOnly, t...)
}

// first is how many tokens of a list are shown.
const first = 3

// list renders the number of entries and the first of them.
func list(entries []entry) string {
	if len(entries) == 0 {
		return absent
	}
	var shown []string
	for _, e := range entries[:min(first, len(entries))] {
		shown = append(shown, fmt.Sprintf("%s = %d", brief(strconv.Quote(e.token)), e.id))
	}
	if len(entries) > first {
		shown = append(shown, "…")
	}
	return counted(len(entries), "token") + ": " + strings.Join(shown, ", ")
}

// brief shortens a quoted token: several of them stand in one line.
func brief(quoted string) string {
	if runes := []rune(quoted); len(runes) > 24 {
		return string(runes[:23]) + "…"
	}
	return quoted
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// findings says what the vocabularies differ in.
func (v vocabularies) findings() []Finding {
	var found []Finding
	for _, one := range []struct {
		severity    Severity
		field       string
		base, tuned []entry
		says        string
	}{
		{Error, "vocab.moved", v.moved[0], v.moved[1],
			"the same token has another id, so rows of the embeddings mean different tokens and their mixture means none: reorder the tuned model's rows to the base's ids first"},
		{Error, "vocab.replaced", v.replaced[0], v.replaced[1],
			"the same id stands for another token, so rows of the embeddings mean different tokens and their mixture means none: merge with the base whose tokenizer the fine-tune started from"},
		{Warning, "vocab.renamed", v.renamed[0], v.renamed[1],
			"an added token of the base was renamed, and its row is merged under the base's name: take over the tuned model's tokenizer if its chat format needs the new one"},
		{Warning, "vocab.base_only", v.baseOnly, nil,
			"the tuned model has lost these tokens, and their rows may hold something else there: check that its embeddings still have them"},
		{Warning, "vocab.tuned_only", nil, v.tunedOnly,
			"the tuned model has added tokens, which the base's tokenizer never produces: the base's rows are kept unless --on-mismatch tuned, and its tokenizer goes with them"},
	} {
		if len(one.base)+len(one.tuned) > 0 {
			found = append(found, Finding{one.severity, tokenizerFile, one.field, list(one.base), list(one.tuned), one.says})
		}
	}
	return found
}
