package mcp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

const (
	// maxLine is the longest message that is read, in bytes. A longer one is refused and skipped.
	maxLine = 64 << 20
	// finishGrace is how long calls may still run when the input has ended; stopGrace how long
	// they have to return once they are cancelled. No handler can hold the process up longer.
	finishGrace = 2 * time.Second
	stopGrace   = 500 * time.Millisecond
)

// ServeStdio serves one client over in and out, one JSON-RPC message a line, until the input
// ends, ctx does, or out cannot be written to. At the end of the input, calls under way may
// finish for two seconds; when ctx ends they are cancelled at once. Neither is an error.
//
// A Read that is blocked cannot be ended: when ctx ends first, the goroutine that reads in
// lives until in gives something or is closed.
func (s *Server) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &stdio{
		server:  s,
		out:     out,
		fail:    cancel,
		session: newSession(),
		calls:   map[string]*stdioCall{},
		asked:   map[string]chan *incoming{},
	}
	t.session.ask = t.ask
	if err := s.mcp.RegisterSession(ctx, t.session); err != nil {
		return fmt.Errorf("mcp: %w", err)
	}
	defer s.mcp.UnregisterSession(context.WithoutCancel(ctx), t.session.id)
	base := s.mcp.WithContext(ctx, t.session)

	lines := make(chan line)
	go readLines(ctx, in, lines)
	written := make(chan struct{})
	go func() {
		defer close(written)
		t.writeNotifications(ctx)
	}()
	defer func() {
		cancel(nil)
		<-written
	}()

	for {
		select {
		case <-ctx.Done():
			t.finish(stopGrace)
			return t.outcome(ctx)
		case l := <-lines:
			if len(l.text) > 0 || l.tooLong {
				t.receive(base, l)
			}
			if l.err == nil {
				continue
			}
			if !t.finish(finishGrace) {
				t.cancelAll()
				t.finish(stopGrace)
			}
			if !errors.Is(l.err, io.EOF) {
				return fmt.Errorf("mcp: reading the input: %w", l.err)
			}
			return t.outcome(ctx)
		}
	}
}

// outcome is nil unless the output failed.
func (t *stdio) outcome(ctx context.Context) error {
	if w, ok := errors.AsType[*writeError](context.Cause(ctx)); ok {
		return w
	}
	return nil
}

type writeError struct{ err error }

func (e *writeError) Error() string { return "mcp: writing the output: " + e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// line is one line of the input. The last one has err set, and can have a text.
type line struct {
	text    []byte
	tooLong bool
	err     error
}

func readLines(ctx context.Context, in io.Reader, lines chan<- line) {
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		l := readLine(r, maxLine)
		select {
		case lines <- l:
		case <-ctx.Done():
			return
		}
		if l.err != nil {
			return
		}
	}
}

// readLine reads up to a line break or the end, and drops a line of more than limit bytes.
func readLine(r *bufio.Reader, limit int) line {
	var l line
	for {
		part, err := r.ReadSlice('\n')
		if len(l.text)+len(part) > limit {
			l.tooLong, l.text = true, nil
		}
		if !l.tooLong {
			l.text = append(l.text, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		l.text, l.err = bytes.TrimSpace(l.text), err
		return l
	}
}

// stdio is one client over a pair of pipes.
type stdio struct {
	server  *Server
	session *session
	fail    context.CancelCauseFunc
	running sync.WaitGroup

	// mu orders what is written: a notification of a call is written before its answer or not
	// at all.
	mu    sync.Mutex
	out   io.Writer
	calls map[string]*stdioCall     // under way, by the id as it was sent: 1 and "1" are two
	asked map[string]chan *incoming // requests of ours that wait for their answer
}

// stdioCall is a request of the client.
type stdioCall struct {
	id     json.RawMessage
	cancel context.CancelFunc
	over   bool // answered or cancelled: nothing more is written about it
}

// incoming is a message of the client.
type incoming struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

// receive handles one line. It never waits for a call.
func (t *stdio) receive(ctx context.Context, l line) {
	refuse := func(id json.RawMessage, code int, message string) {
		t.write(&outgoing{ID: id, Error: &rpcError{code, message}})
	}
	null := json.RawMessage("null")
	if l.tooLong {
		refuse(null, mcpgo.INVALID_REQUEST, fmt.Sprintf("the message is longer than %d bytes", maxLine))
		return
	}
	var m incoming
	if err := json.Unmarshal(l.text, &m); err != nil {
		if json.Valid(l.text) {
			refuse(null, mcpgo.INVALID_REQUEST, "a message must be one JSON-RPC object; batches are not supported")
			return
		}
		refuse(null, mcpgo.PARSE_ERROR, "the line is not JSON")
		return
	}
	hasID := len(m.ID) > 0 && string(m.ID) != "null"
	switch {
	case hasID && m.ID[0] != '"' && !isNumber(m.ID):
		refuse(null, mcpgo.INVALID_REQUEST, "an id must be a string or a number")
	case m.Method == "" && hasID && (m.Result != nil || m.Error != nil):
		t.answered(&m)
	case m.Method == "" || m.Version != mcpgo.JSONRPC_VERSION || len(m.ID) > 0 && !hasID:
		refuse(orNull(m.ID), mcpgo.INVALID_REQUEST, `a request must have "jsonrpc":"2.0", a method and an id that is not null`)
	case m.Method == "notifications/cancelled":
		t.cancelled(m.Params)
	case !hasID:
		if m.Method == "notifications/roots/list_changed" {
			t.session.forgetRoots()
		}
		_ = t.handle(ctx, l.text) // a notification has no answer
	default:
		t.start(ctx, &m, l.text)
	}
}

func isNumber(raw json.RawMessage) bool {
	_, err := strconv.ParseFloat(string(raw), 64)
	return err == nil
}

func orNull(id json.RawMessage) json.RawMessage {
	if len(id) == 0 {
		return json.RawMessage("null")
	}
	return id
}

// start runs a request on a goroutine of its own; initialize alone is handled in order, as
// what follows builds on it.
func (t *stdio) start(ctx context.Context, m *incoming, text []byte) {
	ctx, cancel := context.WithCancel(ctx)
	c := &stdioCall{id: m.ID, cancel: cancel}
	key := string(m.ID)
	t.mu.Lock()
	if _, taken := t.calls[key]; taken {
		t.mu.Unlock()
		cancel()
		t.write(&outgoing{ID: m.ID, Error: &rpcError{mcpgo.INVALID_REQUEST, "a call with this id is under way"}})
		return
	}
	t.calls[key] = c
	t.mu.Unlock()
	ctx = withNotifier(ctx, func(method string, params map[string]any) {
		t.writeFor(c, &outgoing{Method: method, Params: params})
	})
	run := func() {
		defer cancel()
		response := t.handle(ctx, text)
		t.session.flush(ctx)
		t.mu.Lock()
		delete(t.calls, key)
		t.mu.Unlock()
		t.answer(c, response)
	}
	if m.Method == string(mcpgo.MethodInitialize) {
		run()
		return
	}
	t.running.Go(run)
}

// handle passes a message to mcp-go. A panic of its own, or of a tool that somebody else added,
// ends the call and not the server.
func (t *stdio) handle(ctx context.Context, text []byte) (response mcpgo.JSONRPCMessage) {
	defer func() {
		if p := recover(); p != nil {
			t.server.logger.ErrorContext(ctx, "panic", "panic", p, "stack", string(debug.Stack()))
			response = mcpgo.JSONRPCError{Error: mcpgo.NewJSONRPCErrorDetails(mcpgo.INTERNAL_ERROR, "internal error: see the log of the MCP server", nil)}
		}
	}()
	return t.server.mcp.HandleMessage(ctx, text)
}

// answer writes the response of a call, with its id as the client sent it: mcp-go would write
// a large number with fewer digits.
func (t *stdio) answer(c *stdioCall, response mcpgo.JSONRPCMessage) {
	o := &outgoing{ID: c.id}
	switch r := response.(type) {
	case mcpgo.JSONRPCResponse:
		o.Result = r.Result
	case mcpgo.JSONRPCError:
		o.Error = &r.Error
	default:
		o.Error = &rpcError{mcpgo.INTERNAL_ERROR, "internal error: the call gave no answer"}
	}
	t.writeFor(c, o)
}

// cancelled gives up the call that the client names. Nothing more is written about it.
func (t *stdio) cancelled(params json.RawMessage) {
	var p struct {
		RequestID json.RawMessage `json:"requestId"`
	}
	if json.Unmarshal(params, &p) != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.calls[string(p.RequestID)]; c != nil {
		c.over = true
		c.cancel()
	}
}

// cancelAll cancels every call; they may still answer.
func (t *stdio) cancelAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.calls {
		c.cancel()
	}
}

// finish waits for the calls and reports whether they all ended.
func (t *stdio) finish(grace time.Duration) bool {
	done := make(chan struct{})
	go func() {
		t.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(grace):
		return false
	}
}

// ask sends a request to the client and waits for its answer.
func (t *stdio) ask(ctx context.Context, method string) (json.RawMessage, error) {
	id := mustJSON("server-" + rand.Text()[:8])
	reply := make(chan *incoming, 1)
	t.mu.Lock()
	t.asked[string(id)] = reply
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.asked, string(id))
	}()
	t.write(&outgoing{ID: id, Method: method, Params: map[string]any{}})
	select {
	case m := <-reply:
		if m.Error != nil {
			return nil, fmt.Errorf("the client refused %s: %s", method, clip(string(m.Error)))
		}
		return m.Result, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answered passes on the client's answer to a request of ours.
func (t *stdio) answered(m *incoming) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if reply := t.asked[string(m.ID)]; reply != nil {
		delete(t.asked, string(m.ID))
		reply <- m
	}
}

// outgoing is a message to the client.
type outgoing struct {
	ID     json.RawMessage
	Method string
	Params map[string]any
	Result any
	Error  any
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (o *outgoing) encode() ([]byte, error) {
	w := struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id,omitempty"`
		Method  string          `json:"method,omitempty"`
		Params  map[string]any  `json:"params,omitempty"`
		Result  any             `json:"result,omitempty"`
		Error   any             `json:"error,omitempty"`
	}{mcpgo.JSONRPC_VERSION, o.ID, o.Method, o.Params, o.Result, o.Error}
	b, err := json.Marshal(w)
	return append(b, '\n'), err
}

// write writes a message that belongs to no call.
func (t *stdio) write(o *outgoing) { t.writeFor(nil, o) }

// writeFor writes a message of a call, unless the call is over. An answer ends it. A result that
// cannot be encoded is answered as an error: a client must never wait for nothing.
func (t *stdio) writeFor(c *stdioCall, o *outgoing) {
	b, err := o.encode()
	if err != nil {
		t.server.logger.Error("a message cannot be encoded", "error", err)
		if o.ID == nil {
			return
		}
		o.Result, o.Error = nil, &rpcError{mcpgo.INTERNAL_ERROR, "internal error: the result cannot be encoded"}
		b = append(mustJSON(map[string]any{"jsonrpc": mcpgo.JSONRPC_VERSION, "id": o.ID, "error": o.Error}), '\n')
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if c != nil {
		if c.over {
			return
		}
		c.over = o.ID != nil
	}
	if _, err := t.out.Write(b); err != nil {
		t.fail(&writeError{err})
	}
}

// writeNotifications writes what mcp-go itself wants to tell the client.
func (t *stdio) writeNotifications(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-t.session.notifications:
			if done, ok := n.Params.AdditionalFields[flushField].(chan struct{}); ok {
				close(done)
				continue
			}
			b, err := json.Marshal(n)
			if err != nil {
				t.server.logger.ErrorContext(ctx, "a notification cannot be encoded", "error", err)
				continue
			}
			t.mu.Lock()
			_, err = t.out.Write(append(b, '\n'))
			t.mu.Unlock()
			if err != nil {
				t.fail(&writeError{err})
			}
		}
	}
}
