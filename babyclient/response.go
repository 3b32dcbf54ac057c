package babyclient

import (
	"errors"
	"io"
	"net/http"
	"slices"
)

// response is the answer to one attempt of a call, of any status. It must be closed. The body of a
// GET has been read, by [attempt.run]; any other is unread.
type response struct {
	Meta
	*attempt
	body   limitedReader
	closer io.Closer // of the body, nil when closed
	length int64     // of the body in bytes, as the header says; -1 if it does not
	whole  []byte    // the body of a GET, else nil
}

// open takes over an answer.
func (a *attempt) open(resp *http.Response) *response {
	a.connected.Store(true) // also for a transport of the caller's that does not trace connections
	a.fail.learn(resp.Header.Get("Location"))
	for r := resp.Request; r != nil && r.Response != nil; r = r.Response.Request {
		a.fail.learn(r.URL.String()) // where a redirect has led
	}
	limit := a.client.maxResponseSize
	if a.call.isStream {
		limit = -1 // a stream may go on for hours; sseReader limits each of its events
	}
	body := limitedReader{r: a.clock.watch(resp.Body), limit: limit}
	return &response{Meta: metaOf(resp), attempt: a, body: body, closer: resp.Body, length: resp.ContentLength}
}

// close ends the attempt and gives up what is unread of the body. err is why, nil if all is well.
// Only the first close counts.
func (r *response) close(err error) {
	if r.closer == nil {
		return
	}
	_ = r.closer.Close() // the body was read, or is given up: nothing is left to lose
	r.closer = nil
	r.attempt.close(r.Meta, r.body.n, err)
}

// readAll reads the whole body and closes the response.
func (r *response) readAll() ([]byte, *Error) {
	if r.whole != nil {
		return r.whole, nil
	}
	b := make([]byte, 0, r.sizeHint())
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, len(b))
		}
		n, err := r.body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			r.close(nil)
			return b, nil
		}
		if err != nil {
			e := r.readFailed(err)
			r.close(e)
			return nil, e
		}
	}
}

// sizeHint is how many bytes to make room for before the body is read.
func (r *response) sizeHint() int64 {
	const (
		unknown = 4096
		trusted = 64 << 20 // a header that promises more has to keep its word first
	)
	if r.length <= 0 || r.length > min(r.client.maxResponseSize, trusted) {
		return unknown
	}
	return r.length + 1 // one more, so that the end is seen without growing
}

// checkArchive refuses an answer that says it is a zip and is not.
func (r *response) checkArchive(raw []byte) error {
	media := mediaTypeOf(r.Header)
	if (media == "application/zip" || media == "application/x-zip-compressed") && !isZip(raw) {
		return r.fail.unusable(r.Meta, raw, errors.New("the zip answer cannot be used: it is no archive"))
	}
	return nil
}

// copyTo copies the body to a writer of the caller's and closes the response.
func (r *response) copyTo(w io.Writer) error {
	defer r.close(nil) // also when the writer panics
	written := &errorKeeper{Writer: w}
	_, err := io.Copy(written, &r.body)
	switch {
	case err == nil:
		return nil
	case written.err != nil:
		err = r.fail.notWritten(r.Meta, written.err)
	default:
		err = r.readFailed(err)
	}
	r.close(err)
	return err
}

// errorKeeper tells a failure to write from a failure to read, which io.Copy does not.
type errorKeeper struct {
	io.Writer
	err error
}

func (k *errorKeeper) Write(p []byte) (int, error) {
	n, err := k.Writer.Write(p)
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	k.err = err
	return n, err
}

// serviceError reads the error of an answer that is not a 2xx, and closes the response. A caller
// who wants only short answers wants to know all the same why there is none, so WithMaxResponseSize
// does not count here.
func (r *response) serviceError() *Error {
	body, err := io.ReadAll(io.LimitReader(r.body.r, maxErrorBody))
	explain := r.call.explain
	if explain == nil && r.settings.asDocument {
		explain = explainLostResult
	}
	e := r.fail.serviceError(r.Meta, body, err, explain)
	r.close(e)
	return e
}

// readFailed makes the error of a body that could not be read to its end.
func (r *response) readFailed(err error) *Error {
	if e := r.ended(r.Meta); e != nil {
		return e
	}
	if errors.Is(err, errTooLarge) {
		return r.fail.tooLarge(r.Meta, err)
	}
	return r.fail.bodyLost(r.Meta, err)
}
