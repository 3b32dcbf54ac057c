// Package stdio serves one MCP client over a pair of pipes, one JSON-RPC message a line. It knows
// no tool: a [Handler], such as mcp-go's server, answers the messages.
//
// mcp-go has a loop of its own, which this one replaces because it
//
//   - writes notifications of a call after its answer, or drops them,
//   - answers calls that were cancelled,
//   - loses the cancellation of a call that waits in its queue,
//   - ends the calls under way when the input ends,
//   - drops a last line that has no line break,
//   - is held up by a client that stops reading,
//   - leaves a call unanswered whose result cannot be encoded.
package stdio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

const (
	// finishGrace is how long calls may still run when the input has ended, and stopGrace how long
	// they have to return once they are cancelled. No call can hold the process up for longer.
	finishGrace = 2 * time.Second
	stopGrace   = 500 * time.Millisecond
)

// A Handler answers the messages of a client. mcp-go's *MCPServer is one.
type Handler interface {
	// HandleMessage answers a request, or takes a notification. It is called for many requests at
	// once. When ctx ends, the request is cancelled.
	HandleMessage(ctx context.Context, raw json.RawMessage) mcpgo.JSONRPCMessage
	// RegisterSession says before the first message that the client is there.
	RegisterSession(ctx context.Context, session mcpserver.ClientSession) error
	// WithContext is the context of the client's messages.
	WithContext(ctx context.Context, session mcpserver.ClientSession) context.Context
	// UnregisterSession says that the client is gone.
	UnregisterSession(ctx context.Context, sessionID string)
}

// Serve serves the client at the other end of in and out. It promises what ServeStdio of package
// mcp does.
func Serve(ctx context.Context, handler Handler, logger *slog.Logger, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := newConn(handler, logger, out, stop)
	if err := handler.RegisterSession(ctx, c.session); err != nil {
		return err
	}
	defer handler.UnregisterSession(context.WithoutCancel(ctx), c.session.id)

	var notifications sync.WaitGroup
	notifications.Go(func() { c.writeNotifications(ctx) })
	defer notifications.Wait()
	defer stop() // ends them

	lines := make(chan line)
	go readLines(ctx, in, lines)
	requests := handler.WithContext(ctx, c.session)
	for {
		select {
		case <-ctx.Done():
			c.waitForCalls(stopGrace)
			return c.out.finish(stopGrace)
		case l := <-lines:
			if len(l.text) > 0 || l.tooLong {
				c.receive(requests, l)
			}
			if l.err == nil {
				continue
			}
			if !c.waitForCalls(finishGrace) {
				c.cancelAll()
				c.waitForCalls(stopGrace)
			}
			err := c.out.finish(finishGrace)
			if !errors.Is(l.err, io.EOF) {
				return fmt.Errorf("reading the input: %w", l.err)
			}
			return err
		}
	}
}
