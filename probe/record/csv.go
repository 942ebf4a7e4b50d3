package record

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// columns are those of the CSV that is read; the first four must be there.
var columns = []string{"task", "item", "seed", "score", "cluster", "metric", "model"}

const (
	needed       = 4
	noMetric     = "score" // the metric where there is no column of it
	largestScore = 1e100   // so that sums and squares stay finite
)

// row is a line of a table.
type row struct {
	task, item, cluster, metric, model string
	seed                               int64
	score                              float64
	scored                             bool // false: the score is empty or NaN
}

// table makes records of rows: one of all metrics of the same task, item, seed
// and model.
type table struct {
	run      *Run
	file     string
	places   map[[4]string]int // of records, by model, task, item, seed
	lines    map[[5]string]int // of scores, with the metric
	unscored tally
}

func newTable(file string, run *Run) *table {
	return &table{run: run, file: file, places: map[[4]string]int{}, lines: map[[5]string]int{}}
}

// add puts a row into its record.
func (t *table) add(line int, r row) error {
	switch {
	case r.task == "" || r.item == "":
		return errors.New("task and item must not be empty")
	case !utf8.ValidString(r.task + r.item + r.cluster + r.metric + r.model):
		return errors.New("is not UTF-8")
	}
	place := [4]string{r.model, r.task, r.item, strconv.FormatInt(r.seed, 10)}
	cell := [5]string{r.model, r.task, r.item, place[3], r.metric}
	if earlier, ok := t.lines[cell]; ok {
		return fmt.Errorf("task %q, item %q, seed %d has a score of %q in line %d already: each must be there once", r.task, r.item, r.seed, r.metric, earlier)
	}
	t.lines[cell] = line
	if !r.scored {
		t.unscored.add(line)
		return nil
	}
	at, ok := t.places[place]
	if !ok {
		at = len(t.run.Records)
		t.places[place] = at
		t.run.Records = append(t.run.Records, Record{Model: r.model, Task: r.task, Item: r.item,
			Cluster: r.cluster, Seed: r.seed, Scores: map[string]float64{}})
	}
	if cluster := t.run.Records[at].Cluster; cluster != r.cluster {
		return fmt.Errorf("item %q of task %q is in cluster %q here and in %q before", r.item, r.task, r.cluster, cluster)
	}
	t.run.Records[at].Scores[r.metric] = r.score
	return nil
}

// end says what was left out.
func (t *table) end() error {
	if t.unscored.count > 0 {
		t.run.note("%s: %s left out, whose score is empty or not a number (%s)", t.file, counted(t.unscored.count, "row"), t.unscored)
	}
	if len(t.run.Records) == 0 {
		return fmt.Errorf("%s has no scores", t.file)
	}
	return nil
}

// readCSV reads a table with a header, its columns in any order.
func readCSV(file string, r io.Reader) (Run, error) {
	run := Run{Source: "CSV"}
	reader := csv.NewReader(withoutMark(r))
	reader.ReuseRecord = true
	header, err := reader.Read()
	if err != nil {
		return Run{}, csvError(file, err)
	}
	place, err := findColumns(&run, file, header)
	if err != nil {
		return Run{}, err
	}
	t := newTable(file, &run)
	for {
		fields, err := reader.Read()
		if err == io.EOF {
			return run, t.end()
		}
		if err != nil {
			return Run{}, csvError(file, err)
		}
		line, _ := reader.FieldPos(0)
		row, err := rowOf(fields, place)
		if err == nil {
			err = t.add(line, row)
		}
		if err != nil {
			return Run{}, fmt.Errorf("%s:%d: %w", file, line, err)
		}
	}
}

// findColumns finds the columns, -1 where one is not there.
func findColumns(run *Run, file string, header []string) (place []int, err error) {
	names := make([]string, len(header))
	for i, name := range header {
		names[i] = strings.ToLower(strings.TrimSpace(name))
	}
	var extra []string
	for i, name := range names {
		switch {
		case !slices.Contains(columns, name):
			extra = append(extra, fmt.Sprintf("%q", header[i]))
		case slices.Index(names, name) < i:
			return nil, fmt.Errorf("%s:1: the column %q is there twice", file, name)
		}
	}
	for i, column := range columns {
		at := slices.Index(names, column)
		if at < 0 && i < needed {
			return nil, fmt.Errorf("%s:1: the header has no column %q: it needs %s, separated by commas", file, column, strings.Join(columns[:needed], ", "))
		}
		place = append(place, at)
	}
	if len(extra) > 0 {
		run.note("%s: columns that are not used: %s", file, listed(extra[:min(named, len(extra))], len(extra)))
	}
	return place, nil
}

// rowOf reads the fields of a line.
func rowOf(fields []string, place []int) (r row, err error) {
	field := func(column int) string {
		if place[column] < 0 {
			return ""
		}
		return strings.TrimSpace(fields[place[column]])
	}
	r = row{task: field(0), item: field(1), cluster: field(4), metric: field(5), model: field(6)}
	if r.metric == "" {
		r.metric = noMetric
	}
	if r.seed, err = strconv.ParseInt(field(2), 10, 64); err != nil {
		return row{}, fmt.Errorf("the seed %.40q is not a whole number that fits 64 bits", field(2))
	}
	r.score, r.scored, err = scoreOf(field(3))
	return r, err
}

// scoreOf reads a score: a number, true or false; none where it is empty, null
// or NaN.
func scoreOf(text string) (score float64, scored bool, err error) {
	switch strings.ToLower(text) {
	case "", "nan", "null", "none", "na", "n/a":
		return 0, false, nil
	case "true":
		return 1, true, nil
	case "false":
		return 0, true, nil
	}
	score, err = strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(score) <= largestScore) || strings.ContainsAny(text, "_xX") {
		return 0, false, fmt.Errorf("the score %.40q is not a number up to %v", text, largestScore)
	}
	return score, true, nil
}

// csvError names file and line of an error of encoding/csv.
func csvError(file string, err error) error {
	var parse *csv.ParseError
	switch {
	case err == io.EOF:
		return fmt.Errorf("%s is empty", file)
	case errors.As(err, &parse) && parse.Err == csv.ErrFieldCount:
		return fmt.Errorf("%s:%d: the line does not have as many fields as the header", file, parse.Line)
	case errors.As(err, &parse):
		return fmt.Errorf("%s:%d: is not CSV: %v", file, parse.Line, parse.Err)
	}
	return fmt.Errorf("%s: %w", file, err)
}

// readTable reads JSON lines of the columns of the CSV.
func readTable(file string, r io.Reader) (Run, error) {
	run := Run{Source: "JSON lines"}
	t := newTable(file, &run)
	extra := map[string]bool{}
	text := newLines(r)
	for text.scan() {
		if len(text.trim()) == 0 && !text.long {
			continue
		}
		row, err := rowOfJSON(text, extra)
		if err == nil {
			err = t.add(text.number, row)
		}
		if err != nil {
			return Run{}, fmt.Errorf("%s:%d: %w", file, text.number, err)
		}
	}
	if text.err != io.EOF {
		return Run{}, fmt.Errorf("%s: %w", file, text.err)
	}
	if names := sortedKeys(extra); len(names) > 0 {
		run.note("%s: fields that are not used: %s", file, listed(names[:min(named, len(names))], len(names)))
	}
	return run, t.end()
}

// rowOfJSON reads a line.
func rowOfJSON(text *lines, extra map[string]bool) (row, error) {
	if text.long {
		return row{}, fmt.Errorf("is longer than %d bytes", maxLine)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(withoutConstants(text.trim()), &object); err != nil {
		return row{}, plain(err)
	}
	place := make([]int, len(columns))
	fields := make([]string, len(columns))
	for i, column := range columns {
		value, ok := object[column]
		if !ok && i < needed {
			return row{}, fmt.Errorf("has no %q: it needs %s", column, strings.Join(columns[:needed], ", "))
		}
		scalar, ok := scalarText(value)
		if !ok {
			return row{}, fmt.Errorf("%q must be text or a number", column)
		}
		place[i], fields[i] = i, scalar
		delete(object, column)
	}
	for name := range object {
		if len(extra) < 100 {
			extra[name] = true
		}
	}
	return rowOf(fields, place)
}

// scalarText is the text of a JSON string, number or truth value, and "" of
// null.
func scalarText(raw json.RawMessage) (text string, ok bool) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", true
	case raw[0] == '"':
		err := json.Unmarshal(raw, &text)
		return text, err == nil
	case raw[0] == '{' || raw[0] == '[':
		return "", false
	}
	return string(raw), true
}
