package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"surgeon/probe"
)

// journal keeps the answers of a run that may be killed, so that the same
// command goes on where it ended. It lies in the user's cache directory and is
// removed when the run is through.
type journal struct {
	*answers
	places map[[3]int]int // candidate, task and item -> question
}

// journalLine is a line of a journal.
type journalLine struct {
	Key    string       `json:"key"`
	Answer probe.Answer `json:"answer"`
}

// openJournal finds or makes the journal of a run. identity names the models and
// all that decides their answers but the items. Where there is no place for a
// journal the run goes on without: it is nil then.
func openJournal(identity string, b *probe.Bench, candidates []probe.Candidate) *journal {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	dir = filepath.Join(dir, "surgeon", "unfinished")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil
	}
	identity = fmt.Sprintf("%s %q %d %q %v %v", Version, identity, b.MaxTokens, b.Stop, b.EOS, b.Chat != nil)
	j := &journal{places: map[[3]int]int{}}
	var keys []string
	for k, candidate := range candidates {
		for t, of := range b.Tasks {
			for i, item := range of.Items {
				j.places[[3]int{k, t, i}] = len(keys)
				keys = append(keys, keyOf(identity, fmt.Appendf(nil, "%s %s %d %d %+v", candidate.ID, of.Name, t, i, item)))
			}
		}
	}
	name := sha256.Sum256([]byte(strings.Join(keys, "")))
	j.answers, err = resume(filepath.Join(dir, hex.EncodeToString(name[:8])+".jsonl"), keys)
	if err != nil {
		return nil
	}
	return j
}

// attach makes a bench know the answers of a journal and add its own. It
// returns how many there were.
func (j *journal) attach(b *probe.Bench, candidates int) int {
	if j == nil {
		return 0
	}
	b.Known = make([][]probe.Answer, candidates)
	for place, question := range j.places {
		if !j.has(question) {
			continue
		}
		var line journalLine
		if json.Unmarshal(j.lines[question], &line) == nil {
			line.Answer.Task, line.Answer.Item = place[1], place[2]
			b.Known[place[0]] = append(b.Known[place[0]], line.Answer)
		}
	}
	b.Answered = func(k int, a probe.Answer) {
		question := j.places[[3]int{k, a.Task, a.Item}]
		// A journal that cannot be written costs time after a kill, nothing else.
		_ = j.add(question, journalLine{j.keys[question], a})
	}
	return j.kept
}

// close ends the journal, and removes it after a run that is through.
func (j *journal) close(through bool) {
	if j == nil {
		return
	}
	j.answers.close()
	if info, err := os.Stat(j.path); through || err == nil && info.Size() == 0 {
		os.Remove(j.path)
	}
}

// scored runs a bench with a journal.
func scored(ctx context.Context, b *probe.Bench, identity string, candidates []probe.Candidate) (scores []probe.Scores, kept int, err error) {
	j := openJournal(identity, b, candidates)
	kept = j.attach(b, len(candidates))
	scores, err = b.Score(ctx, candidates)
	j.close(err == nil)
	if err != nil && j != nil {
		err = stopped{j.count(), "", err}
	}
	return scores, kept, err
}

// stopped is the error of a run whose answers are kept.
type stopped struct {
	answers int
	file    string // that holds them; "" for a journal
	error
}

// say is what a user is told of an interrupted run.
func (s stopped) say() string {
	kept, where := plural(s.answers, "answer")+" are kept", ""
	if s.answers == 1 {
		kept = "1 answer is kept"
	}
	if s.file != "" {
		where = " in " + s.file
	}
	if s.answers == 0 {
		return "interrupted before the first answer was finished"
	}
	return fmt.Sprintf("interrupted: %s%s, the same command goes on from there", kept, where)
}

// Unwrap returns the reason.
func (s stopped) Unwrap() error { return s.error }
