// Package testdata embeds a small base and fine-tuned model and a task for
// them, so that every command does something real on a machine that has
// nothing but the program. README.md in this folder says what each file is
// and how it was made.
package testdata

import (
	"embed"
	"io/fs"
)

//go:embed pair
var pair embed.FS

// Note says of the embedded models what a reader of their numbers must know.
const Note = "embedded: a generated pair; nothing was learned"

// Models are the names of the embedded models, base first.
var Models = []string{"base", "chem"}

// Model returns the directory of an embedded model, or false.
func Model(name string) (fs.FS, bool) {
	for _, known := range Models {
		if name == known {
			dir, err := fs.Sub(pair, "pair/"+name)
			return dir, err == nil
		}
	}
	return nil, false
}

// TaskName is the name of the embedded task.
const TaskName = "symbols"

// Task returns the embedded task, JSON lines of multiple-choice items.
func Task() []byte {
	data, err := pair.ReadFile("pair/" + TaskName + ".jsonl")
	if err != nil {
		panic(err) // it is embedded, or the program would not have been built
	}
	return data
}
