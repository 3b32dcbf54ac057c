package stdio

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"testing"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// fakeHandler stands for mcp-go's server: the methods of a test answer its requests.
type fakeHandler struct {
	methods map[string]func(ctx context.Context) any
	session mcpserver.ClientSession
	ended   []string // sessions that were unregistered
}

func newHandler() *fakeHandler {
	ping := func(context.Context) any { return struct{}{} }
	return &fakeHandler{methods: map[string]func(ctx context.Context) any{"ping": ping, "initialize": ping}}
}

// HandleMessage gives no id in its answers: the loop has to know it.
func (h *fakeHandler) HandleMessage(ctx context.Context, raw json.RawMessage) mcpgo.JSONRPCMessage {
	var m incoming
	if err := json.Unmarshal(raw, &m); err != nil || len(m.ID) == 0 {
		return nil
	}
	method := h.methods[m.Method]
	if method == nil {
		return mcpgo.JSONRPCError{Error: mcpgo.NewJSONRPCErrorDetails(mcpgo.METHOD_NOT_FOUND, "no such method", nil)}
	}
	return mcpgo.JSONRPCResponse{Result: method(ctx)}
}

func (h *fakeHandler) RegisterSession(_ context.Context, session mcpserver.ClientSession) error {
	h.session = session
	return nil
}

func (h *fakeHandler) UnregisterSession(_ context.Context, id string) { h.ended = append(h.ended, id) }

func (h *fakeHandler) WithContext(ctx context.Context, session mcpserver.ClientSession) context.Context {
	return mcpserver.NewMCPServer("fake", "1").WithContext(ctx, session)
}

var discard = slog.New(slog.DiscardHandler)

// pipe is a client of a handler over a pair of pipes.
type pipe struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *bufio.Reader
	done chan error // what Serve returned
}

func servePipe(t *testing.T, h Handler) *pipe {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	p := &pipe{t: t, in: inW, out: bufio.NewReader(outR), done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		err := Serve(ctx, h, discard, inR, outW)
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
			p.t.Fatalf("sending %.100q: %v", l, err)
		}
	}
}

// endInput ends the input, as a client does that goes away.
func (p *pipe) endInput() { _ = p.in.Close() } // a pipe's Close does not fail

// message is one line that the loop wrote.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  struct {
		Call     json.RawMessage `json:"call"`
		Progress float64         `json:"progress"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *rpcError       `json:"error"`
}

func (m message) String() string {
	return fmt.Sprintf("id %s, method %q, params %+v, result %.200s, error %+v", m.ID, m.Method, m.Params, m.Result,
		m.Error)
}

func parseMessage(t *testing.T, line []byte) message {
	t.Helper()
	var m message
	if err := json.Unmarshal(line, &m); err != nil || m.Version != "2.0" {
		t.Fatalf("the output holds %q, which is no message (%v)", line, err)
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

// rest is all that the loop writes until it ends.
func (p *pipe) rest() []message {
	p.t.Helper()
	var out []message
	for {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			if len(line) > 0 {
				p.t.Fatalf("the output ends with %q, which has no end", line)
			}
			return out
		}
		out = append(out, parseMessage(p.t, line))
	}
}

func request(id, method string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q}`, id, method)
}

func cancelOf(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, id)
}

// holding answers a method when the hold is closed or the call is cancelled. It says when a call
// has come, and with which error of its context a call left.
func holding(hold <-chan struct{}) (method func(ctx context.Context) any, came chan struct{}, left chan error) {
	came, left = make(chan struct{}, 100), make(chan error, 100)
	return func(ctx context.Context) any {
		came <- struct{}{}
		select {
		case <-hold:
		case <-ctx.Done():
		}
		left <- ctx.Err()
		return map[string]any{"cancelled": ctx.Err() != nil}
	}, came, left
}
