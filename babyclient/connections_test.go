package babyclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// network is a server inside a synctest bubble, where no goroutine may be left when a test ends.
type network struct {
	*Client
	conns   chan net.Conn // to the server
	opened  atomic.Int32
	connect func(addr string) error // is asked before each connection, nil for none
}

func (n *network) Accept() (net.Conn, error) {
	conn, ok := <-n.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (n *network) Close() error   { return nil }
func (n *network) Addr() net.Addr { return &net.TCPAddr{} }

func bubble(t *testing.T, handler http.HandlerFunc, f func(t *testing.T, n *network)) {
	t.Setenv("HTTP_PROXY", "")
	synctest.Test(t, func(t *testing.T) {
		c, err := New(WithAPIKey("k"), WithBaseURL("http://babyapi.invalid"), WithMaxRetries(0))
		if err != nil {
			t.Fatal(err)
		}
		n := &network{Client: c, conns: make(chan net.Conn)}
		c.connections.connect = func(_ context.Context, _, addr string) (net.Conn, error) {
			n.opened.Add(1)
			if n.connect != nil {
				if err := n.connect(addr); err != nil {
					return nil, err
				}
			}
			ours, theirs := net.Pipe()
			n.conns <- theirs
			return ours, nil
		}
		srv := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		go func() { _ = srv.Serve(n) }()
		f(t, n)
		time.Sleep(time.Minute) // net/http ends what it had begun to dial
		c.CloseIdleConnections()
		close(n.conns)
		_ = srv.Close()
	})
}

func get(ctx context.Context, c *Client) error { return c.Do(ctx, "GET", "/v1/models", nil, nil) }

// TestNoConnectionTooMany: a call takes the connection that another gave back while its own is still being made, and a third
// call then waits for that one instead of making one more.
func TestNoConnectionTooMany(t *testing.T) {
	var arrived chan string
	var answer chan struct{}
	bubble(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Get("Call")
		<-answer
		fmt.Fprint(w, `{"data":[]}`)
	}, func(t *testing.T, n *network) {
		arrived, answer = make(chan string), make(chan struct{})
		slow := make(chan struct{})
		n.connect = func(string) error {
			if n.opened.Load() == 2 {
				<-slow
			}
			return nil
		}
		var wg sync.WaitGroup
		call := func(name string) {
			wg.Go(func() {
				if err := n.Do(t.Context(), "GET", "/v1/models", nil, nil, WithHeader("Call", name)); err != nil {
					t.Error(name, err)
				}
			})
		}
		call("first")
		<-arrived
		call("second") // its connection takes its time
		synctest.Wait()
		answer <- struct{}{}
		if name := <-arrived; name != "second" { // on the connection of the first
			t.Fatal(name)
		}
		call("third")
		synctest.Wait()
		if got := n.opened.Load(); got != 2 {
			t.Errorf("%d connections for two calls at once", got)
		}
		close(slow)
		if name := <-arrived; name != "third" {
			t.Fatal(name)
		}
		close(answer)
		wg.Wait()
	})
}

func TestConnectionsOfManyCallers(t *testing.T) {
	const callers, calls = 64, 10
	bubble(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[]}`) }, func(t *testing.T, n *network) {
		n.connect = func(string) error {
			time.Sleep(time.Duration(n.opened.Load()) * time.Millisecond)
			return nil
		}
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range calls {
					if err := get(t.Context(), n.Client); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if got := n.opened.Load(); got > callers {
			t.Errorf("%d connections for %d callers", got, callers)
		}
	})
}

// TestHeldDialEnds: a dial that waits for a connection to come free ends with its call, whose context is cancelled.
func TestHeldDialEnds(t *testing.T) {
	bubble(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[]}`) }, func(t *testing.T, n *network) {
		n.connections.open = 2 // as if one were about to become idle
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- get(ctx, n.Client) }()
		synctest.Wait()
		if n.opened.Load() != 0 {
			t.Error("the dial was not held")
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		synctest.Wait()
		n.connections.change(func() { n.connections.open = 0 })
		if err := get(t.Context(), n.Client); err != nil || n.opened.Load() != 1 {
			t.Error(err, n.opened.Load())
		}
	})
}

// TestHeldDialGoesOn: a call does not wait for long for a connection that never comes free.
func TestHeldDialGoesOn(t *testing.T) {
	bubble(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[]}`) }, func(t *testing.T, n *network) {
		n.connections.open = 2
		start := time.Now()
		if err := get(t.Context(), n.Client); err != nil || time.Since(start) != maxHold {
			t.Error(err, time.Since(start))
		}
	})
}

// TestConnectionsAreCounted: a connection that failed, or was closed, makes room for another.
func TestConnectionsAreCounted(t *testing.T) {
	bubble(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/once" {
			w.Header().Set("Connection", "close")
		}
		fmt.Fprint(w, `{"data":[]}`)
	}, func(t *testing.T, n *network) {
		n.connect = func(string) error { return io.ErrClosedPipe }
		if err := get(t.Context(), n.Client); !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
		n.connect = nil
		for _, path := range []string{"/once", "/once", "/v1/models", "/v1/models"} {
			if err := n.Do(t.Context(), "GET", path, nil, nil); err != nil {
				t.Error(path, err)
			}
		}
		synctest.Wait()
		if p := n.connections; p.open != 1 || p.calls != 0 || n.opened.Load() != 4 {
			t.Errorf("%d open, %d calls, %d opened", p.open, p.calls, n.opened.Load())
		}
	})
}

// TestOtherHostIsNotHeld: a call that is redirected elsewhere does not wait for connections there, of which none is counted.
func TestOtherHostIsNotHeld(t *testing.T) {
	bubble(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "babyapi.invalid" {
			http.Redirect(w, r, "http://elsewhere.invalid/v1/models", http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprint(w, `{"data":[]}`)
	}, func(t *testing.T, n *network) {
		if err := get(t.Context(), n.Client); err != nil || n.opened.Load() != 2 {
			t.Error(err, n.opened.Load())
		}
	})
}

// TestConnectionsOverHTTP2: calls share a connection, up to what the server allows, and none waits for one that never comes free.
func TestConnectionsOverHTTP2(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Error(r.Proto)
		}
		fmt.Fprint(w, `{"data":[]}`)
	}))
	srv.EnableHTTP2 = true
	srv.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 3}
	srv.StartTLS()
	defer srv.Close()
	c, err := New(WithAPIKey("k"), WithBaseURL(srv.URL), WithMaxRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	transport, ok := c.http.Transport.(*http.Transport)
	if !ok {
		t.Fatalf("%T", c.http.Transport)
	}
	transport.TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig
	defer c.CloseIdleConnections()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 20 {
				if err := get(t.Context(), c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	c.connections.change(func() {
		if c.connections.calls != 0 || c.connections.open > 20 {
			t.Errorf("%d calls, %d connections", c.connections.calls, c.connections.open)
		}
	})
}
