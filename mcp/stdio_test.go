package mcp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/babyapi-org/babyapi-go/mcp/internal/stdio/stdiotest"
)

func servePipe(t *testing.T, s *Server) *stdiotest.Pipe {
	t.Helper()
	return stdiotest.Start(t, s.ServeStdio)
}

func toolCall(id, tool, arguments string) string {
	const call = `{"jsonrpc":"2.0","id":%[1]s,"method":"tools/call","params":` +
		`{"name":%[2]q,"arguments":%[3]s,"_meta":{"progressToken":%[1]s}}}`
	return fmt.Sprintf(call, id, tool, arguments)
}

const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",` +
	`"capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`

// A cancelled call ends its request to the service, and nothing more is written about it.
func TestStdioCancel(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	p.Send(toolCall(`1`, ToolInfer, `{"prompt":"number"}`), toolCall(`"1"`, ToolInfer, `{"prompt":"string"}`))
	eventually(t, "both calls reach the service", func() bool { return len(svc.sent("/infer")) == 2 })
	p.Send(stdiotest.CancelOf(`2`), stdiotest.CancelOf(`null`),
		`{"jsonrpc":"2.0","method":"notifications/cancelled"}`, stdiotest.CancelOf(`"1"`))
	if path := <-svc.gone; path != "/infer" {
		t.Errorf("the service lost the request to %s, want /infer", path)
	}
	close(svc.hold)
	if m := p.ReceiveID("1"); !bytes.Contains(m.Result, []byte("echo: number")) {
		t.Errorf(`cancelling "1" ended 1: %s`, m.Result)
	}
	if err := p.In.Close(); err != nil {
		t.Fatal(err)
	}
	for _, m := range p.Rest() {
		if string(m.ID) == `"1"` || string(m.Params.Token) == `"1"` {
			t.Errorf("written about a cancelled call: %+v", m)
		}
	}
	if err := <-p.Done; err != nil {
		t.Errorf("ServeStdio returned %v", err)
	}
}

// What is under way when the input ends is answered.
func TestStdioFinishesAtEOF(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	p.Send(toolCall("1", ToolInfer, `{"prompt":"x"}`))
	eventually(t, "the call reaches the service", func() bool { return len(svc.sent("/infer")) == 1 })
	p.EndInput()
	close(svc.hold)
	if m := p.ReceiveID("1"); !bytes.Contains(m.Result, []byte("echo: x")) {
		t.Errorf("got %s, want the echo of the prompt", m.Result)
	}
	if err := <-p.Done; err != nil {
		t.Errorf("ServeStdio returned %v", err)
	}
}

// Calls that go on after the end of the input are cancelled, and say so in an answer.
func TestStdioCancelsAfterEOF(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	p.Send(toolCall("1", ToolInfer, `{"prompt":"x"}`))
	p.EndInput()
	if m := p.ReceiveID("1"); !bytes.Contains(m.Result, []byte("cancelled")) {
		t.Errorf("got %s, want an answer that says that the call was cancelled", m.Result)
	}
	if err := <-p.Done; err != nil {
		t.Errorf("ServeStdio returned %v", err)
	}
}

// When the context of the server ends, so do the requests to the service.
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
	eventually(t, "the call reaches the service", func() bool { return len(svc.sent("/infer")) == 1 })
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ServeStdio returned %v", err)
	}
	<-svc.gone
}

// A panic of a tool that somebody else added, and a result that cannot be encoded, end their call
// and nothing else.
func TestStdioToolsOfOthers(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	add := func(name string, handler mcpserver.ToolHandlerFunc) {
		s.MCPServer().AddTool(mcpgo.NewTool(name), handler)
	}
	add("bad", func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		return mcpgo.NewToolResultStructured(func() {}, "x"), nil
	})
	add("panics", func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		panic("secret detail")
	})
	add("progress", func(ctx context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		for i := range 50 {
			params := map[string]any{"progressToken": r.Params.Meta.ProgressToken, "progress": i}
			err := mcpserver.ServerFromContext(ctx).SendNotificationToClient(ctx, "notifications/progress", params)
			if err != nil {
				return nil, err
			}
		}
		return textResult("done"), nil
	})
	p := servePipe(t, s)
	p.Send(initialize)
	p.ReceiveID("0")
	for _, tool := range []string{"bad", "panics"} {
		p.Send(toolCall(`"x"`, tool, `{}`))
		m := p.ReceiveID(`"x"`)
		if m.Error == nil || m.Error.Code != mcpgo.INTERNAL_ERROR || strings.Contains(m.Error.Message, "secret") {
			t.Errorf("%s: got %+v, want an internal error without details", tool, m)
		}
	}
	for id := range 100 {
		p.Send(toolCall(fmt.Sprint(id+1), "progress", `{}`))
		for i := range 50 {
			if m := p.Receive(); m.Method != "notifications/progress" || m.Params.Progress != float64(i) {
				t.Fatalf("call %d: got %+v, want notification %d", id+1, m, i)
			}
		}
		if m := p.Receive(); string(m.ID) != fmt.Sprint(id+1) {
			t.Fatalf("got %+v, want the answer to call %d", m, id+1)
		}
	}
}

// What the tools and mcp-go refuse has the codes of JSON-RPC.
func TestStdioRefusedRequests(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	p := servePipe(t, s)
	tests := []struct {
		line, id string
		code     int
	}{
		{`{"jsonrpc":"2.0","id":6,"method":"no/such"}`, "6", mcpgo.METHOD_NOT_FOUND},
		{toolCall("7", "no_such_tool", `{}`), "7", mcpgo.INVALID_PARAMS},
		{`{"jsonrpc":"2.0","id":8,"method":"tools/call","params":[]}`, "8", mcpgo.INVALID_REQUEST},
	}
	for _, tt := range tests {
		p.Send(tt.line)
		m := p.Receive()
		if m.Error == nil || m.Error.Code != tt.code || string(m.ID) != tt.id {
			t.Errorf("%q: got id %s, %+v, want id %s, code %d", tt.line, m.ID, m.Error, tt.id, tt.code)
		}
	}
	p.Send(`{"jsonrpc":"2.0","method":"no/such"}`, `{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}`)
	if m := p.Receive(); string(m.ID) != "12345678901234567890" {
		t.Errorf("got %+v, want the answer to the ping", m)
	}
}

// An argument of 1 MB reaches the service.
func TestStdioLongArgument(t *testing.T) {
	svc := newService(t)
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	p.Send(toolCall("2", ToolInfer, `{"prompt":"`+strings.Repeat("y", 1<<20)+`","max_tokens":1}`))
	if m := p.ReceiveID("2"); m.Error != nil {
		t.Errorf("got the error %+v", m.Error)
	}
	if got := len(svc.sent("/infer")[0].body); got < 1<<20 {
		t.Errorf("the service got %d bytes, want 1 MB and more", got)
	}
}

// The era without a handshake.
func TestStdioModernEra(t *testing.T) {
	svc := newService(t)
	svc.hold = make(chan struct{})
	s, _ := newTestServer(t, svc)
	p := servePipe(t, s)
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
		`"io.modelcontextprotocol/clientCapabilities":{"roots":{}},"progressToken":"p"}`
	p.Send(`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta + `}}`)
	m := p.Receive()
	if !bytes.Contains(m.Result, []byte(`2026-07-28`)) || !bytes.Contains(m.Result, []byte("instructions")) {
		t.Errorf("discover: got %s, want the version and the instructions", m.Result)
	}
	p.Send(`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{` + meta + `}}`)
	if m := p.Receive(); !bytes.Contains(m.Result, []byte(`"resultType":"complete"`)) ||
		!bytes.Contains(m.Result, []byte(`"ttlMs":300000`)) {
		t.Errorf("tools/list: got %s, want it complete, with its time to live", m.Result)
	}
	p.Send(
		`{"jsonrpc":"2.0","id":3,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` +
			meta + `}}`)
	if m := p.Receive(); m.Method != "notifications/subscriptions/acknowledged" {
		t.Errorf("the acknowledgement does not come first: %+v", m)
	}
	p.ReceiveID("3")
	p.Send(`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"infer","arguments":{"prompt":"x"},` + meta +
		`}}`)
	if m := p.Receive(); m.Method != "notifications/progress" || string(m.Params.Token) != `"p"` {
		t.Errorf("got %+v, want progress", m)
	}
	p.Send(stdiotest.CancelOf("4"))
	<-svc.gone
	p.EndInput()
	if rest := p.Rest(); len(rest) > 0 {
		t.Errorf("after the cancellation: got %+v, want nothing", rest)
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
	p.Send(strings.Replace(initialize, `"capabilities":{}`, `"capabilities":{"roots":{"listChanged":true}}`, 1))
	p.ReceiveID("0")
	answer := func(uri string) {
		m := p.Receive()
		if m.Method != "roots/list" {
			t.Fatalf("got %+v, want the request for the roots", m)
		}
		p.Send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"roots":[{"uri":%q}]}}`, m.ID, uri))
	}
	p.Send(toolCall("1", ToolConvert, `{"source":"a.txt"}`))
	answer("file://" + folder)
	if m := p.ReceiveID("1"); !bytes.Contains(m.Result, []byte("# Title")) {
		t.Errorf("got %s, want the document", m.Result)
	}
	p.Send(toolCall("2", ToolConvert, `{"source":"a.txt"}`)) // not asked again
	p.ReceiveID("2")
	other := t.TempDir()
	p.Send(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`,
		toolCall("3", ToolConvert, `{"source":"a.txt"}`))
	answer("file://" + other)
	if m := p.ReceiveID("3"); !bytes.Contains(m.Result, []byte(other)) {
		t.Errorf("the old root still holds: %s", m.Result)
	}
	// The root of the disk is never taken, whoever names it.
	p.Send(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`,
		toolCall("4", ToolConvert, `{"source":"/etc/hosts"}`))
	answer("file:///")
	if m := p.ReceiveID("4"); !bytes.Contains(m.Result, []byte(other)) {
		t.Errorf("got %s, want a refusal that names %s", m.Result, other)
	}
}

// Roots that the user named are not asked for, let alone replaced.
func TestStdioNamedRootsStay(t *testing.T) {
	s, root := newTestServer(t, newService(t))
	write(t, root, "a.txt")
	p := servePipe(t, s)
	p.Send(strings.Replace(initialize, `"capabilities":{}`, `"capabilities":{"roots":{}}`, 1),
		toolCall("1", ToolConvert, `{"source":"a.txt"}`))
	p.ReceiveID("0")
	if m := p.Receive(); string(m.ID) != "1" || !bytes.Contains(m.Result, []byte("# Title")) {
		t.Errorf("got %+v, want the document", m)
	}
}

// Whatever a client writes, every byte that comes back is part of a JSON-RPC message.
func FuzzStdio(f *testing.F) {
	f.Add([]byte(initialize + "\n" + `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	f.Add([]byte("\x00\n[]\n{}\n\n" + toolCall("1", "infer", `{"prompt":1}`)))
	f.Add([]byte(stdiotest.CancelOf("1") + "\n" + `{"jsonrpc":"2.0","id":"x","result":1}`))
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
			stdiotest.ParseMessage(t, line)
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
	p.Send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"convert","arguments":{"source":"a.txt"}}}`,
		toolCall("2", ToolConvert, `{"source":"a.txt"}`))
	m := p.Receive()
	if m.Method != "notifications/progress" || string(m.Params.Token) != "2" ||
		!strings.HasPrefix(m.Params.Message, "converting, ") || m.Params.Progress <= 0 {
		t.Errorf("got %+v, want progress of call 2", m)
	}
	time.AfterFunc(10*time.Millisecond, func() { close(svc.hold) })
	p.ReceiveID("1")
}
