package babyclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// seen is what the first request of a call carried.
func seen(t *testing.T, srv *babytest.Server) *babytest.Request {
	t.Helper()
	reqs := srv.Requests()
	if len(reqs) == 0 {
		t.Fatal("nothing was sent")
	}
	return reqs[len(reqs)-1]
}

func TestConfigurationFromEnvironment(t *testing.T) {
	srv := server(t)
	srv.On("POST /", babytest.JSON(200, `{"output":""}`))
	tests := []struct {
		name       string
		env        map[string]string
		opts       []babyclient.Option
		key, model string
	}{
		{
			"BABYAPI_API_KEY wins",
			map[string]string{"BABYAPI_API_KEY": "key-one", "BABY_API_KEY": "key-two"},
			nil,
			"key-one",
			"from-env",
		},
		{"BABY_API_KEY", map[string]string{"BABY_API_KEY": "key-two"}, nil, "key-two", "from-env"},
		{"options win", map[string]string{"BABYAPI_API_KEY": "key-one"},
			[]babyclient.Option{
				babyclient.WithAPIKey("key-three"),
				babyclient.WithDefaultModel("m"),
			}, "key-three", "m"},
		{"trimmed", map[string]string{"BABYAPI_API_KEY": " key-one\n"}, nil, "key-one", "from-env"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clearEnv(t)
			t.Setenv("BABYAPI_BASE_URL", srv.URL+"/")
			t.Setenv("BABYAPI_DEFAULT_MODEL", "from-env")
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			c, err := babyclient.New(tt.opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseIdleConnections()
			if c.BaseURL() != srv.URL {
				t.Errorf("base URL %s, want %s", c.BaseURL(), srv.URL)
			}
			if _, err := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"}); err != nil {
				t.Fatal(err)
			}
			r := seen(t, srv)
			var body struct{ Model string }
			if err := r.JSON(&body); err != nil {
				t.Fatal(err)
			}
			if got := r.Header.Get("Authorization"); got != "Bearer "+tt.key || body.Model != tt.model {
				t.Errorf("sent %q and model %q", got, body.Model)
			}
		})
	}
}

func TestDefaultBaseURL(t *testing.T) {
	clearEnv(t)
	c, err := babyclient.New()
	if err != nil || c.BaseURL() != "https://api.babyapi.org" {
		t.Fatalf("%v, %v", c, err)
	}
}

// Without a key nothing is sent.
func TestAPIKeyRequired(t *testing.T) {
	clearEnv(t)
	srv := server(t)
	c, err := babyclient.New(babyclient.WithBaseURL(srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Models(t.Context())
	if e := fails(t, err); e.Code != babyclient.CodeAPIKeyRequired || !errors.Is(err, babyclient.ErrAPIKeyRequired) ||
		!errors.Is(err, babyclient.ErrInvalidRequest) {
		t.Errorf("err = %v", err)
	}
	for _, err := range c.ChatStream(t.Context(), &babyclient.ChatRequest{Model: "m",
		Messages: []babyclient.Message{babyclient.User("hi")}}) {
		if !errors.Is(err, babyclient.ErrAPIKeyRequired) {
			t.Errorf("err = %v", err)
		}
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if _, err := client(srv).Models(t.Context(), babyclient.WithAPIKey("")); !errors.Is(
		err,
		babyclient.ErrAPIKeyRequired,
	) {
		t.Errorf("a call with an empty key: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	clearEnv(t)
	tests := []struct {
		name string
		opt  babyclient.Option
		code string
		says string
	}{
		{
			"no scheme",
			babyclient.WithBaseURL("api.babyapi.org"),
			babyclient.CodeInvalidRequest,
			`"api.babyapi.org" has no http or https scheme`,
		},
		{"scheme", babyclient.WithBaseURL("ftp://host"), babyclient.CodeInvalidRequest, `"ftp://host"`},
		{"no host", babyclient.WithBaseURL("http:///x"), babyclient.CodeInvalidRequest, "no host"},
		{"query", babyclient.WithBaseURL("http://host/?token=sesame"), babyclient.CodeInvalidRequest, "query"},
		{"user", babyclient.WithBaseURL("http://me:sesame@host"), babyclient.CodeInvalidRequest, "user information"},
		{
			"unparsable",
			babyclient.WithBaseURL("http://me:sesame@ho\x7fst"),
			babyclient.CodeInvalidRequest,
			"cannot be parsed",
		},
		{"timeout", babyclient.WithTimeout(0), babyclient.CodeInvalidTimeout, "0s"},
		{"negative timeout", babyclient.WithTimeout(-time.Second), babyclient.CodeInvalidTimeout, "-1s"},
		{"idle timeout", babyclient.WithStreamIdleTimeout(-1), babyclient.CodeInvalidTimeout, "-1ns"},
		{"retries", babyclient.WithMaxRetries(-3), babyclient.CodeInvalidMaxRetries, "-3"},
		{"retry delay", babyclient.WithRetryBaseDelay(-time.Second), babyclient.CodeInvalidInterval, "-1s"},
		{"header name", babyclient.WithHeader("a b", "c"), babyclient.CodeInvalidHeaders, `"a b"`},
		{"empty header name", babyclient.WithHeader("", "c"), babyclient.CodeInvalidHeaders, `""`},
		{"header injection", babyclient.WithHeader("X-A", "b\r\nX-Evil: sesame"), babyclient.CodeInvalidHeaders, "X-A"},
		{"key injection", babyclient.WithAPIKey("sesame\r\nX-Evil: 1"), babyclient.CodeInvalidHeaders, "API key"},
		{"response size", babyclient.WithMaxResponseSize(0), babyclient.CodeInvalidRequest, "0"},
		{"http client", babyclient.WithHTTPClient(nil), babyclient.CodeInvalidRequest, "nil"},
		{"policy", babyclient.WithRetryPolicy(nil), babyclient.CodeInvalidRequest, "nil"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := babyclient.New(tt.opt)
			e := fails(t, err)
			if e.Code != tt.code || !errors.Is(err, babyclient.ErrInvalidRequest) ||
				!strings.Contains(err.Error(), tt.says) {
				t.Errorf("code %s: %v; want %s and %q", e.Code, err, tt.code, tt.says)
			}
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
	if _, err := babyclient.New(nil, babyclient.WithAPIKey("key")); err != nil {
		t.Errorf("a nil option: %v", err)
	}
	t.Setenv("BABYAPI_API_KEY", "a\x01b")
	if _, err := babyclient.New(); !errors.Is(err, babyclient.ErrInvalidRequest) {
		t.Errorf("a bad key in the environment: %v", err)
	}
}

// The options of a call are checked before anything is sent.
func TestCallOptionsAreChecked(t *testing.T) {
	srv := server(t)
	c := client(srv)
	for _, o := range []babyclient.CallOption{babyclient.WithTimeout(-1), babyclient.WithMaxRetries(-1),
		babyclient.WithHeader("\n", ""), babyclient.WithAPIKey("a\nb")} {
		if _, err := c.Models(t.Context(), o); !errors.Is(err, babyclient.ErrInvalidRequest) {
			t.Errorf("err = %v", err)
		}
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestHeaders(t *testing.T) {
	srv := server(t)
	srv.On("POST /proxy/infer", babytest.JSON(200, `{"output":""}`))
	c := client(
		srv,
		babyclient.WithBaseURL(srv.URL+"/proxy///"),
		babyclient.WithHeader("X-Default", "d"),
		babyclient.WithHeader("x-both", "default"),
		babyclient.WithHeader("authorization", "Basic no"),
	)
	infer := func(opts ...babyclient.CallOption) http.Header {
		t.Helper()
		if _, err := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"}, opts...); err != nil {
			t.Fatal(err)
		}
		return seen(t, srv).Header
	}
	h := infer(babyclient.WithHeader("X-Both", "call"), nil)
	want := map[string]string{
		"X-Default":     "d",
		"X-Both":        "call",
		"Authorization": "Bearer " + babytest.Key,
		"Content-Type":  "application/json",
		"Accept":        "*/*",
	}
	for name, value := range want {
		if got := h.Values(name); len(got) != 1 || got[0] != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if ua := h.Get("User-Agent"); !strings.HasPrefix(ua, "babyapi-go/"+babyclient.Version) {
		t.Errorf("User-Agent %q", ua)
	}
	if h := infer(babyclient.WithAPIKey("another-key")); h.Get("Authorization") != "Bearer another-key" ||
		h.Get("X-Both") != "default" {
		t.Errorf("the next call: %v", h)
	}
	if h := infer(); h.Get("Authorization") != "Bearer "+babytest.Key {
		t.Errorf("a call changed the client: %v", h)
	}
}

func TestDo(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/score", babytest.WithHeader(babytest.JSON(200, `{"score":0.5}`), "X-Request-Id", "r1"))
	srv.On("DELETE /v1/x", babytest.JSON(204, ``))
	srv.On("GET /blob", babytest.Body(200, "application/octet-stream", []byte("bytes")))
	c := client(srv)
	ctx := t.Context()

	var typed struct{ Score float64 }
	if err := c.Do(ctx, "post", "/v1/score?x=1", map[string]any{"a": "<b>"}, &typed); err != nil || typed.Score != 0.5 {
		t.Errorf("typed: %v, %v", typed, err)
	}
	if r := seen(t, srv); string(r.Body) != `{"a":"<b>"}` || r.Query.Get("x") != "1" {
		t.Errorf("sent %s %v", r.Body, r.Query)
	}
	var raw json.RawMessage
	if err := c.Do(ctx, "POST", "/v1/score", json.RawMessage(`{"n":1}`), &raw); err != nil ||
		string(raw) != `{"score":0.5}` {
		t.Errorf("raw: %s, %v", raw, err)
	}
	var buf bytes.Buffer
	if err := c.Do(ctx, "GET", "/blob", nil, &buf); err != nil || buf.String() != "bytes" {
		t.Errorf("writer: %q, %v", buf.String(), err)
	}
	if err := c.Do(ctx, "DELETE", "/v1/x", nil, nil); err != nil {
		t.Errorf("delete: %v", err)
	}
	for _, method := range []string{"", "GE T", "GET\r\nX: y"} {
		if err := c.Do(ctx, method, "/v1/x", nil, nil); fails(t, err).Code != babyclient.CodeInvalidRequest {
			t.Errorf("method %q: %v", method, err)
		}
	}
	bad := []struct {
		path string
		in   any
		is   error
	}{
		{"", nil, babyclient.ErrInvalidRequest},
		{"v1/models", nil, babyclient.ErrInvalidRequest},
		{"//evil.example/v1", nil, babyclient.ErrInvalidRequest},
		{"https://evil.example/", nil, babyclient.ErrInvalidRequest},
		{"/v1/../../x", nil, babyclient.ErrInvalidRequest},
		{"/v1/%2e%2e/x", nil, babyclient.ErrInvalidRequest},
		{"/%zz", nil, babyclient.ErrInvalidRequest},
		{"/v1/score", map[string]any{"stream": true}, babyclient.ErrInvalidRequest},
		{"/v1/score", map[string]any{"f": func() {}}, babyclient.ErrInvalidRequest},
	}
	before := len(srv.Requests())
	for _, tt := range bad {
		if err := c.Do(ctx, "POST", tt.path, tt.in, nil); !errors.Is(err, tt.is) {
			t.Errorf("%q %v: %v", tt.path, tt.in, err)
		}
	}
	if n := len(srv.Requests()) - before; n != 0 {
		t.Errorf("%d bad requests were sent", n)
	}
	if err := c.Do(ctx, "GET", "/blob", nil, &typed); !errors.Is(err, babyclient.ErrInvalidResponse) {
		t.Errorf("no JSON: %v", err)
	}
	if err := c.Do(ctx, "GET", "/blob", nil, failingWriter{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A plain call whose body asks for a stream fails before it is sent.
func TestStreamMethodRequired(t *testing.T) {
	srv := server(t)
	c := client(srv)
	for _, v := range []any{true, "true", "YES", " on ", "1"} {
		_, chat := c.Chat(
			t.Context(),
			&babyclient.ChatRequest{
				Messages: []babyclient.Message{babyclient.User("hi")},
				Extra:    map[string]any{"stream": v},
			},
		)
		_, complete := c.Complete(
			t.Context(),
			&babyclient.CompleteRequest{Prompt: "p", Extra: map[string]any{"stream": v}},
		)
		_, loose := c.InferAny(t.Context(), map[string]any{"prompt": "p", "stream": v})
		do := c.Do(t.Context(), "POST", "/v1/completions", map[string]any{"stream": v}, nil)
		for i, err := range []error{chat, complete, loose, do} {
			if e := fails(t, err); e.Code != babyclient.CodeStreamMethodRequired {
				t.Errorf("%v, call %d: %v", v, i, err)
			}
		}
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	srv.On("POST /v1/completions", babytest.JSON(200, `{"choices":[{"text":"x"}]}`))
	for _, v := range []any{false, nil, "no", 0} {
		if _, err := c.Complete(t.Context(), &babyclient.CompleteRequest{Prompt: `say "stream": true`,
			Extra: map[string]any{"stream": v}}); err != nil {
			t.Errorf("%v: %v", v, err)
		}
	}
}

// The caller's http.Client is used and never changed, and its timeout does not cut streams.
func TestWithHTTPClient(t *testing.T) {
	srv := server(t)
	srv.On("GET /v1/models", babytest.Redirect(307, srv.URL+"/moved"))
	srv.On("GET /moved", babytest.JSON(200, `{"data":[]}`))
	asked := 0
	hc := &http.Client{Timeout: time.Hour, Transport: srv.HTTPClient().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { asked++; return nil }}
	before := fmt.Sprintf("%+v", *hc)
	c := client(srv, babyclient.WithHTTPClient(hc))
	if _, err := c.Models(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprintf("%+v", *hc); after != before || asked != 1 {
		t.Errorf("asked %d times; client %s, was %s", asked, after, before)
	}
	refuse := &http.Client{
		Transport:     srv.HTTPClient().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if _, err := client(srv, babyclient.WithHTTPClient(refuse)).Models(t.Context()); fails(t, err).StatusCode != 307 {
		t.Errorf("err = %v", err)
	}
}

// The log tells each attempt, and no secret.
func TestLogger(t *testing.T) {
	srv := server(t)
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "req-7")
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(503)
		fmt.Fprintf(w, `{"error":{"message":"no: %s"}}`, r.Header.Get("Authorization"))
	})
	srv.On(
		"POST /infer",
		echo,
		babytest.WithHeader(babytest.JSON(200, `{"output":"the answer"}`), "X-Babyapi-Request-Id", "req-8"),
	)
	var log bytes.Buffer
	c := client(
		srv,
		babyclient.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	)
	if _, err := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "the prompt"},
		babyclient.WithHeader("X-Secret-Token", "hush-hush")); err != nil {
		t.Fatal(err)
	}
	var lines []map[string]any
	for line := range strings.Lines(log.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, m)
	}
	if len(lines) != 3 {
		t.Fatalf("%d lines: %s", len(lines), &log)
	}
	for i, want := range []map[string]any{
		{"level": "DEBUG", "method": "POST", "path": "/infer", "status": 503.0, "attempt": 1.0, "request_id": "req-7"},
		{"level": "WARN", "attempt": 1.0, "status": 503.0},
		{"level": "DEBUG", "method": "POST", "path": "/infer", "status": 200.0, "attempt": 2.0, "request_id": "req-8",
			"bytes": 23.0},
	} {
		for k, v := range want {
			if lines[i][k] != v {
				t.Errorf("line %d: %s = %v, want %v", i, k, lines[i][k], v)
			}
		}
	}
	for _, secret := range []string{babytest.Key, "hush-hush", "the prompt", "the answer"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log tells %q: %s", secret, &log)
		}
	}
}

// What came with an answer is on it, plain and streamed.
func TestMeta(t *testing.T) {
	srv := server(t)
	meta := func(h http.Handler) http.Handler {
		return babytest.WithHeader(
			babytest.WithHeader(babytest.WithHeader(h, "X-Babyapi-Request-Id", "ours"), "X-Request-Id", "theirs"),
			"X-Ratelimit-Remaining",
			"7",
		)
	}
	srv.On("POST /infer", meta(babytest.JSON(200, `{"output":"x","more":1}`)))
	srv.On(
		"POST /v1/chat/completions",
		meta(babytest.Stream(`{"choices":[{"index":0,"delta":{"content":"x"}}],"more":1}`)),
	)
	c := client(srv)
	resp, err := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
	if err != nil {
		t.Fatal(err)
	}
	check := func(m babyclient.Meta) {
		t.Helper()
		if m.RequestID != "ours" || m.Header.Get("X-Ratelimit-Remaining") != "7" || m.StatusCode != 200 {
			t.Errorf("meta %+v", m)
		}
	}
	check(resp.Meta)
	if string(resp.Raw) != `{"output":"x","more":1}` {
		t.Errorf("Raw %s", resp.Raw)
	}
	stream := c.ChatStream(t.Context(), &babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User("hi")}})
	for chunk, err := range stream {
		if err != nil {
			t.Fatal(err)
		}
		check(chunk.Meta)
		if !bytes.Contains(chunk.Raw, []byte(`"more":1`)) {
			t.Errorf("Raw %s", chunk.Raw)
		}
	}
}

func TestNilContext(t *testing.T) {
	srv := server(t)
	var ctx context.Context
	if _, err := client(srv).Models(ctx); !errors.Is(err, babyclient.ErrInvalidRequest) {
		t.Errorf("err = %v", err)
	}
}

func TestResponseSizeLimit(t *testing.T) {
	long := `{"output":"` + strings.Repeat("x", 5000) + `"}`
	tests := map[string]http.Handler{
		"known length": babytest.JSON(200, long),
		"chunked": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, long[:4000])
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, long[4000:])
		}),
		"gzip":      babytest.Gzip(babytest.JSON(200, long)),
		"gzip bomb": babytest.GzipBomb(4 << 20),
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			srv := server(t)
			srv.On("POST /infer", answer)
			_, err := client(
				srv,
				babyclient.WithMaxResponseSize(4096),
			).Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
			e := fails(t, err)
			if !errors.Is(err, babyclient.ErrResponseTooLarge) || e.StatusCode != 200 ||
				!strings.Contains(err.Error(), "4096") {
				t.Errorf("err = %v", err)
			}
			var sink bytes.Buffer
			err = client(srv, babyclient.WithMaxResponseSize(4096)).Do(t.Context(), "POST", "/infer", nil, &sink)
			if !errors.Is(err, babyclient.ErrResponseTooLarge) || sink.Len() > 4096 {
				t.Errorf("a writer got %d bytes, err = %v", sink.Len(), err)
			}
		})
	}
	srv := server(t)
	srv.On("POST /infer", babytest.JSON(200, long))
	if _, err := client(srv, babyclient.WithMaxResponseSize(int64(len(long)))).Infer(t.Context(),
		&babyclient.InferRequest{Prompt: "p"}); err != nil {
		t.Errorf("an answer of just the limit: %v", err)
	}
}

// A nil context is an error of every call, also of those that wait or run many.
func TestNilContextOfJobsAndBatches(t *testing.T) {
	srv := server(t)
	c := client(srv)
	var none context.Context
	batch := &babyclient.ConvertAllRequest{Sources: sources(url1)}
	_, waited := c.Docling.ConvertJob("t", "").Wait(none)
	_, ocr := c.OCR.Job("j").Wait(none)
	var all error
	for _, err := range c.Docling.ConvertAll(none, batch) {
		all = err
	}
	for name, err := range map[string]error{"Wait": waited, "OCR Wait": ocr, "ConvertAll": all} {
		if !errors.Is(err, babyclient.ErrInvalidRequest) || !strings.Contains(err.Error(), "context is nil") {
			t.Errorf("%s: err = %v, want one that says that the context is nil", name, err)
		}
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// The cause of a context is told in its own words, also if it wraps context.Canceled.
func TestCauseOfTheContext(t *testing.T) {
	srv := server(t)
	srv.On("POST /infer", babytest.Hang(babytest.JSON(200, `{}`), 0))
	c := client(srv)
	plain := errors.New("the user pressed stop")
	for _, cause := range []error{plain, fmt.Errorf("stop pressed: %w", context.Canceled), nil} {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(10*time.Millisecond, func() { cancel(cause) })
		_, err := c.Infer(ctx, &babyclient.InferRequest{Prompt: "p"})
		if !errors.Is(err, context.Canceled) || cause != nil &&
			(!errors.Is(err, cause) || !strings.Contains(err.Error(), cause.Error())) {
			t.Errorf("err = %v, want context.Canceled and %v", err, cause)
		}
	}
}
