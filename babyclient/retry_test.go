package babyclient_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// bubble runs a test with time and network of its own.
func bubble(t *testing.T, f func(t *testing.T, srv *babytest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := babytest.NewPipeServer()
		defer srv.Close()
		f(t, srv)
	})
}

var hi = []babyclient.Message{babyclient.User("hi")}

// calls are one call of each kind that the retry rules tell apart.
var calls = map[string]func(context.Context, *babyclient.Client, ...babyclient.CallOption) error{
	"GET": func(ctx context.Context, c *babyclient.Client, opts ...babyclient.CallOption) error {
		_, err := c.Models(ctx, opts...)
		return err
	},
	"POST": func(ctx context.Context, c *babyclient.Client, opts ...babyclient.CallOption) error {
		_, err := c.Infer(ctx, &babyclient.InferRequest{Prompt: "p"}, opts...)
		return err
	},
	"stream": func(ctx context.Context, c *babyclient.Client, opts ...babyclient.CallOption) error {
		for _, err := range c.ChatStream(ctx, &babyclient.ChatRequest{Messages: hi}, opts...) {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"upload": func(ctx context.Context, c *babyclient.Client, opts ...babyclient.CallOption) error {
		_, err := c.Docling.Convert(
			ctx,
			&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromBytes("a.md", []byte("# A"))}},
			opts...)
		return err
	},
}

func answerOK(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/docling"):
		_, _ = io.WriteString(w, `{"document":{"filename":"a.md"},"status":"success"}`)
	case r.URL.Path == "/v1/chat/completions":
		babytest.Stream(`{"choices":[{"index":0,"delta":{"content":"x"}}]}`).ServeHTTP(w, r)
	default:
		_, _ = io.WriteString(w, `{"output":"x","data":[]}`)
	}
}

// The rows of the contract: what is sent again after a first failure, for each kind of call.
func TestWhatIsRetried(t *testing.T) {
	body := func(status int, b string) http.Handler { return babytest.JSON(status, b) }
	tests := []struct {
		name    string
		failure http.Handler
		again   string // the kinds of call that are sent again
	}{
		{"408", body(408, ``), "GET"},
		{"429", body(429, `{"message":"slow"}`), "GET POST stream"},
		{"429 monthly limit", body(429, `{"code":"MONTHLY_LIMIT_REACHED","message":"m"}`), ""},
		{"429 monthly limit in error", body(429, `{"error":"MONTHLY_LIMIT_REACHED","message":"m"}`), ""},
		{"429 quota by type", body(429, `{"error":{"message":"m","type":"insufficient_quota"}}`), ""},
		{"500", body(500, ``), ""},
		{"502", body(502, ``), "GET"},
		{"503", body(503, ``), "GET POST stream"},
		{"504", body(504, ``), "GET"},
		{"520, Cloudflare", body(520, ``), "GET"},
		{"524, Cloudflare", body(524, ``), "GET"},
		{"530, Cloudflare", body(530, ``), "GET"},
		{"531", body(531, ``), ""},
		{"400", body(400, ``), ""},
		{"401", body(401, ``), ""},
		{"402", body(402, ``), ""},
		{"404", body(404, ``), ""},
		{"409", body(409, ``), ""},
		{"422", body(422, ``), ""},
		{"connection lost after sending", babytest.Cut(body(200, `{}`), 0), "GET"},
		{"connection lost in the header", babytest.Cut(body(200, `{}`), 20), "GET"},
		{"garbage", babytest.Garbage(), "GET"},
		{"timeout", babytest.Hang(body(200, `{}`), 0), "GET"},
		{"redirect to another method", babytest.Redirect(302, "/elsewhere"), ""},
	}
	for _, tt := range tests {
		for kind, call := range calls {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				if tt.name == "redirect to another method" && kind == "GET" {
					t.Skip("a GET follows it: see TestRedirects")
				}
				bubble(t, func(t *testing.T, srv *babytest.Server) {
					srv.On("/", tt.failure, http.HandlerFunc(answerOK))
					c := client(srv)
					err := call(t.Context(), c, babyclient.WithTimeout(time.Second))
					want := 1
					if strings.Contains(tt.again, kind) {
						want = 2
					}
					if n := len(srv.Requests()); n != want || (err == nil) != (want == 2) {
						t.Errorf("%d requests, want %d; err = %v", n, want, err)
					}
				})
			})
		}
	}
}

// refuse is an http.Client that never connects.
func refuse(dials *int, cause error) *http.Client {
	return &http.Client{
		Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			*dials++
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: cause}
		}},
	}
}

// What could not connect never ran, whatever the method; but a certificate does not become valid.
func TestNoConnection(t *testing.T) {
	for kind, call := range calls {
		t.Run(kind, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *babytest.Server) {
				dials := 0
				err := call(t.Context(), client(srv, babyclient.WithHTTPClient(refuse(&dials, os.ErrPermission))))
				want := 3
				if kind == "upload" {
					want = 1
				}
				if e := fails(t, err); dials != want || !errors.Is(err, babyclient.ErrConnection) ||
					!errors.Is(err, os.ErrPermission) ||
					e.StatusCode != 0 {
					t.Errorf("%d dials, want %d; err = %v", dials, want, err)
				}
				if strings.Contains(err.Error(), "may have run") {
					t.Errorf("nothing was sent, but: %v", err)
				}
			})
		})
	}
	t.Run("certificate", func(t *testing.T) {
		srv := babytest.NewTLSServer()
		defer srv.Close()
		c := client(
			srv,
			babyclient.WithHTTPClient(
				&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}},
			),
		)
		_, err := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
		if !errors.Is(err, babyclient.ErrConnection) || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("err = %v", err)
		}
		if n := srv.Connections(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	})
}

func TestRetryDelays(t *testing.T) {
	at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	tests := []struct {
		name       string
		retryAfter func() string
		min, max   time.Duration // of the one retry
		n          int           // requests
	}{
		{"computed", func() string { return "" }, 200 * time.Millisecond, 300 * time.Millisecond, 2},
		{"seconds", func() string { return "3" }, 3 * time.Second, 3600 * time.Millisecond, 2},
		{"fraction", func() string { return "0.5" }, 500 * time.Millisecond, 600 * time.Millisecond, 2},
		{"zero", func() string { return "0" }, 0, 0, 2},
		{"date", func() string { return at(10 * time.Second) }, 10 * time.Second, 12 * time.Second, 2},
		{"past date", func() string { return at(-time.Hour) }, 0, 0, 2},
		{"60 s", func() string { return "60" }, time.Minute, 72 * time.Second, 2},
		{"too long", func() string { return "61" }, 0, 0, 1},
		{"far date", func() string { return at(time.Hour) }, 0, 0, 1},
		{"absurd", func() string { return "1e300" }, 0, 0, 1},
		{"unreadable", func() string { return "soon" }, 200 * time.Millisecond, 300 * time.Millisecond, 2},
		{"negative", func() string { return "-5" }, 200 * time.Millisecond, 300 * time.Millisecond, 2},
		{"NaN", func() string { return "NaN" }, 200 * time.Millisecond, 300 * time.Millisecond, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *babytest.Server) {
				srv.On(
					"POST /infer",
					babytest.WithHeader(babytest.JSON(429, `{}`), "Retry-After", tt.retryAfter()),
					http.HandlerFunc(answerOK),
				)
				start := time.Now()
				_, err := client(
					srv,
					babyclient.WithRetryBaseDelay(babyclient.DefaultRetryBaseDelay),
				).Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
				if d, n := time.Since(start), len(srv.Requests()); n != tt.n || d < tt.min || d > tt.max {
					t.Errorf("%d requests after %s; want %d after %s to %s", n, d, tt.n, tt.min, tt.max)
				}
				if tt.n == 1 {
					if e := fails(t, err); e.RetryAfter < 61*time.Second-time.Second ||
						!errors.Is(err, babyclient.ErrRateLimited) {
						t.Errorf("RetryAfter %s: %v", e.RetryAfter, err)
					}
				}
			})
		})
	}
}

// The delay doubles, and two retries are all.
func TestBackoff(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		var times []time.Time
		srv.On("POST /infer", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			times = append(times, time.Now())
			w.WriteHeader(503)
		}))
		_, err := client(
			srv,
			babyclient.WithRetryBaseDelay(time.Second),
		).Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
		if !errors.Is(err, babyclient.ErrUnavailable) || len(times) != 3 {
			t.Fatalf("%d requests, err = %v", len(times), err)
		}
		for i, want := range []time.Duration{time.Second, 2 * time.Second} {
			if d := times[i+1].Sub(times[i]); d < want*8/10 || d > want*12/10 {
				t.Errorf("delay %d is %s, want %s within 20 %%", i+1, d, want)
			}
		}
	})
}

// A wait that the context would not outlive is not begun, and one that it ends ends with it.
func TestRetryAndContext(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On("POST /infer", babytest.WithHeader(babytest.JSON(429, `{"message":"slow"}`), "Retry-After", "30"))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		_, err := client(srv).Infer(ctx, &babyclient.InferRequest{Prompt: "p"})
		if e := fails(t, err); e.RetryAfter != 30*time.Second || time.Since(start) != 0 {
			t.Errorf("after %s: %v", time.Since(start), err)
		}

		stop := errors.New("the user went away")
		cctx, cancelCause := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() { cancelCause(stop) })
		start = time.Now()
		_, err = client(srv).Infer(cctx, &babyclient.InferRequest{Prompt: "p"})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, stop) || time.Since(start) != 5*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		if n := len(srv.Requests()); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
}

// A cancelled context is never retried, and is told from the client's own clocks.
func TestCancelledIsNotTimeout(t *testing.T) {
	for kind, call := range calls {
		t.Run(kind, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *babytest.Server) {
				srv.On("/", babytest.Hang(babytest.JSON(200, `{}`), 0))
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := call(ctx, client(srv))
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, babyclient.ErrTimeout) ||
					len(srv.Requests()) != 1 {
					t.Errorf("%d requests, err = %v", len(srv.Requests()), err)
				}
				cancelled, stop := context.WithCancel(t.Context())
				stop()
				if err := call(cancelled, client(srv)); !errors.Is(err, context.Canceled) || len(srv.Requests()) != 1 {
					t.Errorf("%d requests, err = %v", len(srv.Requests()), err)
				}
			})
		})
	}
}

func TestRetryPolicy(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		srv.On(
			"POST /infer",
			babytest.JSON(500, `{"code":"TRY_AGAIN"}`),
			babytest.JSON(500, `{"code":"TRY_AGAIN"}`),
			http.HandlerFunc(answerOK),
		)
		var seen []string
		c := client(srv, babyclient.WithMaxRetries(5), babyclient.WithRetryPolicy(func(a babyclient.Attempt) bool {
			seen = append(seen, fmt.Sprintf("%s %d %t %s", a.Method, a.Number, a.Connected, a.Err.Code))
			return a.Err.Code == "TRY_AGAIN"
		}))
		if _, err := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(seen, ", "); got != "POST 1 true TRY_AGAIN, POST 2 true TRY_AGAIN" {
			t.Errorf("asked %s", got)
		}
		// Retries of a call replace the client's.
		srv.On("POST /v1/x", babytest.JSON(500, `{"code":"TRY_AGAIN"}`))
		before := len(srv.Requests())
		if err := c.Do(t.Context(), "POST", "/v1/x", nil, nil, babyclient.WithMaxRetries(1)); err == nil ||
			len(srv.Requests())-before != 2 {
			t.Errorf("%d requests, err = %v", len(srv.Requests())-before, err)
		}
	})
}

// Timeouts: which clock holds for which call.
func TestTimeouts(t *testing.T) {
	tests := []struct {
		name   string
		kind   string
		client []babyclient.Option
		call   []babyclient.CallOption
		want   time.Duration // 0: none, the test's own deadline of an hour ends it
	}{
		{"default", "POST", nil, nil, time.Minute},
		{"client", "POST", []babyclient.Option{babyclient.WithTimeout(7 * time.Second)}, nil, 7 * time.Second},
		{
			"call",
			"POST",
			[]babyclient.Option{babyclient.WithTimeout(7 * time.Second)},
			[]babyclient.CallOption{babyclient.WithTimeout(time.Second)},
			time.Second,
		},
		{
			"upload at least 5 min",
			"upload",
			[]babyclient.Option{babyclient.WithTimeout(7 * time.Second)},
			nil,
			5 * time.Minute,
		},
		{"upload longer", "upload", []babyclient.Option{babyclient.WithTimeout(7 * time.Minute)}, nil, 7 * time.Minute},
		{"upload of its own", "upload", nil, []babyclient.CallOption{babyclient.WithTimeout(time.Second)}, time.Second},
		{"stream has none", "stream", []babyclient.Option{babyclient.WithTimeout(7 * time.Second)}, nil, 0},
		{"stream of its own", "stream", nil, []babyclient.CallOption{babyclient.WithTimeout(time.Second)}, time.Second},
		{
			"stream idle",
			"stream",
			[]babyclient.Option{babyclient.WithStreamIdleTimeout(9 * time.Second)},
			nil,
			9 * time.Second,
		},
		{"stream idle of the call", "stream", []babyclient.Option{babyclient.WithStreamIdleTimeout(9 * time.Second)},
			[]babyclient.CallOption{babyclient.WithStreamIdleTimeout(2 * time.Second)}, 2 * time.Second},
		{"stream idle off", "stream", []babyclient.Option{babyclient.WithStreamIdleTimeout(9 * time.Second)},
			[]babyclient.CallOption{babyclient.WithStreamIdleTimeout(0)}, 0},
	}
	for _, tt := range tests {
		// The answer can fail to come before its header or in its body.
		for _, n := range []int{0, -1} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, n), func(t *testing.T) {
				bubble(t, func(t *testing.T, srv *babytest.Server) {
					good := http.Handler(http.HandlerFunc(answerOK))
					if tt.kind == "stream" && n < 0 {
						n = -len("data: [DONE]\n\n") - len("0\r\n\r\n")
					}
					srv.On("/", babytest.Hang(good, n))
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					start := time.Now()
					err := calls[tt.kind](ctx, client(srv, tt.client...), tt.call...)
					d := time.Since(start)
					if tt.want == 0 {
						if d != time.Hour || !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("after %s: %v", d, err)
						}
						return
					}
					e := fails(t, err)
					if d != tt.want || e.Code != babyclient.CodeTimeout || !errors.Is(err, babyclient.ErrTimeout) {
						t.Errorf("after %s: %v; want %s", d, err, tt.want)
					}
					option := "WithTimeout"
					if tt.kind == "stream" {
						option = "WithStreamIdleTimeout"
					}
					if !strings.Contains(err.Error(), option) || !strings.Contains(err.Error(), "may have run") ||
						!strings.Contains(err.Error(), tt.want.String()) {
						t.Errorf("the error does not say what allows more, and that it may have run: %v", err)
					}
				})
			})
		}
	}
	t.Run("http.Client.Timeout", func(t *testing.T) {
		bubble(t, func(t *testing.T, srv *babytest.Server) {
			srv.On("/", babytest.Hang(babytest.JSON(200, `{}`), 0))
			hc := &http.Client{Transport: srv.HTTPClient().Transport, Timeout: 3 * time.Second}
			c := client(srv, babyclient.WithHTTPClient(hc))
			start := time.Now()
			if err := calls["POST"](t.Context(), c); !errors.Is(err, babyclient.ErrTimeout) ||
				time.Since(start) != 3*time.Second {
				t.Errorf("after %s: %v", time.Since(start), err)
			}
		})
	})
}

// The timeout is for each attempt, not for all of them.
func TestTimeoutPerAttempt(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		slow := babytest.Delay(babytest.JSON(503, `{}`), 900*time.Millisecond)
		srv.On("POST /infer", slow, slow, http.HandlerFunc(answerOK))
		if _, err := client(srv).Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"},
			babyclient.WithTimeout(time.Second)); err != nil {
			t.Error(err)
		}
	})
}

func TestConnectTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, srv *babytest.Server) {
		over := make(chan struct{}) // net/http lets a dial go on without its request
		defer close(over)
		hc := &http.Client{
			Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				<-over
				return nil, net.ErrClosed
			}},
		}
		_, err := client(
			srv,
			babyclient.WithHTTPClient(hc),
			babyclient.WithMaxRetries(0),
		).Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"})
		if !errors.Is(err, babyclient.ErrTimeout) || !strings.Contains(err.Error(), "no connection") ||
			strings.Contains(err.Error(), "may have run") {
			t.Errorf("err = %v", err)
		}
	})
}

// Servers of OpenAI and Azure say it in milliseconds too.
func TestRetryAfterMilliseconds(t *testing.T) {
	for name, test := range map[string]struct {
		ms, seconds string
		min, max    time.Duration
	}{
		"milliseconds alone":       {"1500", "", 1500 * time.Millisecond, 1800 * time.Millisecond},
		"both":                     {"1500", "30", 1500 * time.Millisecond, 1800 * time.Millisecond},
		"fraction":                 {"0.5", "", 500 * time.Microsecond, 600 * time.Microsecond},
		"unreadable":               {"soon", "2", 2 * time.Second, 2400 * time.Millisecond},
		"negative":                 {"-1", "2", 2 * time.Second, 2400 * time.Millisecond},
		"zero":                     {"0", "30", 0, 0},
		"neither that can be read": {"NaN", "soon", 200 * time.Millisecond, 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, srv *babytest.Server) {
				refusal := babytest.WithHeader(babytest.JSON(429, `{}`), "retry-after-ms", test.ms)
				if test.seconds != "" {
					refusal = babytest.WithHeader(refusal, "Retry-After", test.seconds)
				}
				srv.On("POST /infer", refusal, http.HandlerFunc(answerOK))
				c := client(srv, babyclient.WithRetryBaseDelay(babyclient.DefaultRetryBaseDelay))
				start := time.Now()
				if _, err := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: "p"}); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(start); d < test.min || d > test.max {
					t.Errorf("sent again after %s, want %s to %s", d, test.min, test.max)
				}
			})
		})
	}
}
