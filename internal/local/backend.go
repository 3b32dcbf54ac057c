package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// backend is where requests of one kind go: an engine that this process
// started, or a URL that the user gave.
type backend struct {
	name   string
	own    bool
	names  []string // of the model, the one to show first; only of our own engines
	target atomic.Pointer[target]
}

// target is what is known of a backend that is up.
type target struct {
	url        url.URL
	header     [2]string // what our engines want with each request, so that nobody else on this machine uses them
	maxTokens  int       // of one input or conversation; own engines only
	dimensions int       // of the embeddings; own engines only
}

// newRemote is a backend at a URL, with or without the /v1 that some programs
// want at the end of theirs.
func newRemote(name, base string) (*backend, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("the %s URL %q is not one: give http:// or https://, a host and perhaps a path", name, base)
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1")
	u.RawPath, u.RawQuery, u.Fragment = "", "", ""
	b := &backend{name: name}
	b.target.Store(&target{url: *u})
	return b, nil
}

// knows reports whether a request for this model is for this backend. Only our
// own engines answer here: llama.cpp takes any name and ignores it.
func (b *backend) knows(model string) bool {
	return !b.own || model == "" || slices.ContainsFunc(b.names, func(n string) bool { return strings.EqualFold(n, model) })
}

// Connections to our own engines are not kept: llama.cpp closes idle ones after
// five seconds, and a request that meets the close would fail and could not be
// sent again. On loopback a new one costs next to nothing.
var (
	ownTransport    = newTransport(true)
	remoteTransport = newTransport(false)
)

func newTransport(own bool) *http.Transport {
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		DisableKeepAlives:   own,
		DisableCompression:  true, // what the client accepts is between it and the engine
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     3 * time.Second, // less than the five of uvicorn, which vLLM runs on
	}
	if !own {
		t.Proxy = http.ProxyFromEnvironment
	}
	return t
}

func (b *backend) transport() *http.Transport {
	if b.own {
		return ownTransport
	}
	return remoteTransport
}

// address turns a request for this gateway into one for the target.
func (t *target) address(path string, query string) *url.URL {
	u := t.url
	u.RawPath = strings.TrimRight(u.EscapedPath(), "/") + path
	u.Path, _ = url.PathUnescape(u.RawPath) // the path was parsed before
	u.RawQuery = query
	return &u
}

// authorize gives our own engines their key. An engine of the user's gets the
// caller's key, but never the one that opens this gateway.
func (b *backend) authorize(t *target, h http.Header, gatewayHasKey bool) {
	if b.own || gatewayHasKey {
		h.Del("Authorization")
		h.Del("X-Api-Key")
	}
	if t.header[0] != "" {
		h.Set(t.header[0], t.header[1])
	}
}

// forward passes the request on to path, and the answer back as it comes.
func (b *backend) forward(w http.ResponseWriter, r *http.Request, path string, gatewayHasKey bool, onAnswer func(*http.Response)) {
	t := b.target.Load()
	if t == nil {
		notUp(w, b.name)
		return
	}
	// An engine may answer while the last of an upload is still being passed on. Without this the server would
	// close the upload then, and with it the connection to the engine in the middle of its answer.
	_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 and tests have it always, or need it not
	proxy := httputil.ReverseProxy{
		// No FlushInterval: streams are flushed event by event without it, and answers of a known length once.
		Transport:  b.transport(),
		BufferPool: buffers{},
		ErrorLog:   log.New(io.Discard, "", 0), // only clients that left
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.URL = t.address(path, pr.In.URL.RawQuery)
			pr.Out.Host = t.url.Host
			pr.Out.Header.Del("Origin") // checked here already
			b.authorize(t, pr.Out.Header, gatewayHasKey)
		},
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Del("Access-Control-Allow-Origin")
			resp.Header.Del("Server")
			if b.own && resp.StatusCode >= http.StatusBadRequest {
				if err := t.clarify(b.name, resp); err != nil {
					return err
				}
			}
			if onAnswer != nil {
				onAnswer(resp)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { b.fail(r.Context(), w, err) },
	}
	proxy.ServeHTTP(w, r)
}

// buffers lends the proxy what it copies answers through, which it would else make anew for each.
type buffers struct{}

var bufferPool = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (buffers) Get() []byte  { return bufferPool.Get().(*[32 << 10]byte)[:] }
func (buffers) Put(b []byte) { bufferPool.Put((*[32 << 10]byte)(b)) }

// clarify replaces the answer by a clearer one, where there is one.
func (t *target) clarify(engine string, resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	resp.StatusCode, body = clarify(engine, resp.StatusCode, body, t.maxTokens)
	resp.Status = ""
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// fail answers for a backend that gave no answer: 503 when no connection was
// made, so that nothing can have run, else 502.
func (b *backend) fail(ctx context.Context, w http.ResponseWriter, err error) {
	if ctx.Err() != nil {
		return // the client left
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		if b.own {
			notUp(w, b.name)
			return
		}
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, "ServiceUnavailable", fmt.Sprintf("the %s engine cannot be reached: %v", b.name, err))
		return
	}
	writeError(w, http.StatusBadGateway, "BadGateway",
		fmt.Sprintf("the %s engine gave no answer, and the request may have run: %v", b.name, err))
}

// upstreamError is an answer of a backend that is not a success; it is passed on as it is.
type upstreamError struct {
	status int
	header http.Header
	body   []byte
}

func (e *upstreamError) Error() string { return fmt.Sprintf("HTTP %d: %.200s", e.status, e.body) }

// call sends one JSON request and decodes the answer into out. from lends its
// context and its headers, and may be nil for a request of our own.
func (b *backend) call(ctx context.Context, method, path string, from http.Header, gatewayHasKey bool, in, out any) error {
	t := b.target.Load()
	if t == nil {
		return errNotUp
	}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, t.address(path, "").String(), body)
	if err != nil {
		return err
	}
	for _, name := range []string{"Authorization", "X-Api-Key", "X-Request-Id"} {
		if v := from.Get(name); v != "" {
			req.Header.Set(name, v)
		}
	}
	req.Header.Set("Content-Type", "application/json")
	b.authorize(t, req.Header, gatewayHasKey)
	resp, err := (&http.Client{Transport: b.transport()}).Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		if b.own {
			resp.StatusCode, text = clarify(b.name, resp.StatusCode, text, t.maxTokens)
		}
		return &upstreamError{resp.StatusCode, resp.Header, text}
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the %s engine answered what is not the JSON expected: %w", b.name, err)
	}
	return nil
}

var errNotUp = errors.New("the engine is not up")

// failCall answers for a call that gave no result.
func (b *backend) failCall(ctx context.Context, w http.ResponseWriter, err error) {
	if up, ok := errors.AsType[*upstreamError](err); ok {
		for _, name := range []string{"Content-Type", "Retry-After", "Www-Authenticate"} {
			if v := up.header.Get(name); v != "" {
				w.Header().Set(name, v)
			}
		}
		w.WriteHeader(up.status)
		_, _ = w.Write(up.body)
		return
	}
	if errors.Is(err, errNotUp) {
		notUp(w, b.name)
		return
	}
	b.fail(ctx, w, err)
}

// randomHex is n random bytes as text.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
