package record

import (
	"bytes"
	"io"
)

// maxLine is the longest line that is read, in bytes: far more than any answer,
// and little enough to be held.
const maxLine = 64 << 20

// lines reads a text line by line. The text may be of any size, a line up to
// maxLine; a longer one is passed over, and said to be long.
type lines struct {
	reader io.Reader
	buffer []byte // buffer[start:end] is read and not used yet
	start  int
	end    int
	err    error // of the reader

	number int    // of the line, from 1
	offset int64  // of the line's first byte
	next   int64  // of the next line's first byte
	text   []byte // without its line feed; valid until the next line
	whole  bool   // a line feed ended it
	long   bool   // it is longer than maxLine, and text is not all of it
}

func newLines(r io.Reader) *lines { return &lines{reader: r, buffer: make([]byte, 1<<20)} }

// scan goes to the next line. It reports false at the end of the text or at an
// error of the reader, which is in err then.
func (l *lines) scan() bool {
	l.number++
	l.offset, l.long = l.next, false
	searched := l.start
	for {
		if at := bytes.IndexByte(l.buffer[searched:l.end], '\n'); at >= 0 {
			l.take(searched+at, searched+at+1, true)
			return true
		}
		searched = l.end
		if l.err != nil {
			left := l.end > l.start || l.long
			l.take(l.end, l.end, false)
			return left && l.err == io.EOF
		}
		searched = l.fill(searched)
	}
}

// take makes buffer[start:end] the line and goes on at next. Of a line that was
// too long only the last piece is there.
func (l *lines) take(end, next int, whole bool) {
	l.text, l.whole = l.buffer[l.start:end], whole
	l.next += int64(next - l.start)
	l.start = next
}

// fill reads more behind what is there, and returns where that begins. It moves
// the line to the front of the buffer, grows it, and drops a line that is too
// long.
func (l *lines) fill(searched int) int {
	if l.start > 0 {
		copy(l.buffer, l.buffer[l.start:l.end])
		searched, l.end, l.start = searched-l.start, l.end-l.start, 0
	}
	switch {
	case l.end < len(l.buffer):
	case len(l.buffer) < maxLine:
		l.buffer = append(l.buffer, make([]byte, len(l.buffer))...)
	default:
		l.next += int64(l.end)
		l.long, l.end, searched = true, 0, 0
	}
	n, err := l.reader.Read(l.buffer[l.end:])
	l.end += n
	l.err = err
	return searched
}

// byteOrderMark may begin a file in UTF-8.
var byteOrderMark = []byte("\xef\xbb\xbf")

// trim returns the line without a byte order mark and white space around it.
func (l *lines) trim() []byte {
	text := l.text
	if l.number == 1 {
		text = bytes.TrimPrefix(text, byteOrderMark)
	}
	return bytes.TrimSpace(text)
}

// withoutMark is a reader without a byte order mark at its beginning.
func withoutMark(r io.Reader) io.Reader {
	head := make([]byte, len(byteOrderMark))
	n, err := io.ReadFull(r, head)
	if err == nil && bytes.Equal(head, byteOrderMark) {
		return r
	}
	return io.MultiReader(bytes.NewReader(head[:n]), r)
}
