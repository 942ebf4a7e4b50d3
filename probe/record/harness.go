package record

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
)

// Samples of lm-evaluation-harness (lm_eval/loggers/evaluation_tracker.py): a
// file a task, a line a document and filter. Until 0.4.2 a file was one list
// instead. Lines of the same document become one record.

// samples is a file of samples that is read.
type samples struct {
	run      *Run
	folder   harnessFolder
	task     string
	first    int                 // of its records in run
	places   map[string]int      // of records, by document
	lines    map[[2]string]int   // by document and filter
	unscored tally               // lines
	several  tally               // lines with more than one response
	skipped  map[string]struct{} // metrics without a score per document
	corpus   map[string]struct{} // metrics that are not the mean of their documents
}

// readSamples reads a samples file into a run.
func readSamples(run *Run, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	s := &samples{run: run, folder: besides(run, path), first: len(run.Records), places: map[string]int{}, lines: map[[2]string]int{},
		skipped: map[string]struct{}{}, corpus: map[string]struct{}{}}
	s.task = s.folder.taskOf(path)
	if err := eachObject(path, file, s.add); err != nil {
		return err
	}
	s.end(path)
	return nil
}

// eachObject calls visit with every object of a file that holds one a line, or a
// list of them, and its line or its place in the list, from 1.
func eachObject(path string, file io.ReadSeeker, visit func(number int, object map[string]json.RawMessage) error) error {
	text := newLines(file)
	for text.scan() {
		line := text.trim()
		switch {
		case text.long:
			return fmt.Errorf("%s:%d: is longer than %d bytes", path, text.number, maxLine)
		case len(line) == 0:
			continue
		case line[0] == '[' && text.number == 1:
			if _, err := file.Seek(0, io.SeekStart); err != nil {
				return err
			}
			return eachElement(path, file, visit)
		}
		var object map[string]json.RawMessage
		err := json.Unmarshal(withoutConstants(line), &object)
		if err = plain(err); err == nil {
			err = visit(text.number, object)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, text.number, err)
		}
	}
	if text.err != io.EOF {
		return fmt.Errorf("%s: %w", path, text.err)
	}
	return nil
}

// eachElement calls visit with every object of a list.
func eachElement(path string, r io.Reader, visit func(number int, object map[string]json.RawMessage) error) error {
	decoder := newDecoder(r)
	_, err := decoder.Token()
	for number := 1; err == nil && decoder.More(); number++ {
		var object map[string]json.RawMessage
		if err = plain(decoder.Decode(&object)); err == nil {
			err = visit(number, object)
		}
		if err != nil {
			return fmt.Errorf("%s: element %d: %w", path, number, err)
		}
	}
	if err == nil {
		_, err = decoder.Token()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, plain(err))
	}
	return nil
}

// add puts a sample into its document's record.
func (s *samples) add(number int, object map[string]json.RawMessage) error {
	line, err := parseSample(object)
	if err != nil {
		return err
	}
	if earlier, ok := s.lines[[2]string{line.document, line.filter}]; ok {
		return fmt.Errorf("document %s, filter %q is in line %d already: each must be there once", line.document, line.filter, earlier)
	}
	s.lines[[2]string{line.document, line.filter}] = number
	at, ok := s.places[line.document]
	if !ok {
		at = len(s.run.Records)
		s.places[line.document] = at
		s.run.Records = append(s.run.Records, s.newRecord(line))
	}
	r := &s.run.Records[at]
	if line.docHash != r.DocHash {
		return fmt.Errorf("document %s has another doc_hash here (%.12s) than in an earlier line (%.12s)", line.document, line.docHash, r.DocHash)
	}
	if line.several {
		s.several.add(number)
	}
	if !s.grade(r, line) {
		s.unscored.add(number)
	}
	return nil
}

// newRecord is a record without scores.
func (s *samples) newRecord(line sampleLine) Record {
	r := Record{Model: s.folder.model, Task: s.task, Item: line.document, Seed: s.folder.seed,
		DocHash: line.docHash, PromptHash: line.promptHash,
		LogProbs: line.logProbs, Greedy: line.greedy, Text: line.text, Scores: map[string]float64{}}
	if len(r.LogProbs) > 1 {
		chosen := argmax(r.LogProbs)
		r.Chosen = &chosen
	}
	if line.own != nil {
		line.own.restore(&r)
	}
	return r
}

// argmax is the place of the largest number, the first of equal ones.
func argmax(numbers []float64) int {
	best := 0
	for i, x := range numbers {
		if x > numbers[best] || math.IsNaN(numbers[best]) {
			best = i
		}
	}
	return best
}

// grade adds a line's scores to the record, and reports whether there are any.
func (s *samples) grade(r *Record, line sampleLine) (scored bool) {
	for _, name := range line.metrics {
		metric := strings.TrimSuffix(name, ",none")
		if line.filter != "none" && !strings.Contains(metric, ",") {
			metric += "," + line.filter
		}
		score, parts, kind := gradeOf(name, line.values[name])
		switch kind {
		case noScore:
			continue
		case noScorePerDocument:
			s.skipped[name] = struct{}{}
			continue
		case scoreOfCorpus:
			s.corpus[name] = struct{}{}
		}
		if line.own != nil {
			if own, ok := line.own.Scores[metric]; ok {
				score = own
			}
		}
		scored = true
		r.Scores[metric] = score
		if parts != nil {
			if r.Parts == nil {
				r.Parts = map[string][]bool{}
			}
			r.Parts[metric] = parts
		}
		if line.own == nil && line.extracted != nil && (line.filter != "none" || r.Text != nil && *line.extracted != *r.Text) {
			if r.Extracted == nil {
				r.Extracted = map[string]string{}
			}
			r.Extracted[metric] = *line.extracted
		}
	}
	return scored
}

// end drops documents without scores, and says what was left out.
func (s *samples) end(path string) {
	s.run.Records = append(s.run.Records[:s.first], slices.DeleteFunc(s.run.Records[s.first:], func(r Record) bool { return len(r.Scores) == 0 })...)
	if s.unscored.count > 0 {
		s.run.note("%s: %s left out for want of a score (%s)", path, counted(s.unscored.count, "sample"), s.unscored)
	}
	if s.several.count > 0 {
		s.run.note("%s: %s with several responses, of which the first is kept (%s)", path, counted(s.several.count, "sample"), s.several)
	}
	if names := sortedKeys(s.skipped); len(names) > 0 {
		s.run.note("%s: %s: no score for each document, left out", path, strings.Join(names, ", "))
	}
	if names := sortedKeys(s.corpus); len(names) > 0 {
		s.run.note("%s: %s: kept for each document; that of the whole text is not their mean", path, strings.Join(names, ", "))
	}
}

// scoreKind is what a metric's value in a sample is.
type scoreKind int

const (
	hasScore scoreKind = iota
	noScore
	noScorePerDocument
	scoreOfCorpus
)

// gradeOf reads a metric's value: a truth value, a number, a list of truth values
// or, for perplexities, the log-likelihood of a text and its length.
func gradeOf(metric string, raw json.RawMessage) (score float64, parts []bool, kind scoreKind) {
	if len(raw) > 0 && raw[0] == '[' {
		return gradeOfList(metric, raw)
	}
	text, ok := scalarText(raw)
	score, scored, err := scoreOf(text)
	switch {
	case !ok || err != nil:
		return 0, nil, noScorePerDocument
	case !scored:
		return 0, nil, noScore
	}
	return score, nil, hasScore
}

func gradeOfList(metric string, raw json.RawMessage) (score float64, parts []bool, kind scoreKind) {
	if json.Unmarshal(raw, &parts) == nil {
		if len(parts) == 0 {
			return 0, nil, noScore
		}
		return share(parts), parts, hasScore
	}
	var pair []float64
	if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 || pair[1] <= 0 {
		return 0, nil, noScorePerDocument
	}
	nats := -pair[0] / pair[1]
	switch metric {
	case "word_perplexity", "byte_perplexity":
		score = math.Exp(nats)
	case "bits_per_byte":
		score = nats / math.Ln2
	default:
		return 0, nil, noScorePerDocument
	}
	if !(math.Abs(score) <= largestScore) {
		return 0, nil, noScore
	}
	return score, nil, scoreOfCorpus
}

// share is how much of the parts is true.
func share(parts []bool) float64 {
	count := 0
	for _, part := range parts {
		if part {
			count++
		}
	}
	return float64(count) / float64(len(parts))
}
