package dataset

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Tables reads a data set, of the splits that are named or else of all, sorted
// by configuration and split. Notes tell, in words, which files were left out
// and why. What is not there at all is an error that says what to get.
func (f *Folder) Tables(k *Kind, splits ...string) (tables []Table, notes []string, err error) {
	units, err := f.units(k)
	if err != nil {
		return nil, nil, err
	}
	for _, unit := range units {
		split := splitOf(unit[0].path)
		if k.splits && split == "" {
			notes = append(notes, fmt.Sprintf("%s is left out: it looks like %s, but neither its name nor its folder says train, dev, validation or test", unit[0].path, k.Name))
			continue
		}
		if len(splits) > 0 && !slices.Contains(splits, split) {
			continue
		}
		if !k.splits {
			split = ""
		}
		more, err := f.tablesOf(k, split, unit)
		if err != nil {
			return nil, notes, err
		}
		for _, t := range more {
			if tables, err = addTable(tables, t, k); err != nil {
				return nil, notes, err
			}
		}
	}
	if len(tables) == 0 {
		err := f.absent(k)
		if len(notes) > 0 {
			err = fmt.Errorf("%w; %s", err, notes[0])
		}
		return nil, notes, err
	}
	slices.SortFunc(tables, func(a, b Table) int {
		return cmp.Or(strings.Compare(a.Config, b.Config), strings.Compare(a.Split, b.Split))
	})
	return tables, notes, nil
}

// tablesOf reads files that follow each other and sorts their records into a
// table for each configuration.
func (f *Folder) tablesOf(k *Kind, split string, unit []source) ([]Table, error) {
	var tables []Table
	places := map[string]int{}
	for _, s := range unit {
		file, records, err := f.read(s)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			config := ""
			if k.config != nil {
				config = k.config(r)
			}
			i, ok := places[config]
			if !ok {
				i, places[config] = len(tables), len(tables)
				tables = append(tables, Table{Config: config, Split: split})
			}
			t := &tables[i]
			if n := len(t.Files); n == 0 || t.Files[n-1].Path != file.Path {
				t.Files = append(t.Files, file)
			}
			t.Records = append(t.Records, r)
		}
	}
	return tables, nil
}

// addTable adds a table unless it is there already; one with the same name and
// other records is an error.
func addTable(tables []Table, t Table, k *Kind) ([]Table, error) {
	i := slices.IndexFunc(tables, func(other Table) bool { return other.Config == t.Config && other.Split == t.Split })
	if i < 0 {
		return append(tables, t), nil
	}
	if slices.EqualFunc(tables[i].Records, t.Records, func(a, b Record) bool {
		return bytes.Equal(a.Doc, b.Doc) || DocHash(a.Doc) == DocHash(b.Doc)
	}) {
		return tables, nil
	}
	what := strings.TrimSpace(k.Name + " " + strings.TrimSpace(t.Config+" "+t.Split))
	return nil, fmt.Errorf("%s is there twice, in %s and in %s, and the two differ: leave one of them in the folder", what, tables[i].Files[0].Path, t.Files[0].Path)
}

// shard are the names of files that follow each other: of the hub's data sets,
// and of those that the hub has converted.
var shard = regexp.MustCompile(`^(.*?)-?(\d{5})-of-(\d{5})$|^()(\d{4})()$`)

// units lists the files of a kind, those together that follow each other.
func (f *Folder) units(k *Kind) ([][]source, error) {
	var units [][]source
	places := map[string]int{}
	for _, s := range f.sources {
		if !k.holds(s) {
			continue
		}
		key, ext := s.path, path.Ext(s.path)
		if m := shard.FindStringSubmatch(strings.TrimSuffix(path.Base(s.path), ext)); m != nil {
			key = path.Join(path.Dir(s.path), m[1]+"-of-"+m[3]+ext)
		}
		if k.parts && ext != ".jsonl" && ext != ".csv" {
			key = ext
		}
		i, ok := places[key]
		if !ok {
			i, places[key] = len(units), len(units)
			units = append(units, nil)
		}
		units[i] = append(units[i], s)
	}
	if k.prefer {
		units = preferTest(units)
	}
	for _, unit := range units {
		if err := complete(unit); err != nil && !k.parts {
			return nil, err
		}
	}
	return units, nil
}

// preferTest leaves only what is called test, where anything is.
func preferTest(units [][]source) [][]source {
	other := func(unit []source) bool { return splitOf(unit[0].path) != "test" }
	if !slices.ContainsFunc(units, func(unit []source) bool { return !other(unit) }) {
		return units
	}
	return slices.DeleteFunc(units, other)
}

// complete checks that no shard is missing. The files stand in the order of
// their names.
func complete(unit []source) error {
	for i, s := range unit {
		m := shard.FindStringSubmatch(strings.TrimSuffix(path.Base(s.path), path.Ext(s.path)))
		if m == nil {
			continue
		}
		number, _ := strconv.Atoi(m[2] + m[5])
		total, err := strconv.Atoi(m[3])
		if err != nil {
			total = len(unit) // of files that the hub has converted no name says how many there are
		}
		if number != i {
			return fmt.Errorf("%s is shard %d, counted from 0, and shard %d is missing", s.path, number, i)
		}
		if i == len(unit)-1 && total != len(unit) {
			return fmt.Errorf("%s is the last shard that is there, and the names say that there are %d: get the others", s.path, total)
		}
	}
	return nil
}

// splitOf is the split that the name of a file, or else of a folder around it,
// says; "" for none.
func splitOf(file string) string {
	words := strings.FieldsFunc(strings.ToLower(path.Base(file)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	folders := strings.Split(strings.ToLower(path.Dir(file)), "/")
	slices.Reverse(words)
	slices.Reverse(folders)
	for _, word := range append(words, folders...) {
		switch word {
		case "train", "test", "dev", "validation":
			return word
		case "val", "valid":
			return "validation"
		}
	}
	return ""
}
