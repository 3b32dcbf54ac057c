package babyclient_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

func TestRedirects(t *testing.T) {
	other := babytest.NewServer()
	defer other.Close()
	other.On("/", http.HandlerFunc(answerOK))
	otherTLS := babytest.NewTLSServer()
	defer otherTLS.Close()
	otherTLS.On("POST /infer", babytest.Redirect(307, other.URL+"/infer"))

	custom := babyclient.WithHeader("X-Tenant", "secret-tenant")
	tests := []struct {
		name   string
		kind   string
		status int
		to     func(srv *babytest.Server) string
		err    string // part of the error, empty for none
		key    bool   // the last request carries the key
	}{
		{"GET, same host", "GET", 302, func(*babytest.Server) string { return "/moved" }, "", true},
		{"GET, other host", "GET", 302, func(*babytest.Server) string { return other.URL + "/v1/models" }, "", false},
		{"POST 307, same host", "POST", 307, func(*babytest.Server) string { return "/moved" }, "", true},
		{"POST 308, same host", "POST", 308, func(*babytest.Server) string { return "/moved" }, "", true},
		{"POST 307, refused", "POST", 307, func(*babytest.Server) string { return other.URL + "/infer" },
			"WithCrossHostRedirects", true},
		{"stream 307, refused", "stream", 307,
			func(*babytest.Server) string { return other.URL + "/v1/chat/completions" }, "another host", true},
		{"upload 308, refused", "upload", 308,
			func(*babytest.Server) string { return other.URL + "/docling/v1/convert/file" }, "another host", true},
		{"POST 307, other host, allowed", "POST", 307,
			func(*babytest.Server) string { return other.URL + "/infer" }, "", false},
		{"stream 307, other host, allowed", "stream", 307,
			func(*babytest.Server) string { return other.URL + "/v1/chat/completions" }, "", false},
		{"POST 301", "POST", 301, func(*babytest.Server) string { return "/moved" }, "another method", true},
		{"POST 302", "POST", 302, func(*babytest.Server) string { return "/moved" }, "another method", true},
		{"POST 303", "POST", 303, func(*babytest.Server) string { return "/moved" }, "another method", true},
		{"stream 302", "stream", 302, func(*babytest.Server) string { return "/moved" }, "another method", true},
		{"no Location", "POST", 302, func(*babytest.Server) string { return "" }, "302", true},
		{"in a circle", "GET", 302, func(*babytest.Server) string { return "/v1/models" }, "10 redirects", true},
		{"bytes, 307", "upload", 307, func(*babytest.Server) string { return "/docling/moved" }, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := server(t)
			for _, path := range []string{"GET /v1/models", "POST /infer", "POST /v1/chat/completions",
				"POST /docling/v1/convert/file"} {
				srv.On(path, babytest.Redirect(tt.status, tt.to(srv)))
			}
			srv.On("/moved", http.HandlerFunc(answerOK))
			srv.On("/docling/moved", http.HandlerFunc(answerOK))
			opts := []babyclient.Option{custom}
			if strings.Contains(tt.name, "allowed") {
				opts = append(opts, babyclient.WithCrossHostRedirects())
			}
			before := len(other.Requests())
			err := calls[tt.kind](t.Context(), client(srv, opts...))
			if strings.Contains(tt.name, "refused") && len(other.Requests()) != before {
				t.Error("the body went to the other host")
			}
			if tt.err != "" {
				e := fails(t, err)
				if !strings.Contains(err.Error(), tt.err) || e.StatusCode != tt.status {
					t.Errorf("status %d, err = %v", e.StatusCode, err)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			last := seen(t, srv)
			if strings.Contains(tt.name, "other host") {
				last = seen(t, other)
			}
			if got := last.Header.Get("Authorization") != "" || last.Header.Get("X-Tenant") != ""; got != tt.key {
				t.Errorf("the key was sent: %t, want %t (%v)", got, tt.key, last.Header)
			}
			if first := srv.Requests()[0]; tt.err == "" &&
				(last.Method != first.Method || !bytes.Equal(last.Body, first.Body)) {
				t.Errorf("%s %s became %s %s", first.Method, first.Body, last.Method, last.Body)
			}
			if tt.name == "in a circle" && len(srv.Requests()) != 10 {
				t.Errorf("%d requests: a redirect that fails is not retried", len(srv.Requests()))
			}
		})
	}
	t.Run("https to http", func(t *testing.T) {
		otherTLS.On("GET /v1/models", babytest.Redirect(302, other.URL+"/v1/models"))
		before := len(other.Requests())
		c := otherTLS.Client(custom, babyclient.WithDefaultModel("m"), babyclient.WithCrossHostRedirects())
		for _, kind := range []string{"POST", "GET"} {
			e := fails(t, calls[kind](t.Context(), c))
			if !strings.Contains(e.Message, "https to http") || !errors.Is(e, babyclient.ErrInvalidResponse) {
				t.Errorf("%s: %v", kind, e)
			}
		}
		if n := len(other.Requests()) - before; n != 0 {
			t.Errorf("%d requests went out in clear", n)
		}
	})
	t.Run("https to http on one host name", func(t *testing.T) {
		// The host with its port is the same only where a proxy plays both, so the rule itself is
		// asked.
		hc := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			if r.URL.Scheme == "https" {
				http.Redirect(rec, r, "http://api.example/infer", http.StatusTemporaryRedirect)
			} else {
				t.Errorf("sent over http: %v", r.URL)
				answerOK(rec, r)
			}
			return rec.Result(), nil
		})}
		c, err := babyclient.New(
			babyclient.WithBaseURL("https://api.example"),
			babyclient.WithAPIKey(babytest.Key),
			babyclient.WithHTTPClient(hc),
			custom,
		)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Infer(t.Context(), &babyclient.InferRequest{Model: "m", Prompt: "p"})
		if e := fails(t, err); !strings.Contains(e.Message, "https to http") {
			t.Error(err)
		}
	})
	t.Run("reader, 307", func(t *testing.T) {
		srv := server(t)
		srv.On("POST /docling/v1/convert/file", babytest.Redirect(307, "/docling/moved"))
		_, err := client(
			srv,
		).Docling.Convert(
			t.Context(),
			&babyclient.ConvertRequest{
				Sources: []babyclient.Source{babyclient.FromReader("a.md", strings.NewReader("# A"))},
			},
		)
		if e := fails(t, err); e.StatusCode != 307 || len(srv.Requests()) != 1 {
			t.Errorf("%d requests, err = %v", len(srv.Requests()), err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A server that echoes the request wherever it can makes no error tell the key, or what a header
// hides.
func TestNoSecretInErrors(t *testing.T) {
	const secret = "hush-hush-token"
	echo := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key := r.Header.Get("Authorization") + " " + r.Header.Get("X-Api-Token")
			w.Header().Set("X-Request-Id", key)
			w.Header().Set("X-Echo", key)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, body, key)
		})
	}
	tests := map[string]http.Handler{
		"message":    echo(400, `{"error":{"message":"bad key %s"}}`),
		"code":       echo(400, `{"error":{"message":"m","code":"%s"}}`),
		"type":       echo(400, `{"message":"m","type":"%s"}`),
		"detail":     echo(422, `{"detail":[{"msg":"%s"}]}`),
		"no JSON":    echo(500, `<pre>%s</pre>`),
		"2xx":        echo(200, `{"error":{"message":"%s"}}`),
		"2xx text":   echo(200, `%s`),
		"stream":     echo(200, "data: {\"error\":{\"message\":\"%[1]s\",\"code\":\"%[1]s\"}}\n\n"),
		"stream raw": echo(200, "data: %s\n\n"),
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			srv := server(t)
			srv.On("/", answer)
			c := client(srv, babyclient.WithHeader("X-Api-Token", secret))
			var errs []error
			for _, call := range calls {
				errs = append(errs, call(t.Context(), c))
			}
			_, err := babyclient.Collect(chatStream(t.Context(), c))
			errs = append(errs, err)
			for _, err := range errs {
				e := fails(t, err)
				if text := fmt.Sprintf("%v %+v %#v", err, *e, *e); strings.Contains(text, babytest.Key) ||
					strings.Contains(text, secret) {
					t.Errorf("the error tells a secret: %s", text)
				}
				if e.Err != nil && strings.Contains(e.Err.Error(), babytest.Key) {
					t.Errorf("its cause tells a secret: %v", e.Err)
				}
			}
		})
	}
}

// What goes wrong on the way tells no user info of a proxy or a URL either.
func TestNoURLInErrors(t *testing.T) {
	dials := 0
	c, err := babyclient.New(
		babyclient.WithBaseURL("http://api.invalid/hidden-prefix"),
		babyclient.WithAPIKey(babytest.Key),
		babyclient.WithMaxRetries(0),
		babyclient.WithHTTPClient(refuse(&dials, errors.New("no route"))),
	)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Models(t.Context())
	if strings.Contains(err.Error(), "hidden-prefix") || !strings.Contains(err.Error(), "api.invalid") ||
		!strings.Contains(err.Error(), "no route") {
		t.Errorf("err = %v", err)
	}
	s := babyclient.FromURL("https://user:sesame@host/a.pdf?token=sesame#sesame")
	if s.String() != "https://host/a.pdf" {
		t.Errorf("a source is shown as %s", s)
	}
	if s := (babyclient.Source{URL: "http://user:sesame@ho\x7fst"}); strings.Contains(s.String(), "sesame") {
		t.Errorf("a source is shown as %s", s)
	}
}

// What a document is called and what a service says cannot steer the terminal that an error is
// printed on.
func TestNoEscapeSequences(t *testing.T) {
	const evil = "\x1b]0;owned\x07\x1b[2J\u009b31m\r\b\u202e\u2066\u200f\u2028\u2029"
	hasControl := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool {
			return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
		})
	}
	srv := server(t)
	asJSON, _ := json.Marshal(evil)
	srv.On(
		"POST /infer",
		babytest.WithHeader(
			babytest.JSON(400, `{"error":{"message":`+string(asJSON)+`,"code":`+string(asJSON)+`}}`),
			"X-Request-Id",
			"\u009b31m",
		),
	)
	srv.On(
		"POST /docling/v1/convert/file",
		babytest.JSON(
			200,
			`{"document":{"filename":`+string(
				asJSON,
			)+`},"status":"failure","errors":[{"error_message":`+string(
				asJSON,
			)+`}]}`,
		),
	)
	c := client(srv)
	_, said := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
	_, failed := c.Docling.Convert(
		t.Context(),
		&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromBytes("a.md", []byte("x"))}},
	)
	_, named := c.Docling.Convert(
		t.Context(),
		&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromBytes(evil+".md", []byte("x"))}},
	)
	for _, err := range []error{said, failed, named, fails(t, failed).Err} {
		if err == nil || hasControl(err.Error()) {
			t.Errorf("the error is %q", err)
		}
	}
	if n := len(srv.Requests()); n != 2 {
		t.Errorf("%d requests, want 2: a name with control characters is refused", n)
	}
	if s := babyclient.FromFile("/tmp/" + evil + ".md").String(); hasControl(s) {
		t.Errorf("a source is shown as %q", s)
	}
	if s := babyclient.FromURL("http://host/" + url.PathEscape(evil)).String(); hasControl(s) {
		t.Errorf("a source is shown as %q", s)
	}
}

// The log tells what was called, and no key, no header and no body.
func TestNoSecretInLogs(t *testing.T) {
	const secret = "hush-hush-token"
	srv := server(t)
	srv.On(
		"POST /infer",
		babytest.WithHeader(babytest.JSON(503, `{"message":"`+babytest.Key+`"}`), "X-Request-Id", babytest.Key),
		babytest.JSON(400, `{"error":"`+babytest.Key+`"}`),
	)
	srv.On("GET /v1/models", babytest.Cut(babytest.JSON(200, `{}`), 20))
	var log bytes.Buffer
	c := client(
		srv,
		babyclient.WithHeader("X-Api-Token", secret),
		babyclient.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	)
	_, _ = c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "hush-hush-prompt"})
	_ = c.Do(t.Context(), "GET", "/v1/models?token="+secret, nil, nil)
	if text := log.String(); !strings.Contains(text, "/infer") || strings.Contains(text, babytest.Key) ||
		strings.Contains(text, "hush-hush") {
		t.Errorf("the log:\n%s", text)
	}
}

// What a stream echoes is in no error of collecting it either.
func TestNoSecretInCollectedStreams(t *testing.T) {
	for name, body := range map[string]string{"an event that is no JSON": "no json " + babytest.Key,
		"no choices": `{"id":"1"}`} {
		srv := server(t)
		stream := babytest.WithHeader(babytest.Stream(body), "X-Echo", babytest.Key)
		srv.On("POST /v1/chat/completions", stream)
		srv.On("POST /v1/completions", stream)
		c := client(srv)
		_, chat := babyclient.Collect(chatStream(t.Context(), c))
		_, completion := babyclient.CollectCompletion(c.CompleteStream(t.Context(),
			&babyclient.CompleteRequest{Prompt: "p"}))
		for kind, err := range map[string]error{"chat": chat, "completion": completion} {
			e := fails(t, err)
			if shown := fmt.Sprintf("%v %+v", err, *e); strings.Contains(shown, babytest.Key) || e.Op == "" {
				t.Errorf("%s, %s: the error tells the key, or no call: %s", kind, name, shown)
			}
		}
	}
}

// A connection that the service turns into one of another protocol, and leaves open, ends the call.
func TestSwitchedProtocol(t *testing.T) {
	for kind, call := range calls {
		t.Run(kind, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *babytest.Server) {
				closed := make(chan struct{})
				srv.On("/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					conn, _, err := http.NewResponseController(w).Hijack()
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
					_, _ = io.Copy(io.Discard, conn) // until the client closes it
					close(closed)
				}))
				start := time.Now()
				e := fails(t, call(t.Context(), client(srv), babyclient.WithTimeout(time.Minute)))
				isRight := errors.Is(e, babyclient.ErrInvalidResponse) && e.StatusCode == 101
				if !isRight || time.Since(start) > time.Second {
					t.Errorf("after %s: %v", time.Since(start), e)
				}
				<-closed
			})
		})
	}
}

// net/http sends a POST again by itself if it has an Idempotency-Key and the connection breaks.
func TestIdempotencyKeyIsNoLeaveToSendAgain(t *testing.T) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key", "idempotency-key"} {
		var bodies atomic.Int32
		var got atomic.Value
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				r := bufio.NewReader(conn)
				for { // it answers the first request of a connection, and closes at the second
					req, err := http.ReadRequest(r)
					if err != nil {
						break
					}
					_, _ = io.Copy(io.Discard, req.Body)
					got.Store(req.Header.Get("Idempotency-Key") + req.Header.Get("X-Idempotency-Key"))
					if bodies.Add(1) > 1 {
						break
					}
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n"+`{"output":"x"}`)
				}
				_ = conn.Close()
			}
		}()
		c, err := babyclient.New(babyclient.WithBaseURL("http://"+l.Addr().String()), babyclient.WithAPIKey("k"))
		if err != nil {
			t.Fatal(err)
		}
		req := &babyclient.InferRequest{Model: "m", Prompt: "p"}
		if _, err := c.Infer(t.Context(), req, babyclient.WithHeader(name, "once")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Infer(t.Context(), req, babyclient.WithHeader(name, "once")); err == nil {
			t.Error("the second request was answered")
		}
		if n := bodies.Load(); n != 2 || got.Load() != "once" {
			t.Errorf("%s: %d requests for two calls, the header is %q", name, n, got.Load())
		}
		c.CloseIdleConnections()
	}
}

// However a client is printed or logged, it shows no key and no header.
func TestClientShowsNoKey(t *testing.T) {
	c, err := babyclient.New(babyclient.WithAPIKey(babytest.Key), babyclient.WithHeader("X-Tenant", "secret-tenant"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("made", "client", c, "group", slog.GroupValue(slog.Any("c", c)))
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&out, format, c)
		fmt.Fprintf(&out, format, struct{ Client *babyclient.Client }{c})
		fmt.Fprintf(&out, format, []*babyclient.Client{c})
	}
	for _, secret := range []string{babytest.Key, "secret-tenant"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q stands in %s", secret, &out)
		}
	}
}
