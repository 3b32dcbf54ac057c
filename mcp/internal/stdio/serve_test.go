package stdio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/babyapi-org/babyapi-go/mcp/internal/stdio/stdiotest"
)

func TestNotificationsComeAllAndBeforeTheAnswer(t *testing.T) {
	const runs, burst = 100, 50
	h := newHandler()
	// What a tool says by Notify, and what mcp-go itself puts in the session's queue.
	h.methods["notify"] = func(ctx context.Context) any {
		for i := range burst {
			if !Notify(ctx, "notifications/progress", map[string]any{"progress": i}) {
				t.Error("Notify says that the call did not come in over stdio")
			}
		}
		return "done"
	}
	h.methods["queue"] = func(context.Context) any {
		for range burst {
			h.session.NotificationChannel() <- mcpgo.JSONRPCNotification{
				JSONRPC: mcpgo.JSONRPC_VERSION, Notification: mcpgo.Notification{Method: "notifications/progress"},
			}
		}
		return "done"
	}
	for _, method := range []string{"notify", "queue"} {
		t.Run(method, func(t *testing.T) {
			p := servePipe(t, h)
			for id := range runs {
				p.Send(request(fmt.Sprint(id), method))
				for i := range burst {
					if m := p.Receive(); m.Method != "notifications/progress" {
						t.Fatalf("call %d: got %s, want notification %d of %d", id, m, i+1, burst)
					}
				}
				if m := p.Receive(); string(m.ID) != fmt.Sprint(id) {
					t.Fatalf("call %d: got %s, want its answer after all notifications", id, m)
				}
			}
		})
	}
}

// Calls side by side have their own notifications, all before their own answer.
func TestNotificationsOfCallsSideBySide(t *testing.T) {
	const runs, burst = 100, 50
	h := newHandler()
	calls := make(chan int, runs)
	for id := range runs {
		calls <- id
	}
	h.methods["notify"] = func(ctx context.Context) any {
		call := <-calls
		for i := range burst {
			Notify(ctx, "notifications/progress", map[string]any{"call": call, "progress": i})
		}
		return call
	}
	p := servePipe(t, h)
	go func() {
		for id := range runs {
			_, _ = io.WriteString(p.In, request(fmt.Sprint(id), "notify")+"\n")
		}
	}()
	seen := map[string]int{}
	for answered := 0; answered < runs; {
		m := p.Receive()
		if m.Method != "" {
			seen[string(m.Params.Call)]++
			continue
		}
		answered++
		if n := seen[string(m.Result)]; n != burst {
			t.Errorf("call %s: %d of %d notifications before the answer", m.Result, n, burst)
		}
	}
}

func TestBurstIsNotDropped(t *testing.T) {
	h := newHandler()
	h.methods["burst"] = func(ctx context.Context) any {
		for i := range 1000 {
			Notify(ctx, "notifications/progress", map[string]any{"progress": i})
		}
		return "done"
	}
	p := servePipe(t, h)
	p.Send(request("1", "burst"))
	for i := range 1000 {
		if m := p.Receive(); m.Params.Progress != float64(i) {
			t.Fatalf("notification %d: got %s", i, m)
		}
	}
	p.ReceiveID("1")
}

func TestNotifyOutsideACall(t *testing.T) {
	if Notify(t.Context(), "notifications/progress", nil) {
		t.Error("Notify says that it has written a notification, to nobody")
	}
}

// Calls run side by side, however many; a ping is answered while they do.
func TestCallsRunSideBySide(t *testing.T) {
	h := newHandler()
	hold := make(chan struct{})
	method, came, _ := holding(hold)
	h.methods["hold"] = method
	p := servePipe(t, h)
	p.Send(request("0", "initialize"))
	p.ReceiveID("0")
	for i := range 32 {
		p.Send(request(fmt.Sprint(i+1), "hold"))
	}
	for range 32 {
		<-came
	}
	p.Send(request(`"ping"`, "ping"))
	if m := p.Receive(); string(m.ID) != `"ping"` {
		t.Errorf("got %s, want the answer to the ping", m)
	}
	close(hold)
	for range 32 {
		p.Receive()
	}
}

// A cancelled call ends, and nothing more is written about it.
func TestCancel(t *testing.T) {
	h := newHandler()
	hold := make(chan struct{})
	method, came, left := holding(hold)
	h.methods["hold"] = method
	p := servePipe(t, h)
	p.Send(request(`1`, "hold"), request(`"1"`, "hold"))
	<-came
	<-came
	p.Send(stdiotest.CancelOf(`2`), stdiotest.CancelOf(`null`),
		`{"jsonrpc":"2.0","method":"notifications/cancelled"}`, stdiotest.CancelOf(`"1"`))
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled call left with %v, want context.Canceled", err)
	}
	close(hold)
	if m := p.ReceiveID("1"); string(m.Result) != `{"cancelled":false}` {
		t.Errorf(`cancelling "1" ended 1: %s`, m)
	}
	p.EndInput()
	for _, m := range p.Rest() {
		if string(m.ID) == `"1"` {
			t.Errorf("written about a cancelled call: %s", m)
		}
	}
	if err := <-p.Done; err != nil {
		t.Errorf("Serve returned %v", err)
	}
}

// A call that is cancelled in the same breath does not run on.
func TestCancelAtOnce(t *testing.T) {
	h := newHandler()
	h.methods["hold"], _, _ = holding(nil)
	p := servePipe(t, h)
	for i := range 50 {
		p.Send(request(fmt.Sprint(i), "hold"), stdiotest.CancelOf(fmt.Sprint(i)))
	}
	p.EndInput()
	if rest := p.Rest(); len(rest) != 0 {
		t.Errorf("%d messages about cancelled calls, the first: %s", len(rest), rest[0])
	}
}

// What is under way when the input ends is answered.
func TestFinishesAtEOF(t *testing.T) {
	h := newHandler()
	hold := make(chan struct{})
	method, came, _ := holding(hold)
	h.methods["hold"] = method
	p := servePipe(t, h)
	p.Send(request("1", "hold"))
	<-came
	p.EndInput()
	close(hold)
	if m := p.ReceiveID("1"); string(m.Result) != `{"cancelled":false}` {
		t.Errorf("got %s, want an answer that was not cancelled", m)
	}
	if err := <-p.Done; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if len(h.ended) != 1 || h.ended[0] != h.session.SessionID() {
		t.Errorf("sessions %q were unregistered, want %q", h.ended, h.session.SessionID())
	}
}

// A call that goes on after the end of the input is cancelled and says so; one that does not even
// end then is left.
func TestDoesNotWaitForEver(t *testing.T) {
	h := newHandler()
	h.methods["hold"], _, _ = holding(nil)
	stuck := make(chan struct{})
	defer close(stuck)
	h.methods["stuck"] = func(context.Context) any { <-stuck; return "done" }
	p := servePipe(t, h)
	p.Send(request("1", "hold"), request("2", "stuck"))
	p.EndInput()
	if m := p.ReceiveID("1"); string(m.Result) != `{"cancelled":true}` {
		t.Errorf("got %s, want an answer that was cancelled", m)
	}
	if err := <-p.Done; err != nil {
		t.Errorf("Serve returned %v", err)
	}
}

func TestLastLineWithoutBreak(t *testing.T) {
	var out bytes.Buffer
	in := strings.NewReader(request("1", "initialize") + "\r\n\n  \r\n" + request("7", "ping"))
	if err := Serve(t.Context(), newHandler(), discard, in, &out); err != nil {
		t.Fatalf("Serve returned %v", err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || string(stdiotest.ParseMessage(t, []byte(lines[1])).ID) != "7" {
		t.Errorf("got %q, want two answers, the second to 7", lines)
	}
}

// A result that cannot be encoded, and a panic, are answered as errors, not by silence.
func TestAnswersWhatCannotBeEncoded(t *testing.T) {
	h := newHandler()
	h.methods["bad"] = func(context.Context) any { return func() {} }
	h.methods["panics"] = func(context.Context) any { panic("secret detail") }
	p := servePipe(t, h)
	for _, method := range []string{"bad", "panics"} {
		p.Send(request(`"x"`, method))
		m := p.ReceiveID(`"x"`)
		if m.Error == nil || m.Error.Code != mcpgo.INTERNAL_ERROR || strings.Contains(m.Error.Message, "secret") {
			t.Errorf("%s: got %s, want an internal error without details", method, m)
		}
	}
	p.Send(request("2", "ping"))
	p.ReceiveID("2")
}

// A line that is no message is answered, and the next one is served.
func TestStdioMalformedLines(t *testing.T) {
	p := servePipe(t, newHandler())
	tests := []struct {
		line, id string
		code     int
	}{
		{`{"jsonrpc":`, "null", mcpgo.PARSE_ERROR},
		{"\x00\xff", "null", mcpgo.PARSE_ERROR},
		{`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, "null", mcpgo.INVALID_REQUEST},
		{`"text"`, "null", mcpgo.INVALID_REQUEST},
		{`{}`, "null", mcpgo.INVALID_REQUEST},
		{`{"jsonrpc":"1.0","id":5,"method":"ping"}`, "5", mcpgo.INVALID_REQUEST},
		{`{"jsonrpc":"2.0","id":null,"method":"ping"}`, "null", mcpgo.INVALID_REQUEST},
		{`{"jsonrpc":"2.0","id":{},"method":"ping"}`, "null", mcpgo.INVALID_REQUEST},
		{request("6", "no/such"), "6", mcpgo.METHOD_NOT_FOUND},
	}
	for _, tt := range tests {
		p.Send(tt.line)
		m := p.Receive()
		if m.Error == nil || m.Error.Code != tt.code || string(m.ID) != tt.id {
			t.Errorf("%q: got %s, want id %s, code %d", tt.line, m, tt.id, tt.code)
		}
	}
	// Neither a notification nor an answer that nobody asked for is answered.
	p.Send(`{"jsonrpc":"2.0","method":"no/such"}`, `{"jsonrpc":"2.0","id":9,"result":{}}`, request("10", "ping"))
	if m := p.Receive(); string(m.ID) != "10" {
		t.Errorf("got %s, want the answer to 10", m)
	}
}

func TestLongLines(t *testing.T) {
	p := servePipe(t, newHandler())
	p.Send(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"pad":"` + strings.Repeat("x", 20<<20) + `"}}`)
	if m := p.Receive(); string(m.ID) != "1" || m.Error != nil {
		t.Errorf("a line of 20 MB: got %s", m)
	}
}

func TestStdioTooLong(t *testing.T) {
	var out bytes.Buffer
	c := newConn(newHandler(), discard, &out, func() {})
	c.receive(t.Context(), line{tooLong: true})
	if err := c.out.finish(time.Minute); err != nil {
		t.Fatal(err)
	}
	m := stdiotest.ParseMessage(t, out.Bytes())
	if m.Error == nil || m.Error.Code != mcpgo.INVALID_REQUEST || !strings.Contains(m.Error.Message, "longer than") {
		t.Errorf("got %s, want an invalid request that is too long", m)
	}
}

// An id comes back as it was sent, and two calls with one id are told apart.
func TestIDs(t *testing.T) {
	h := newHandler()
	hold := make(chan struct{})
	h.methods["hold"], _, _ = holding(hold)
	p := servePipe(t, h)
	for _, id := range []string{"12345678901234567890", "1e2", "-1", "0", `"a\u00e9"`, `""`} {
		p.Send(request(id, "ping"))
		if m := p.Receive(); string(m.ID) != id {
			t.Errorf("id %s came back as %s", id, m.ID)
		}
	}
	p.Send(request("1", "hold"), request("1", "hold"))
	if m := p.ReceiveID("1"); m.Error == nil || m.Error.Code != mcpgo.INVALID_REQUEST {
		t.Errorf("a second call with the id of one under way: %s", m)
	}
	close(hold)
	if m := p.ReceiveID("1"); m.Error != nil {
		t.Errorf("the first call: %s", m)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// When nobody reads the output, the loop ends and says why.
func TestOutputFails(t *testing.T) {
	in, w := io.Pipe()
	defer w.Close() //nolint:errcheck // a pipe's Close does not fail
	broken := errors.New("broken pipe")
	done := make(chan error, 1)
	go func() { done <- Serve(t.Context(), newHandler(), discard, in, brokenWriter{broken}) }()
	_, _ = io.WriteString(w, request("0", "initialize")+"\n")
	if err := <-done; !errors.Is(err, broken) {
		t.Errorf("Serve returned %v, want the cause %v", err, broken)
	}
}

func TestInputFails(t *testing.T) {
	broken := errors.New("bad disk")
	in, w := io.Pipe()
	_ = w.CloseWithError(broken) // a pipe's Close does not fail
	if err := Serve(t.Context(), newHandler(), discard, in, io.Discard); !errors.Is(err, broken) {
		t.Errorf("Serve returned %v, want the cause %v", err, broken)
	}
}

// When ctx ends, the calls are cancelled, and that is no error.
func TestContextEnds(t *testing.T) {
	h := newHandler()
	method, came, left := holding(nil)
	h.methods["hold"] = method
	in, w := io.Pipe()
	defer w.Close() //nolint:errcheck // a pipe's Close does not fail
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, h, discard, in, io.Discard) }()
	_, _ = io.WriteString(w, request("1", "hold")+"\n")
	<-came
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the call left with %v, want context.Canceled", err)
	}
}

// Whatever a client writes, every byte that comes back is part of a JSON-RPC message.
func FuzzServe(f *testing.F) {
	f.Add([]byte(request("0", "initialize") + "\n" + request("1", "ping")))
	f.Add([]byte("\x00\n[]\n{}\n\n" + request("1", "no/such")))
	f.Add([]byte(stdiotest.CancelOf("1") + "\n" + `{"jsonrpc":"2.0","id":"x","result":1}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		if err := Serve(t.Context(), newHandler(), discard, bytes.NewReader(in), &out); err != nil {
			t.Fatalf("Serve returned %v", err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			if line[len(line)-1] != '\n' || !json.Valid(line) {
				t.Fatalf("the output holds %q, which is no line of JSON", line)
			}
			stdiotest.ParseMessage(t, line)
		}
	})
}
