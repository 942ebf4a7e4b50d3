// Package dataset finds benchmark data in a folder and reads it, record by
// record, without changing any.
//
// The story in order:
//
//  1. [Open] looks at the beginning of every .parquet, .jsonl, .json and .csv
//     file below a folder. A data set is known by its columns, not by its name:
//     the folder may be a clone of a repository, the hub's cache or a hand-made
//     heap.
//  2. A [Kind] is a data set that surgeon has a task for: [MMLU], [GSM8K],
//     [IFEval], [ChemBench], [SafetyTests], [Pages] and [Texts].
//  3. [Folder.Tables] reads the files of a kind and hands them out as a [Table]
//     for each configuration (a subject of MMLU) and split. Shards are put
//     together in order. Two copies of a table are one if their records are
//     equal, and an error if they differ. What is not there is an error that
//     says what to get.
//  4. A [Record] is a JSON object with its fields in the order of the data set
//     and its numbers as they are written, so that [DocHash] is the doc_hash of
//     lm-evaluation-harness. Every table names its files with their SHA-256.
//
// The package knows what a data set looks like, not what its questions mean:
// that a right answer is among the choices is checked by who reads the records.
package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// File is a file that records came from.
type File struct {
	Path   string `json:"path"` // below the folder that was opened, with slashes
	SHA256 string `json:"sha256"`
	Rows   int    `json:"rows"`
}

// Record is a row of a data set.
type Record struct {
	Doc  []byte // a JSON object
	File string
	Unit string // what Number counts: line, row or item
	// Number counts from 1. Of a record over several lines of a CSV file it is
	// the first line.
	Number int
}

// Errorf is an error about a record, which it names.
func (r Record) Errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", r.Where(), fmt.Errorf(format, args...))
}

// Where names a record: file:line, or the file and the row.
func (r Record) Where() string {
	if r.Unit == "line" {
		return fmt.Sprintf("%s:%d", r.File, r.Number)
	}
	return fmt.Sprintf("%s, %s %d", r.File, r.Unit, r.Number)
}

// Table is a split of a data set or of one of its configurations.
type Table struct {
	Config  string // the subject of MMLU; "" of a data set without
	Split   string // train, dev, validation or test; "" where the files do not say
	Files   []File
	Records []Record
}

// Folder is what lies below a folder.
type Folder struct {
	name    string
	fsys    fs.FS
	sources []source
}

// Open looks through a folder of the operating system.
func Open(dir string) (*Folder, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the data folder %s is not there", dir)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("the data folder %s is a file: want the folder that it lies in", dir)
	}
	return OpenFS(dir, os.DirFS(dir))
}

// OpenFS looks through a file system, which name is the name of in messages.
// Hidden files and folders below it are left out. Files are read again when
// their records are asked for.
func OpenFS(name string, fsys fs.FS) (*Folder, error) {
	f := &Folder{name: name, fsys: fsys}
	err := fs.WalkDir(fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		hidden := file != "." && strings.HasPrefix(path.Base(file), ".")
		switch {
		case err != nil:
			return err
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case entry.IsDir() || hidden:
			return nil
		}
		if formatOf(file) != "" {
			f.sources = append(f.sources, sniff(fsys, file))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be read: %w", name, err)
	}
	slices.SortFunc(f.sources, func(a, b source) int { return strings.Compare(a.path, b.path) })
	return f, nil
}

// Name is the folder's name, for messages.
func (f *Folder) Name() string { return f.name }
