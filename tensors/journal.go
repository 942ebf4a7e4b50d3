package tensors

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// journalFile lists what is finished in a partial directory: a line that
// identifies the write, then a Digest a line. It begins with a dot so that the
// directory never opens as a model by it.
const journalFile = ".journal"

// journal is an open journal, locked for this process.
type journal struct {
	file     *os.File
	finished map[string]Digest
}

// beginning is the first line of a journal.
type beginning struct {
	Identity string `json:"identity"` // of plan and inputs, SHA-256
	Shards   int    `json:"shards"`
}

// identity digests what a write is: its headers, and what its caller says the
// values come from.
func (p *checkpointPlan) identity(inputs string) beginning {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q\n", inputs)
	for _, s := range p.shards {
		fmt.Fprintf(sum, "%s %d\n%s", s.file, s.bytes, s.header)
	}
	return beginning{hex.EncodeToString(sum.Sum(nil)), len(p.shards)}
}

// openJournal makes the partial directory of a write, or takes up one that was
// left.
func openJournal(partial string, want beginning, resume bool) (*journal, error) {
	if err := os.Mkdir(partial, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, cause(err)
	}
	file, err := os.OpenFile(filepath.Join(partial, journalFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, cause(err)
	}
	j := &journal{file: file}
	if !lock(file) {
		file.Close()
		return nil, fmt.Errorf("another process is writing it, into %s", partial)
	}
	have, length := j.read()
	for name := range j.finished {
		if _, err := os.Stat(filepath.Join(partial, name)); err != nil {
			delete(j.finished, name) // it was put in place, or lost
		}
	}
	if err := checkLeftover(partial, resume, have == want, len(j.finished), have.Shards); err != nil {
		file.Close()
		return nil, err
	}
	if have != want || len(j.finished) == 0 {
		err = j.begin(want)
	} else {
		err = j.cut(length)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return j, nil
}

// read reads the journal up to the first line that is not whole: what a killed
// process was writing. It returns the length of what it took.
func (j *journal) read() (b beginning, length int64) {
	j.finished = map[string]Digest{}
	lines := bufio.NewReader(j.file)
	for n := 0; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return b, length
		}
		if n == 0 {
			if json.Unmarshal(line, &b) != nil {
				return b, 0
			}
		} else {
			var d Digest
			if json.Unmarshal(line, &d) != nil || !plainName(d.Name) {
				return b, length
			}
			j.finished[d.Name] = d
		}
		length += int64(len(line))
	}
}

// begin empties the journal, and the directory of what another write left.
func (j *journal) begin(b beginning) error {
	j.finished = map[string]Digest{}
	dir := filepath.Dir(j.file.Name())
	entries, err := os.ReadDir(dir)
	if err != nil {
		return cause(err)
	}
	for _, entry := range entries {
		if entry.Name() == journalFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return cause(err)
		}
	}
	if err := j.cut(0); err != nil {
		return err
	}
	return j.line(b)
}

// cut shortens the journal to its first bytes, to go on behind them.
func (j *journal) cut(length int64) error {
	if err := j.file.Truncate(length); err != nil {
		return cause(err)
	}
	_, err := j.file.Seek(length, 0)
	return cause(err)
}

// add notes a finished shard.
func (j *journal) add(d Digest) error {
	if err := j.line(d); err != nil {
		return err
	}
	j.finished[d.Name] = d
	return nil
}

func (j *journal) line(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(bytes.TrimSpace(line), '\n')); err != nil {
		return cause(err)
	}
	return cause(j.file.Sync())
}

// remove deletes the journal's file; the lock stays until close.
func (j *journal) remove() error { return cause(os.Remove(j.file.Name())) }

func (j *journal) close() { j.file.Close() }
