package babyclient

import (
	"bytes"
	"cmp"
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
// a line "error: …" (llama.cpp), and bare JSON without "data:" before it. The names of fields may
// have blanks before them, and be in any case.
type sseReader struct {
	lines lineReader
	begun bool   // the first line was read
	data  []byte // of the event that is being read

	heldFailure []byte // of a line "error: …" within an event, whose own data come first
	heldLine    []byte // ended a bare object, and begins the next event
	noEvent     string // the first line that belongs to no event, for the error of a stream that is cut
	leftOut     string // the first such line that the standard does not let a reader pass over
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
		case !isData && hasData && (line[0] == '{' || isBareList(line) || isDone(line)):
			s.heldLine = bytes.Clone(line)
			return event{s.data, isFailure}, nil
		case !isData && (isBareList(line) || isDone(line)):
			return event{line, isFailure}, nil
		case !isData && line[0] == '{':
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
			case name != "" && name != "id" && name != "retry":
				s.noteNoEvent(line)
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

// noteNoEvent remembers a line that belongs to no event. The standard lets a reader pass over a
// field that it does not know, such as "time: 7", but not over the words of a proxy.
func (s *sseReader) noteNoEvent(line []byte) {
	text := string(line[:min(len(line), 1024)])
	s.noEvent = cmp.Or(s.noEvent, text)
	name, value, isField := strings.Cut(text, ":")
	value = strings.TrimSpace(value)
	isField = isField && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_-") == ""
	if !isField || value != "" && (value[0] == '{' || value[0] == '[') {
		s.leftOut = cmp.Or(s.leftOut, text)
	}
}

// isBareList reports whether a line is a list in JSON.
func isBareList(line []byte) bool { return line[0] == '[' && json.Valid(line) }

// fieldOf splits a line "name: value". The name of a comment, or of a blank line, is empty.
func fieldOf(line []byte) (name, value string) {
	name, value, _ = strings.Cut(string(line), ":")
	return strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
}

// dataOf is the value of a line "data: value". ok is false for any other line.
func dataOf(line []byte) (value []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("data"))
	if !ok {
		if name, _, found := bytes.Cut(line, []byte(":")); found {
			ok = bytes.EqualFold(bytes.TrimSpace(name), []byte("data"))
			rest = line[len(name):]
		}
	}
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
