package local

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
)

// forward passes the request on to path, and the answer back as it comes. onAnswer may be nil; it
// may change the headers of the answer.
func (b *backend) forward(w http.ResponseWriter, r *http.Request, path string, onAnswer func(*http.Response)) {
	t := b.target.Load()
	if t == nil {
		notUp(w, b.name)
		return
	}
	// An engine may answer while the last of an upload is still being passed on. Without this the
	// server would close the upload then, and with it the connection to the engine in the middle of
	// its answer.
	_ = http.NewResponseController(w).EnableFullDuplex() // fails only for HTTP/2 and in tests, which need it not
	// A body that is unread when the handler returns, since no engine answered, makes such a server
	// panic. Close reads what is left of it, up to 256 KiB.
	defer func() { _ = r.Body.Close() }()
	body, _ := r.Body.(*clockedBody) // of a body that was read before there is nothing to tell
	proxy := httputil.ReverseProxy{
		// Without a FlushInterval, streams are flushed event by event, and answers of a known
		// length once.
		Transport:  b.transport(),
		BufferPool: buffers{},
		ErrorLog:   log.New(io.Discard, "", 0), // it would only tell of clients that left
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.URL = t.address(path, pr.In.URL.RawQuery)
			pr.Out.Host = t.url.Host
			pr.Out.Header.Del("Origin") // checked here already
			b.authorize(t, pr.Out.Header)
		},
		ModifyResponse: func(resp *http.Response) error {
			if body != nil && body.isSilent() {
				return errSilent // the engine answers for half a body
			}
			for name := range resp.Header { // no page of another site may read an answer
				if strings.HasPrefix(name, "Access-Control-") {
					resp.Header.Del(name)
				}
			}
			resp.Header.Del("Server")
			if b.own && resp.StatusCode >= http.StatusBadRequest {
				if err := clarifyResponse(b.name, resp, t.maxTokens); err != nil {
					return err
				}
			}
			if onAnswer != nil {
				onAnswer(resp)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, out *http.Request, err error) {
			// To the server, a client that is silent for too long has left, so the context has
			// ended.
			if body != nil && out.Context().Err() != nil && body.wasSilent() {
				err = errSilent
			}
			if body == nil || !failBody(w, err) {
				b.fail(out.Context(), w, err)
			}
		},
	}
	proxy.ServeHTTP(w, r)
}

// buffers lends the proxy what it copies answers through. Without it the proxy makes a buffer for
// each answer.
type buffers struct{}

var bufferPool = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (buffers) Get() []byte  { return bufferPool.Get().(*[32 << 10]byte)[:] }
func (buffers) Put(b []byte) { bufferPool.Put((*[32 << 10]byte)(b)) }

// clarifyResponse replaces the answer by a clearer one, where there is one.
func clarifyResponse(engine string, resp *http.Response, maxTokens int) error {
	body, err := leaseOf(resp.Request.Context()).readAnswer(resp.Body)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	resp.StatusCode, body = clarify(engine, resp.StatusCode, body, maxTokens)
	resp.Status = ""
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}
