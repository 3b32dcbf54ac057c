// Package babytest is a scripted BabyAPI server for tests, as net/http has httptest.
//
// A [Server] plays answers that are scripted for each method and path, in turn, and records the
// requests. An answer is any [http.Handler]; [JSON], [Events], [Zip], [Recorded] and [Redirect]
// make the usual ones, and the faults ([Cut], [Reset], [Hang], [Drip], [Duplicate], [WrongLength]…)
// make a bad one out of a good one:
//
//	srv := babytest.NewServer()
//	defer srv.Close()
//	srv.On("POST /infer",
//		babytest.WithHeader(babytest.JSON(429, `{"message":"slow down"}`), "Retry-After", "1"),
//		babytest.JSON(200, `{"output":"Paris"}`))
//	client := srv.Client()
//
// [NewPipeServer] is the same without a network, for tests of time inside testing/synctest.
package babytest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Key is the API key of the clients that [Server.Client] makes.
const Key = "babytest-key-0123456789"

// Server answers as scripted with [Server.On]. It is safe for concurrent use.
type Server struct {
	// URL is the base URL, such as "http://127.0.0.1:40001".
	URL string

	http   *httptest.Server
	closed context.CancelFunc // ends what handlers wait for
	client *http.Client
	mux    *http.ServeMux

	mu       sync.Mutex
	scripts  map[string]*script
	requests []*Request
	conns    int
}

// NewServer starts a server on a free port of the loopback interface.
func NewServer() *Server {
	s := newServer()
	s.http.Start()
	s.started(&http.Client{Transport: &http.Transport{}})
	return s
}

// NewTLSServer is [NewServer] with TLS. Only [Server.Client] and [Server.HTTPClient] accept its
// certificate: to any other client it is a server whose certificate is not to be trusted.
func NewTLSServer() *Server {
	s := newServer()
	s.http.StartTLS()
	s.started(s.http.Client())
	return s
}

// NewPipeServer is [NewServer] without a network: connections are [net.Pipe], so that a test
// inside a testing/synctest bubble has its own time. Only [Server.Client] and
// [Server.HTTPClient] reach it. [Reset] and [HalfClose] close such a connection as [Cut] does.
func NewPipeServer() *Server {
	s := newServer()
	s.http.Listener.Close()
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	s.http.Listener = l
	s.http.Start()
	s.started(&http.Client{Transport: &http.Transport{DialContext: l.dial}})
	return s
}

func newServer() *Server {
	s := &Server{mux: http.NewServeMux(), scripts: map[string]*script{}}
	s.http = httptest.NewUnstartedServer(s)
	ctx, cancel := context.WithCancel(context.Background())
	s.closed = cancel
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0) // what goes wrong here is meant to
	s.http.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	s.http.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.mu.Lock()
			s.conns++
			s.mu.Unlock()
		}
	}
	return s
}

func (s *Server) started(client *http.Client) {
	s.URL, s.client = s.http.URL, client
}

// Close cuts all connections and ends the server.
func (s *Server) Close() {
	s.closed()
	s.client.CloseIdleConnections()
	s.http.CloseClientConnections()
	s.http.Close()
}

// HTTPClient is an http.Client that reaches the server. It has a connection pool of its own.
func (s *Server) HTTPClient() *http.Client { return s.client }

// Client is a babyclient for the server, with the key [Key]. It panics when an option is not
// valid.
func (s *Server) Client(opts ...babyclient.Option) *babyclient.Client {
	own := []babyclient.Option{
		babyclient.WithBaseURL(s.URL),
		babyclient.WithAPIKey(Key),
		babyclient.WithHTTPClient(s.client),
	}
	c, err := babyclient.New(append(own, opts...)...)
	if err != nil {
		panic("babytest: " + err.Error())
	}
	return c
}

// On scripts the answers to requests that match a pattern of [http.ServeMux], such as "POST /infer"
// or "GET /docling/v1/status/poll/{id}": each answers one request, in turn, and the last of them
// every further one. Called again for one pattern, it adds to the script.
func (s *Server) On(pattern string, answers ...http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scripts[pattern] == nil {
		s.scripts[pattern] = &script{server: s}
		s.mux.Handle(pattern, s.scripts[pattern])
	}
	s.scripts[pattern].answers = append(s.scripts[pattern].answers, answers...)
}

type script struct {
	server  *Server
	answers []http.Handler
	next    int
}

func (sc *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sc.server.mu.Lock()
	answer := sc.answers[sc.next]
	if sc.next < len(sc.answers)-1 {
		sc.next++
	}
	sc.server.mu.Unlock()
	answer.ServeHTTP(w, r)
}

// ServeHTTP records a request and answers it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	req := &Request{
		Method:        r.Method,
		Path:          r.URL.EscapedPath(),
		Query:         r.URL.Query(),
		Host:          r.Host,
		Header:        r.Header.Clone(),
		Body:          body,
		ContentLength: r.ContentLength,
		BodyErr:       err,
	}
	s.mu.Lock()
	s.requests = append(s.requests, req)
	s.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	if _, pattern := s.mux.Handler(r); pattern == "" {
		// Not a 404, which has a meaning in the API.
		message := fmt.Sprintf("babytest: no answer is scripted for %s %s", r.Method, r.URL.Path)
		http.Error(w, message, http.StatusNotImplemented)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Request is a request as the server received it.
type Request struct {
	Method string
	// Path is escaped, as it was sent.
	Path   string
	Query  url.Values
	Host   string
	Header http.Header
	Body   []byte
	// ContentLength is -1 for a request that did not tell it.
	ContentLength int64
	// BodyErr is why the body did not come to its end, else nil.
	BodyErr error
}

// JSON decodes the body into v.
func (r *Request) JSON(v any) error {
	if err := json.Unmarshal(r.Body, v); err != nil {
		return fmt.Errorf("babytest: the body of %s %s: %w", r.Method, r.Path, err)
	}
	return nil
}

// Requests are the requests so far, in the order of their arrival.
func (s *Server) Requests() []*Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Request(nil), s.requests...)
}

// Connections is how many connections were made so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// pipeListener accepts the connections that dial makes.
type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "babytest.invalid" }

// closeWrite ends the server's side of a connection, as far as its kind can.
func closeWrite(c net.Conn) error {
	switch c := c.(type) {
	case *net.TCPConn:
		return c.CloseWrite()
	case *tls.Conn:
		return c.CloseWrite()
	}
	return c.Close()
}
