package babyclient_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// TestFaultMatrix drives each call through each fault and compares with testdata/faults.txt, twice:
// once the fault lasts, and once it is gone after the first attempt.
func TestFaultMatrix(t *testing.T) {
	table := readFaultTable(t, "testdata/faults.txt")
	matrix, seen := faultMatrix(), map[string]bool{}
	var cells, sent atomic.Int64
	t.Run("cells", func(t *testing.T) {
		for _, f := range matrix {
			seen[f.name] = true
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				for _, call := range faultCalls {
					want, ok := table.cell(f.name, call)
					if !ok {
						t.Fatalf("the table does not state it")
					}
					for _, lasts := range []bool{true, false} {
						cell := func(t *testing.T) {
							n := runCell(t, f, call, want, lasts)
							cells.Add(1)
							sent.Add(int64(n))
						}
						t.Run(fmt.Sprintf("%s/lasts=%t", call.name, lasts), func(t *testing.T) {
							if f.real {
								cell(t)
							} else {
								synctest.Test(t, cell)
							}
						})
					}
				}
			})
		}
	})
	for name := range table.rows {
		if !seen[name] {
			t.Errorf("the table states the fault %q, which is not driven", name)
		}
	}
	t.Logf(
		"%d cells (%d faults, %d calls, lasting and passing), %d attempts",
		cells.Load(),
		len(matrix),
		len(faultCalls),
		sent.Load(),
	)
}

// runCell makes one call under one fault and returns the number of attempts.
func runCell(t *testing.T, f fault, call faultCall, want outcome, lasts bool) int {
	srv := babytest.NewPipeServer
	switch {
	case f.tls:
		srv = babytest.NewTLSServer
	case f.real:
		srv = babytest.NewServer
	}
	s := srv()
	defer s.Close()
	var answers []http.Handler
	if f.answer != nil {
		answers = append(answers, f.answer(call.good))
	}
	if f.answer == nil || !lasts {
		answers = append(answers, call.good.handler())
	}
	s.On(call.pattern, answers...)
	s.On("/moved", call.good.handler())
	for pattern, good := range call.others {
		s.On(pattern, good.handler())
	}
	var dials atomic.Int64
	tr := s.HTTPClient().Transport.(*http.Transport).Clone()
	defer tr.CloseIdleConnections()
	if f.dial != nil {
		good := tr.DialContext
		if good == nil {
			good = new(net.Dialer).DialContext
		}
		over := make(chan struct{})
		defer close(over)
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if n := dials.Add(1); n > 1 && !lasts {
				return good(ctx, network, addr)
			}
			return f.dial(ctx, over, func(ctx context.Context) (net.Conn, error) { return good(ctx, network, addr) })
		}
	}
	if f.tls { // as long as the fault lasts, nobody told the client to trust the server
		trusted := tr.TLSClientConfig
		tr.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		defer func() { tr.TLSClientConfig = trusted }()
	}
	opts := []babyclient.Option{
		babyclient.WithHTTPClient(&http.Client{Transport: tr}),
		babyclient.WithMaxResponseSize(64 << 10),
	}
	if f.noTLS {
		opts = append(opts, babyclient.WithBaseURL("https://"+strings.TrimPrefix(s.URL, "http://")))
	}
	c := client(s, opts...)
	attempts := func() int {
		if f.dial != nil {
			others := 0
			for _, r := range s.Requests() {
				if !call.asks(r) {
					others++
				}
			}
			return int(dials.Load()) - others
		}
		n := 0
		for _, r := range s.Requests() {
			if call.asks(r) {
				n++
			}
		}
		return n
	}

	delivered, err := call.run(t.Context(), c)
	n := attempts()
	expect := want
	if !lasts && want.attempts > 1 && !f.tls && !f.noTLS {
		expect = outcome{code: "ok", attempts: 2, delivered: call.chunks}
	}
	if got := (outcome{codeOf(t, err), n, delivered}); got != expect {
		t.Errorf("%s, lasting %t: %s, want %s: %v", call.name, lasts, got, expect, err)
	}
	if err != nil {
		checkFaultError(t, call.name, want.code, err)
	}
	if f.dial != nil && !f.sends && lasts {
		for _, r := range s.Requests() {
			t.Errorf("%s: %s %s reached the server", call.name, r.Method, r.Path)
		}
	}
	if !lasts && err != nil && !f.tls && !f.noTLS {
		tr.CloseIdleConnections() // the server has closed some of them, and net/http may not have noticed yet
		if _, err := call.run(t.Context(), c); err != nil {
			t.Errorf("%s: the next call fails too: %v", call.name, err)
		}
	}
	return n
}

// checkFaultError checks what every error of the matrix must be.
func checkFaultError(t *testing.T, call, code string, err error) {
	t.Helper()
	sentinels := map[string]error{
		"CONNECTION_ERROR": babyclient.ErrConnection, "TIMEOUT": babyclient.ErrTimeout,
		"STREAM_ERROR":     babyclient.ErrStreamFailed,
		"STREAM_TRUNCATED": babyclient.ErrStreamTruncated, "INVALID_RESPONSE": babyclient.ErrInvalidResponse,
		"RESPONSE_TOO_LARGE": babyclient.ErrResponseTooLarge, "DOCLING_TASK_LOST": babyclient.ErrTaskLost,
		"401": babyclient.ErrUnauthorized, "404": babyclient.ErrNotFound, "408": babyclient.ErrTimeout,
		"429": babyclient.ErrRateLimited,
		"502": babyclient.ErrUnavailable, "503": babyclient.ErrUnavailable, "504": babyclient.ErrUnavailable,
	}
	if want := sentinels[code]; want != nil && !errors.Is(err, want) {
		t.Errorf("%s: %v does not match the sentinel %q", call, err, want)
	}
	e := fails(t, err)
	if e.Op == "" || e.Message == "" || strings.Contains(fmt.Sprintf("%v %+v", err, *e), babytest.Key) {
		t.Errorf("%s: an error without words, or with the key: %#v", call, e)
	}
}

// codeOf is how the table names the end of a call.
func codeOf(t *testing.T, err error) string {
	t.Helper()
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, errWrongAnswer):
		return "WRONG ANSWER"
	}
	e := fails(t, err)
	if e.StatusCode >= 400 && e.Code != babyclient.CodeDoclingTaskLost {
		return strconv.Itoa(e.StatusCode)
	}
	return e.Code
}

// outcome is how a call ends: its error, how often it was sent, and how many chunks came before.
type outcome struct {
	code                string
	attempts, delivered int
}

func (o outcome) String() string { return fmt.Sprintf("%s x%d +%d", o.code, o.attempts, o.delivered) }

func parseOutcome(s string) (outcome, error) {
	fields := strings.Fields(s)
	o := outcome{code: fields[0], attempts: 1}
	for _, f := range fields[1:] {
		n, err := strconv.Atoi(f[1:])
		switch {
		case err != nil:
			return o, fmt.Errorf("%q is no outcome: %w", s, err)
		case f[0] == 'x':
			o.attempts = n
		case f[0] == '+':
			o.delivered = n
		default:
			return o, fmt.Errorf("%q is no outcome", s)
		}
	}
	return o, nil
}

type faultTable struct {
	rows       map[string]map[string]outcome // by fault and kind
	exceptions map[string]outcome            // by "fault: call"
}

func (f faultTable) cell(name string, c faultCall) (outcome, bool) {
	if o, ok := f.exceptions[name+" | "+c.name]; ok {
		return o, true
	}
	o, ok := f.rows[name][c.kind]
	return o, ok
}

// readFaultTable reads the table, in which two blanks separate columns, and checks the rule that it
// must keep: what may have run is not sent twice.
func readFaultTable(t *testing.T, path string) faultTable {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	table := faultTable{map[string]map[string]outcome{}, map[string]outcome{}}
	ran := map[string]bool{}
	var kinds []string
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		columns := slices.DeleteFunc(
			strings.Split(line, "  "),
			func(s string) bool { return strings.TrimSpace(s) == "" },
		)
		for i := range columns {
			columns[i] = strings.TrimSpace(columns[i])
		}
		if kinds == nil {
			kinds = columns[2:]
			continue
		}
		if fault, call, ok := strings.Cut(columns[0], " | "); ok {
			o, err := parseOutcome(columns[1])
			if err != nil || table.rows[fault] == nil ||
				!slices.ContainsFunc(faultCalls, func(c faultCall) bool { return c.name == call }) {
				t.Fatalf("%q: no such exception (%v)", line, err)
			}
			table.exceptions[columns[0]] = o
			continue
		}
		if len(columns) != 2+len(kinds) {
			t.Fatalf("%q has %d columns, want %d", line, len(columns), 2+len(kinds))
		}
		row := map[string]outcome{}
		ran[columns[0]] = columns[1] == "yes"
		for i, kind := range kinds {
			if row[kind], err = parseOutcome(columns[2+i]); err != nil {
				t.Fatal(err)
			}
			if ran[columns[0]] && kind != "GET" && row[kind].attempts > 1 {
				t.Errorf("%q: a %s that may have run is sent %d times", columns[0], kind, row[kind].attempts)
			}
		}
		table.rows[columns[0]] = row
	}
	return table
}

// answer is a good answer, from whose bytes the faults are made.
type answer struct {
	body   string
	events []string // of a stream, in place of body
	header string   // more header lines
}

// handler answers well.
func (a answer) handler() http.Handler { return babytest.Recorded([]byte(a.wire())) }

func (a answer) text() string {
	if a.events == nil {
		return a.body
	}
	var b strings.Builder
	for _, e := range a.events {
		b.WriteString("data: " + e + "\n\n")
	}
	return b.String()
}

func (a answer) contentType() string {
	if a.events != nil {
		return "text/event-stream"
	}
	return "application/json"
}

// head is the status line and the header, which ends with the lines given.
func (a answer) head(lines ...string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: " + a.contentType() + "\r\n" + a.header + strings.Join(
		append(lines, "", ""),
		"\r\n",
	)
}

// wire is the whole answer as it is sent: a stream in one piece for each event.
func (a answer) wire() string {
	if a.events == nil {
		return a.head("Content-Length: "+strconv.Itoa(len(a.body)), "Connection: close") + a.body
	}
	var b strings.Builder
	b.WriteString(a.head("Transfer-Encoding: chunked", "Connection: close"))
	for _, e := range a.events {
		e = "data: " + e + "\n\n"
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(e), e)
	}
	b.WriteString("0\r\n\r\n")
	return b.String()
}

// middle is an offset in the body: in the second event of a stream.
func (a answer) middle() int {
	if a.events == nil {
		return len(a.wire()) - len(a.body)/2
	}
	return strings.Index(a.wire(), a.events[1]) + len(a.events[1])/2
}

func (a answer) bodyStart() int { return strings.Index(a.wire(), "\r\n\r\n") + 4 }

// fault is one way for a call to go wrong.
type fault struct {
	name   string
	answer func(answer) http.Handler // what the server answers, nil for the good answer
	// dial makes the connection, nil for the good one; what hangs ends when over is closed.
	dial func(ctx context.Context, over <-chan struct{},
		good func(context.Context) (net.Conn, error)) (net.Conn, error)
	sends bool // the connection comes to be, and a request can reach the server
	real  bool // needs real connections, so real time
	tls   bool // the server's certificate is none that the client trusts
	noTLS bool // the client speaks TLS and the server does not
}

func faultMatrix() []fault {
	served := func(name string, f func(answer) http.Handler) fault { return fault{name: name, answer: f} }
	wire := func(name string, f func(answer) string) fault {
		return served(name, func(a answer) http.Handler { return babytest.Recorded([]byte(f(a))) })
	}
	body := func(name string, status int, text string) fault {
		return served(name, func(answer) http.Handler { return babytest.JSON(status, text) })
	}
	typed := func(name string, contentType, text string) fault {
		return served(name, func(answer) http.Handler { return babytest.Body(200, contentType, []byte(text)) })
	}
	after := func(name string, status int, seconds string) fault {
		return served(name, func(answer) http.Handler {
			return babytest.WithHeader(babytest.JSON(status, `{"message":"later"}`), "Retry-After", seconds)
		})
	}
	at := func(name string, f func(http.Handler, int) http.Handler, offset func(answer) int) fault {
		return served(name, func(a answer) http.Handler { return f(a.handler(), offset(a)) })
	}
	// inBand is a stream that holds these lines after its first event. Other calls are answered
	// well.
	inBand := func(name, lines string) fault {
		return served(name, func(a answer) http.Handler {
			if a.events == nil {
				return a.handler()
			}
			first, rest, _ := strings.Cut(a.text(), "\n\n")
			return babytest.Body(200, a.contentType(), []byte(first+"\n\n"+lines+"\n\n"+rest))
		})
	}
	bomb := babytest.GzipBomb(1 << 20)
	nothing := func(answer) int { return 0 }
	fixed := func(n int) func(answer) int { return func(answer) int { return n } }
	hint := "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	real := func(f fault) fault { f.real = true; return f }

	return []fault{
		{name: "none"},
		served("delay", func(a answer) http.Handler { return babytest.Delay(a.handler(), callTimeout/2) }),
		served("slow drip", func(a answer) http.Handler { return babytest.Drip(a.handler(), 5, callTimeout/1000) }),
		served("gzip", func(a answer) http.Handler {
			b := babytest.WithHeader(babytest.Body(200, a.contentType(), []byte(a.text())), "Connection", "close")
			if a.header != "" {
				name, value, _ := strings.Cut(strings.TrimSpace(a.header), ": ")
				b = babytest.WithHeader(b, name, value)
			}
			return babytest.Gzip(b)
		}),
		wire("one early hint", func(a answer) string { return hint + a.wire() }),
		served("sent twice", func(a answer) http.Handler { return babytest.Duplicate(a.handler()) }),
		wire("no length", func(a answer) string { return a.head("Connection: close") + a.text() }),
		wire("length too short", func(a answer) string {
			short := len("data: [DONE]\n\n")
			if a.events == nil {
				short = 3
			}
			return a.head("Content-Length: "+strconv.Itoa(len(a.text())-short)) + a.text()
		}),

		at("cut: nothing came", babytest.Cut, nothing),
		at("cut: status line", babytest.Cut, fixed(9)),
		at("cut: header", babytest.Cut, fixed(30)),
		at("cut: body start", babytest.Cut, answer.bodyStart),
		at("cut: middle", babytest.Cut, answer.middle),
		at("cut: last byte", babytest.Cut, fixed(-1)),
		at("half close: nothing", babytest.HalfClose, nothing),
		at("half close: middle", babytest.HalfClose, answer.middle),
		at("half close: last byte", babytest.HalfClose, fixed(-1)),
		real(at("reset: nothing came", babytest.Reset, nothing)),
		{
			name:  "reset: while sending",
			sends: true,
			dial: func(ctx context.Context, _ <-chan struct{},
				good func(context.Context) (net.Conn, error)) (net.Conn, error) {
				c, err := good(ctx)
				return &failingConn{Conn: c, left: 120}, err
			},
		},
		wire("length too long", func(a answer) string {
			text := strings.TrimSuffix(a.text(), "data: [DONE]\n\n")
			return a.head("Content-Length: "+strconv.Itoa(len(text)+3)) + text
		}),
		wire("cut, no length", func(a answer) string {
			whole := a.head("Connection: close") + a.text()
			if a.events != nil {
				return whole[:strings.Index(whole, "data: "+a.events[1])]
			}
			return whole[:len(whole)-len(a.body)/2]
		}),

		at("hang: nothing came", babytest.Hang, nothing),
		at("hang: header", babytest.Hang, fixed(30)),
		at("hang: body start", babytest.Hang, answer.bodyStart),
		at("hang: middle", babytest.Hang, answer.middle),
		at("hang: last byte", babytest.Hang, fixed(-1)),
		served("too slow a drip", func(a answer) http.Handler { return babytest.Drip(a.handler(), 20, callTimeout/2) }),
		served("delay: too long", func(a answer) http.Handler { return babytest.Delay(a.handler(), 2*callTimeout) }),

		body("429", 429, `{"message":"slow down"}`),
		after("429, in 1 s", 429, "1"),
		after("429, in an hour", 429, "3600"),
		body("429, monthly limit", 429, `{"error":"MONTHLY_LIMIT_REACHED","message":"no more"}`),
		body("503", 503, ``),
		after("503, in 1 s", 503, "1"),
		after("503, in an hour", 503, "3600"),
		body("408", 408, ``),
		body("500", 500, `{"error":{"message":"out of memory","type":"InternalServerError","code":500}}`),
		served(
			"500, HTML",
			func(answer) http.Handler { return babytest.Body(500, "text/html", []byte("<h1>Oops</h1>")) },
		),
		wire("500, cut", func(answer) string { return "HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\n{\"mess" }),
		served("500, endless", func(answer) http.Handler { return babytest.EndlessBody(500, `Oops`) }),
		body("502", 502, `<html>Bad Gateway</html>`),
		body("504", 504, ``),
		body("401", 401, `{"error":"Unauthorized"}`),
		body("404", 404, `{"detail":"Not Found"}`),
		served("redirect to GET", func(answer) http.Handler { return babytest.Redirect(302, "/moved") }),

		served("garbage", func(answer) http.Handler { return babytest.Garbage() }),
		wire("hints without end", func(answer) string { return strings.Repeat(hint, 10) }),
		wire("broken gzip", func(a answer) string {
			return a.head("Content-Encoding: gzip", "Content-Length: 14") + "this isno gzip"
		}),
		served("gzip bomb", func(answer) http.Handler { return bomb }),
		served("endless body", func(answer) http.Handler { return babytest.EndlessBody(200, `{"output":"`) }),
		typed("empty body", "application/octet-stream", ""),
		served("204", func(answer) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
		}),
		typed("a web page", "text/html", "<!doctype html><h1>Welcome to nginx</h1>"),
		body("a list", 200, `[1]`),
		body("a number", 200, `7`),
		body("null", 200, `null`),
		body("an empty object", 200, `{}`),
		body(
			"wrong types",
			200,
			`{"output":{"a":1},"choices":"no","data":"no","results":7,"document":[],"chunks":{},"task_id":[],`+
				`"job_id":{},"status":[1],"task_status":{},"docling-serve":2}`,
		),
		body("an error with 200", 200, `{"error":{"message":"no such model","type":"NotFoundError","code":404}}`),
		typed("a broken zip", "application/zip", "PK\x03\x04 but not for long"),

		inBand("error event", `data: {"error":{"code":"R1","message":"R"}}`),
		inBand("error beside choices", `data: {"error":{"code":"R1","message":"R"},`+
			`"choices":[{"index":0,"delta":{"content":"lo"},"text":"lo","finish_reason":"error"}]}`),
		inBand("error in a choice", `data: {"choices":[{"index":0,"delta":{"content":"lo"},"text":"lo",`+
			`"error":{"code":"R1","message":"R"}}]}`),
		inBand("object error", `data: {"object":"error","message":"R","code":"R1"}`),
		inBand("detail", `data: {"detail":"R"}`),
		inBand("code and message", `data: {"error":"R1","message":"R"}`),
		inBand("event: error", "event: error\ndata: {\"message\":\"R\",\"code\":\"R1\"}"),
		inBand("error line", `error: {"code":"R1","message":"R"}`),
		inBand("bare error", "{\n\"error\": {\"code\":\"R1\",\"message\":\"R\"}\n}"),
		inBand("error behind a chunk", `data: {"choices":[{"index":0,"delta":{"content":"lo"},"text":"lo"}]}`+
			`{"error":{"code":"R1","message":"R"}}`),
		inBand("no JSON between", "data: hello"),
		inBand("content of no type", `data: {"choices":[{"index":0,"delta":{"content":7},"text":7}]}`),
		typed("an error as events", "text/event-stream", `{"error":{"message":"no such model","code":404}}`),
		typed("events of an error", "application/json", "data: {\"error\":{\"message\":\"R\",\"code\":\"R1\"}}\n\n"),
		served("an error beside the answer", func(a answer) http.Handler {
			failed := `{"error":{"code":"R1","message":"R"},`
			if a.events != nil {
				return babytest.Stream(a.events[0], failed+a.events[1][1:])
			}
			a.body = failed + a.body[1:]
			return a.handler()
		}),

		{
			name: "refused",
			real: true,
			dial: func(ctx context.Context, _ <-chan struct{},
				_ func(context.Context) (net.Conn, error)) (net.Conn, error) {
				l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
				if err != nil {
					return nil, err
				}
				_ = l.Close() // so that nobody listens there
				return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
			},
		},
		{
			name: "no such host",
			real: true,
			dial: func(ctx context.Context, _ <-chan struct{},
				_ func(context.Context) (net.Conn, error)) (net.Conn, error) {
				noServer := func(context.Context, string, string) (net.Conn, error) {
					return nil,
						errors.New("no name server")
				}
				return (&net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: noServer}}).DialContext(
					ctx,
					"tcp",
					"api.invalid:80",
				)
			},
		},
		{
			name: "connecting hangs",
			dial: func(_ context.Context, over <-chan struct{},
				_ func(context.Context) (net.Conn, error)) (net.Conn, error) {
				<-over // net/http lets a dial go on without its request
				return nil, net.ErrClosed
			},
		},
		{
			name: "wrong certificate",
			real: true,
			tls:  true,
			dial: func(ctx context.Context, _ <-chan struct{},
				good func(context.Context) (net.Conn, error)) (net.Conn, error) {
				return good(ctx)
			},
		},
		{
			name:  "no TLS there",
			real:  true,
			noTLS: true,
			dial: func(ctx context.Context, _ <-chan struct{},
				good func(context.Context) (net.Conn, error)) (net.Conn, error) {
				return good(ctx)
			},
		},
		{
			name:  "TLS handshake cut",
			real:  true,
			noTLS: true,
			dial: func(ctx context.Context, _ <-chan struct{},
				good func(context.Context) (net.Conn, error)) (net.Conn, error) {
				c, err := good(ctx)
				return &failingConn{Conn: c, left: 50}, err
			},
		},
	}
}

// failingConn is a connection that is reset after a number of bytes sent.
type failingConn struct {
	net.Conn
	left int
}

func (c *failingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 && err == nil {
		_ = c.Conn.Close()
		err = &net.OpError{Op: "write", Net: "tcp", Err: errors.New("connection reset by peer")}
	}
	return n, err
}

// callTimeout is what each call of the matrix has, and the idle timeout of its streams.
const callTimeout = 10 * time.Second

// faultCall is a public call, the request of it that the fault is for, and its other ones, which go
// well.
type faultCall struct {
	name, kind string
	pattern    string
	good       answer
	others     map[string]answer
	chunks     int // of a stream, when all goes well
	// run makes the call and checks that its answer is the right one.
	run func(context.Context, *babyclient.Client) (delivered int, err error)
}

// asks reports whether r is the request that the fault is for.
func (c *faultCall) asks(r *babytest.Request) bool { return c.pattern == r.Method+" "+r.Path }

var errWrongAnswer = errors.New("no error, and a wrong answer")

// plain makes run of a call that answers once; right tells whether the answer is the right one.
func plain[T any](
	call func(context.Context, *babyclient.Client, babyclient.CallOption) (T, error),
	right func(T) bool,
) func(context.Context, *babyclient.Client) (int, error) {
	return func(ctx context.Context, c *babyclient.Client) (int, error) {
		out, err := call(ctx, c, babyclient.WithTimeout(callTimeout))
		if err == nil && !right(out) {
			err = errWrongAnswer
		}
		return 0, err
	}
}

var (
	convertedAnswer = answer{
		body: `{"document":{"filename":"a.md","md_content":"# A"},"status":"success","errors":[],` +
			`"processing_time":0.1}`,
	}
	chunkedAnswer = answer{
		body: `{"chunks":[{"filename":"a.md","chunk_index":0,"text":"A"}],` +
			`"documents":[{"content":{"filename":"a.md"},"status":"success","errors":[]}]}`,
	}
	submitAnswer = answer{
		body:   `{"task_id":"t1","task_type":"convert","task_status":"pending","task_position":1}`,
		header: "X-Babyapi-Docling-Id: node-1\r\n",
	}
	doneAnswer    = answer{body: `{"task_id":"t1","task_type":"convert","task_status":"success"}`}
	ocrDoneAnswer = answer{body: `{"job_id":"j1","status":"completed","result":{"text":"hello"}}`}
)

func uploads() []babyclient.Source {
	return []babyclient.Source{babyclient.FromBytes("a.md", []byte("# A"))}
}

func urls() []babyclient.Source {
	return []babyclient.Source{babyclient.FromURL("http://files.example/a.md")}
}

func rightDocument(r *babyclient.ConvertResponse) bool { return r.Document().Markdown == "# A" }
func rightChunks(r *babyclient.ChunkResponse) bool {
	return len(r.Chunks) == 1 && r.Chunks[0].Text == "A"
}
func rightJob[T any](j *babyclient.DoclingJob[T]) bool { return j.ID == "t1" && j.Node == "node-1" }
func rightOCR(r *babyclient.OCRResponse) bool          { return asItIs(string(r.Raw)) }

// asItIs is right for a call that passes on any JSON that came whole.
func asItIs(s string) bool { return json.Valid([]byte(s)) }

// chunkText ranges over a stream and checks the text that came.
func chunkText[T any](stream func(yield func(T, error) bool), text func(T) string) (delivered int, err error) {
	var all strings.Builder
	for chunk, e := range stream {
		if e != nil {
			err = e
			continue // so that anything after it would be seen
		}
		if err != nil {
			return delivered, errors.New("a chunk after the error")
		}
		delivered++
		all.WriteString(text(chunk))
	}
	if got := all.String(); err == nil && got != "hello" || !strings.HasPrefix("hello", got) {
		err = fmt.Errorf("%w: %q (%w)", errWrongAnswer, got, err)
	}
	return delivered, err
}

var faultCalls = []faultCall{
	{name: "Chat", kind: "POST", pattern: "POST /v1/chat/completions",
		good: answer{
			body: `{"id":"1","model":"tiny","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},` +
				`"finish_reason":"stop"}]}`,
		},
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.ChatResponse, error) {
				return c.Chat(ctx, &babyclient.ChatRequest{Messages: hi}, o)
			},
			func(r *babyclient.ChatResponse) bool { return r.Text() == "hello" },
		)},
	{name: "ChatStream", kind: "stream", pattern: "POST /v1/chat/completions", chunks: 2,
		good: answer{
			events: []string{
				`{"choices":[{"index":0,"delta":{"content":"hel"}}]}`,
				`{"choices":[{"index":0,"delta":{"content":"lo"}}]}`,
				"[DONE]",
			},
		},
		run: func(ctx context.Context, c *babyclient.Client) (int, error) {
			return chunkText(
				c.ChatStream(ctx, &babyclient.ChatRequest{Messages: hi}, babyclient.WithTimeout(callTimeout)),
				(*babyclient.ChatChunk).Text,
			)
		}},
	{name: "Complete", kind: "POST", pattern: "POST /v1/completions",
		good: answer{body: `{"id":"1","model":"tiny","choices":[{"index":0,"text":"hello","finish_reason":"stop"}]}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.CompleteResponse, error) {
				return c.Complete(ctx, &babyclient.CompleteRequest{Prompt: "p"}, o)
			},
			func(r *babyclient.CompleteResponse) bool { return r.Text() == "hello" },
		)},
	{name: "CompleteStream", kind: "stream", pattern: "POST /v1/completions", chunks: 2,
		good: answer{
			events: []string{
				`{"choices":[{"index":0,"text":"hel"}]}`,
				`{"choices":[{"index":0,"text":"lo"}]}`,
				"[DONE]",
			},
		},
		run: func(ctx context.Context, c *babyclient.Client) (int, error) {
			return chunkText(
				c.CompleteStream(ctx, &babyclient.CompleteRequest{Prompt: "p"}, babyclient.WithTimeout(callTimeout)),
				(*babyclient.CompleteChunk).Text,
			)
		}},
	{name: "Embed", kind: "POST", pattern: "POST /v1/embeddings",
		good: answer{
			body: `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,0.25]}],"model":"e"}`,
		},
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.EmbedResponse, error) {
				return c.Embed(ctx, &babyclient.EmbedRequest{Model: "e", Input: []string{"a"}}, o)
			},
			func(r *babyclient.EmbedResponse) bool { return slices.Equal(r.Vectors[0], []float32{0.5, 0.25}) },
		)},
	{name: "Rerank", kind: "POST", pattern: "POST /v1/rerank",
		good: answer{body: `{"results":[{"index":0,"relevance_score":0.5}]}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.RerankResponse, error) {
				return c.Rerank(ctx, &babyclient.RerankRequest{Model: "r", Query: "q", Documents: []string{"a"}}, o)
			},
			func(r *babyclient.RerankResponse) bool { return r.Results[0].RelevanceScore == 0.5 },
		)},
	{name: "Infer", kind: "POST", pattern: "POST /infer", good: answer{body: `{"output":"hello"}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.InferResponse, error) {
				return c.Infer(ctx, &babyclient.InferRequest{Prompt: "p"}, o)
			},
			func(r *babyclient.InferResponse) bool { return r.Output == "hello" },
		)},
	{
		name:    "InferAny, chat",
		kind:    "POST",
		pattern: "POST /v1/chat/completions",
		good:    answer{body: `{"choices":[{"message":{"content":"hello"}}]}`},
		run: plain(func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (string, error) {
			resp, err := c.InferAny(
				ctx,
				map[string]any{"messages": []any{map[string]any{"role": "user", "content": "hi"}}},
				o,
			)
			if err != nil {
				return "", err
			}
			return string(resp.Raw), nil
		}, asItIs),
	},
	{
		name:    "InferAny, prompt",
		kind:    "POST",
		pattern: "POST /v1/completions",
		good:    answer{body: `{"choices":[{"text":"hello"}]}`},
		run: plain(func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (string, error) {
			resp, err := c.InferAny(ctx, map[string]any{"prompt": "p"}, o)
			if err != nil {
				return "", err
			}
			return string(resp.Raw), nil
		}, asItIs),
	},
	{
		name:    "Models",
		kind:    "GET",
		pattern: "GET /v1/models",
		good:    answer{body: `{"object":"list","data":[{"id":"tiny","object":"model"}]}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.ModelsResponse, error) {
				return c.Models(ctx, o)
			},
			func(r *babyclient.ModelsResponse) bool { return r.Data[0].ID == "tiny" },
		),
	},
	{name: "Do, POST", kind: "POST", pattern: "POST /v1/score", good: answer{body: `{"status":"hello"}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (out struct{ Status string },
				err error) {
				return out, c.Do(ctx, "POST", "/v1/score", map[string]int{"n": 1}, &out, o)
			},
			func(out struct{ Status string }) bool { return out.Status == "hello" || out.Status == "" },
		)},
	{name: "Do, GET", kind: "GET", pattern: "GET /v1/score", good: answer{body: `{"status":"hello"}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (out struct{ Status string },
				err error) {
				return out, c.Do(ctx, "GET", "/v1/score", nil, &out, o)
			},
			func(out struct{ Status string }) bool { return out.Status == "hello" || out.Status == "" },
		)},
	{name: "Convert, source", kind: "POST", pattern: "POST /docling/v1/convert/source", good: convertedAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.ConvertResponse, error) {
				return c.Docling.Convert(ctx, &babyclient.ConvertRequest{Sources: urls()}, o)
			},
			rightDocument,
		)},
	{name: "Convert, file", kind: "upload", pattern: "POST /docling/v1/convert/file", good: convertedAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.ConvertResponse, error) {
				return c.Docling.Convert(ctx, &babyclient.ConvertRequest{Sources: uploads()}, o)
			},
			rightDocument,
		)},
	{name: "Chunk, source", kind: "POST", pattern: "POST /docling/v1/chunk/hybrid/source", good: chunkedAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.ChunkResponse, error) {
				return c.Docling.Chunk(ctx, &babyclient.ChunkRequest{Sources: urls()}, o)
			},
			rightChunks,
		)},
	{name: "Chunk, file", kind: "upload", pattern: "POST /docling/v1/chunk/hybrid/file", good: chunkedAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.ChunkResponse, error) {
				return c.Docling.Chunk(ctx, &babyclient.ChunkRequest{Sources: uploads()}, o)
			},
			rightChunks,
		)},
	{name: "StartConvert, source", kind: "POST", pattern: "POST /docling/v1/convert/source/async", good: submitAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.ConvertJob, error) {
				return c.Docling.StartConvert(ctx, &babyclient.ConvertRequest{Sources: urls()}, o)
			},
			rightJob[babyclient.ConvertResponse],
		)},
	{name: "StartConvert, file", kind: "upload", pattern: "POST /docling/v1/convert/file/async", good: submitAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.ConvertJob, error) {
				return c.Docling.StartConvert(ctx, &babyclient.ConvertRequest{Sources: uploads()}, o)
			},
			rightJob[babyclient.ConvertResponse],
		)},
	{
		name:    "StartChunk, source",
		kind:    "POST",
		pattern: "POST /docling/v1/chunk/hybrid/source/async",
		good:    submitAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.ChunkJob, error) {
				return c.Docling.StartChunk(ctx, &babyclient.ChunkRequest{Sources: urls()}, o)
			},
			rightJob[babyclient.ChunkResponse],
		),
	},
	{name: "StartChunk, file", kind: "upload", pattern: "POST /docling/v1/chunk/hybrid/file/async", good: submitAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.ChunkJob, error) {
				return c.Docling.StartChunk(ctx, &babyclient.ChunkRequest{Sources: uploads()}, o)
			},
			rightJob[babyclient.ChunkResponse],
		)},
	{name: "job Status", kind: "GET", pattern: "GET /docling/v1/status/poll/t1", good: doneAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.JobStatus, error) {
				return c.Docling.ConvertJob("t1", "node-1").Status(ctx, o)
			},
			(*babyclient.JobStatus).Succeeded,
		)},
	{name: "job Wait, poll", kind: "GET", pattern: "GET /docling/v1/status/poll/t1", good: doneAnswer,
		others: map[string]answer{"GET /docling/v1/result/t1": convertedAnswer},
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.ConvertResponse, error) {
				return c.Docling.ConvertJob("t1", "node-1").Wait(ctx, o)
			},
			rightDocument,
		)},
	{name: "job Wait, result", kind: "GET", pattern: "GET /docling/v1/result/t1", good: convertedAnswer,
		others: map[string]answer{"GET /docling/v1/status/poll/t1": doneAnswer},
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.ConvertResponse, error) {
				return c.Docling.ConvertJob("t1", "node-1").Wait(ctx, o)
			},
			rightDocument,
		)},
	{name: "job Result", kind: "GET", pattern: "GET /docling/v1/result/t1", good: convertedAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.ConvertResponse, error) {
				return c.Docling.ConvertJob("t1", "node-1").Result(ctx, o)
			},
			rightDocument,
		)},
	{name: "chunk job Result", kind: "GET", pattern: "GET /docling/v1/result/t1", good: chunkedAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.ChunkResponse, error) {
				return c.Docling.ChunkJob("t1", "node-1").Result(ctx, o)
			},
			rightChunks,
		)},
	{
		name:    "job Cancel",
		kind:    "POST",
		pattern: "POST /docling/v1/cancel/t1",
		good:    answer{body: `{"task_id":"t1","task_status":"cancelled"}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.JobStatus, error) {
				return c.Docling.ConvertJob("t1", "node-1").Cancel(ctx, o)
			},
			func(s *babyclient.JobStatus) bool { return s.State == "cancelled" || s.State == "" },
		),
	},
	{name: "ConvertAll, submit", kind: "upload", pattern: "POST /docling/v1/convert/file/async", good: submitAnswer,
		others: map[string]answer{
			"GET /docling/v1/status/poll/t1": doneAnswer,
			"GET /docling/v1/result/t1":      convertedAnswer,
		},
		run: func(ctx context.Context, c *babyclient.Client) (int, error) {
			for doc, err := range c.Docling.ConvertAll(ctx, &babyclient.ConvertAllRequest{Sources: uploads()},
				babyclient.WithTimeout(callTimeout)) {
				if err == nil && doc.Markdown != "# A" {
					err = errWrongAnswer
				}
				return 0, err
			}
			return 0, errWrongAnswer
		}},
	{name: "ChunkAll, submit", kind: "upload", pattern: "POST /docling/v1/chunk/hybrid/file/async", good: submitAnswer,
		others: map[string]answer{
			"GET /docling/v1/status/poll/t1": doneAnswer,
			"GET /docling/v1/result/t1":      chunkedAnswer,
		},
		run: func(ctx context.Context, c *babyclient.Client) (int, error) {
			for r, err := range c.Docling.ChunkAll(ctx, &babyclient.ChunkAllRequest{Sources: uploads()},
				babyclient.WithTimeout(callTimeout)) {
				if err == nil && !rightChunks(r) {
					err = errWrongAnswer
				}
				return 0, err
			}
			return 0, errWrongAnswer
		}},
	{name: "docling Health", kind: "GET", pattern: "GET /docling/health", good: answer{body: `{"status":"ok"}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.DoclingHealth, error) {
				return c.Docling.Health(ctx, o)
			},
			func(h *babyclient.DoclingHealth) bool { return h.Status == "ok" },
		)},
	{name: "docling Ready", kind: "GET", pattern: "GET /docling/ready", good: answer{body: `{"status":"ok"}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.DoclingHealth, error) {
				return c.Docling.Ready(ctx, o)
			},
			func(h *babyclient.DoclingHealth) bool { return h.Status == "ok" },
		)},
	{
		name:    "docling Version",
		kind:    "GET",
		pattern: "GET /docling/version",
		good:    answer{body: `{"docling-serve":"1.0"}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client,
				o babyclient.CallOption) (*babyclient.DoclingVersion, error) {
				return c.Docling.Version(ctx, o)
			},
			func(v *babyclient.DoclingVersion) bool { return v.Versions["docling-serve"] == "1.0" },
		),
	},
	{name: "OCR Document", kind: "POST", pattern: "POST /v1/ocr/document", good: answer{body: `{"text":"hello"}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.OCRResponse, error) {
				return c.OCR.Document(ctx, &babyclient.OCRRequest{Model: "ocr", Input: "http://files.example/a.png"}, o)
			},
			rightOCR,
		)},
	{
		name:    "OCR Start",
		kind:    "POST",
		pattern: "POST /v1/ocr/document/async",
		good:    answer{body: `{"job_id":"j1","status":"pending"}`},
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.OCRJob, error) {
				return c.OCR.Start(ctx, &babyclient.OCRRequest{Model: "ocr", Input: "http://files.example/a.png"}, o)
			},
			func(j *babyclient.OCRJob) bool { return j.ID == "j1" },
		),
	},
	{name: "OCR Status", kind: "GET", pattern: "GET /v1/ocr/jobs/j1", good: ocrDoneAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.JobStatus, error) {
				return c.OCR.Job("j1").Status(ctx, o)
			},
			(*babyclient.JobStatus).Succeeded,
		)},
	{name: "OCR Wait", kind: "GET", pattern: "GET /v1/ocr/jobs/j1", good: ocrDoneAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.OCRResponse, error) {
				return c.OCR.Job("j1").Wait(ctx, o)
			},
			rightOCR,
		)},
	{name: "OCR Result", kind: "GET", pattern: "GET /v1/ocr/jobs/j1", good: ocrDoneAnswer,
		run: plain(
			func(ctx context.Context, c *babyclient.Client, o babyclient.CallOption) (*babyclient.OCRResponse, error) {
				return c.OCR.Job("j1").Result(ctx, o)
			},
			rightOCR,
		)},
}
