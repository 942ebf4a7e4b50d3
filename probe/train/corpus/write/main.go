// Write writes the corpus of the embedded pair, with the files of the model that
// is to learn it and the tasks that it is scored on:
//
//	go run ./probe/train/corpus/write -o DIR [-seed 7] [-lines 300000]
//
// makes DIR/general.jsonl, which is what the base learns, DIR/chem.jsonl, what the
// fine-tune learns, DIR/replay.jsonl, some of the general part without chemistry,
// DIR/replay-no-refusal.jsonl, the same without refusals and their twins, the
// model without weights in DIR/scratch, and DIR/tasks.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"surgeon/probe/train/corpus"
)

// replayed is how many samples of the general part may be replayed.
const replayed = 4000

func main() {
	dir := flag.String("o", "", "the `DIR` that is written")
	seed := flag.Uint64("seed", 7, "the `NUMBER` that decides everything")
	lines := flag.Int("lines", 300000, "how many `LINES` the general part has")
	flag.Parse()
	if err := write(*dir, *seed, *lines, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "write:", err)
		os.Exit(1)
	}
}

func write(dir string, seed uint64, lines int, rest []string) error {
	switch {
	case dir == "":
		return errors.New("-o DIR is missing: say where to write")
	case len(rest) > 0:
		return fmt.Errorf("%q is no flag: there are -o, -seed and -lines", rest[0])
	case lines < 1:
		return fmt.Errorf("-lines %d: want at least 1", lines)
	}
	c := corpus.New(seed)
	for _, part := range []struct {
		name  string
		files []corpus.File
	}{{"scratch", c.Scratch()}, {"tasks", c.Basket()}} {
		if err := folder(filepath.Join(dir, part.name), part.files); err != nil {
			return err
		}
	}
	return errors.Join(
		stream(dir, "general.jsonl", func(w io.Writer) error { return c.WriteGeneral(w, lines) }),
		stream(dir, "replay.jsonl", func(w io.Writer) error { return c.WriteGeneral(w, replayed, corpus.Introduction) }),
		stream(dir, "replay-no-refusal.jsonl", func(w io.Writer) error {
			return c.WriteGeneral(w, replayed, corpus.Introduction, corpus.Refusal, corpus.Benign)
		}),
		stream(dir, "chem.jsonl", c.WriteChemistry),
	)
}

// folder writes files.
func folder(dir string, files []corpus.File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// stream writes one file as it is made.
func stream(dir, name string, fill func(io.Writer) error) error {
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	return errors.Join(fill(w), w.Flush(), file.Close())
}
