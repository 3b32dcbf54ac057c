package babyclient_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// pipes are connections without a network, for a server and a client in one bubble of synctest.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.conns <- server
	return client, nil
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A server that closes idle connections, as uvicorn and llama.cpp do after 5 s, loses no request,
// at whatever interval they come.
func TestNoRequestMeetsTheCloseOfAnIdleConnection(t *testing.T) {
	for name, test := range map[string]struct {
		idle      time.Duration // of the server
		keepAlive string        // its header
		kept      time.Duration // for shorter intervals than this a connection is kept
	}{
		"uvicorn, llama.cpp":    {5 * time.Second, "", 3 * time.Second},
		"it says so":            {2 * time.Second, "timeout=2, max=100", time.Second},
		"it says so, shorter":   {time.Second, "max=100, Timeout=1", 500 * time.Millisecond},
		"it says so, longer":    {60 * time.Second, "timeout=60", 3 * time.Second},
		"it says what it wants": {5 * time.Second, "timeout=soon", 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				connections := 0
				server := &http.Server{IdleTimeout: test.idle,
					ConnState: func(_ net.Conn, s http.ConnState) {
						if s == http.StateNew {
							connections++
						}
					},
					Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						if test.keepAlive != "" {
							w.Header().Set("Keep-Alive", test.keepAlive)
						}
						_, _ = w.Write([]byte(`{"output":"x"}`))
					})}
				listener := pipes{make(chan net.Conn), make(chan struct{})}
				go server.Serve(listener) //nolint:errcheck // it ends with the test
				transport := babyclient.NewTransport("http", listener.dial)
				c, err := babyclient.New(babyclient.WithBaseURL("http://x.invalid"), babyclient.WithAPIKey("k"),
					babyclient.WithHTTPClient(&http.Client{Transport: transport}), babyclient.WithMaxRetries(0))
				if err != nil {
					t.Fatal(err)
				}
				infer := func() {
					if _, err := c.Infer(t.Context(), &babyclient.InferRequest{Model: "m", Prompt: "p"}); err != nil {
						t.Fatal(err)
					}
				}
				infer() // its connection is given up if the server has said how long it keeps one
				infer()
				const step = 50 * time.Millisecond
				for interval := test.kept - 2*step; interval < 7*time.Second; interval += step {
					before := connections
					time.Sleep(interval)
					infer()
					if isKept := connections == before; interval < test.kept && !isKept {
						t.Errorf("a new connection after %s", interval)
					} else if interval > test.idle && isKept {
						t.Fatalf("the connection was kept for %s, and the server closes it after %s", interval, test.idle)
					}
				}
				c.CloseIdleConnections()
				_ = server.Close()
				synctest.Wait()
			})
		})
	}
}

func TestBaseURLOfOtherClients(t *testing.T) {
	for given, want := range map[string]string{
		"https://api.babyapi.org/v1":      "https://api.babyapi.org",
		"https://api.babyapi.org/v1/":     "https://api.babyapi.org",
		"https://host/openai/v1":          "https://host/openai",
		"https://host/openai//v1//":       "https://host/openai",
		"https://host/a%2Fb/v1":           "https://host/a%2Fb",
		"https://host/v1/v1":              "https://host/v1",
		"https://host/apiv1":              "https://host/apiv1",
		"https://host/v1/proxy":           "https://host/v1/proxy",
		"https://v1":                      "https://v1",
		"http://127.0.0.1:8000/v1":        "http://127.0.0.1:8000",
		"https://host/a%2Fv1":             "https://host/a%2Fv1",
		"https://host/V1":                 "https://host/V1",
		" https://host/proxy/v1 ":         "https://host/proxy",
		"http://[::1]:8000/some/v1/":      "http://[::1]:8000/some",
		"https://host/caf%C3%A9/v1":       "https://host/caf%C3%A9",
		"https://host/with%20blank/v1/v1": "https://host/with%20blank/v1",
	} {
		c, err := babyclient.New(babyclient.WithBaseURL(given))
		if err != nil || c.BaseURL() != want {
			t.Errorf("%s: %s, error %v; want %s", given, c.BaseURL(), err, want)
		}
	}
	for _, given := range []string{"/v1", "host/v1", "https:///v1"} {
		if _, err := babyclient.New(babyclient.WithBaseURL(given)); !errors.Is(err, babyclient.ErrInvalidRequest) {
			t.Errorf("%s: error %v", given, err)
		}
	}
}
