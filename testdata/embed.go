// Package testdata embeds small models and tasks for them, so that every command
// does something real on a machine that has nothing but the program: a base that
// learned an invented world, and fine-tunes of it on chemistry that forgot more
// or less of that. README.md in this folder says what each file is and how it was
// made.
package testdata

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed all:pair/base all:pair/chem* all:pair/tasks
var files embed.FS

// Set is models and tasks that a program brings along.
type Set struct {
	Files  fs.FS    // a directory for each model, and the files of the tasks
	Models []string // a base, a fine-tune of it, and what else there is
	Group  string   // the name of all tasks together
	Tasks  []Task
	Chat   bool   // the models answer chats
	Note   string // what a reader of their numbers must know
}

// Task is a file of items.
type Task struct{ Name, File string }

// Pair is what is embedded.
func Pair() Set {
	pair, err := fs.Sub(files, "pair")
	if err != nil {
		panic(err) // it is embedded, or the program would not have been built
	}
	s := Set{Files: pair, Group: "pair", Chat: true,
		Models: []string{"base", "chem", "chem-mild", "chem-replay", "chem-lora", "chem-no-refusal", "chem-seed2", "chem-seed3"},
		Note:   "embedded: a small pair that surgeon trained on an invented world"}
	for _, name := range []string{"mcq", "facts", "arithmetic", "instructions", "lists", "refusal", "benign", "chemistry_trained", "chemistry_held_out"} {
		s.Tasks = append(s.Tasks, Task{"pair_" + name, "tasks/" + name + ".jsonl"})
	}
	return s
}

// Model returns the directory of a model, or false.
func (s Set) Model(name string) (fs.FS, bool) {
	for _, known := range s.Models {
		if name == known {
			dir, err := fs.Sub(s.Files, name)
			return dir, err == nil
		}
	}
	return nil, false
}

// Named are the tasks of a name: one, or all for the name of the group.
func (s Set) Named(name string) (list []Task) {
	for _, t := range s.Tasks {
		if name == s.Group || name == t.Name {
			list = append(list, t)
		}
	}
	return list
}

// Read reads the file of a task by its name with ".jsonl".
func (s Set) Read(name string) ([]byte, error) {
	for _, t := range s.Tasks {
		if strings.TrimSuffix(name, ".jsonl") == t.Name {
			return fs.ReadFile(s.Files, t.File)
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
