package babyclient

import (
	"errors"
	"io"
	"time"
)

// What the fuzz tests of package babyclient_test reach into.

// EventsOf are the data of the events of a stream.
func EventsOf(r io.Reader) ([]string, error) {
	s := sseReader{lines: lineReader{r: r}}
	var out []string
	for {
		e, err := s.next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, string(e.data))
	}
}

// ParseRetryAfter is parseRetryAfter.
func ParseRetryAfter(value string, now time.Time) (time.Duration, bool) {
	return parseRetryAfter(value, now)
}
