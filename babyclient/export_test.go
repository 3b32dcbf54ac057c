package babyclient

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
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

// NewTransport is the client's own transport, for connections that dial makes.
func NewTransport(scheme string, dial func(context.Context, string, string) (net.Conn, error)) http.RoundTripper {
	t := newTransport(scheme)
	t.current.Load().DialContext = dial
	return t
}
