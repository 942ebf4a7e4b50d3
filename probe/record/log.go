package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
	"unicode/utf8"
)

// Log is an append-only file of Records, one line of JSON each, its key first.
// All methods may be called from several goroutines at once.
//
// What is checked when: opening reads every line once, and takes one whose key
// stands first and whose strings and brackets close with the line's end for a
// record; any other line must be JSON with a key. [Log.Get] and [Log.Each]
// parse a line completely. Of lines with the same key the first counts. Lines
// that are none of this stay in the file and are told in the Warnings.
//
// What survives: a line is written by one call and is in the operating system's
// hands when [Log.Append] returns, so a process that is killed loses nothing it
// appended. Every syncInterval, and at [Log.Close], the file is made durable: a
// machine that loses power may lose the lines since then. What was written of a
// line that was cut off is cut away when the log is opened the next time.
type Log struct {
	path   string
	file   *os.File
	unlock func() error // nil: opened to be read

	mu     sync.RWMutex
	index  *logIndex
	end    int64     // of the lines that were read or written
	synced time.Time // when the file was last made durable
	broken error     // why nothing can be appended any more

	foreign, repeated, torn tally
}

// syncInterval is how long appended lines may wait to be made durable.
const syncInterval = 5 * time.Second

// OpenLog opens a log to read and append, and makes one where there is none.
// Only one process at a time can have it open so; a second is refused. A last
// line that was torn is cut off.
func OpenLog(path string) (*Log, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	unlock, err := Lock(file, path)
	if err != nil {
		file.Close()
		return nil, err
	}
	l := &Log{path: path, file: file, unlock: unlock, synced: time.Now()}
	if err = l.read(); err == nil {
		err = l.mend()
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// ReadLog opens a log to read what is in it now, also while another process
// appends to it.
func ReadLog(path string) (*Log, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	l := &Log{path: path, file: file}
	if err := l.read(); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// mend ends the file with the last line that is whole.
func (l *Log) mend() error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() > l.end {
		return os.Truncate(l.path, l.end) // by name: a file opened to append cannot be cut everywhere
	}
	last := make([]byte, 1)
	if l.end == 0 {
		return nil
	}
	if _, err := l.file.ReadAt(last, l.end-1); err != nil || last[0] == '\n' {
		return err
	}
	l.end++
	_, err = l.file.Write([]byte{'\n'})
	return err
}

// Len is the number of records.
func (l *Log) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.index.used
}

// Has reports whether there is a record with a key.
func (l *Log) Has(key string) bool {
	_, ok := l.find(key)
	return ok
}

func (l *Log) find(key string) (offset int64, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.index.find(hashKey([]byte(key)))
}

// ErrNoRecord is what Get returns for a key that is not in the log.
var ErrNoRecord = errors.New("the log has no record with this key")

// Get reads the record with a key.
func (l *Log) Get(key string) (Record, error) {
	offset, ok := l.find(key)
	if !ok {
		return Record{}, ErrNoRecord
	}
	text, err := l.lineAt(offset)
	if err != nil {
		return Record{}, fmt.Errorf("%s: %w", l.path, err)
	}
	r, err := decode(text, key)
	if err != nil {
		return Record{}, fmt.Errorf("%s:%d: %w", l.path, l.lineNumber(offset), err)
	}
	return r, nil
}

// lineAt reads the line that begins at an offset.
func (l *Log) lineAt(offset int64) ([]byte, error) {
	var text []byte
	for piece := 1 << 10; ; piece *= 4 {
		at := len(text)
		text = append(text, make([]byte, piece)...)
		n, err := l.file.ReadAt(text[at:], offset+int64(at))
		if end := bytes.IndexByte(text[at:at+n], '\n'); end >= 0 {
			return text[:at+end], nil
		}
		switch {
		case err == io.EOF:
			return text[:at+n], nil
		case err != nil:
			return nil, err
		case len(text) > maxLine:
			return nil, errors.New("a line is too long")
		}
	}
}

// lineNumber is the number of the line that begins at an offset, from 1.
func (l *Log) lineNumber(offset int64) int {
	number, buffer := 1, make([]byte, 1<<20)
	section := io.NewSectionReader(l.file, 0, offset)
	for {
		n, err := section.Read(buffer)
		number += bytes.Count(buffer[:n], []byte{'\n'})
		if err != nil {
			return number
		}
	}
}

// Append writes a record. If the log has one with this key already it stays,
// and nothing is written. A score or log-likelihood that is not finite cannot
// be written, which is an error; a record without a key is a mistake of the
// caller, who made none with [Key], and panics.
//
// After a write that failed, for want of room for instance, the log is as it was
// before; where not even that can be restored nothing more can be appended.
func (l *Log) Append(r Record) error {
	if r.Key == "" {
		panic("record: Append of a Record without a key")
	}
	line, err := encode(r)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.unlock == nil:
		return fmt.Errorf("%s was opened to be read, or is closed: nothing can be appended", l.path)
	case l.broken != nil:
		return l.broken
	}
	hash := hashKey([]byte(r.Key))
	if _, ok := l.index.find(hash); ok {
		return nil
	}
	if err := l.write(line); err != nil {
		return err
	}
	l.index.add(hash, l.end-int64(len(line)))
	if time.Since(l.synced) > syncInterval {
		return l.sync()
	}
	return nil
}

// write puts a line at the end of the file, wherever that is, and takes back
// one that was not written completely.
func (l *Log) write(line []byte) error {
	_, err := l.file.Write(line)
	if err == nil {
		var end int64
		if end, err = l.file.Seek(0, io.SeekCurrent); err == nil {
			l.end = end
		}
		return err
	}
	if cut := os.Truncate(l.path, l.end); cut != nil {
		l.broken = fmt.Errorf("%s: a line was written in part and could not be taken back (%v): open the log again", l.path, cut)
	}
	return err
}

// sync makes what was written durable.
func (l *Log) sync() error {
	l.synced = time.Now()
	return l.file.Sync()
}

// Close makes the log durable and lets others have it. Closing twice is no
// error.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unlock == nil {
		err := l.file.Close()
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		return err
	}
	err := errors.Join(l.sync(), l.unlock(), l.file.Close())
	l.unlock = nil
	return err
}

// encode is a record's line.
func encode(r Record) ([]byte, error) {
	if !utf8.ValidString(r.Key) {
		return nil, fmt.Errorf("the key %q is not UTF-8", r.Key)
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return nil, fmt.Errorf("item %q of task %q cannot be written: %w", r.Item, r.Task, err)
	}
	return line.Bytes(), nil
}

// decode parses the line of a key completely.
func decode(text []byte, key string) (Record, error) {
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, plain(err)
	}
	if r.Key != key {
		return Record{}, fmt.Errorf("has the key %q now: the file was changed by another program", r.Key)
	}
	return r, nil
}
