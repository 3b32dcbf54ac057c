package babyclient

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// attempt is one try to make a call. It must be closed, which the response of the attempt does if
// there is one.
type attempt struct {
	client    *Client
	call      *call
	settings  *settings
	fail      *errorMaker
	number    int // counts the attempts of the call from 1
	callerCtx context.Context
	clock     clock
	started   time.Time

	connected atomic.Bool // the request can have reached a server
}

// newAttempt starts the clock of an attempt.
func (c *Client) newAttempt(ctx context.Context, k *call, s *settings, f *errorMaker, number int) *attempt {
	a := &attempt{client: c, call: k, settings: s, fail: f, number: number, callerCtx: ctx, started: time.Now()}
	if limit := c.timeLimit(k, s); k.isStream {
		a.clock = startIdleClock(ctx, limit)
	} else {
		a.clock = startClock(ctx, limit)
	}
	return a
}

// timeLimit returns how long a stream may go without a byte, 0 for ever, or how long any other call
// may take from sending to the last byte.
func (c *Client) timeLimit(k *call, s *settings) time.Duration {
	switch {
	case k.isStream && s.timeoutOfCall && !s.idleOfCall:
		if s.streamIdle > 0 {
			return min(s.timeout, s.streamIdle)
		}
		return s.timeout
	case k.isStream:
		return s.streamIdle
	case s.timeoutOfCall:
		return s.timeout + k.hold
	}
	limit := DefaultTimeout
	if s.timeout > 0 {
		limit = s.timeout
	} else if c.httpTimeout > 0 {
		limit = c.httpTimeout
	}
	if k.isDocument || s.asDocument {
		limit = max(limit, DefaultDocumentTimeout)
	}
	return limit + k.hold
}

// close stops the clock and logs how the attempt went. bytes counts those that were read of a 2xx.
func (a *attempt) close(m Meta, bytes int64, err error) {
	a.clock.stop()
	if a.client.logger == nil {
		return
	}
	path := a.fail.redact(strings.TrimPrefix(a.call.op(), a.call.method+" "))
	attrs := []slog.Attr{
		slog.String("method", a.call.method), slog.String("path", path), slog.Int("status", m.StatusCode),
		slog.Int("attempt", a.number), slog.Duration("duration", time.Since(a.started)), slog.Int64("bytes", bytes),
	}
	if m.RequestID != "" { // the service chooses it, and can repeat in it what it was sent
		attrs = append(attrs, slog.String("request_id", a.fail.redact(m.RequestID)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	a.client.logger.LogAttrs(a.callerCtx, slog.LevelDebug, "babyapi: call", attrs...)
}

// roundTrip sends the request and returns the answer with its body unread, whatever its status.
func (a *attempt) roundTrip() (*http.Response, *Error) {
	req, err := a.newRequest()
	if err != nil {
		return nil, a.fail.complete(*withOp(a.fail.op, err))
	}
	resp, err := a.client.http.Do(req)
	if err != nil {
		return nil, a.notAnswered(err, resp)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// Such a connection has no end, and no clock or context of ours would close it.
		_ = resp.Body.Close()
		return nil, a.fail.protocolSwitched(metaOf(resp))
	}
	return resp, nil
}

// These are sent unless a header option gives others. All requests share the values, and none
// writes to them.
var (
	acceptAny = []string{"*/*"} // as the official SDKs: docling answers several documents with a zip
	userAgent = []string{"babyapi-go/" + Version + " " + runtime.Version()}
)

// newRequest builds the request. Headers that are set later win: the client's own, the caller's,
// those that the endpoint needs, the key.
func (a *attempt) newRequest() (*http.Request, error) {
	ctx := httptrace.WithClientTrace(a.clock.ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { a.connected.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, a.call.method, a.client.baseText+a.call.path, nil)
	if err != nil {
		return nil, invalid(CodeInvalidRequest, "cannot build the request: %v", withoutURL(err))
	}
	h := req.Header
	h["Accept"] = acceptAny
	h["User-Agent"] = userAgent
	maps.Copy(h, a.settings.header)
	if err := a.call.body.addTo(req); err != nil {
		return nil, err
	}
	maps.Copy(h, a.call.header)
	h["Authorization"] = []string{"Bearer " + a.settings.apiKey}
	hideIdempotencyKeys(h)
	return req, nil
}

// hideIdempotencyKeys writes the names of these headers in lower case, which means the same on the
// wire. Under its usual name net/http takes one for the leave to send a POST a second time by
// itself when the connection fails, and it would be billed twice.
func hideIdempotencyKeys(h http.Header) {
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
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

// notAnswered makes the error of a request that got no answer. redirect is the answer whose
// redirect was not followed, nil for any other failure.
func (a *attempt) notAnswered(err error, redirect *http.Response) *Error {
	connected := a.connected.Load()
	if u, ok := errors.AsType[*url.Error](err); ok {
		a.fail.learn(u.URL) // where a redirect has led
	}
	if cause := a.clock.ranOut(); cause != nil && !connected && a.callerCtx.Err() == nil {
		return a.fail.notConnectedInTime(cause, a.clock.limit)
	}
	if e := a.ended(Meta{}); e != nil {
		return e
	}
	if own, ok := errors.AsType[*Error](err); ok { // the body could not be read
		return a.fail.complete(*own)
	}
	if strings.HasPrefix(withoutURL(err).Error(), "failed to parse Location header") { // and quotes it
		return a.fail.redirectRefused(Meta{}, errBadLocation)
	}
	if redirect != nil {
		a.fail.learn(redirect.Header.Get("Location"))
		return a.fail.redirectRefused(metaOf(redirect), err)
	}
	return a.fail.notAnswered(err, connected)
}

// ended makes the error of an attempt that the caller's context, or a clock of our own, has ended.
// It returns nil if neither has.
func (a *attempt) ended(m Meta) *Error {
	if a.callerCtx.Err() != nil {
		return a.fail.contextEnded(a.callerCtx, m)
	}
	if cause := a.clock.ranOut(); cause != nil {
		return a.fail.timedOut(m, cause, a.clock.limit)
	}
	return nil
}
