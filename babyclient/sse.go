package babyclient

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// event is one event of a stream.
type event struct {
	data      []byte // valid until the next event is read
	isFailure bool   // the server calls it an error, whatever its data
}

// sseReader reads server-sent events (HTML standard, section 9.2). It knows nothing of JSON but how
// an object begins.
//
// Beyond the standard it reads what servers write into a stream that fails: an event named "error",
// a line "error: …" (llama.cpp), and a bare JSON object without "data:" before it.
type sseReader struct {
	lines lineReader
	begun bool   // the first line was read
	data  []byte // of the event that is being read

	heldFailure []byte // of a line "error: …" within an event, whose own data come first
	heldLine    []byte // ended a bare object, and begins the next event
	noEvent     string // the first line that belongs to no event, for the error of a stream that is cut
}

// next returns the next event that has data, and io.EOF at the end of the body. A last event
// without its blank line counts.
func (s *sseReader) next() (event, error) {
	if s.heldFailure != nil {
		data := s.heldFailure
		s.heldFailure = nil
		return event{data, true}, nil
	}
	s.data = s.data[:0]
	hasData, isFailure, isBare := false, false, false
	for {
		line, more, err := s.nextLine()
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 { // the event, or the body, has ended
			switch {
			case len(bytes.TrimSpace(s.data)) > 0, isFailure:
				return event{s.data, isFailure}, nil
			case !more:
				return event{}, io.EOF
			}
			s.data, hasData = s.data[:0], false
			continue
		}
		value, isData := dataOf(line)
		switch {
		case isBare && isData:
			s.heldLine = bytes.Clone(line)
			return event{s.data, isFailure}, nil
		case isBare:
			value = line
		case !isData && !hasData && line[0] == '{':
			if json.Valid(line) {
				return event{line, isFailure}, nil
			}
			value, isBare = line, true
		case !isData:
			name, text := fieldOf(line)
			switch {
			case name == "event":
				isFailure = strings.EqualFold(text, "error")
			case name == "error" && text != "" && hasData:
				s.heldFailure = []byte(text)
			case name == "error" && text != "":
				return event{[]byte(text), true}, nil
			case s.noEvent == "" && name != "" && name != "id" && name != "retry":
				s.noEvent = string(line[:min(len(line), 1024)])
			}
			continue
		}
		if hasData {
			s.data = append(s.data, '\n')
		}
		s.data = append(s.data, value...)
		if !hasData && isDone(s.data) {
			// Without waiting for the blank line: a server may hold the connection open.
			return event{s.data, isFailure}, nil
		}
		hasData = true
		if len(s.data) > MaxEventSize {
			return event{}, errTooLarge
		}
	}
}

// nextLine is the next line without its end. more is false at the end of the body.
func (s *sseReader) nextLine() (line []byte, more bool, err error) {
	if line = s.heldLine; line != nil {
		s.heldLine = nil
		return line, true, nil
	}
	line, more, err = s.lines.next()
	if !s.begun && err == nil {
		s.begun = true
		line = bytes.TrimPrefix(line, []byte(byteOrderMark))
	}
	return line, more, err
}

// fieldOf splits a line "name: value". The name of a comment is empty.
func fieldOf(line []byte) (name, value string) {
	name, value, _ = strings.Cut(string(line), ":")
	return name, strings.TrimSpace(value)
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
