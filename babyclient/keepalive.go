package babyclient

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A server closes connections that are idle for long. If a request meets the close, it fails
// without an answer, and a POST is not sent again, since it may have run. So the client closes its
// idle connections first. uvicorn, which vLLM and most others run on, and llama.cpp close after 5
// s, and uvicorn does not say so. Proxies with TLS are in front of the others, and wait for a
// minute or more.
const (
	plainIdleTimeout = 3 * time.Second
	tlsIdleTimeout   = 90 * time.Second
)

// transport is the client's own http.RoundTripper. It closes idle connections sooner once the
// service has said that it does: "Keep-Alive: timeout=5".
type transport struct {
	current atomic.Pointer[http.Transport]
}

// newTransport keeps as many idle connections as a busy program has callers. With the two for each
// host of http.DefaultTransport, almost every call of many callers makes a new connection.
func newTransport(scheme string) *transport {
	const connectTimeout = 30 * time.Second
	dialer := &net.Dialer{Timeout: connectTimeout}
	idleTimeout := tlsIdleTimeout
	if scheme == "http" {
		idleTimeout = plainIdleTimeout
	}
	t := new(transport)
	t.current.Store(&http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          2048,
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       idleTimeout,
		TLSHandshakeTimeout:   connectTimeout,
		ExpectContinueTimeout: time.Second,
		WriteBufferSize:       2 << 10, // bytes; a call fits, and there may be thousands of connections
	})
	return t
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	used := t.current.Load()
	resp, err := used.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if announced, ok := keepAliveTimeout(resp.Header); ok && announced < used.IdleConnTimeout {
		// The timeout of a Transport in use must not be changed. The connections of the old one are
		// used no more.
		shorter := used.Clone()
		shorter.IdleConnTimeout = announced
		if t.current.CompareAndSwap(used, shorter) {
			used.CloseIdleConnections()
		}
	}
	return resp, nil
}

func (t *transport) CloseIdleConnections() { t.current.Load().CloseIdleConnections() }

// keepAliveTimeout is how long a connection may be idle by the server's Keep-Alive header, minus
// a second for a request that is on its way. Of a time shorter than two seconds it is the half.
func keepAliveTimeout(h http.Header) (time.Duration, bool) {
	header := h.Get("Keep-Alive")
	if header == "" {
		return 0, false
	}
	for parameter := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(name, "timeout") {
			continue
		}
		seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
		if err != nil {
			return 0, false
		}
		timeout := time.Duration(seconds) * time.Second
		// Not 0, which means no limit.
		return max(timeout-time.Second, timeout/2, time.Millisecond), true
	}
	return 0, false
}
