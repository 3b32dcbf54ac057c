package babyclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Meta is what came with an answer beside its typed fields. Every answer embeds it.
type Meta struct {
	// StatusCode is the HTTP status.
	StatusCode int `json:"-"`
	// Header is the answer's header, rate limits included. Shared by all chunks of a stream: do not change it.
	Header http.Header `json:"-"`
	// RequestID is the service's id of the request, empty if it gave none.
	RequestID string `json:"-"`
	// Raw is the JSON of the answer as received, with every field that has no name here.
	// It is empty where the answer was not JSON, and in what was collected from a stream.
	Raw json.RawMessage `json:"-"`
}

func (m *Meta) meta() *Meta { return m }

type withMeta interface{ meta() *Meta }

// call is one call of the API, before the settings of client and caller.
type call struct {
	method  string
	path    string      // below the base URL, escaped
	header  http.Header // what the endpoint needs, nil for most
	body    *body       // nil: none
	slow    bool        // a document: DefaultDocumentTimeout at least
	stream  bool        // answers server-sent events
	noRetry bool        // an upload
	copied  bool        // the answer goes to a writer of the caller's as it comes
}

func (k *call) op() string {
	path, _, _ := strings.Cut(k.path, "?")
	return k.method + " " + path
}

// body is a request body that can be opened once for each attempt.
type body struct {
	contentType string
	length      int64 // bytes, -1 when unknown
	open        func() (io.ReadCloser, error)
	once        bool // open works only once: the body comes from a caller's reader
}

func jsonBody(b []byte) *body {
	return &body{
		contentType: "application/json",
		length:      int64(len(b)),
		open:        func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
	}
}

// response is a 2xx answer whose body is still to be read. It must be closed.
type response struct {
	Meta
	client   *Client
	call     *call
	settings settings
	caller   context.Context
	ctx      context.Context // of the attempt: ends with the caller's, or when one of our clocks runs out
	cancel   context.CancelFunc

	connected atomic.Bool // the request can have reached a server
	use       connectionUse

	rc     io.ReadCloser
	body   limitedReader // of rc
	length int64         // as the header says, -1 when it does not
	idle   *time.Timer   // the stream idle clock, nil for none
	done   func(error)   // ends the attempt, once
	whole  []byte        // the body, where send has read it
}

// The client's own clocks, told apart from the caller's context by their cause.
var (
	errAttemptTimeout = errors.New("the timeout of the call ran out")
	errIdleTimeout    = errors.New("the stream idle timeout ran out")
)

// send makes one call: it applies the options, sends, retries what may be retried, and
// returns the answer with its body unread, or an *Error.
func (c *Client) send(ctx context.Context, k *call, opts []CallOption) (*response, error) {
	s := c.defaults
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o.applyCall(&s); err != nil {
			return nil, c.wrap(k, err)
		}
	}
	if s.apiKey == "" {
		return nil, c.wrap(k, invalid(CodeAPIKeyRequired, "no API key: set BABYAPI_API_KEY or use WithAPIKey"))
	}
	if ctx == nil {
		return nil, c.wrap(k, invalid(CodeInvalidRequest, "the context is nil"))
	}
	for n := 1; ; n++ {
		resp, connected, err := c.attempt(ctx, k, &s, n)
		if err == nil && k.method == http.MethodGet && !k.stream && !k.copied {
			// A GET may be sent again, so an answer that breaks off is a failed attempt too.
			var failed error
			if resp.whole, failed = resp.readAll(); failed != nil {
				err, _ = errors.AsType[*Error](failed)
			}
		}
		if err == nil {
			return resp, nil
		}
		a := Attempt{Method: k.method, Number: n, Connected: connected, Err: err}
		if n > s.maxRetries || k.noRetry || ctx.Err() != nil || !c.retryPolicy(a) {
			return nil, err
		}
		delay, worth := c.retryDelay(ctx, a)
		if !worth {
			return nil, err
		}
		if c.logger != nil {
			c.logger.LogAttrs(ctx, slog.LevelWarn, "babyapi: retry", slog.String("op", k.op()), slog.Int("attempt", n),
				slog.Duration("delay", delay), slog.Int("status", err.StatusCode), slog.String("code", err.Code))
		}
		if stopped := sleep(ctx, delay); stopped != nil {
			return nil, c.contextError(ctx, k, stopped)
		}
	}
}

// attempt sends the request once. connected tells whether it can have reached a server.
func (c *Client) attempt(ctx context.Context, k *call, s *settings, n int) (_ *response, connected bool, _ *Error) {
	start := time.Now()
	if ctx.Err() != nil {
		return nil, false, c.contextError(ctx, k, ctx.Err())
	}
	resp := &response{client: c, call: k, caller: ctx, settings: *s}
	resp.startClock()

	req, err := c.newRequest(resp.traced(), k, s)
	if err != nil {
		resp.stop()
		return nil, false, c.wrap(k, err)
	}
	c.connections.begin()
	hr, err := c.http.Do(req) //nolint:bodyclose // resp.end closes it
	if err != nil {
		c.connections.end(&resp.use)
		e := resp.transportError(err, hr, resp.connected.Load())
		resp.stop()
		c.log(ctx, k, s, n, e.StatusCode, requestID(e.Header), start, 0, e)
		return nil, resp.connected.Load(), e
	}
	resp.StatusCode, resp.Header, resp.RequestID = hr.StatusCode, hr.Header, requestID(hr.Header)
	resp.rc, resp.length = hr.Body, hr.ContentLength
	resp.done = func(err error) {
		c.connections.end(&resp.use)
		resp.stop()
		c.log(ctx, k, s, n, hr.StatusCode, resp.RequestID, start, resp.body.n, err)
	}
	resp.body = limitedReader{r: hr.Body, limit: c.maxResponseSize}
	if hr.StatusCode < 200 || hr.StatusCode > 299 {
		e := resp.apiError()
		resp.end(e)
		return nil, true, e
	}
	if k.stream {
		resp.body.limit = math.MaxInt64
		if resp.idle != nil {
			resp.idle.Stop() // it runs only while somebody waits for a byte
			resp.body.r = &idleReader{r: hr.Body, timer: resp.idle, d: resp.settings.timeout}
		}
	}
	return resp, true, nil
}

// startClock begins the context of the attempt with its clock: for a stream the idle timeout, which the reader of the body
// takes over, else the timeout for the whole of it.
func (r *response) startClock() {
	s, c := &r.settings, r.client
	if r.call.stream {
		d := s.streamIdle
		if s.ownTimeout {
			d = s.timeout
		}
		s.timeout = d
		ctx, cancel := context.WithCancelCause(r.caller)
		r.ctx, r.cancel = ctx, func() { cancel(nil) }
		if d > 0 {
			r.idle = time.AfterFunc(d, func() { cancel(errIdleTimeout) })
		}
		return
	}
	d := s.timeout
	if d == 0 {
		d = c.httpTimeout
	}
	if d == 0 {
		d = DefaultTimeout
	}
	if r.call.slow && !s.ownTimeout {
		d = max(d, DefaultDocumentTimeout)
	}
	s.timeout = d
	r.ctx, r.cancel = context.WithTimeoutCause(r.caller, d, errAttemptTimeout)
}

// stop ends the clock and the context.
func (r *response) stop() {
	if r.idle != nil {
		r.idle.Stop()
	}
	r.cancel()
}

// traced is the context for the request, through which net/http tells when it waits for a connection and when it has one.
func (r *response) traced() context.Context {
	ctx, trace := r.ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { r.connected.Store(true) }}
	if p := r.client.connections; p != nil {
		ctx = context.WithValue(ctx, useKey{}, &r.use)
		trace.GetConn = func(string) { p.setWaits(&r.use, true) }
		trace.GotConn = func(httptrace.GotConnInfo) {
			r.connected.Store(true)
			p.setWaits(&r.use, false)
		}
	}
	return httptrace.WithClientTrace(ctx, trace)
}

// userAgent is sent unless a header option says otherwise.
var userAgent = "babyapi-go/" + Version + " " + runtime.Version()

func (c *Client) newRequest(ctx context.Context, k *call, s *settings) (*http.Request, error) {
	u, err := c.endpoint(k.path)
	if err != nil {
		return nil, invalid(CodeInvalidRequest, "cannot build the request: %v", err)
	}
	h := make(http.Header, 8)
	v := &[...]string{"*/*", userAgent, "", "Bearer " + s.apiKey} // the values, in one allocation
	h["Accept"] = v[0:1:1]                                        // as the official SDKs: several documents are answered with a zip
	h["User-Agent"] = v[1:2:2]
	maps.Copy(h, s.header)
	req := http.Request{Method: k.method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h}
	if k.body != nil {
		if req.Body, err = k.body.open(); err != nil {
			return nil, err
		}
		if req.ContentLength = k.body.length; req.ContentLength == 0 {
			req.Body = http.NoBody
		}
		if !k.body.once {
			req.GetBody = k.body.open // for a redirect that keeps the method, and where net/http wrote nothing
		}
		v[2] = k.body.contentType
		h["Content-Type"] = v[2:3:3]
	}
	maps.Copy(h, k.header)
	h["Authorization"] = v[3:4:4]
	return req.WithContext(ctx), nil
}

func requestID(h http.Header) string {
	for _, name := range [...]string{"X-Babyapi-Request-Id", "X-Request-Id"} { // in the form that net/http gives them
		if v := h[name]; len(v) > 0 && v[0] != "" {
			return v[0]
		}
	}
	return ""
}

// close gives up what is unread. After end it does nothing.
func (r *response) close() { r.end(nil) }

func (r *response) end(err error) {
	if r.done == nil {
		return
	}
	_ = r.rc.Close() // the answer was read, or is given up: nothing is left to lose
	r.done(err)
	r.done = nil
}

// readAll reads the whole body and closes it.
func (r *response) readAll() ([]byte, error) {
	if r.whole != nil {
		return r.whole, nil
	}
	defer r.close()
	var b []byte
	if n := r.length; n > 0 && n <= min(r.client.maxResponseSize, 64<<20) {
		b = make([]byte, 0, n+1) // one more, so that the end is seen without growing
	} else {
		b = make([]byte, 0, 4096)
	}
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, len(b))
		}
		n, err := r.body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			e := r.fail(err)
			r.end(e)
			return nil, e
		}
	}
}

// decode decodes a JSON answer into out.
func (r *response) decode(raw []byte, out any) error {
	if err := json.Unmarshal(raw, out); err != nil {
		return r.notJSON(raw, err)
	}
	if m, ok := out.(withMeta); ok {
		*m.meta() = r.Meta
		m.meta().Raw = raw
	}
	return nil
}

// notJSON is the error of an answer that encoding/json refuses.
func (r *response) notJSON(raw []byte, err error) *Error {
	return r.invalidResponse(raw, fmt.Sprintf("cannot decode the answer as JSON: %v", err), err)
}

// invalidResponse is the error of a 2xx that is not what it must be.
func (r *response) invalidResponse(raw []byte, message string, cause error) *Error {
	e := &Error{Message: message, StatusCode: r.StatusCode, RequestID: r.RequestID, Header: r.Header, Err: cause}
	var top map[string]json.RawMessage
	if json.Unmarshal(raw, &top) == nil && len(top["error"]) > 0 && string(top["error"]) != "null" {
		// Some proxies answer an error with status 200.
		served := &Error{}
		served.fromObject(top)
		if served.Message != "" {
			e.Message = message + ": " + served.Message
		}
		e.Type = served.Type
	}
	e.Code = CodeInvalidResponse
	e.Details = strings.ToValidUTF8(string(raw[:min(len(raw), maxErrorBody)]), "\ufffd")
	return r.finish(e)
}

// apiError reads the error of an answer that is not a 2xx.
func (r *response) apiError() *Error {
	e := &Error{StatusCode: r.StatusCode, RequestID: r.RequestID, Header: r.Header}
	raw, err := io.ReadAll(io.LimitReader(r.rc, maxErrorBody))
	e.parseError(raw)
	if err != nil {
		e.Err = err // the status is known all the same
	}
	if r.StatusCode >= 300 && r.StatusCode < 400 {
		e.Message = "redirected, and the body of the request cannot be sent again: set the base URL to where the redirect leads"
	}
	if v := r.Header.Get("Retry-After"); v != "" {
		e.RetryAfter, e.told = parseRetryAfter(v, time.Now())
	}
	return r.finish(e)
}

// fail is the error of a body that could not be read to its end.
func (r *response) fail(err error) *Error {
	var e *Error
	switch {
	case r.caller.Err() != nil:
		e = r.client.contextError(r.caller, r.call, r.caller.Err())
	case errors.Is(err, errTooLarge):
		e = &Error{Code: CodeResponseTooLarge, Err: err,
			Message: fmt.Sprintf("the answer is longer than %d bytes: raise WithMaxResponseSize if it is meant to be", r.client.maxResponseSize)}
	case r.timedOut() != nil:
		e = r.timeoutError(r.timedOut())
	default:
		e = &Error{Code: CodeConnectionError, Message: "the connection failed while the answer came: " + err.Error() + ranHint(r.call), Err: err}
	}
	e.StatusCode, e.RequestID, e.Header = r.StatusCode, r.RequestID, r.Header
	return r.finish(e)
}

// transportError is the error of a request that got no answer. redirect is the answer whose redirect was refused, nil
// for any other failure.
func (r *response) transportError(err error, redirect *http.Response, connected bool) *Error {
	var e *Error
	switch {
	case r.caller.Err() != nil:
		e = r.client.contextError(r.caller, r.call, r.caller.Err())
	case r.timedOut() != nil && connected:
		e = r.timeoutError(r.timedOut())
	case r.timedOut() != nil:
		e = r.timeoutError(r.timedOut())
		e.Message = fmt.Sprintf("no connection to %s within %s", r.client.base.Host, r.settings.timeout)
	default:
		if local, ok := errors.AsType[*Error](err); ok { // the body could not be read
			return r.client.wrap(r.call, local)
		}
		cause := withoutURL(err)
		e = &Error{Code: CodeConnectionError, Err: cause}
		switch {
		case redirect != nil:
			e.Code, e.StatusCode, e.Header, e.RequestID = CodeInvalidResponse, redirect.StatusCode, redirect.Header, requestID(redirect.Header)
			e.Message = "the redirect was not followed: " + cause.Error()
		case isCertificateError(cause):
			e.Message = fmt.Sprintf("the certificate of %s is not accepted: %v", r.client.base.Host, cause)
		case connected:
			e.Message = fmt.Sprintf("the connection to %s failed: %v%s", r.client.base.Host, cause, ranHint(r.call))
		default:
			e.Message = fmt.Sprintf("cannot connect to %s: %v: check the base URL and that the service runs", r.client.base.Host, cause)
		}
	}
	return r.finish(e)
}

// ranHint warns of what must not be repeated without thought.
func ranHint(k *call) string {
	if k.method == http.MethodGet || k.method == http.MethodHead {
		return ""
	}
	return " (the request may have run, and be billed: it was not sent again)"
}

// timedOut is which of the client's clocks ended the attempt, nil for none.
func (r *response) timedOut() error {
	if cause := context.Cause(r.ctx); errors.Is(cause, errAttemptTimeout) || errors.Is(cause, errIdleTimeout) {
		return cause
	}
	return nil
}

func (r *response) timeoutError(cause error) *Error {
	e := &Error{Code: CodeTimeout, Err: cause}
	if errors.Is(cause, errIdleTimeout) {
		e.Message = fmt.Sprintf("no byte for %s; WithStreamIdleTimeout allows more%s", r.settings.timeout, ranHint(r.call))
	} else {
		e.Message = fmt.Sprintf("no complete answer within %s; WithTimeout allows more%s", r.settings.timeout, ranHint(r.call))
	}
	return e
}

// finish completes an error with its call and takes the secrets out of it.
func (r *response) finish(e *Error) *Error {
	e.Op = r.call.op()
	e.blank(r.settings.secrets())
	return e
}

// contextError is the error of a call that the caller's context ended.
func (c *Client) contextError(ctx context.Context, k *call, err error) *Error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, err) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return &Error{Op: k.op(), Message: err.Error(), Err: err}
}

// wrap makes an *Error of an error that came up before anything was sent.
func (c *Client) wrap(k *call, err error) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return &Error{Op: k.op(), Code: CodeInvalidRequest, Message: err.Error(), Err: err}
	}
	named := *e
	named.Op = k.op()
	return &named
}

// secrets is what must not appear in an error: the key, and headers that look like one.
func (s *settings) secrets() []string {
	var out []string
	add := func(v string) {
		if len(v) >= 6 { // a shorter word is no secret, and would blank out half of a sentence
			out = append(out, v)
		}
	}
	add(s.apiKey)
	for name, values := range s.header {
		low := strings.ToLower(name)
		for _, word := range []string{"key", "token", "secret", "auth", "cookie", "password"} {
			if strings.Contains(low, word) {
				for _, v := range values {
					add(v)
				}
				break
			}
		}
	}
	// The longest first, or a part of it would be left standing.
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// withoutURL takes off the layer of net/http that repeats method and URL.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func isCertificateError(err error) bool {
	_, a := errors.AsType[*tls.CertificateVerificationError](err)
	_, b := errors.AsType[x509.UnknownAuthorityError](err)
	_, h := errors.AsType[x509.HostnameError](err)
	_, i := errors.AsType[x509.CertificateInvalidError](err)
	return a || b || h || i
}

func (c *Client) log(ctx context.Context, k *call, s *settings, attempt, status int, requestID string, start time.Time, bytes int64, err error) {
	if c.logger == nil {
		return
	}
	attrs := []slog.Attr{slog.String("method", k.method), slog.String("path", strings.TrimPrefix(k.op(), k.method+" ")),
		slog.Int("status", status), slog.Int("attempt", attempt), slog.Duration("duration", time.Since(start)), slog.Int64("bytes", bytes)}
	if requestID != "" { // the service's word, which can be an echo of what it was sent
		attrs = append(attrs, slog.String("request_id", redact(requestID, s.secrets())))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	c.logger.LogAttrs(ctx, slog.LevelDebug, "babyapi: call", attrs...)
}

var errTooLarge = errors.New("response too large")

// limitedReader fails, where io.LimitReader would end, when there is more than the limit.
type limitedReader struct {
	r        io.Reader
	n, limit int64 // bytes
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.n += int64(n)
	if l.n > l.limit {
		return 0, errTooLarge
	}
	return n, err
}

// read makes a call and reads its whole answer.
func (c *Client) read(ctx context.Context, k *call, opts []CallOption) (*response, []byte, error) {
	resp, err := c.send(ctx, k, opts)
	if err != nil {
		return nil, nil, err
	}
	raw, err := resp.readAll()
	return resp, raw, err
}

// doJSON makes a whole call with a JSON answer. lacks names a field that the answer must have and has not, and is nil
// where the service can answer anything but an error.
func doJSON[T any](ctx context.Context, c *Client, k *call, opts []CallOption, lacks func(*T) string) (*T, error) {
	resp, raw, err := c.read(ctx, k, opts)
	if err != nil {
		return nil, err
	}
	out := new(T)
	if err := resp.decode(raw, out); err != nil {
		return nil, err
	}
	if lacks == nil {
		lacks = func(*T) string { return lacksAnswer(raw) }
	}
	if field := lacks(out); field != "" {
		return nil, resp.invalidResponse(raw, "the answer has no "+field, nil)
	}
	return out, nil
}

// lacksAnswer names what is not there in null and in an error with status 200, where nothing else is known of the answer.
func lacksAnswer(raw []byte) string {
	var top map[string]json.RawMessage
	var e Error
	if json.Unmarshal(raw, &top) == nil {
		e.fromObject(map[string]json.RawMessage{"error": top["error"]})
	}
	if e.Message != "" || string(bytes.TrimSpace(raw)) == "null" {
		return "content"
	}
	return ""
}
