package stdio

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"testing"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"github.com/babyapi-org/babyapi-go/mcp/internal/stdio/stdiotest"
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

func servePipe(t *testing.T, h Handler) *stdiotest.Pipe {
	t.Helper()
	return stdiotest.Start(t, func(ctx context.Context, in io.Reader, out io.Writer) error {
		return Serve(ctx, h, discard, in, out)
	})
}

func request(id, method string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q}`, id, method)
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
