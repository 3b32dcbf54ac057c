package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// backend is where requests of one kind go: an engine that this process started, or a URL that the
// user gave.
type backend struct {
	name   string
	own    bool                   // this process started it
	names  []string               // of the model, the one to show first; only of our own engines
	target atomic.Pointer[target] // nil while it is not up
}

// target is what is known of a backend that is up.
type target struct {
	url        url.URL
	credential credential
	maxTokens  int // of one input or conversation; own engines only
	dimensions int // of the embeddings; own engines only
}

// credential is a header that an engine of ours wants with each request, so that nobody else on
// this machine can use it.
type credential struct{ header, value string }

// newRemote is a backend at a URL, with or without the /v1 that some programs want at the end of
// theirs.
func newRemote(name, base string) (*backend, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("the %s URL %q is not one: give http:// or https://, a host and perhaps a path",
			name, base)
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1")
	u.RawPath, u.RawQuery, u.Fragment = "", "", ""
	b := &backend{name: name}
	b.target.Store(&target{url: *u})
	return b, nil
}

// knows reports whether a request for this model is for this backend. For our own engines it has to
// be decided here, because llama.cpp takes any name and ignores it.
func (b *backend) knows(model string) bool {
	return !b.own || model == "" ||
		slices.ContainsFunc(b.names, func(name string) bool { return strings.EqualFold(name, model) })
}

// Connections to our own engines are not kept: llama.cpp closes idle ones after five seconds, and a
// request that meets the close would fail and could not be sent again. On loopback a new one costs
// next to nothing.
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

		MaxResponseHeaderBytes: 1 << 20,
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

// address is the URL of a path of the target.
func (t *target) address(path string, query string) *url.URL {
	u := t.url
	u.RawPath = strings.TrimRight(u.EscapedPath(), "/") + path
	u.Path, _ = url.PathUnescape(u.RawPath) // the path was parsed before
	u.RawQuery = query
	return &u
}

// authorize gives our own engines their credential in place of the caller's key, which an engine of
// the user's gets as it came.
func (b *backend) authorize(t *target, h http.Header) {
	if b.own {
		h.Del("Authorization")
		h.Del("X-Api-Key")
	}
	if t.credential.header != "" {
		h.Set(t.credential.header, t.credential.value)
	}
}

// fail answers for a backend that gave no answer: 503 if no connection was made, so that nothing
// can have run, else 502.
func (b *backend) fail(ctx context.Context, w http.ResponseWriter, err error) {
	if ctx.Err() != nil {
		return // the client left
	}
	op, ok := errors.AsType[*net.OpError](err)
	switch notConnected := ok && op.Op == "dial"; {
	case notConnected && b.own:
		notUp(w, b.name)
	case notConnected:
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, "the %s engine cannot be reached: %v", b.name, err)
	default:
		writeError(w, http.StatusBadGateway,
			"the %s engine gave no answer, and the request may have run: %v", b.name, err)
	}
}
