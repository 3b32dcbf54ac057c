package stdio

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

// conn is the connection to a client.
type conn struct {
	handler Handler
	logger  *slog.Logger
	session *session
	stop    context.CancelFunc // ends Serve
	running sync.WaitGroup     // calls

	// mu orders what is added to out: a notification of a call is written before its answer or not
	// at all.
	mu    sync.Mutex
	out   *writer
	calls map[string]*call          // under way, by the id as it was sent: 1 and "1" are two
	asked map[string]chan *incoming // requests of ours that wait for their answer, by their id
}

// call is a request of the client.
type call struct {
	id     json.RawMessage
	cancel context.CancelFunc
	over   bool // answered or cancelled: nothing more is written about it
}

func newConn(handler Handler, logger *slog.Logger, out io.Writer, stop context.CancelFunc) *conn {
	c := &conn{
		handler: handler,
		logger:  logger,
		out:     newWriter(out, stop),
		stop:    stop,
		calls:   map[string]*call{},
		asked:   map[string]chan *incoming{},
	}
	c.session = newSession(c.ask)
	return c
}

// receive handles one line. It never waits for a call, initialize aside.
func (c *conn) receive(ctx context.Context, l line) {
	if l.tooLong {
		c.refuse(null, mcpgo.INVALID_REQUEST, fmt.Sprintf("the message is longer than %d bytes", maxLine))
		return
	}
	var m incoming
	if err := json.Unmarshal(l.text, &m); err != nil {
		if json.Valid(l.text) {
			c.refuse(null, mcpgo.INVALID_REQUEST, "a message must be one JSON-RPC object; batches are not supported")
			return
		}
		c.refuse(null, mcpgo.PARSE_ERROR, "the line is not JSON")
		return
	}
	idIsAbsent := len(m.ID) == 0
	idIsNull := string(m.ID) == "null"
	hasID := !idIsAbsent && !idIsNull
	if idIsAbsent {
		m.ID = null
	}
	switch {
	case hasID && m.ID[0] != '"' && !isNumber(m.ID):
		c.refuse(null, mcpgo.INVALID_REQUEST, "an id must be a string or a number")
	case m.Method == "" && hasID && (m.Result != nil || m.Error != nil):
		c.takeAnswer(&m)
	case m.Method == "" || m.Version != mcpgo.JSONRPC_VERSION || idIsNull:
		const want = `a request must have "jsonrpc":"2.0", a method and an id that is not null`
		c.refuse(m.ID, mcpgo.INVALID_REQUEST, want)
	case m.Method == "notifications/cancelled":
		c.cancelCall(m.Params)
	case idIsAbsent:
		if m.Method == "notifications/roots/list_changed" {
			c.session.rootsKnown.Store(false)
		}
		_ = c.handle(ctx, l.text) // a notification has no answer
	default:
		c.start(ctx, &m, l.text)
	}
}

// start runs a request on a goroutine of its own. Only initialize is handled in order, because the
// messages after it build on it.
func (c *conn) start(ctx context.Context, m *incoming, text []byte) {
	ctx, cancel := context.WithCancel(ctx)
	request := &call{id: m.ID, cancel: cancel}
	c.mu.Lock()
	taken := c.calls[string(m.ID)] != nil
	if !taken {
		c.calls[string(m.ID)] = request
	}
	c.mu.Unlock()
	if taken {
		cancel()
		c.refuse(m.ID, mcpgo.INVALID_REQUEST, "a call with this id is under way")
		return
	}
	ctx = context.WithValue(ctx, notifierKey{}, notifier(func(method string, params map[string]any) {
		c.write(request, &outgoing{Method: method, Params: params})
	}))
	run := func() {
		defer cancel()
		response := c.handle(ctx, text)
		c.session.flush(ctx)
		c.mu.Lock()
		delete(c.calls, string(m.ID))
		c.mu.Unlock()
		c.answer(request, response)
	}
	if m.Method == string(mcpgo.MethodInitialize) {
		run()
		return
	}
	c.running.Go(run)
}

// handle passes a message to the handler. A panic there ends the call and not the server.
func (c *conn) handle(ctx context.Context, text []byte) (response mcpgo.JSONRPCMessage) {
	defer func() {
		if p := recover(); p != nil {
			c.logger.ErrorContext(ctx, "panic", "panic", p, "stack", string(debug.Stack()))
			const message = "internal error: see the log of the MCP server"
			response = mcpgo.JSONRPCError{Error: mcpgo.NewJSONRPCErrorDetails(mcpgo.INTERNAL_ERROR, message, nil)}
		}
	}()
	return c.handler.HandleMessage(ctx, text)
}

// answer writes the response of a call, with its id as the client sent it: mcp-go would write a
// large number with fewer digits.
func (c *conn) answer(request *call, response mcpgo.JSONRPCMessage) {
	o := &outgoing{ID: request.id}
	switch r := response.(type) {
	case mcpgo.JSONRPCResponse:
		o.Result = r.Result
	case mcpgo.JSONRPCError:
		o.Error = &r.Error
	default:
		o.Error = &rpcError{mcpgo.INTERNAL_ERROR, "internal error: the call gave no answer"}
	}
	c.write(request, o)
}

// cancelCall cancels the call that the client names. Nothing more is written about it.
func (c *conn) cancelCall(params json.RawMessage) {
	var p struct {
		RequestID json.RawMessage `json:"requestId"`
	}
	if json.Unmarshal(params, &p) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if request := c.calls[string(p.RequestID)]; request != nil {
		request.over = true
		request.cancel()
	}
}

// cancelAll cancels every call. They may still answer.
func (c *conn) cancelAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, request := range c.calls {
		request.cancel()
	}
}

// waitForCalls waits until all calls have ended, and reports whether they did within the grace.
func (c *conn) waitForCalls(grace time.Duration) bool {
	ended := make(chan struct{})
	go func() {
		c.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-time.After(grace):
		return false
	}
}

// ask sends a request to the client and waits for its answer.
func (c *conn) ask(ctx context.Context, method string) (json.RawMessage, error) {
	id := `"server-` + rand.Text()[:8] + `"`
	reply := make(chan *incoming, 1)
	c.mu.Lock()
	c.asked[id] = reply
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.asked, id)
	}()
	c.write(nil, &outgoing{ID: json.RawMessage(id), Method: method, Params: map[string]any{}})
	select {
	case m := <-reply:
		if m.Error != nil {
			return nil, fmt.Errorf("the client refused %s: %.100s", method, m.Error)
		}
		return m.Result, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// takeAnswer passes the client's answer to the request of ours that waits for it.
func (c *conn) takeAnswer(m *incoming) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if reply := c.asked[string(m.ID)]; reply != nil {
		delete(c.asked, string(m.ID))
		reply <- m
	}
}

func (c *conn) refuse(id json.RawMessage, code int, message string) {
	c.write(nil, &outgoing{ID: id, Error: &rpcError{code, message}})
}

// write writes a message of a call, unless the call is over, or one of no call. An answer ends its
// call. A result that cannot be encoded is answered as an error: a client must never wait for
// nothing.
func (c *conn) write(request *call, o *outgoing) {
	b, err := o.encode()
	if err != nil {
		c.logger.Error("a message cannot be encoded", "error", err)
		if o.ID == nil {
			return
		}
		o.Result, o.Error = nil, &rpcError{mcpgo.INTERNAL_ERROR, "internal error: the result cannot be encoded"}
		b, _ = o.encode() // an id, a number and a text
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if request != nil {
		if request.over {
			return
		}
		request.over = o.ID != nil
	}
	c.out.add(b)
}

// writeNotifications writes what mcp-go itself wants to tell the client, until ctx ends.
func (c *conn) writeNotifications(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-c.session.notifications:
			if written, ok := n.Params.AdditionalFields[flushField].(chan struct{}); ok {
				close(written)
				continue
			}
			b, err := json.Marshal(n)
			if err != nil {
				c.logger.ErrorContext(ctx, "a notification cannot be encoded", "error", err)
				continue
			}
			c.mu.Lock()
			c.out.add(append(b, '\n'))
			c.mu.Unlock()
		}
	}
}

type (
	notifierKey struct{}
	notifier    func(method string, params map[string]any)
)

// Notify writes a notification that belongs to the call of ctx: before the answer of the call, or
// not at all. It reports false, and writes nothing, if the call did not come in over stdio.
func Notify(ctx context.Context, method string, params map[string]any) bool {
	notify, ok := ctx.Value(notifierKey{}).(notifier)
	if ok {
		notify(method, params)
	}
	return ok
}
