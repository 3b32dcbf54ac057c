package mcp

import (
	"bufio"
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
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// pipe is a client of a server over a pair of pipes.
type pipe struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *bufio.Reader
	done chan error // what ServeStdio returned
}

func servePipe(t *testing.T, s *Server) *pipe {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	p := &pipe{t: t, in: inW, out: bufio.NewReader(outR), done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		err := s.ServeStdio(ctx, inR, outW)
		_ = outW.Close() // a pipe's Close does not fail
		p.done <- err
	}()
	t.Cleanup(func() {
		cancel()
		_ = inW.Close()
		_ = outR.Close()
	})
	return p
}

func (p *pipe) send(lines ...string) {
	p.t.Helper()
	for _, l := range lines {
		if _, err := io.WriteString(p.in, l+"\n"); err != nil {
			p.t.Fatal(err)
		}
	}
}

// message is one line that the server wrote.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  struct {
		Token    json.RawMessage `json:"progressToken"`
		Progress float64         `json:"progress"`
		Message  string          `json:"message"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *rpcError       `json:"error"`
}

func parseMessage(t *testing.T, line []byte) message {
	t.Helper()
	var m message
	if err := json.Unmarshal(line, &m); err != nil || m.Version != "2.0" {
		t.Fatalf("not a message: %q (%v)", line, err)
	}
	return m
}

func (p *pipe) receive() message {
	p.t.Helper()
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("the output ended: %v", err)
	}
	return parseMessage(p.t, line)
}

// receiveID skips to the answer with that id.
func (p *pipe) receiveID(id string) message {
	p.t.Helper()
	for {
		if m := p.receive(); string(m.ID) == id {
			return m
		}
	}
}

// rest is all that the server writes until it ends.
func (p *pipe) rest() []message {
	p.t.Helper()
	var out []message
	for {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			if len(line) > 0 {
				p.t.Fatalf("a line without an end: %q", line)
			}
			return out
		}
		out = append(out, parseMessage(p.t, line))
	}
}

func toolCall(id, tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":{"progressToken":%s}}}`, id, tool, arguments, id)
}

func cancelOf(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, id)
}

const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`

// addHandler adds a tool that is only for tests.
func addHandler(s *Server, name string, handler mcpserver.ToolHandlerFunc) {
	s.mcp.AddTool(mcpgo.NewTool(name), handler)
}

// The first of the table of what mcp-go's own loop does wrong: progress after the answer, and
// progress that is dropped.
func TestStdioNotificationsComeAllAndBeforeTheAnswer(t *testing.T) {
	const runs, burst = 100, 50
	s, _ := newTestServer(t, newService(t))
	addHandler(s, "own", func(ctx context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		for i := range burst {
			notify(ctx, "notifications/progress", map[string]any{"progressToken": r.Params.Meta.ProgressToken, "progress": i})
		}
		return textResult("done"), nil
	})
	addHandler(s, "theirs", func(ctx context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		for i := range burst {
			if err := mcpserver.ServerFromContext(ctx).SendNotificationToClient(ctx, "notifications/progress", map[string]any{"progressToken": r.Params.Meta.ProgressToken, "progress": i}); err != nil {
				return nil, err
			}
		}
		return textResult("done"), nil
	})
	// Ours side by side; mcp-go's one call at a time, as it drops what does not fit its channel.
	for tool, sideBySide := range map[string]int{"own": runs, "theirs": 1} {
		t.Run(tool, func(t *testing.T) {
			p := servePipe(t, s)
			p.send(initialize)
			p.receiveID("0")
			tokens := make(chan struct{}, sideBySide)
			go func() {
				for id := range runs {
					tokens <- struct{}{}
					_, _ = io.WriteString(p.in, toolCall(fmt.Sprint(id+1), tool, `{}`)+"\n")
				}
			}()
			seen, answered := map[string]int{}, 0
			for answered < runs {
				m := p.receive()
				if m.Method != "" {
					seen[string(m.Params.Token)]++
					continue
				}
				answered++
				<-tokens
				if n := seen[string(m.ID)]; n != burst {
					t.Errorf("call %s: %d of %d notifications before the answer", m.ID, n, burst)
				}
			}
		})
	}
}

func TestStdioBurstIsNotDropped(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	addHandler(s, "burst", func(ctx context.Context, _ mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		for i := range 1000 {
			notify(ctx, "notifications/progress", map[string]any{"progressToken": 1, "progress": i})
		}
		return textResult("done"), nil
	})
	p := servePipe(t, s)
	p.send(toolCall("1", "burst", `{}`))
	for i := range 1000 {
		if m := p.receive(); m.Params.Progress != float64(i) {
			t.Fatalf("notification %d is %+v", i, m)
		}
	}
	p.receiveID("1")
}

// Calls run side by side, however many; a ping is answered while they do.
func TestStdioCallsRunSideBySide(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	p.send(initialize)
	p.receiveID("0")
	for i := range 32 {
		p.send(toolCall(fmt.Sprint(i+1), ToolInfer, fmt.Sprintf(`{"prompt":"p%d"}`, i)))
	}
	eventually(t, func() bool { return len(svc.sent("/infer")) == 32 })
	p.send(`{"jsonrpc":"2.0","id":"ping","method":"ping"}`)
	p.receiveID(`"ping"`)
	close(svc.hold)
	for range 32 {
		for m := p.receive(); m.ID == nil; m = p.receive() {
			continue
		}
	}
}

// A cancelled call ends its request to the service, and nothing more is written about it.
func TestStdioCancel(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	p.send(toolCall(`1`, ToolInfer, `{"prompt":"number"}`), toolCall(`"1"`, ToolInfer, `{"prompt":"string"}`))
	eventually(t, func() bool { return len(svc.sent("/infer")) == 2 })
	p.send(cancelOf(`2`), cancelOf(`null`), `{"jsonrpc":"2.0","method":"notifications/cancelled"}`, cancelOf(`"1"`))
	if path := <-svc.gone; path != "/infer" {
		t.Errorf("the service lost %s", path)
	}
	close(svc.hold)
	if m := p.receiveID("1"); !bytes.Contains(m.Result, []byte("echo: number")) {
		t.Errorf(`cancelling "1" ended 1: %s`, m.Result)
	}
	if err := p.in.Close(); err != nil {
		t.Fatal(err)
	}
	for _, m := range p.rest() {
		if string(m.ID) == `"1"` || string(m.Params.Token) == `"1"` {
			t.Errorf("written about a cancelled call: %+v", m)
		}
	}
	if err := <-p.done; err != nil {
		t.Error(err)
	}
}

// A call that is cancelled in the same breath does not run on.
func TestStdioCancelAtOnce(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	for i := range 50 {
		p.send(toolCall(fmt.Sprint(i), ToolInfer, `{"prompt":"x"}`), cancelOf(fmt.Sprint(i)))
	}
	_ = p.in.Close() // a pipe's Close does not fail
	if rest := p.rest(); len(rest) != 0 {
		t.Errorf("%d messages about cancelled calls: %+v", len(rest), rest[0])
	}
}

// What is under way when the input ends is answered.
func TestStdioFinishesAtEOF(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	p.send(toolCall("1", ToolInfer, `{"prompt":"x"}`))
	eventually(t, func() bool { return len(svc.sent("/infer")) == 1 })
	_ = p.in.Close() // a pipe's Close does not fail
	close(svc.hold)
	if m := p.receiveID("1"); !bytes.Contains(m.Result, []byte("echo: x")) {
		t.Errorf("got %s", m.Result)
	}
	if err := <-p.done; err != nil {
		t.Error(err)
	}
}

// A call that does not end after the input has, is cancelled and says so; one that does not even
// end then is left.
func TestStdioDoesNotWaitForEver(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	stuck := make(chan struct{})
	defer close(stuck)
	addHandler(s, "stuck", func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		<-stuck
		return textResult("done"), nil
	})
	p := servePipe(t, s)
	p.send(toolCall("1", ToolInfer, `{"prompt":"x"}`), toolCall("2", "stuck", `{}`))
	_ = p.in.Close() // a pipe's Close does not fail
	if m := p.receiveID("1"); !bytes.Contains(m.Result, []byte("cancelled")) {
		t.Errorf("got %s", m.Result)
	}
	if err := <-p.done; err != nil {
		t.Error(err)
	}
}

func TestStdioLastLineWithoutBreak(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	var out bytes.Buffer
	in := strings.NewReader(initialize + "\r\n\n  \r\n" + toolCall("7", ToolInfer, `{"prompt":"last"}`))
	if err := s.ServeStdio(t.Context(), in, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[1], "echo: last") {
		t.Errorf("got %q", lines)
	}
}

// A result that cannot be encoded is answered as an error, not by silence.
func TestStdioAnswersWhatCannotBeEncoded(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	addHandler(s, "bad", func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		return mcpgo.NewToolResultStructured(func() {}, "x"), nil
	})
	addHandler(s, "panics", func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		panic("secret detail")
	})
	p := servePipe(t, s)
	for _, tool := range []string{"bad", "panics"} {
		p.send(toolCall(`"x"`, tool, `{}`))
		if m := p.receiveID(`"x"`); m.Error == nil || m.Error.Code != mcpgo.INTERNAL_ERROR || strings.Contains(m.Error.Message, "secret") {
			t.Errorf("%s: got %+v", tool, m)
		}
	}
	p.send(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	p.receiveID("2")
}

// A line that is no message is answered, and the next one is served.
func TestStdioMalformedLines(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	p := servePipe(t, s)
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
		{`{"jsonrpc":"2.0","id":6,"method":"no/such"}`, "6", mcpgo.METHOD_NOT_FOUND},
		{toolCall("7", "no_such_tool", `{}`), "7", mcpgo.INVALID_PARAMS},
		{`{"jsonrpc":"2.0","id":8,"method":"tools/call","params":[]}`, "8", mcpgo.INVALID_REQUEST},
	}
	for _, tt := range tests {
		p.send(tt.line)
		m := p.receive()
		if m.Error == nil || m.Error.Code != tt.code || string(orNull(m.ID)) != tt.id {
			t.Errorf("%q: got id %s, %+v, want %s, %d", tt.line, m.ID, m.Error, tt.id, tt.code)
		}
	}
	// Neither an unknown notification nor an answer that nobody asked for is answered.
	p.send(`{"jsonrpc":"2.0","method":"no/such"}`, `{"jsonrpc":"2.0","id":9,"result":{}}`, `{"jsonrpc":"2.0","id":10,"method":"ping"}`)
	if m := p.receive(); string(m.ID) != "10" {
		t.Errorf("got %+v", m)
	}
}

// A line of 20 MB is served, and so is a call with an argument of 1 MB.
func TestStdioLongLines(t *testing.T) {
	svc := newService(t)
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	p.send(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"pad":"`+strings.Repeat("x", 20<<20)+`"}}`,
		toolCall("2", ToolInfer, `{"prompt":"`+strings.Repeat("y", 1<<20)+`","max_tokens":1}`))
	for answered := 0; answered < 2; {
		m := p.receive()
		if m.ID != nil {
			answered++
		}
		if m.Error != nil {
			t.Errorf("%s: %+v", m.ID, m.Error)
		}
	}
	if got := len(svc.sent("/infer")[0].body); got < 1<<20 {
		t.Errorf("the service got %d bytes", got)
	}
}

// A line over the limit is dropped whole, without losing the one before or after it.
func TestReadLine(t *testing.T) {
	const limit = 100
	for _, size := range []int{1, limit - 1, limit, 10 * limit, 100_000} {
		r := bufio.NewReaderSize(strings.NewReader("before\n"+strings.Repeat("x", size)+"\r\nafter"), 16)
		var got []line
		for len(got) == 0 || got[len(got)-1].err == nil {
			got = append(got, readLine(r, limit))
		}
		fits := size+len("\r\n") <= limit
		if len(got) != 3 || string(got[0].text) != "before" || string(got[2].text) != "after" || got[1].tooLong == fits || fits && len(got[1].text) != size {
			t.Errorf("size %d: got %+v", size, got)
		}
	}
}

func TestStdioTooLong(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	var out bytes.Buffer
	c := &stdio{server: s, out: &out}
	c.receive(t.Context(), line{tooLong: true})
	if m := parseMessage(t, out.Bytes()); m.Error == nil || m.Error.Code != mcpgo.INVALID_REQUEST || !strings.Contains(m.Error.Message, "longer than") {
		t.Errorf("got %+v", m)
	}
}

// An id comes back as it was sent, and two calls with one id are told apart.
func TestStdioIDs(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	for _, id := range []string{"12345678901234567890", "1e2", "-1", "0", `"a\u00e9"`, `""`} {
		p.send(`{"jsonrpc":"2.0","id":` + id + `,"method":"ping"}`)
		if m := p.receive(); string(m.ID) != id {
			t.Errorf("id %s came back as %s", id, m.ID)
		}
	}
	p.send(toolCall("1", ToolInfer, `{"prompt":"x"}`), toolCall("1", ToolInfer, `{"prompt":"y"}`))
	if m := p.receiveID("1"); m.Error == nil || m.Error.Code != mcpgo.INVALID_REQUEST {
		t.Errorf("a second call with the id of one under way: %+v", m)
	}
	close(svc.hold)
	if m := p.receiveID("1"); m.Error != nil {
		t.Errorf("the first call: %+v", m)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// When nobody reads the output, the server ends and says why.
func TestStdioOutputFails(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	in, w := io.Pipe()
	defer w.Close() //nolint:errcheck // a pipe's Close does not fail
	broken := errors.New("broken pipe")
	done := make(chan error, 1)
	go func() { done <- s.ServeStdio(t.Context(), in, brokenWriter{broken}) }()
	_, _ = io.WriteString(w, initialize+"\n")
	if err := <-done; !errors.Is(err, broken) {
		t.Errorf("got %v, want the cause", err)
	}
}

func TestStdioContextEnds(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	in, w := io.Pipe()
	defer w.Close() //nolint:errcheck // a pipe's Close does not fail
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.ServeStdio(ctx, in, io.Discard) }()
	_, _ = io.WriteString(w, toolCall("1", ToolInfer, `{"prompt":"x"}`)+"\n")
	eventually(t, func() bool { return len(svc.sent("/infer")) == 1 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	<-svc.gone
}

// The era without a handshake.
func TestStdioModernEra(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}},"progressToken":"p"}`
	p.send(`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta + `}}`)
	if m := p.receive(); !bytes.Contains(m.Result, []byte(`2026-07-28`)) || !bytes.Contains(m.Result, []byte("instructions")) {
		t.Errorf("discover: %s", m.Result)
	}
	p.send(`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{` + meta + `}}`)
	if m := p.receive(); !bytes.Contains(m.Result, []byte(`"resultType":"complete"`)) || !bytes.Contains(m.Result, []byte(`"ttlMs":300000`)) {
		t.Errorf("tools/list: %s", m.Result)
	}
	p.send(`{"jsonrpc":"2.0","id":3,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + meta + `}}`)
	if m := p.receive(); m.Method != "notifications/subscriptions/acknowledged" {
		t.Errorf("the acknowledgement does not come first: %+v", m)
	}
	p.receiveID("3")
	p.send(`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"infer","arguments":{"prompt":"x"},` + meta + `}}`)
	if m := p.receive(); m.Method != "notifications/progress" || string(m.Params.Token) != `"p"` {
		t.Errorf("got %+v, want progress", m)
	}
	p.send(cancelOf("4"))
	<-svc.gone
	_ = p.in.Close() // a pipe's Close does not fail
	if rest := p.rest(); len(rest) > 0 {
		t.Errorf("after the cancellation: %+v", rest)
	}
}

// The roots that a client tells take the place of the working folder, which nobody named.
func TestStdioClientRoots(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "a.txt")
	svc := newService(t)
	s, err := NewServer(mustClient(t, svc))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := servePipe(t, s)
	p.send(strings.Replace(initialize, `"capabilities":{}`, `"capabilities":{"roots":{"listChanged":true}}`, 1))
	p.receiveID("0")
	answer := func(uri string) {
		m := p.receive()
		if m.Method != "roots/list" {
			t.Fatalf("got %+v, want the request for the roots", m)
		}
		p.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"roots":[{"uri":%q}]}}`, m.ID, uri))
	}
	p.send(toolCall("1", ToolConvert, `{"source":"a.txt"}`))
	answer("file://" + folder)
	if m := p.receiveID("1"); !bytes.Contains(m.Result, []byte("# Title")) {
		t.Errorf("got %s", m.Result)
	}
	p.send(toolCall("2", ToolConvert, `{"source":"a.txt"}`)) // not asked again
	p.receiveID("2")
	other := t.TempDir()
	p.send(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`, toolCall("3", ToolConvert, `{"source":"a.txt"}`))
	answer("file://" + other)
	if m := p.receiveID("3"); !bytes.Contains(m.Result, []byte(other)) {
		t.Errorf("the old root still holds: %s", m.Result)
	}
	// The root of the disk is never taken, whoever names it.
	p.send(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`, toolCall("4", ToolConvert, `{"source":"/etc/hosts"}`))
	answer("file:///")
	if m := p.receiveID("4"); !bytes.Contains(m.Result, []byte(other)) {
		t.Errorf("got %s", m.Result)
	}
}

// Roots that the user named are not asked for, let alone replaced.
func TestStdioNamedRootsStay(t *testing.T) {
	s, root := newTestServer(t, newService(t))
	write(t, root, "a.txt")
	p := servePipe(t, s)
	p.send(strings.Replace(initialize, `"capabilities":{}`, `"capabilities":{"roots":{}}`, 1), toolCall("1", ToolConvert, `{"source":"a.txt"}`))
	p.receiveID("0")
	if m := p.receive(); string(m.ID) != "1" || !bytes.Contains(m.Result, []byte("# Title")) {
		t.Errorf("got %+v", m)
	}
}

// Whatever a client writes, every byte that comes back is part of a JSON-RPC message.
func FuzzStdio(f *testing.F) {
	f.Add([]byte(initialize + "\n" + `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	f.Add([]byte("\x00\n[]\n{}\n\n" + toolCall("1", "infer", `{"prompt":1}`)))
	f.Add([]byte(cancelOf("1") + "\n" + `{"jsonrpc":"2.0","id":"x","result":1}`))
	s, err := newServerWithoutKey()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		if err := s.ServeStdio(t.Context(), bytes.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			if line[len(line)-1] != '\n' {
				t.Fatalf("a line without an end: %q", line)
			}
			parseMessage(t, line)
		}
	})
}

// Progress comes soon, grows, says what is going on, and only if it was asked for.
func TestStdioProgressOfAConversion(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, root := newTestServer(t, svc)
	write(t, root, "a.txt")
	p := servePipe(t, s)
	p.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"convert","arguments":{"source":"a.txt"}}}`, toolCall("2", ToolConvert, `{"source":"a.txt"}`))
	m := p.receive()
	if m.Method != "notifications/progress" || string(m.Params.Token) != "2" || !strings.HasPrefix(m.Params.Message, "converting, ") || m.Params.Progress <= 0 {
		t.Errorf("got %+v", m)
	}
	time.AfterFunc(10*time.Millisecond, func() { close(svc.hold) })
	p.receiveID("1")
}
