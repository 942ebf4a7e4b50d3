package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Severity says how bad a Finding is. The zero value is a Note, and a greater
// one is worse.
type Severity int

const (
	// Note is harmless, but worth knowing.
	Note Severity = iota
	// Warning: the merge runs but behaves differently from one of the parents.
	Warning
	// Error: the merge would be another model, or none.
	Error
)

// String returns "note", "warning" or "error".
func (s Severity) String() string {
	switch s {
	case Note:
		return "note"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("severity %d", int(s))
}

// MarshalText implements encoding.TextMarshaler; JSON has the word as well.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Finding is one difference between two model directories. Its strings hold
// nothing unprintable, whatever the files hold.
type Finding struct {
	Severity Severity `json:"severity"`
	File     string   `json:"file"`  // relative to the model directory
	Field    string   `json:"field"` // a dotted path as the base spells it; empty for the whole file
	Base     string   `json:"base"`  // the value there, clipped; "absent" if there is none
	Tuned    string   `json:"tuned"` // likewise
	Says     string   `json:"says"`  // one sentence: what it means for a merge, and what to do
}

// absent is what a Finding shows for a value or a file that is not there.
const absent = "absent"

// most is how many findings of one severity a file may have; the rest is
// counted in one more. A thousand class labels are not a thousand notes.
const most = 64

// arrange sorts findings, the worst first, and counts what is too many.
func arrange(findings []Finding) []Finding {
	slices.SortFunc(findings, worst)
	type group struct {
		severity Severity
		file     string
	}
	seen := map[group]int{}
	kept := slices.DeleteFunc(findings, func(f Finding) bool {
		seen[group{f.Severity, f.File}]++
		return seen[group{f.Severity, f.File}] > most
	})
	for g, n := range seen {
		if n > most {
			kept = append(kept, Finding{g.severity, g.file, "", "", "",
				fmt.Sprintf("%d more fields differ as badly: compare the two files directly", n-most)})
		}
	}
	slices.SortFunc(kept, worst)
	return kept
}

func worst(a, b Finding) int {
	return cmp.Or(cmp.Compare(b.Severity, a.Severity), strings.Compare(a.File, b.File), strings.Compare(a.Field, b.Field),
		strings.Compare(a.Base, b.Base), strings.Compare(a.Tuned, b.Tuned), strings.Compare(a.Says, b.Says))
}

// readable is how many characters of a value or a path are shown.
const readable = 72

// clip shortens text to a readable length.
func clip(text string) string {
	if utf8.RuneCountInString(text) <= readable {
		return text
	}
	return string([]rune(text)[:readable-1]) + "…"
}

// printable is a name from a file system, quoted if it must be.
func printable(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return clip(quoted)
	}
	return clip(name)
}

// shown is a value for a Finding: clipped, or the word for none.
func shown(text string, there bool) string {
	if !there {
		return absent
	}
	return clip(text)
}

// contrast leaves out what two long values begin with, but for a few
// characters, so that what differs is not clipped.
func contrast(a, b string) (string, string) {
	from := divergence([]rune(a), []rune(b)) - readable/4
	if from < readable/4 {
		return a, b
	}
	return "…" + string([]rune(a)[from:]), "…" + string([]rune(b)[from:])
}

// divergence is the first index at which two lists differ.
func divergence[E comparable](a, b []E) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
