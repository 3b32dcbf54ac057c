package local

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// maxSilence is how long a client may send nothing of a body that it has begun.
	maxSilence = 30 * time.Second
	// maxBodyTime is how long a body may take that is held in memory, however steadily it comes. A
	// client on this machine sends 16 MiB in a blink.
	maxBodyTime = 2 * time.Minute
	// DefaultMaxUpload is the size of the largest body that is passed on to docling, in bytes, when
	// [Config] does not say.
	DefaultMaxUpload = 256 << 20
)

var errSilent = errors.New("the client stopped sending it, or was too slow")

// clockedBody is the body of a request, whose reads fail with errSilent when the client sends
// nothing for a while. The clock runs only while the body is being read, so an engine that takes an
// upload slowly is not held against the client.
type clockedBody struct {
	io.ReadCloser
	conn    *http.ResponseController
	silence time.Duration
	time    time.Duration // for all of a body that is held

	reading sync.Mutex // while a read is under way

	mu    sync.Mutex
	end   time.Time // when a body that is held must be there; zero for one that is passed on
	ended bool      // the handler has returned, and the connection may have the next request
	// silent: a read has failed with errSilent. What the client sends later belongs to this body
	// and must not be taken for the next request.
	silent bool
}

// newClockedBody starts the clock at once: the server itself reads what a handler leaves of a body.
func (g *gateway) newClockedBody(w http.ResponseWriter, body io.ReadCloser) *clockedBody {
	b := &clockedBody{ReadCloser: body, conn: http.NewResponseController(w),
		silence: cmp.Or(g.silence, maxSilence), time: cmp.Or(g.bodyTime, maxBodyTime)}
	b.setDeadline(false)
	return b
}

func (b *clockedBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	b.setDeadline(false)
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		// From here on the server watches whether the client leaves. A clock that ran out then
		// would look as if it had.
		b.setDeadline(true)
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.mu.Lock()
		b.silent = true
		b.mu.Unlock()
		return n, errSilent
	}
	return n, err
}

// wasSilent is isSilent once the read under way has ended.
func (b *clockedBody) wasSilent() bool {
	b.reading.Lock()
	defer b.reading.Unlock()
	return b.isSilent()
}

func (b *clockedBody) isSilent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.silent
}

// Close reads what is left, if that is not much.
func (b *clockedBody) Close() error {
	err := b.ReadCloser.Close()
	b.setDeadline(true)
	return err
}

func (b *clockedBody) setDeadline(none bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	deadline := time.Now().Add(b.silence)
	switch {
	case none:
		deadline = time.Time{}
	case !b.end.IsZero() && b.end.Before(deadline):
		deadline = b.end
	}
	_ = b.conn.SetReadDeadline(deadline) // fails only in tests without a connection
}

// hurry begins the time in which the whole body must be there.
func (b *clockedBody) hurry() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end = time.Now().Add(b.time)
}

// stop leaves the connection to the server, or ends it if the rest of the body never came.
func (b *clockedBody) stop(w http.ResponseWriter) {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	if b.isSilent() && w.Header().Get("Connection") != "close" {
		_ = b.conn.Flush() // an engine has answered before
		panic(http.ErrAbortHandler)
	}
}

// failBody answers a request whose body could not be read, and reports whether it did. Where it did
// not, the client left.
func failBody(w http.ResponseWriter, err error) bool {
	tooLarge, isTooLarge := errors.AsType[*http.MaxBytesError](err)
	full, isFull := errors.AsType[*memoryError](err)
	switch {
	case errors.Is(err, errSilent):
		w.Header().Set("Connection", "close") // what is left of the body is not waited for
		writeError(w, http.StatusRequestTimeout, "the body did not come: %v", err)
	case isTooLarge && tooLarge.Limit == maxJSON:
		writeError(w, http.StatusRequestEntityTooLarge,
			"the body is larger than the %d MiB that babyapi-local reads", maxJSON>>20)
	case isTooLarge:
		uploadTooLarge(w, tooLarge.Limit)
	case isFull && full.alone:
		writeError(w, http.StatusRequestEntityTooLarge, "the body has too many parts: %v", err)
	case isFull:
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, "busy: %v", err)
	default:
		return false
	}
	return true
}

func uploadTooLarge(w http.ResponseWriter, limit int64) {
	writeError(w, http.StatusRequestEntityTooLarge,
		"the body is larger than the %d MiB that babyapi-local passes on; --max-upload allows more", limit>>20)
}
