package cli

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"surgeon/tensors/kernel"
)

// answers writes one line for each of a list of questions, which may be
// answered in any order. To standard output a line goes as soon as all before
// it have gone. To a file it goes at once, and in the end the file is put in
// the order of the questions: what a killed run left there is not asked again.
type answers struct {
	out   io.Writer
	lines [][]byte // by question; nil before it is answered
	next  int      // the first that has not gone to standard output

	path string   // of the file; "" for none
	keys []string // of the questions
	file *os.File
	old  [][]byte // lines of the file that answer none of the questions
	kept int      // answers that the file had
}

// keyOf identifies a question to a model.
func keyOf(model string, question []byte) string {
	if !kernel.Portable() {
		model += "\n" + kernel.Instructions()
	}
	sum := sha256.Sum256(append([]byte(model+"\n"), question...))
	return hex.EncodeToString(sum[:12])
}

// newAnswers prepares the answers to so many questions on standard output.
func newAnswers(out io.Writer, questions int) *answers {
	return &answers{out: out, lines: make([][]byte, questions)}
}

// resume prepares the answers to questions in a file and takes those that are
// there already.
func resume(path string, keys []string) (*answers, error) {
	a := &answers{lines: make([][]byte, len(keys)), path: path, keys: keys}
	if err := a.load(); err != nil {
		return nil, err
	}
	var err error
	a.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	return a, err
}

// load reads a file of answers. Its last line may have been torn: it is cut off.
func (a *answers) load() error {
	info, err := os.Stat(a.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: is no ordinary file: give --out another name, or leave it out for standard output", a.path)
	}
	if err != nil {
		return err
	}
	data, err := os.ReadFile(a.path)
	if err != nil {
		return err
	}
	if whole := bytes.LastIndexByte(data, '\n') + 1; whole < len(data) {
		data = data[:whole]
		if err := os.Truncate(a.path, int64(whole)); err != nil {
			return err
		}
	}
	open := map[string][]int{}
	for i, key := range a.keys {
		open[key] = append(open[key], i)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for lines.Scan() {
		var answer struct {
			Key string `json:"key"`
		}
		if json.Unmarshal(lines.Bytes(), &answer) != nil || answer.Key == "" {
			return fmt.Errorf("%s: holds a line that is no answer of surgeon's: give --out another name", a.path)
		}
		line := append(bytes.Clone(lines.Bytes()), '\n')
		if waiting := open[answer.Key]; len(waiting) > 0 {
			a.lines[waiting[0]], open[answer.Key] = line, waiting[1:]
			a.kept++
			continue
		}
		a.old = append(a.old, line)
	}
	return lines.Err()
}

// has reports whether a question is answered.
func (a *answers) has(question int) bool { return a.lines[question] != nil }

// count is how many questions are answered.
func (a *answers) count() int {
	n := 0
	for _, line := range a.lines {
		if line != nil {
			n++
		}
	}
	return n
}

// add writes the answer to a question.
func (a *answers) add(question int, answer any) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return err
	}
	a.lines[question] = line.Bytes()
	if a.file != nil {
		_, err := a.file.Write(line.Bytes())
		return err
	}
	for a.next < len(a.lines) && a.lines[a.next] != nil {
		if _, err := a.out.Write(a.lines[a.next]); err != nil {
			return err
		}
		a.next++
	}
	return nil
}

// key is what the answer to a question in a file carries.
func (a *answers) key(question int) string {
	if a.keys == nil {
		return ""
	}
	return a.keys[question]
}

// close ends the file as it is.
func (a *answers) close() error {
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}

// finish puts the file in order: answers of other runs first, then those of this
// one as they were asked.
func (a *answers) finish() error {
	if a.file == nil {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(a.path), filepath.Base(a.path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	for _, line := range append(a.old[:len(a.old):len(a.old)], a.lines...) {
		if _, err := f.Write(line); err != nil {
			f.Close()
			return err
		}
	}
	info, err := a.file.Stat()
	if err == nil {
		err = f.Chmod(info.Mode())
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), a.path)
}
