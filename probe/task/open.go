package task

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"surgeon/probe/task/dataset"
)

// Basket is the tasks that were asked for.
type Basket struct {
	Tasks []Task
	Notes []string       // what is not asked, and why, in words
	Files []dataset.File // that the tasks came from, each once
}

// ErrNoData is the reason where a benchmark's files are needed and Options have
// no folder.
var ErrNoData = errors.New("no data folder is given")

// Options of Open.
type Options struct {
	// Data is the folder with the benchmarks; nil for none, which is enough for
	// files.
	Data *dataset.Folder
	// ReadFile reads a file that is named as a task; nil is os.ReadFile.
	ReadFile func(name string) ([]byte, error)
	// Names are more names that a caller knows, for its messages.
	Names []string
}

// Open finds tasks by name: those that Names lists, with TOPIC a topic of
// ChemBench, and files of JSON lines (.jsonl: items as ReadForms reads them, or
// texts in a field page or text) and texts (.txt), whose perplexity is asked.
// Tasks stand in the order of the names, the subjects of a group in alphabetical
// order, and none twice. An error is of one sentence and says what is wanted
// where something is unknown or absent.
func Open(names []string, opt Options) (Basket, error) {
	o := &opener{data: opt.Data, readFile: opt.ReadFile, tablesOf: map[string][]dataset.Table{}}
	if o.readFile == nil {
		o.readFile = os.ReadFile
	}
	known := openings()
	for _, name := range names {
		open, ok := known[name]
		var err error
		switch {
		case isFile(name):
			err = o.file(name)
		case !ok && strings.HasPrefix(name, "chembench_"):
			err = o.chembench(name)
		case !ok:
			more := slices.Concat(slices.Collect(maps.Keys(known)), opt.Names)
			err = fmt.Errorf("unknown task %q%s: there are %s, and files .jsonl and .txt", name, suggestion(name, more), strings.Join(slices.Concat(Names(), opt.Names), ", "))
		default:
			err = open(o)
		}
		if err != nil {
			return Basket{}, err
		}
	}
	return o.basket, nil
}

// Names lists the names of tasks, with SUBJECT and TOPIC where there are many.
func Names() []string {
	var names []string
	for _, v := range mmluVariants {
		names = append(names, v.prefix)
		for _, group := range mmluGroups {
			names = append(names, "mmlu_"+group.name+v.end)
		}
		names = append(names, "mmlu_SUBJECT"+v.end)
	}
	for _, v := range gsm8kVariants {
		names = append(names, v.name)
	}
	return append(names, "ifeval", "chembench", "chembench_TOPIC", "safety", "instruct", "refusal", "wikitext", "perplexity")
}

// opening opens what a name stands for.
type opening func(*opener) error

func openings() map[string]opening {
	names := map[string]opening{
		"ifeval":     (*opener).ifeval,
		"chembench":  func(o *opener) error { return o.chembench("chembench") },
		"safety":     (*opener).safety,
		"instruct":   (*opener).instruct,
		"refusal":    (*opener).refusal,
		"wikitext":   (*opener).wikitext,
		"perplexity": (*opener).perplexity,
	}
	registerMMLU(names)
	registerGSM8K(names)
	return names
}

// opener collects tasks.
type opener struct {
	data     *dataset.Folder
	readFile func(string) ([]byte, error)
	tablesOf map[string][]dataset.Table // that were read, by kind and splits
	basket   Basket
}

// tables reads a data set once.
func (o *opener) tables(kind *dataset.Kind, splits ...string) ([]dataset.Table, error) {
	if o.data == nil {
		return nil, fmt.Errorf("%s is needed and %w: want one with %s", kind.Name, ErrNoData, kind.Forms)
	}
	key := strings.Join(append([]string{kind.Name}, splits...), " ")
	if tables, ok := o.tablesOf[key]; ok {
		return tables, nil
	}
	tables, notes, err := o.data.Tables(kind, splits...)
	if err != nil {
		return nil, err
	}
	o.basket.Notes = append(o.basket.Notes, notes...)
	o.tablesOf[key] = tables
	return tables, nil
}

// table is the table of a configuration and a split; nil for none.
func table(tables []dataset.Table, config, split string) *dataset.Table {
	for i := range tables {
		if tables[i].Config == config && tables[i].Split == split {
			return &tables[i]
		}
	}
	return nil
}

// add adds a task that is not there yet.
func (o *opener) add(t Task) {
	if slices.ContainsFunc(o.basket.Tasks, func(other Task) bool { return other.Name == t.Name }) {
		return
	}
	o.basket.Tasks = append(o.basket.Tasks, t)
	for _, file := range t.Files {
		if !slices.Contains(o.basket.Files, file) {
			o.basket.Files = append(o.basket.Files, file)
		}
	}
}

func (o *opener) note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(o.basket.Notes, note) {
		o.basket.Notes = append(o.basket.Notes, note)
	}
}

func isFile(name string) bool {
	return strings.ContainsAny(name, `/\`) || slices.Contains([]string{".jsonl", ".ndjson", ".txt"}, strings.ToLower(path.Ext(name)))
}

// file opens a file as tasks that are called as it.
func (o *opener) file(name string) error {
	data, err := o.readFile(name)
	if err != nil {
		return fmt.Errorf("task %w", err) // which names it
	}
	file := dataset.File{Path: name, SHA256: dataset.Digest(data)}
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	title := strings.TrimSuffix(base, path.Ext(base))
	set, err := o.fileTasks(name, title, &file, data)
	if err != nil {
		return err
	}
	for _, t := range set.Tasks {
		if slices.ContainsFunc(o.basket.Tasks, func(other Task) bool { return other.Name == t.Name }) {
			return fmt.Errorf("%s: a task called %s is there already: rename the file", name, t.Name)
		}
		t.Files = []dataset.File{file}
		o.add(t)
	}
	for _, form := range sortedKeys(set.Skipped) {
		if n := set.Skipped[form]; n == 1 {
			o.note("%s: 1 item of the form %q is not asked", name, form)
		} else {
			o.note("%s: %d items of the form %q are not asked", name, n, form)
		}
	}
	return nil
}

// fileTasks reads items, or texts whose perplexity is asked.
func (o *opener) fileTasks(name, title string, file *dataset.File, data []byte) (Set, error) {
	if strings.EqualFold(path.Ext(name), ".txt") {
		text := string(data)
		switch {
		case !utf8.ValidString(text):
			return Set{}, fmt.Errorf("%s: not UTF-8: want a text", name)
		case strip(text) == "":
			return Set{}, fmt.Errorf("%s: the text is empty", name)
		}
		file.Rows = 1
		item := Item{ID: title, Prompt: text, Words: words(text), Bytes: len(text)}
		return Set{Tasks: []Task{{Name: title, Form: Perplexity, FixedShots: true, Items: []Item{item}}}}, nil
	}
	records, err := dataset.Lines(name, data)
	if err != nil {
		return Set{}, err
	}
	if records != nil {
		file.Rows = len(records)
		t, err := textsTask(title, records, nil)
		return Set{Tasks: []Task{t}}, err
	}
	set, err := ReadForms(title, name, bytes.NewReader(data))
	for _, t := range set.Tasks {
		file.Rows += len(t.Items)
	}
	for _, n := range set.Skipped {
		file.Rows += n
	}
	return set, err
}

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// suggestion is ", did you mean …" for the nearest of the names that are near.
func suggestion(name string, names []string) string {
	best, least := "", len(name)/3+1
	for _, other := range slices.Sorted(slices.Values(names)) {
		if d := distance(strings.ToLower(name), other); d < least {
			best, least = other, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %s", best)
}

// distance is the edit distance of Levenshtein, where two neighbours that stand
// the wrong way round are one edit too (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
