package babyclient

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// attempt is one try to make a call. It must be closed, which the response of the attempt does if
// there is one.
type attempt struct {
	client   *Client
	call     *call
	settings *settings
	failures *failures
	number   int // counts the attempts of the call from 1
	caller   context.Context
	clock    *clock
	started  time.Time

	connected atomic.Bool // the request can have reached a server
}

// newAttempt starts the clock of an attempt.
func (c *Client) newAttempt(ctx context.Context, k *call, s *settings, f *failures, number int) *attempt {
	a := &attempt{client: c, call: k, settings: s, failures: f, number: number, caller: ctx, started: time.Now()}
	if limit := c.timeLimit(k, s); k.isStream {
		a.clock = startIdleClock(ctx, limit)
	} else {
		a.clock = startClock(ctx, limit)
	}
	return a
}

// timeLimit is what the settings allow: for a stream between two bytes, 0 for no limit; for any
// other call from sending to the last byte.
func (c *Client) timeLimit(k *call, s *settings) time.Duration {
	switch {
	case k.isStream && s.timeoutOfCall && !s.streamIdleSet:
		return s.timeout
	case k.isStream:
		return s.streamIdle
	case s.timeoutOfCall:
		return s.timeout
	}
	limit := DefaultTimeout
	if s.timeout > 0 {
		limit = s.timeout
	} else if c.httpTimeout > 0 {
		limit = c.httpTimeout
	}
	if k.isDocument {
		limit = max(limit, DefaultDocumentTimeout)
	}
	return limit
}

// close stops the clock and logs how the attempt went. bytes counts those of the answer.
func (a *attempt) close(m Meta, bytes int64, err error) {
	a.clock.stop()
	if a.client.logger == nil {
		return
	}
	path := strings.TrimPrefix(a.call.op(), a.call.method+" ")
	attrs := []slog.Attr{
		slog.String("method", a.call.method), slog.String("path", path), slog.Int("status", m.StatusCode),
		slog.Int("attempt", a.number), slog.Duration("duration", time.Since(a.started)), slog.Int64("bytes", bytes),
	}
	if m.RequestID != "" { // the service chooses it, and can repeat in it what it was sent
		attrs = append(attrs, slog.String("request_id", a.failures.secrets().redact(m.RequestID)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	a.client.logger.LogAttrs(a.caller, slog.LevelDebug, "babyapi: call", attrs...)
}

// roundTrip sends the request and returns the answer with its body unread, whatever its status.
func (a *attempt) roundTrip() (*http.Response, *Error) {
	req, err := a.newRequest()
	if err != nil {
		return nil, refused(a.failures.op, err)
	}
	resp, err := a.client.http.Do(req)
	if err != nil {
		return nil, a.notAnswered(err, resp)
	}
	return resp, nil
}

// userAgent is sent unless a header option gives another.
var userAgent = "babyapi-go/" + Version + " " + runtime.Version()

// newRequest builds the request. Headers that are set later win: the client's own, the caller's,
// those that the endpoint needs, the key.
func (a *attempt) newRequest() (*http.Request, error) {
	ctx := httptrace.WithClientTrace(a.clock.ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { a.connected.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, a.call.method, a.client.baseText+a.call.path, nil)
	if err != nil {
		return nil, invalid(CodeInvalidRequest, "cannot build the request: %v", err)
	}
	h := req.Header
	h["Accept"] = []string{"*/*"} // as the official SDKs: docling answers several documents with a zip
	h["User-Agent"] = []string{userAgent}
	maps.Copy(h, a.settings.header)
	if err := a.call.body.addTo(req); err != nil {
		return nil, err
	}
	maps.Copy(h, a.call.header)
	h["Authorization"] = []string{"Bearer " + a.settings.apiKey}
	return req, nil
}

// addTo opens the body for a request. A nil body adds nothing.
func (b *requestBody) addTo(req *http.Request) (err error) {
	if b == nil {
		return nil
	}
	req.Header["Content-Type"] = []string{b.contentType}
	req.ContentLength = b.length
	if b.length == 0 {
		req.Body = http.NoBody // net/http takes a length of 0 for an unknown one
		return nil
	}
	if !b.opensOnce {
		req.GetBody = b.open // for a redirect, and for a connection that took nothing of the request
	}
	req.Body, err = b.open()
	return err
}

// notAnswered is the error of a request that got no answer. refused is the answer whose redirect
// was not followed, nil for any other failure.
func (a *attempt) notAnswered(err error, refused *http.Response) *Error {
	connected := a.connected.Load()
	switch cause := a.clock.ranOut(); {
	case a.caller.Err() != nil:
		return a.failures.contextEnded(a.caller, Meta{})
	case cause != nil && connected:
		return a.failures.timedOut(Meta{}, cause, a.clock.limit)
	case cause != nil:
		return a.failures.notConnectedInTime(cause, a.clock.limit)
	}
	if own, ok := errors.AsType[*Error](err); ok { // the body could not be read
		return a.failures.of(*own)
	}
	if refused != nil {
		return a.failures.redirectRefused(metaOf(refused), err)
	}
	return a.failures.notAnswered(err, connected)
}
