package record

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// grade adds a scorer's value to the scores: C, I, P and N are 1, 0, 0.5 and 0,
// the members of objects and lists are scores of their own, a list of truth
// values is a share, and null or NaN, which no scorer gave, is none.
func (r *Record) grade(metric string, raw json.RawMessage, unknown map[string]bool) {
	switch {
	case len(raw) == 0:
	case raw[0] == '{':
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) == nil {
			for _, key := range sortedKeys(object) {
				r.gradeOne(metric+"."+key, object[key], unknown)
			}
		}
	case raw[0] == '[':
		var parts []bool
		var list []json.RawMessage
		if json.Unmarshal(raw, &parts) == nil && len(parts) > 0 {
			if r.Parts == nil {
				r.Parts = map[string][]bool{}
			}
			r.Parts[metric], r.Scores[metric] = parts, share(parts)
		} else if json.Unmarshal(raw, &list) == nil {
			for i, value := range list {
				r.gradeOne(metric+"."+strconv.Itoa(i), value, unknown)
			}
		}
	default:
		r.gradeOne(metric, raw, unknown)
	}
}

// inspectValues are the words for scores.
var inspectValues = map[string]float64{"C": 1, "I": 0, "P": 0.5, "N": 0, "yes": 1, "no": 0}

func (r *Record) gradeOne(metric string, raw json.RawMessage, unknown map[string]bool) {
	text, ok := scalarText(raw)
	score, scored := inspectValues[text]
	if !scored {
		score, scored = inspectValues[strings.ToLower(text)]
	}
	var err error
	if !scored && ok {
		score, scored, err = scoreOf(text)
	}
	switch {
	case !ok || err != nil:
		if len(unknown) < 100 {
			unknown[fmt.Sprintf("%.40q", raw)] = true
		}
	case scored:
		r.Scores[metric] = score
	}
}
