package mcp

import (
	"context"
	"sync"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

const (
	firstProgress = 500 * time.Millisecond
	nextProgress  = 5 * time.Second
)

// progress tells the client that a call is alive: after half a second, then every five. It tells nothing unless the client asked, and nothing after stop.
type progress struct {
	ctx   context.Context
	token mcpgo.ProgressToken // nil: the client did not ask
	start time.Time

	mu      sync.Mutex
	message func(elapsed time.Duration) string
	last    float64
	timer   *time.Timer
	stopped bool
}

func startProgress(ctx context.Context, r mcpgo.CallToolRequest) *progress {
	p := &progress{ctx: ctx, start: time.Now(), message: func(d time.Duration) string { return "working, " + seconds(d) }}
	if r.Params.Meta != nil {
		p.token = r.Params.Meta.ProgressToken
	}
	if p.token != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.timer = time.AfterFunc(firstProgress, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.tell()
		})
	}
	return p
}

// say sets what the next messages say, and how they go on while time passes.
func (p *progress) say(message func(elapsed time.Duration) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.message = message
}

// stop ends the messages: when it returns, none is under way.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

// tell sends one message. The number is the seconds so far, which only grow; the end is never
// known, so there is no total.
func (p *progress) tell() {
	if p.stopped || p.ctx.Err() != nil {
		return
	}
	elapsed := time.Since(p.start)
	p.last = max(p.last+0.001, elapsed.Seconds())
	notify(p.ctx, "notifications/progress", map[string]any{
		"progressToken": p.token,
		"progress":      p.last,
		"message":       p.message(elapsed),
	})
	p.timer.Reset(nextProgress)
}

type notifierKey struct{}

// withNotifier makes notify send through send, which returns when the message is written.
func withNotifier(ctx context.Context, send func(method string, params map[string]any)) context.Context {
	return context.WithValue(ctx, notifierKey{}, send)
}

// notify sends a notification that belongs to the call of ctx: before its answer if it goes
// over our own stdio, as mcp-go does it over another transport.
func notify(ctx context.Context, method string, params map[string]any) {
	if send, ok := ctx.Value(notifierKey{}).(func(string, map[string]any)); ok {
		send(method, params)
		return
	}
	if s := mcpserver.ServerFromContext(ctx); s != nil {
		_ = s.SendNotificationToClient(ctx, method, params) // progress is a courtesy: a client that cannot take it loses nothing else
	}
}

func seconds(d time.Duration) string { return d.Truncate(time.Second).String() }
