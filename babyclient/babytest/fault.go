package babytest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A fault sends the bytes of a good answer badly. It works on the response as it is on the wire,
// status line and header included, and the connection does not survive it.

// Cut sends the first n bytes of an answer, header included, and closes the connection; for n < 0
// all but the last -n.
func Cut(h http.Handler, n int) http.Handler {
	return fault(h, func(c *conn, wire []byte) { _, _ = c.Write(upTo(wire, n)) })
}

// Reset is [Cut] with a connection that is reset (TCP RST) instead of closed.
func Reset(h http.Handler, n int) http.Handler {
	return fault(h, func(c *conn, wire []byte) {
		_, _ = c.Write(upTo(wire, n))
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // an unread connection is closed all the same
		}
	})
}

// HalfClose is [Cut] with a connection of which only the server's side is closed: the server goes
// on reading until the client closes its own.
func HalfClose(h http.Handler, n int) http.Handler {
	return fault(h, func(c *conn, wire []byte) {
		_, _ = c.Write(upTo(wire, n))
		if closeWrite(c.Conn) == nil {
			c.untilClosed()
		}
	})
}

// Hang sends the first n bytes of an answer and then nothing, until the client gives up.
func Hang(h http.Handler, n int) http.Handler {
	return fault(h, func(c *conn, wire []byte) {
		_, _ = c.Write(upTo(wire, n))
		c.untilClosed()
	})
}

// Drip sends an answer in pieces of size bytes with a pause between them.
func Drip(h http.Handler, size int, pause time.Duration) http.Handler {
	return fault(h, func(c *conn, wire []byte) {
		for piece := range slices.Chunk(wire, size) {
			if _, err := c.Write(piece); err != nil {
				return
			}
			select {
			case <-time.After(pause):
			case <-c.over:
				return
			}
		}
	})
}

// Duplicate sends an answer twice on one connection.
func Duplicate(h http.Handler) http.Handler {
	return fault(h, func(c *conn, wire []byte) { _, _ = c.Write(slices.Concat(wire, wire)) })
}

// Garbage answers with bytes that are no HTTP.
func Garbage() http.Handler { return recorded("\x16\x03garbage\r\n\x00\xff\r\n\r\n") }

// WrongLength sends an answer whose Content-Length is wrong by delta bytes.
func WrongLength(h http.Handler, delta int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head, body := record(h, r)
		head.header.Set("Content-Length", strconv.Itoa(len(body)+delta))
		hijack(w, r, func(c *conn) { _, _ = c.Write(append(head.bytes(), body...)) })
	})
}

// GzipBomb answers with JSON of the given size, a string of spaces, that is small on the wire.
func GzipBomb(size int64) http.Handler {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	spaces := bytes.Repeat([]byte(" "), 1<<16)
	_, err := io.WriteString(z, `{"output":"`)
	for ; size > 0 && err == nil; size -= int64(len(spaces)) {
		_, err = z.Write(spaces[:min(size, int64(len(spaces)))])
	}
	if err == nil {
		_, err = io.WriteString(z, `"}`)
	}
	if closeErr := z.Close(); err != nil || closeErr != nil {
		panic("babytest: gzip failed in memory")
	}
	return WithHeader(Body(http.StatusOK, "application/json", buf.Bytes()), "Content-Encoding", "gzip")
}

// EndlessStream answers with an event of these data over and over, until the client closes the
// connection.
func EndlessStream(data string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		flush, _ := w.(http.Flusher)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, "data: "+data+"\n\n"); err != nil {
				return
			}
			flush.Flush()
		}
	})
}

// EndlessBody answers with a status and a JSON body that begins as given and then goes on with
// blanks, without a length and without end, until the client closes the connection.
func EndlessBody(status int, begin string) http.Handler {
	blanks := bytes.Repeat([]byte(" "), 1<<16)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, err := io.WriteString(w, begin)
		for err == nil && r.Context().Err() == nil {
			_, err = w.Write(blanks)
		}
	})
}

func upTo(wire []byte, n int) []byte {
	if n < 0 {
		n += len(wire)
	}
	return wire[:min(max(n, 0), len(wire))]
}

// conn is a connection taken over from the HTTP server.
type conn struct {
	net.Conn
	r    *bufio.Reader
	over <-chan struct{} // closed with the server
}

// untilClosed waits until the client closes the connection, or the server is closed.
func (c *conn) untilClosed() { _, _ = io.Copy(io.Discard, c.r) }

// hijack takes the connection over for use, and closes it afterwards, or when the server is
// closed, which does not know the connection any more.
func hijack(w http.ResponseWriter, r *http.Request, use func(*conn)) {
	c, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic("babytest: " + err.Error())
	}
	defer c.Close()
	defer context.AfterFunc(r.Context(), func() { _ = c.Close() })()
	use(&conn{c, buf.Reader, r.Context().Done()})
}

func fault(h http.Handler, send func(*conn, []byte)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wire, ok := h.(recorded)
		if !ok {
			rec := &wireRecorder{header: http.Header{}}
			h.ServeHTTP(rec, r)
			wire = rec.finish()
		}
		hijack(w, r, func(c *conn) { send(c, wire) })
	})
}

// head is the status and header of a response.
type head struct {
	status int
	header http.Header
}

func (h head) bytes() []byte {
	var buf bytes.Buffer
	fmt.Fprintf(&buf, "HTTP/1.1 %d %s\r\n", h.status, http.StatusText(h.status))
	_ = h.header.Write(&buf) // to memory
	buf.WriteString("\r\n")
	return buf.Bytes()
}

// record runs a handler and keeps what it answers.
func record(h http.Handler, r *http.Request) (head, []byte) {
	rec := &wireRecorder{header: http.Header{}, plain: true}
	h.ServeHTTP(rec, r)
	rec.WriteHeader(http.StatusOK)
	rec.head.header.Del("Content-Length")
	return rec.head, rec.body.Bytes()
}

// wireRecorder is a ResponseWriter that keeps the bytes that an HTTP server would send: each write
// is a chunk where there is no Content-Length.
type wireRecorder struct {
	header http.Header
	head   head
	body   bytes.Buffer
	plain  bool // the body without chunk framing
	begun  bool
}

func (w *wireRecorder) Header() http.Header { return w.header }
func (w *wireRecorder) Flush()              {}

func (w *wireRecorder) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	w.head = head{status, maps.Clone(w.header)}
	if w.header.Get("Content-Length") != "" {
		w.plain = true
	} else if !w.plain {
		w.head.header.Set("Transfer-Encoding", "chunked")
	}
}

// maxRecorded is where the recording of an endless answer ends, in bytes.
const maxRecorded = 64 << 20

func (w *wireRecorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.body.Len() > maxRecorded {
		return 0, errors.New("babytest: an answer to be sent with a fault is longer than 64 MiB")
	}
	if w.plain {
		return w.body.Write(p)
	}
	if len(p) > 0 {
		fmt.Fprintf(&w.body, "%x\r\n%s\r\n", len(p), p)
	}
	return len(p), nil
}

func (w *wireRecorder) finish() []byte {
	w.WriteHeader(http.StatusOK)
	if !w.plain {
		w.body.WriteString("0\r\n\r\n")
	}
	return append(w.head.bytes(), w.body.Bytes()...)
}
