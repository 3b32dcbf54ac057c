package babyclient

import (
	"bytes"
	"io"
)

// sseReader reads the data of server-sent events (HTML standard, section 9.2). It knows nothing of
// JSON.
type sseReader struct {
	lines lineReader
	begun bool   // the first line was read
	data  []byte // of the event that is being read
}

// next returns the data of the next event that has data, valid until the next call, and io.EOF at
// the end of the body. A last event without its blank line counts.
func (s *sseReader) next() ([]byte, error) {
	s.data = s.data[:0]
	hasData := false
	for {
		line, more, err := s.lines.next()
		if err != nil {
			return nil, err
		}
		if !s.begun {
			s.begun = true
			line = bytes.TrimPrefix(line, []byte("\ufeff")) // a byte order mark
		}
		if len(line) == 0 { // the event, or the body, has ended
			switch {
			case len(bytes.TrimSpace(s.data)) > 0:
				return s.data, nil
			case !more:
				return nil, io.EOF
			}
			s.data, hasData = s.data[:0], false
			continue
		}
		value, isData := dataOf(line)
		if !isData {
			continue // a comment, or a field that no answer of the API uses
		}
		if hasData {
			s.data = append(s.data, '\n')
		}
		s.data = append(s.data, value...)
		if !hasData && isDone(s.data) {
			return s.data, nil // without waiting for the blank line: a server may hold the connection open
		}
		hasData = true
		if len(s.data) > MaxEventSize {
			return nil, errTooLarge
		}
	}
}

// dataOf is the value of a line "data: value". ok is false for any other line.
func dataOf(line []byte) (value []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("data"))
	if !ok || len(rest) == 0 {
		return nil, ok
	}
	value, ok = bytes.CutPrefix(rest, []byte(":"))
	return bytes.TrimPrefix(value, []byte(" ")), ok
}

// isDone reports whether the data end the stream. A chunk begins with "{", which is above "[" in
// ASCII, so that the cheap test of the first byte rejects it.
func isDone(data []byte) bool {
	return len(data) >= len("[DONE]") && data[0] <= '[' && string(bytes.TrimSpace(data)) == "[DONE]"
}
