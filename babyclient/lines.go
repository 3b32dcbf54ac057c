package babyclient

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// maxLine is the longest line of a stream that is read, in bytes.
const maxLine = MaxEventSize + len("data: ")

const byteOrderMark = "\ufeff"

// lineReader splits a stream into lines, which end with LF, CRLF or CR. bufio.Scanner could do that
// too, but would hold back a line that ends with CR until the next byte comes, to see whether that
// is an LF.
type lineReader struct {
	r          io.Reader
	buf        []byte
	start, end int  // buf[start:end] is read and not yet used
	searched   int  // bytes after start that hold no line end
	skipLF     bool // the last line ended with CR: an LF that follows belongs to it
	err        error
}

// next returns the next line without its end, valid until the next call. A last line without an end
// counts. ok is false when there are no more lines.
func (l *lineReader) next() (line []byte, ok bool, err error) {
	for {
		if l.skipLF && l.start < l.end {
			l.skipLF = false
			if l.buf[l.start] == '\n' {
				l.start++
			}
		}
		unsearched := l.buf[l.start+l.searched : l.end]
		if i := indexLineEnd(unsearched); i >= 0 {
			length := l.searched + i
			if length > maxLine {
				return nil, false, errTooLarge
			}
			line = l.buf[l.start : l.start+length]
			l.skipLF = unsearched[i] == '\r'
			l.start += length + 1
			l.searched = 0
			return line, true, nil
		}
		l.searched = l.end - l.start
		switch {
		case l.searched > maxLine:
			return nil, false, errTooLarge
		case errors.Is(l.err, io.EOF):
			line = l.buf[l.start:l.end]
			l.start, l.searched = l.end, 0
			return line, len(line) > 0, nil
		case l.err != nil:
			return nil, false, l.err
		}
		l.fill()
	}
}

// indexLineEnd is the index of the first LF or CR, -1 for none.
func indexLineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

// fill reads once more. A reader that gives neither bytes nor an error a hundred times over is
// broken, as bufio sees it too.
func (l *lineReader) fill() {
	if l.start > 0 {
		copy(l.buf, l.buf[l.start:l.end])
		l.start, l.end = 0, l.end-l.start
	}
	if l.end == len(l.buf) {
		const least = 2048 // bytes; small, since there may be thousands of streams
		l.buf = slices.Grow(l.buf[:l.end], max(least, l.end))
		l.buf = l.buf[:cap(l.buf)]
	}
	for range 100 {
		n, err := l.r.Read(l.buf[l.end:])
		l.end += n
		l.err = err
		if n > 0 || err != nil {
			return
		}
	}
	l.err = io.ErrNoProgress
}

// peek returns the first byte of the body that is neither white space nor a byte order mark, and
// uses nothing up. ok is false if there is none.
func (l *lineReader) peek() (first byte, ok bool) {
	for {
		read := l.buf[l.start:l.end]
		text := bytes.TrimLeft(bytes.TrimPrefix(read, []byte(byteOrderMark)), " \t\r\n")
		isHalfMark := len(read) < len(byteOrderMark) && bytes.HasPrefix([]byte(byteOrderMark), read)
		switch {
		case len(text) > 0 && !isHalfMark:
			return text[0], true
		case l.err != nil || len(read) > maxLine:
			return 0, false
		}
		l.fill()
	}
}

// unread is all that has been read and not used up.
func (l *lineReader) unread() []byte { return l.buf[l.start:l.end] }
