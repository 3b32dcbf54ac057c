package babyclient

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"time"
)

// MaxEventSize is the longest event of a stream that is read, in bytes.
const MaxEventSize = 64 << 20

const maxLine = MaxEventSize + len("data: ")

// sseReader splits a stream into the data of its events (server-sent events, HTML standard
// section 9.2, with LF or CRLF line ends). It knows nothing of JSON.
type sseReader struct {
	r          io.Reader
	buf        []byte
	start, end int // what of buf is read but not yet used
	scanned    int // bytes after start known to hold no line end
	err        error
	joined     []byte // the data of an event of several lines
	begun      bool
}

// next returns the data of the next event with data, valid until the next call, and io.EOF
// at the end of the body. A last event without its blank line counts.
func (s *sseReader) next() ([]byte, error) {
	lines := 0
	var data []byte // in buf while it is one line, so no byte of buf may move meanwhile
	for {
		// Keep the first data line in place: a refill may move it.
		if lines == 1 && bytes.IndexByte(s.buf[s.start+s.scanned:s.end], '\n') < 0 {
			s.joined = append(s.joined[:0], data...)
			data, lines = s.joined, 2
		}
		line, ok, err := s.line()
		if err != nil {
			return nil, err
		}
		if !ok || len(line) == 0 {
			if len(bytes.TrimSpace(data)) > 0 {
				return data, nil
			}
			if !ok {
				return nil, io.EOF
			}
			data, lines = nil, 0
			continue
		}
		value, isData := bytes.CutPrefix(line, []byte("data"))
		switch {
		case !isData, len(value) > 0 && value[0] != ':':
			continue // a comment, or a field that no answer of the API uses
		case len(value) > 0:
			value = value[1:]
			if len(value) > 0 && value[0] == ' ' {
				value = value[1:]
			}
		}
		switch lines {
		case 0:
			data, lines = value, 1
			if isDone(data) {
				return data, nil // a server may hold the connection open after it
			}
		case 1:
			s.joined = append(s.joined[:0], data...)
			fallthrough
		default:
			s.joined = append(append(s.joined, '\n'), value...)
			data, lines = s.joined, 2
		}
		if len(s.joined) > MaxEventSize {
			return nil, errTooLarge
		}
	}
}

// isDone reports whether the data end the stream. Those of a chunk begin with a byte after '['.
func isDone(data []byte) bool {
	return len(data) >= 6 && data[0] <= '[' && string(bytes.TrimSpace(data)) == "[DONE]"
}

// line returns the next line without its end. ok is false when the body has ended.
func (s *sseReader) line() (line []byte, ok bool, err error) {
	for {
		if i := bytes.IndexByte(s.buf[s.start+s.scanned:s.end], '\n'); i >= 0 {
			if s.scanned+i > maxLine {
				return nil, false, errTooLarge
			}
			line = s.buf[s.start : s.start+s.scanned+i]
			s.start += s.scanned + i + 1
			s.scanned = 0
			return s.trim(line), true, nil
		}
		if s.scanned = s.end - s.start; s.scanned > maxLine {
			return nil, false, errTooLarge
		}
		if errors.Is(s.err, io.EOF) {
			line = s.buf[s.start:s.end]
			s.start, s.scanned = s.end, 0
			return s.trim(line), len(line) > 0, nil
		}
		if s.err != nil {
			return nil, false, s.err
		}
		s.fill()
	}
}

func (s *sseReader) trim(line []byte) []byte {
	if !s.begun {
		s.begun = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	return bytes.TrimSuffix(line, []byte("\r"))
}

// fill reads once more. A reader that gives neither bytes nor an error a hundred times over
// is broken, as bufio sees it too.
func (s *sseReader) fill() {
	if s.start > 0 {
		copy(s.buf, s.buf[s.start:s.end])
		s.start, s.end = 0, s.end-s.start
	}
	if s.end == len(s.buf) {
		s.buf = slices.Grow(s.buf[:s.end], max(2048, s.end)) // small, since there may be thousands of streams
		s.buf = s.buf[:cap(s.buf)]
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		s.err = err
		if n > 0 || err != nil {
			return
		}
	}
	s.err = io.ErrNoProgress
}

// idleReader stops its timer while nobody reads, so that only the server's silence counts.
type idleReader struct {
	r     io.Reader
	timer *time.Timer
	d     time.Duration
}

func (r *idleReader) Read(p []byte) (int, error) {
	r.timer.Reset(r.d)
	n, err := r.r.Read(p)
	r.timer.Stop()
	return n, err
}
